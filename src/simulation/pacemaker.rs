//! What Pacemaker knows, and what it wants next: the choices of its scheduler, as
//! `crm_simulate` shows them (2.1.5, three nodes, fencing, a promotable clone).

use super::schedule::Id;
use crate::record::score::{INFINITY, MINUS_INFINITY};

/// What Pacemaker takes a node's instance for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Known {
    /// Not probed yet.
    Unknown,
    Stopped,
    Standby,
    Primary,
}

/// A node in Pacemaker's eyes.
#[derive(Debug, Clone, Hash)]
pub struct Node {
    /// Whether the machine is on.
    pub power: bool,
    /// Whether it is of the partition that has quorum.
    pub member: bool,
    /// Whether it must be fenced.
    pub unclean: bool,
    pub known: Known,
    /// Whether what runs there failed and must be restarted.
    pub failed: bool,
    /// Whether its promotion failed: it is not promoted before its restart.
    pub capped: bool,
    pub fails: u8,
    /// Whether nothing is started here until a cleanup.
    pub banned: bool,
    /// `pcs node standby`, or Pacemaker is to stop.
    pub aside: bool,
    /// Whether Pacemaker is to stop.
    pub leaving: bool,
    /// Whether the recurring monitor runs.
    pub monitored: bool,
}

impl Node {
    /// A member of which nothing is known.
    pub fn new() -> Self {
        Self {
            power: true,
            member: true,
            unclean: false,
            known: Known::Unknown,
            failed: false,
            capped: false,
            fails: 0,
            banned: false,
            aside: false,
            leaving: false,
            monitored: false,
        }
    }

    /// Whether anything of it runs in a role.
    pub fn runs(&self) -> bool {
        matches!(self.known, Known::Standby | Known::Primary)
    }

    fn may_run(&self) -> bool {
        self.member && !self.aside && !self.banned
    }

    fn must_stop(&self) -> bool {
        self.member && self.runs() && (self.failed || !self.may_run())
    }

    /// `migration-threshold`.
    pub fn fail(&mut self) {
        self.failed = true;
        self.monitored = false;
        self.fails += 1;
        self.banned |= self.fails >= 5;
    }

    /// The node is gone: what was known of its instance is not.
    pub fn forget(&mut self) {
        let (power, aside) = (self.power, self.aside && !self.leaving);
        *self = Self {
            power,
            aside,
            member: false,
            known: Known::Stopped,
            ..Self::new()
        };
    }
}

/// What one transition is to do, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub fence: Vec<Id>,
    pub probe: Vec<Id>,
    pub demote: Vec<Id>,
    pub stop: Vec<Id>,
    pub start: Vec<Id>,
    pub promote: Vec<Id>,
    pub monitor: Vec<Id>,
}

/// What Pacemaker knows.
#[derive(Debug, Clone, Hash)]
pub struct Pacemaker {
    pub nodes: Vec<Node>,
    /// Where an admin wants the role.
    pub wish: Option<Id>,
    /// How many members are needed to act.
    pub quorum: usize,
}

/// `resource-stickiness`.
const STICKINESS: i32 = 10;

impl Pacemaker {
    /// A cluster that has just come up.
    pub fn new(nodes: usize, quorum: usize) -> Self {
        Self {
            nodes: vec![Node::new(); nodes],
            wish: None,
            quorum,
        }
    }

    /// Those for which this is true.
    pub fn which(&self, is_one: impl Fn(&Node) -> bool) -> Vec<Id> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| is_one(node))
            .map(|(id, _)| id)
            .collect()
    }

    /// What is to be done, where these are the promotion scores.
    pub fn plan(&self, scores: &[Option<i32>]) -> Plan {
        let members = self.which(|node| node.member);
        if members.len() < self.quorum {
            return self.without_quorum();
        }
        let fence = self.which(|node| node.unclean);
        let probe = self.which(|node| node.member && !node.unclean && node.known == Known::Unknown);
        if !probe.is_empty() {
            return Plan {
                fence,
                probe,
                ..Plan::default()
            };
        }
        self.roles(fence, scores)
    }

    fn without_quorum(&self) -> Plan {
        let is = |node: &Node| node.member && !node.unclean;
        Plan {
            demote: self.which(|node| is(node) && node.known == Known::Primary),
            stop: self.which(|node| is(node) && node.runs()),
            ..Plan::default()
        }
    }

    fn roles(&self, fence: Vec<Id>, scores: &[Option<i32>]) -> Plan {
        let is_fenced = |id: &Id| fence.contains(id);
        let primary = self.choice(scores).filter(|id| !is_fenced(id));
        let nodes = |is_one: &dyn Fn(&Id) -> bool| -> Vec<Id> {
            (0..self.nodes.len()).filter(|id| is_one(id)).collect()
        };
        let stop =
            nodes(&|id| is_fenced(id) && self.nodes[*id].runs() || self.nodes[*id].must_stop());
        let is_primary = |id: &Id| self.nodes[*id].known == Known::Primary;
        let demote = nodes(&|id| is_primary(id) && (Some(*id) != primary || stop.contains(id)));
        let start = nodes(&|id| {
            let node = &self.nodes[*id];
            let stopped = node.known == Known::Stopped || stop.contains(id);
            stopped && node.may_run() && !is_fenced(id)
        });
        let promote = nodes(&|id| Some(*id) == primary && (!is_primary(id) || demote.contains(id)));
        let monitor = nodes(&|id| {
            let node = &self.nodes[*id];
            let runs = node.member && node.runs() && !stop.contains(id);
            (runs && !node.monitored) || start.contains(id) || promote.contains(id)
        });
        Plan {
            fence,
            probe: Vec::new(),
            demote,
            stop,
            start,
            promote,
            monitor,
        }
    }

    /// As `set_instance_priority` has it: without a score -1, and of two infinite ones the
    /// negative one counts.
    fn score(&self, scores: &[Option<i32>], id: Id) -> i32 {
        match scores[id].unwrap_or(-1) {
            ..=MINUS_INFINITY => MINUS_INFINITY,
            _ if self.wish == Some(id) => INFINITY,
            score => score,
        }
    }

    /// The highest score and stickiness; a negative score is never promoted.
    fn choice(&self, scores: &[Option<i32>]) -> Option<Id> {
        let may = |id: &Id| {
            let node = &self.nodes[*id];
            node.may_run() && !node.unclean && !node.capped && self.score(scores, *id) >= 0
        };
        let worth = |id: &Id| {
            let node = &self.nodes[*id];
            let stickiness = if node.runs() { STICKINESS } else { 0 };
            let score = self.score(scores, *id).saturating_add(stickiness);
            let is_primary = node.known == Known::Primary;
            (score, is_primary, std::cmp::Reverse(*id))
        };
        (0..self.nodes.len()).filter(may).max_by_key(worth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(known: [Known; 3]) -> Pacemaker {
        let mut pacemaker = Pacemaker::new(3, 2);
        for (node, known) in pacemaker.nodes.iter_mut().zip(known) {
            (node.known, node.monitored) = (known, true);
        }
        pacemaker
    }

    const SCORES: [Option<i32>; 3] = [Some(1001), Some(1000), Some(990)];
    use Known::{Primary, Standby, Stopped};

    #[test]
    fn a_failed_primary_is_demoted_stopped_started_and_promoted_again() {
        let mut pacemaker = cluster([Primary, Standby, Standby]);
        assert_eq!(pacemaker.plan(&SCORES), Plan::default());
        pacemaker.nodes[0].fail();
        let plan = pacemaker.plan(&SCORES);
        let all = [&plan.demote, &plan.stop, &plan.start, &plan.promote];
        assert!(all.iter().all(|list| **list == [0]));
    }

    #[test]
    fn a_failed_promotion_goes_to_the_next() {
        let mut pacemaker = cluster([Standby, Primary, Standby]);
        pacemaker.nodes[1].fail();
        pacemaker.nodes[1].capped = true;
        let plan = pacemaker.plan(&[Some(1), Some(1000), Some(990)]);
        assert_eq!(
            (plan.demote, plan.start, plan.promote),
            (vec![1], vec![1], vec![2])
        );
    }

    #[test]
    fn a_lost_node_is_fenced_and_stands_in_the_lists() {
        let mut pacemaker = cluster([Primary, Standby, Standby]);
        (pacemaker.nodes[0].member, pacemaker.nodes[0].unclean) = (false, true);
        let plan = pacemaker.plan(&SCORES);
        assert_eq!(
            (&plan.fence, &plan.demote, &plan.stop),
            (&vec![0], &vec![0], &vec![0])
        );
        assert_eq!((plan.start, plan.promote), (vec![], vec![1]));
    }

    #[test]
    fn without_quorum_all_is_stopped_and_nobody_excluded_is_promoted() {
        let mut pacemaker = cluster([Primary, Stopped, Stopped]);
        for id in [1, 2] {
            pacemaker.nodes[id].member = false;
        }
        let plan = pacemaker.plan(&SCORES);
        assert_eq!(
            (plan.demote, plan.stop, plan.promote),
            (vec![0], vec![0], vec![])
        );
        let standbys = cluster([Standby, Standby, Standby]);
        assert!(
            standbys
                .plan(&[Some(-1000), None, Some(-1)])
                .promote
                .is_empty()
        );
    }

    #[test]
    fn a_wish_moves_the_role_without_a_restart() {
        let mut pacemaker = cluster([Primary, Standby, Standby]);
        pacemaker.wish = Some(2);
        let plan = pacemaker.plan(&SCORES);
        assert_eq!(
            (plan.demote, plan.stop, plan.promote),
            (vec![0], vec![], vec![2])
        );
        let moved_to = |score| pacemaker.plan(&[Some(1001), None, Some(score)]).promote;
        assert_eq!(moved_to(-1000), [2]);
        assert_eq!(moved_to(MINUS_INFINITY), [] as [Id; 0]);
    }
}

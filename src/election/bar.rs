//! Why Pacemaker may not promote a voter, and what would let it.

use std::collections::BTreeMap;

use super::scores::scale::{EXCLUDED, FIRST_STANDBY, is_excluded};
use crate::ocf::NodeName;
use crate::record::constraint::Constraint;
use crate::record::score::{self, INFINITY, MINUS_INFINITY};

/// What keeps the role of the primary away from a node, and what lifts it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Bar {
    /// A constraint's id, or a few words.
    pub what: String,
    /// The command that lifts it, of Pacemaker or pcs.
    pub command: String,
    /// The same for crmsh, where it is another one.
    pub command_of_crmsh: Option<String>,
}

impl Bar {
    /// A constraint that an admin wrote, or that a move left behind.
    fn of_constraint(node: &NodeName, constraint: &Constraint) -> Self {
        let Constraint { id, resource, .. } = constraint;
        let (pcs, crmsh) = if constraint.is_of_command_line() {
            ("resource clear", "resource clear")
        } else {
            ("constraint remove", "configure delete")
        };
        let (what, of_crmsh) = if constraint.is_of_command_line() {
            (format!("{resource} {node}"), resource)
        } else {
            (id.clone(), id)
        };
        Self {
            what: id.clone(),
            command: format!("pcs {pcs} {what}"),
            command_of_crmsh: Some(format!("crm {crmsh} {of_crmsh}")),
        }
    }

    /// A negative promotion score with the lifetime reboot, which the agent never sets. It
    /// stands before the stored one.
    fn of_foreign_score(node: &NodeName, score: i32, resource: &str) -> Self {
        Self {
            what: format!("a promotion score of {score} (lifetime reboot)"),
            command: remove_foreign_score(node, resource),
            command_of_crmsh: None,
        }
    }

    /// None that could be found. It was given the highest promotion score before, and was
    /// not promoted, or failed.
    fn of_last_try(node: &NodeName, resource: &str) -> Self {
        Self {
            what: "its last try".to_owned(),
            command: format!("crm_resource --cleanup --resource {resource} --node {node}"),
            command_of_crmsh: None,
        }
    }
}

/// The command that removes a promotion score with the lifetime reboot.
pub fn remove_foreign_score(node: &NodeName, resource: &str) -> String {
    let name = score::NAME.of(resource);
    format!("crm_attribute --lifetime reboot --node {node} --name {name} --delete")
}

/// What is known about the scores by which Pacemaker chooses, and about what changes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The resource.
    pub resource: String,
    /// The score by which Pacemaker would choose a node now, all constraints included.
    pub of_pacemaker: BTreeMap<NodeName, i32>,
    /// The promotion score that is stored for a node.
    pub stored: BTreeMap<NodeName, i32>,
    /// Promotion scores with the lifetime reboot: somebody set them by hand.
    pub foreign: BTreeMap<NodeName, i32>,
    /// The constraints that may be why the two differ.
    pub constraints: Vec<Constraint>,
    /// The node that the candidate has given way to before, in this term.
    pub yielded_to: Option<NodeName>,
}

impl Choice {
    /// The nodes that Pacemaker would not promote even with the score of the first standby,
    /// as far as the reason will still be there the next time: a node whose promotion has
    /// just failed is not chosen either, but is given a second try.
    pub fn barred(&self) -> BTreeMap<NodeName, Bar> {
        let scores = self.of_pacemaker.iter();
        let refused = scores.filter(|(node, score)| self.is_refused(node, **score));
        refused
            .filter_map(|(node, _)| Some((node.clone(), self.bar_of(node)?)))
            .collect()
    }

    /// The nodes that the agent itself excludes, and that are named by what keeps the role away from
    /// them: they are barred once an election has given them a score.
    pub fn barred_once_tried(&self) -> BTreeMap<NodeName, Bar> {
        let excluded = self.stored.iter().filter(|(_, score)| is_excluded(**score));
        let is_named = |node: &NodeName| {
            let mut constraints = self.constraints.iter();
            let by_hand = self.foreign.get(node);
            by_hand.is_some_and(|score| is_excluded(*score))
                || constraints.any(|one| one.node.as_ref() == Some(node))
        };
        excluded
            .filter(|(node, _)| is_named(node))
            .filter_map(|(node, _)| Some((node.clone(), self.bar_of(node)?)))
            .collect()
    }

    /// Where the agent itself excludes a node, Pacemaker's score does not tell whether anything
    /// else is against it, as a ban or a promotion that failed: that shows once it has the score
    /// that this election gives it.
    fn is_refused(&self, node: &NodeName, score: i32) -> bool {
        let stored = self.stored.get(node).copied().unwrap_or_default();
        let with_first = match self.foreign.contains_key(node) {
            // It takes the place of the agent's own, which changes nothing then.
            true => score,
            false => self.added_to(node, score).saturating_add(FIRST_STANDBY),
        };
        stored > EXCLUDED && is_excluded(with_first)
    }

    /// What Pacemaker adds to the stored score of each node.
    pub fn added(&self) -> BTreeMap<NodeName, i32> {
        let scores = self.of_pacemaker.iter();
        let added = scores.map(|(node, score)| (node.clone(), self.added_to(node, *score)));
        added.collect()
    }

    /// An infinite score stays what it is, whatever is added to it.
    fn added_to(&self, node: &NodeName, score: i32) -> i32 {
        let stored = self.stored.get(node).copied().unwrap_or_default();
        match score {
            INFINITY.. | ..=MINUS_INFINITY => score,
            finite => finite.saturating_sub(stored),
        }
    }

    fn bar_of(&self, node: &NodeName) -> Option<Bar> {
        let resource = &self.resource;
        let foreign = self.foreign.get(node).filter(|score| is_excluded(**score));
        if let Some(score) = foreign {
            return Some(Bar::of_foreign_score(node, *score, resource));
        }
        let constraints = || self.constraints.iter();
        let named = constraints().find(|one| one.node.as_ref() == Some(node));
        let constraint = named.or_else(|| constraints().find(|one| one.node.is_none()));
        if let Some(constraint) = constraint {
            return Some(Bar::of_constraint(node, constraint));
        }
        (self.yielded_to.as_ref() == Some(node)).then(|| Bar::of_last_try(node, resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::node;

    fn ban() -> Constraint {
        Constraint {
            id: "cli-ban-pgsqld-clone-on-n3".to_owned(),
            resource: "pgsqld-clone".to_owned(),
            node: Some(node("n3")),
        }
    }

    /// n3 is given `stored`; Pacemaker would choose it by `chosen`.
    fn choice(chosen: i32, stored: i32) -> Choice {
        Choice {
            resource: "pgsqld".to_owned(),
            of_pacemaker: [(node("n3"), chosen)].into(),
            stored: [(node("n3"), stored)].into(),
            foreign: BTreeMap::new(),
            constraints: vec![ban()],
            yielded_to: None,
        }
    }

    fn bar(choice: &Choice) -> Bar {
        choice.barred().remove(&node("n3")).unwrap()
    }

    #[test]
    fn a_node_is_barred_if_no_score_of_ours_would_have_it_chosen() {
        let is_barred = |chosen, stored| !choice(chosen, stored).barred().is_empty();
        assert!(is_barred(-1_000_000, 1000));
        assert!(is_barred(-4000, 1000));
        assert!(!is_barred(-1000, -1000), "our own score is no bar");
        assert!(!is_barred(-500, 300), "with 1000 it would be chosen");
        assert!(!is_barred(1000, 1000));
    }

    /// However small: the agent's own score does not add to it.
    #[test]
    fn a_negative_score_by_hand_bars() {
        let by_hand = |score| Choice {
            foreign: [(node("n3"), score)].into(),
            ..choice(score, 990)
        };
        assert!(by_hand(5).barred().is_empty());
        let said = bar(&by_hand(-5)).what;
        assert!(said.contains("-5"), "{said}");
    }

    /// It may be that alone, or that its new score could not be written the last time.
    #[test]
    fn what_the_agent_excludes_itself_is_tried_before_it_is_barred() {
        let excluded = Choice {
            yielded_to: Some(node("n3")),
            ..choice(MINUS_INFINITY, MINUS_INFINITY)
        };
        assert!(excluded.barred().is_empty());
    }

    /// A ban on it counts once it has the score of an election.
    #[test]
    fn what_is_excluded_and_banned_is_barred_once_tried() {
        let names = |choice: &Choice| choice.barred_once_tried().len();
        assert_eq!(names(&choice(MINUS_INFINITY, MINUS_INFINITY)), 1);
        assert_eq!(names(&choice(MINUS_INFINITY, 1000)), 0, "it is barred now");
        let free = Choice {
            constraints: Vec::new(),
            ..choice(MINUS_INFINITY, MINUS_INFINITY)
        };
        assert_eq!(names(&free), 0);
    }

    #[test]
    fn what_constraints_add_is_told_from_the_stored_score() {
        let added = |chosen, stored| choice(chosen, stored).added()[&node("n3")];
        assert_eq!(added(INFINITY, 990), INFINITY);
        assert_eq!(added(MINUS_INFINITY, 990), MINUS_INFINITY);
        assert_eq!(added(1490, 990), 500);
    }

    #[test]
    fn a_promotion_that_failed_is_tried_again_before_it_is_a_bar() {
        let failed = Choice {
            constraints: Vec::new(),
            ..choice(-1_000_000, 1000)
        };
        assert_eq!(failed.barred(), BTreeMap::new());
        let again = Choice {
            yielded_to: Some(node("n3")),
            ..failed
        };
        assert_eq!(bar(&again).what, "its last try");
        assert_eq!(
            bar(&again).command,
            "crm_resource --cleanup --resource pgsqld --node n3"
        );
    }

    #[test]
    fn a_score_by_hand_is_named_before_a_constraint() {
        let by_hand = Choice {
            foreign: [(node("n3"), -1000)].into(),
            ..choice(-1000, 1000)
        };
        assert_eq!(
            bar(&by_hand).command,
            "crm_attribute --lifetime reboot --node n3 --name master-pgsqld --delete"
        );
    }

    #[test]
    fn the_constraint_of_the_node_is_named_before_others() {
        let rule = Constraint {
            id: "reporting".to_owned(),
            node: None,
            ..ban()
        };
        let mut both = choice(-1_000_000, 1000);
        both.constraints.insert(0, rule);
        let ban = bar(&both);
        assert_eq!(ban.what, "cli-ban-pgsqld-clone-on-n3");
        assert_eq!(ban.command, "pcs resource clear pgsqld-clone n3");
        both.constraints.pop();
        let rule = bar(&both);
        assert_eq!(rule.command, "pcs constraint remove reporting");
        let of_crmsh = rule.command_of_crmsh.as_deref();
        assert_eq!(of_crmsh, Some("crm configure delete reporting"));
    }
}

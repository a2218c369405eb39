//! A transition: one action after the other, with what the others are told before and after
//! it. What fails, and what changes the CIB or who is there, ends it, and Pacemaker plans anew.

use std::time::Duration;

use super::count::kind_of;
use super::fleet::{List, NAMES};
use super::pacemaker::{Known, Plan};
use super::schedule::Id;
use super::state::{Actor, Simulation};
use crate::actions::Action;
use crate::ocf::time::in_tests as time;
use crate::ocf::{OcfExit, Outcome};
use crate::testing::journal::unless_killed;

/// A list of the notify variables: its name, and the nodes on it.
type Lists = Vec<(&'static str, String)>;

/// What makes Pacemaker plan anew.
#[derive(PartialEq, Eq)]
struct Mark {
    cib_writes: usize,
    members: Vec<Id>,
    well: Vec<Id>,
}

impl Simulation {
    /// Carries out a plan, as far as it gets.
    pub fn carry_out(&self, plan: &Plan) {
        let lists = self.lists(plan);
        self.say(|| format!("    transition: {}", tell(plan)));
        for id in &plan.fence {
            self.fence(*id);
        }
        let mark = self.mark();
        for id in &plan.probe {
            self.probe(*id);
        }
        let groups = [
            (Action::Demote, "demote", &plan.demote),
            (Action::Stop, "stop", &plan.stop),
            (Action::Start, "start", &plan.start),
            (Action::Promote, "promote", &plan.promote),
        ];
        for (action, operation, ids) in groups {
            if ids.is_empty() {
                continue;
            }
            let ids: Vec<_> = ids
                .iter()
                .copied()
                .filter(|id| !plan.fence.contains(id))
                .collect();
            self.notify(["pre", operation], &lists, &ids);
            let before = self.mark();
            for id in &ids {
                if before.members == self.mark().members {
                    self.act(action, *id, &lists);
                }
            }
            self.notify(["post", operation], &lists, &ids);
            if mark != self.mark() {
                return;
            }
        }
        for id in &plan.monitor {
            self.monitor(*id);
        }
    }

    fn mark(&self) -> Mark {
        let pacemaker = self.pacemaker.borrow();
        Mark {
            cib_writes: self.fleet.cluster().kept().cib_writes,
            members: pacemaker.which(|node| node.member && !node.unclean),
            well: pacemaker.which(|node| !node.failed),
        }
    }

    fn lists(&self, plan: &Plan) -> Lists {
        let pacemaker = self.pacemaker.borrow();
        let names = |ids: &[Id]| {
            let names: Vec<_> = ids.iter().map(|id| NAMES[*id]).collect();
            // An empty list arrives as one blank.
            if names.is_empty() {
                " ".to_owned()
            } else {
                names.join(" ")
            }
        };
        vec![
            ("active", names(&pacemaker.which(|node| node.runs()))),
            (
                "promoted",
                names(&pacemaker.which(|node| node.known == Known::Primary)),
            ),
            (
                "unpromoted",
                names(&pacemaker.which(|node| node.known == Known::Standby)),
            ),
            ("demote", names(&plan.demote)),
            ("stop", names(&plan.stop)),
            ("start", names(&plan.start)),
            ("promote", names(&plan.promote)),
        ]
    }

    /// A machine that cannot be trusted is switched off.
    pub fn fence(&self, id: Id) {
        self.say(|| format!("    {} is fenced", NAMES[id]));
        self.lose(id);
        self.pacemaker.borrow_mut().nodes[id].forget();
        self.set_apart(id, false);
        self.counts.borrow_mut().event("fencing", true);
    }

    /// All active nodes are told but those that are about to start, or have been stopped.
    /// What they answer is ignored.
    fn notify(&self, [when, operation]: [&'static str; 2], lists: &Lists, ids: &[Id]) {
        let is_pre_promote = (when, operation) == ("pre", "promote");
        if is_pre_promote {
            self.truth.borrow_mut().votes = Default::default();
            self.held_up.set(false);
        }
        let members = self
            .pacemaker
            .borrow()
            .which(|node| node.member && node.runs() && !node.unclean);
        let words = [("notify_type", when), ("notify_operation", operation)];
        for id in members {
            if (when, operation) == ("pre", "start") && ids.contains(&id) {
                continue;
            }
            let told = self.verb(Action::Notify, id, 60, &words, lists);
            if is_pre_promote && matches!(told, Some(Ok(_))) {
                self.note_vote(id);
            }
        }
    }

    fn act(&self, action: Action, id: Id, lists: &Lists) {
        let limit = match action {
            Action::Promote => 30,
            Action::Demote => 120,
            _ => 60,
        };
        let outcome = self.verb(action, id, limit, &[], lists);
        let is_promotion = matches!(action, Action::Promote);
        if is_promotion {
            self.note_promotion(id, &outcome);
        }
        let mut pacemaker = self.pacemaker.borrow_mut();
        let node = &mut pacemaker.nodes[id];
        if !node.power || node.unclean {
            return;
        }
        node.monitored = false;
        let is_done = matches!(outcome, Some(Ok(_)));
        node.known = match action {
            Action::Promote => Known::Primary,
            Action::Stop if is_done => Known::Stopped,
            _ => Known::Standby,
        };
        if is_done {
            if matches!(action, Action::Stop | Action::Start) {
                (node.failed, node.capped) = (false, false);
            }
            return;
        }
        node.fail();
        node.capped |= is_promotion;
        node.unclean |= matches!(action, Action::Stop);
        node.banned |= matches!(action, Action::Start) || is_hard(&outcome);
    }

    fn note_promotion(&self, id: Id, outcome: &Option<Outcome>) {
        let mut counts = self.counts.borrow_mut();
        counts.promotions += u64::from(matches!(outcome, Some(Ok(_))));
        let Some(Err(failure)) = outcome else { return };
        let is_refusal = failure.reason.starts_with("Promotion refused");
        counts.event("promotion refused", is_refusal);
        self.check_refusal(id, &failure.reason);
        let kind = kind_of(&failure.reason);
        *counts.refusals.entry(kind).or_default() += 1;
        self.last_reason.borrow_mut().clone_from(&failure.reason);
    }

    fn probe(&self, id: Id) {
        let outcome = self.verb(Action::Monitor, id, 10, &[("interval", "0")], &Vec::new());
        let mut pacemaker = self.pacemaker.borrow_mut();
        let node = &mut pacemaker.nodes[id];
        if !node.power || node.unclean {
            return;
        }
        node.known = match outcome {
            Some(Ok(OcfExit::NotRunning)) => Known::Stopped,
            Some(Ok(OcfExit::Promoted)) => Known::Primary,
            _ => Known::Standby,
        };
        if !matches!(outcome, Some(Ok(_))) {
            node.fail();
        }
    }

    /// The recurring monitor of a node, for the role that Pacemaker has given it.
    pub fn monitor(&self, id: Id) {
        let known = self.pacemaker.borrow().nodes[id].known;
        let (role, wanted) = match known {
            Known::Primary => ("Promoted", OcfExit::Promoted),
            Known::Standby => ("Unpromoted", OcfExit::Success),
            _ => return,
        };
        let words = [("interval", "15000"), ("role", role)];
        let outcome = self.verb(Action::Monitor, id, 10, &words, &Vec::new());
        let Ok(mut pacemaker) = self.pacemaker.try_borrow_mut() else {
            return;
        };
        let node = &mut pacemaker.nodes[id];
        if !node.power || node.unclean || node.known != known {
            return;
        }
        node.monitored = true;
        match &outcome {
            Some(Ok(code)) if *code == wanted => {
                let is_new = self.is_new.get() && known != Known::Primary;
                return self.is_new.set(is_new);
            }
            Some(Ok(OcfExit::Promoted)) => node.known = Known::Primary,
            Some(Err(failure)) if failure.exit == OcfExit::PromotedFailed => {
                node.known = Known::Primary;
            }
            _ => {}
        }
        node.fail();
        node.banned |= is_hard(&outcome);
    }

    /// Runs a verb; `None` if it was killed, or its node was lost with it.
    fn verb(
        &self,
        action: Action,
        id: Id,
        limit: u64,
        words: &[(&str, &str)],
        lists: &Lists,
    ) -> Option<Outcome> {
        if !self.pacemaker.borrow().nodes[id].power {
            return None;
        }
        let milliseconds = (limit * 1000).to_string();
        let words: Vec<_> = words
            .iter()
            .copied()
            .chain([("timeout", milliseconds.as_str())])
            .collect();
        let lists: Vec<List<'_>> = lists
            .iter()
            .map(|(name, nodes)| (*name, nodes.as_str()))
            .collect();
        let before = self.actor.replace(Some(Actor {
            id,
            since: time::passed(),
            limit: Duration::from_secs(limit),
            told: told(&words),
        }));
        self.counts.borrow_mut().verbs += 1;
        self.link_up();
        let outcome = unless_killed(|| self.fleet.run((action, NAMES[id]), &words, &lists));
        self.actor.set(before);
        self.observe();
        self.say(|| {
            format!(
                "      {} of {}: {}",
                name(action),
                NAMES[id],
                result(&outcome)
            )
        });
        outcome
    }
}

/// What a notification of a promotion says.
fn told(words: &[(&str, &str)]) -> Option<&'static str> {
    let is_of_promotion = words.contains(&("notify_operation", "promote"));
    let is_pre = words.contains(&("notify_type", "pre"));
    is_of_promotion.then_some(if is_pre { "pre" } else { "post" })
}

/// A failure that bans the node until a cleanup.
fn is_hard(outcome: &Option<Outcome>) -> bool {
    let exit = outcome.as_ref().and_then(|outcome| outcome.as_ref().err());
    exit.is_some_and(|failure| matches!(failure.exit, OcfExit::Arguments | OcfExit::NotInstalled))
}

fn name(action: Action) -> String {
    format!("{action:?}").to_lowercase()
}

fn result(outcome: &Option<Outcome>) -> String {
    match outcome {
        Some(Ok(code)) => format!("{code:?}"),
        Some(Err(failure)) => format!("{:?}: {failure}", failure.exit),
        None => "killed".to_owned(),
    }
}

fn tell(plan: &Plan) -> String {
    let lists = [
        ("fence", &plan.fence),
        ("probe", &plan.probe),
        ("demote", &plan.demote),
        ("stop", &plan.stop),
        ("start", &plan.start),
        ("promote", &plan.promote),
        ("monitor", &plan.monitor),
    ];
    let parts = lists.iter().filter(|(_, ids)| !ids.is_empty());
    let names = |ids: &[Id]| {
        ids.iter()
            .map(|id| NAMES[*id])
            .collect::<Vec<_>>()
            .join(" ")
    };
    parts
        .map(|(what, ids)| format!("{what} {}", names(ids)))
        .collect::<Vec<_>>()
        .join(", ")
}

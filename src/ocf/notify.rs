//! The notify lists: what the running transition does, to which nodes.
//!
//! The lists are a snapshot of the whole transition, the same in every action
//! of it: `active`, `promoted` … are the state *before* it, `start`, `stop`,
//! `promote`, `demote` everything planned *in* it (Pacemaker `pe_notif.c`).
//! A fenced node still stands in them. Only node names count: the instance
//! numbers beside them (`pgsqld:1`) are shuffled at will.

use std::collections::BTreeSet;
use std::fmt;

use super::{Environment, NodeName};

/// A set of nodes.
pub type Nodes = BTreeSet<NodeName>;

/// Before or after the action that is notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// `pre`
    Before,
    /// `post`
    After,
}

/// The action that is notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `start`
    Start,
    /// `stop`
    Stop,
    /// `promote`
    Promote,
    /// `demote`
    Demote,
}

/// The nodes of a transition.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Ran before it.
    pub active: Nodes,
    /// Was primary before it.
    pub promoted: Nodes,
    /// Were standbys before it.
    pub unpromoted: Nodes,
    /// Is started in it.
    pub start: Nodes,
    /// Is stopped in it.
    pub stop: Nodes,
    /// Is promoted in it.
    pub promote: Nodes,
    /// Is demoted in it.
    pub demote: Nodes,
}

impl Transition {
    /// Reads the lists; `None` where Pacemaker sent none (no `notify=true`,
    /// or not called by the cluster).
    pub fn from_environment(environment: &Environment) -> Option<Self> {
        // An empty list arrives as one blank, which `get` takes for unset:
        // presence of the family shows in any list that cannot be empty.
        let read = |name: &str| nodes(environment, name);
        let either = |new: &str, old: &str| read(new).or_else(|| read(old)).unwrap_or_default();
        let promoted = either("promoted", "master");
        let unpromoted = either("unpromoted", "slave");
        // Empty for promotable clones before Pacemaker 1.1.16.
        let active = read("active").unwrap_or_else(|| &promoted | &unpromoted);
        let transition = Self {
            active,
            promoted,
            unpromoted,
            start: read("start").unwrap_or_default(),
            stop: read("stop").unwrap_or_default(),
            promote: read("promote").unwrap_or_default(),
            demote: read("demote").unwrap_or_default(),
        };
        (transition != Self::default()).then_some(transition)
    }

    /// The nodes that run once the stops and starts of it are done: they vote.
    pub fn active_after(&self) -> Nodes {
        let stay = &self.active - &self.stop;
        &stay | &self.start
    }
}

/// The lists that name somebody: `active srv1 srv2; stop srv1; promote srv2`.
impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [
            ("active", &self.active),
            ("promoted", &self.promoted),
            ("unpromoted", &self.unpromoted),
            ("start", &self.start),
            ("stop", &self.stop),
            ("promote", &self.promote),
            ("demote", &self.demote),
        ];
        let named = lists.iter().filter(|(_, nodes)| !nodes.is_empty());
        let texts = named.map(|(name, nodes)| {
            let names: Vec<_> = nodes.iter().map(NodeName::as_str).collect();
            format!("{name} {}", names.join(" "))
        });
        f.write_str(&texts.collect::<Vec<_>>().join("; "))
    }
}

/// `CRM_meta_notify_type` and `CRM_meta_notify_operation`; `None` for a call
/// that names neither, as ocf-tester's.
pub fn event(environment: &Environment) -> Option<(When, Operation)> {
    let when = match environment.meta("notify_type")? {
        "pre" => When::Before,
        "post" => When::After,
        _ => return None,
    };
    let operation = match environment.meta("notify_operation")? {
        "start" => Operation::Start,
        "stop" => Operation::Stop,
        "promote" => Operation::Promote,
        "demote" => Operation::Demote,
        _ => return None,
    };
    Some((when, operation))
}

fn nodes(environment: &Environment, list: &str) -> Option<Nodes> {
    let names = environment.meta(&format!("notify_{list}_uname"))?;
    Some(names.split_whitespace().filter_map(NodeName::new).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(names: &str) -> Nodes {
        names.split_whitespace().filter_map(NodeName::new).collect()
    }

    #[test]
    fn lists_that_name_nobody_are_not_shown() {
        let transition = Transition {
            active: set("srv1 srv2"),
            stop: set("srv1"),
            promote: set("srv2"),
            ..Transition::default()
        };
        let shown = "active srv1 srv2; stop srv1; promote srv2";
        assert_eq!(transition.to_string(), shown);
    }

    #[test]
    fn a_failover_leaves_the_survivors_as_voters() {
        let environment = Environment::of(&[
            ("OCF_RESKEY_CRM_meta_notify_active_uname", "srv1 srv2 srv3"),
            ("OCF_RESKEY_CRM_meta_notify_promoted_uname", "srv1"),
            ("OCF_RESKEY_CRM_meta_notify_stop_uname", "srv1"),
            ("OCF_RESKEY_CRM_meta_notify_demote_uname", "srv1"),
            ("OCF_RESKEY_CRM_meta_notify_start_uname", " "),
            ("OCF_RESKEY_CRM_meta_notify_promote_uname", "srv2"),
        ]);
        let transition = Transition::from_environment(&environment).unwrap();
        assert_eq!(transition.active_after(), set("srv2 srv3"));
        assert_eq!(transition.promote, set("srv2"));
    }

    #[test]
    fn the_old_names_of_the_roles_are_read_too() {
        let environment = Environment::of(&[
            ("OCF_RESKEY_CRM_meta_notify_master_uname", "srv1"),
            ("OCF_RESKEY_CRM_meta_notify_slave_uname", "srv2  srv10"),
        ]);
        let transition = Transition::from_environment(&environment).unwrap();
        assert_eq!(transition.promoted, set("srv1"));
        assert_eq!(transition.active, set("srv1 srv2 srv10"));
    }

    #[test]
    fn no_lists_are_no_transition() {
        assert_eq!(Transition::from_environment(&Environment::default()), None);
        assert_eq!(event(&Environment::default()), None);
    }

    proptest! {
        #[test]
        fn nodes_are_names_between_blanks(
            names in proptest::collection::btree_set("[!-~]{1,9}", 0..6),
            blank in "[ \t]{1,3}",
        ) {
            let list: Vec<_> = names.iter().map(String::as_str).collect();
            let variable = "OCF_RESKEY_CRM_meta_notify_promote_uname";
            let environment = Environment::of(&[(variable, &list.join(&blank))]);
            let read = Transition::from_environment(&environment).unwrap_or_default();
            let wanted = names.iter().filter_map(|name| NodeName::new(name)).collect();
            prop_assert_eq!(read.promote, wanted);
        }

        #[test]
        fn no_list_panics(text in "(?s).*") {
            let lists = ["active", "promoted", "master", "stop", "demote"];
            let environment: Environment = lists.iter().map(|list| {
                (format!("OCF_RESKEY_CRM_meta_notify_{list}_uname"), text.clone())
            }).collect();
            let _ = Transition::from_environment(&environment).map(|t| t.active_after());
            let _ = event(&environment);
        }
    }
}

//! Who receives WAL from a primary that stops: its standbys, and others.

use std::collections::BTreeSet;
use std::time::Duration;

use super::patience;
use super::watch::Watch;
use crate::instance::Process;
use crate::instance::walsenders::{Moment, Walsender, to_end};
use crate::ocf::{Deadline, NodeName};
use crate::pacemaker::Cluster;
use crate::postgres::{NamedWalsender, Server};

/// How long server and cluster are asked, each. Nothing depends on their answers but how
/// long strangers are waited for.
const QUESTION: Duration = Duration::from_secs(3);

/// What is known of the receivers from before the stop.
#[derive(Debug, Clone, Default)]
pub struct Receivers {
    /// The walsenders of nodes of the cluster.
    own: Vec<i32>,
    /// Those of others.
    foreign: Vec<i32>,
}

impl Receivers {
    /// Asks the server, while it still answers. Who is not known counts as a standby.
    pub fn note(server: &dyn Server, cluster: &dyn Cluster, deadline: Deadline) -> Self {
        let found = server.walsenders(deadline.within(QUESTION));
        let found = found.unwrap_or_else(|why| {
            log::warn!("Cannot tell who receives WAL from this primary: {why}");
            Vec::new()
        });
        if found.is_empty() {
            return Self::default();
        }
        match cluster.within(QUESTION).members() {
            Ok(members) => Self::of(&found, &members),
            Err(error) => {
                log::warn!("Cannot tell standbys from other receivers of WAL: {error}");
                Self::default()
            }
        }
    }

    fn of(found: &[NamedWalsender], members: &BTreeSet<NodeName>) -> Self {
        let is_own = |one: &&NamedWalsender| members.iter().any(|node| node.as_str() == one.name);
        let (own, foreign): (Vec<_>, Vec<_>) = found.iter().partition(is_own);
        let pids = |found: Vec<&NamedWalsender>| found.iter().map(|one| one.pid).collect();
        Self {
            own: pids(own),
            foreign: pids(foreign),
        }
    }

    /// The walsenders that the stop waits for no longer.
    pub fn to_end<'a>(&self, watch: &'a Watch) -> Vec<&'a Process> {
        let children = &watch.now().children;
        let senders: Vec<_> = children
            .iter()
            .filter(|child| child.is_walsender())
            .map(|process| Walsender {
                process,
                is_foreign: self.foreign.contains(&process.pid),
                idle: watch.idle(process),
            })
            .collect();
        to_end(self.moment(watch), &senders, patience::OF_WALSENDERS)
    }

    fn moment(&self, watch: &Watch) -> Moment {
        let children = &watch.now().children;
        let checkpointer = children.iter().find(|child| child.is_checkpointer());
        let is_there = |pid: &i32| children.iter().any(|child| child.pid == *pid);
        Moment {
            control: watch.now().control,
            has_sessions: watch.has_sessions(),
            lasts: watch.lasts(),
            checkpointer_idle: checkpointer.map_or(Duration::MAX, |process| watch.idle(process)),
            one_is_gone: !self.own.iter().all(is_there),
        }
    }

    /// Whether a walsender serves a node of the cluster, as far as is known.
    pub fn is_foreign(&self, process: &Process) -> bool {
        self.foreign.contains(&process.pid)
    }
}

//! Where a step is put to the test: node `n1` of the cluster `n1 n2 n3`, with a server
//! and notes of its own.
//!
//! Attributes are written here as they stand in the cluster, so that a line which a later
//! agent would write differently is noticed.

use std::rc::Rc;
use std::time::Duration;

use crate::instance::Role;
use crate::ocf::Deadline;
use crate::ocf::notify::{Nodes, Transition};
use crate::pacemaker::FakeCluster;
use crate::postgres::FakeServer;
use crate::postgres::fake_instance::Processes;
use crate::steps::bring_up::BringUp;
use crate::steps::election::Promotion;
use crate::system::Notes;
use crate::testing::journal::Journal;
use crate::testing::{in_ms, node};
use crate::wal::notation::position;
use crate::wal::{Lsn, Timeline};

/// Changes something on the bench.
pub type Arrange = fn(&Bench);

/// Node `n1`.
pub struct Bench {
    pub journal: Rc<Journal>,
    pub server: FakeServer,
    pub cluster: FakeCluster,
    pub notes: Notes,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// A standby that was stopped cleanly and holds just this.
    pub fn stopped(held: &str) -> Self {
        let journal = Journal::new();
        let folder = tempfile::tempdir().unwrap();
        Self {
            server: FakeServer::holding(&position(held), &journal),
            cluster: FakeCluster::of(&["n1", "n2", "n3"], &journal),
            notes: Notes::of_a_test(folder.path()),
            journal,
            _folder: folder,
        }
    }

    /// A server that runs and holds just this.
    pub fn running(role: Role, held: &str) -> Self {
        let bench = Self::stopped(held);
        bench.server.instance().run_as(role);
        bench
    }

    /// Its start, within this time.
    pub fn bring_up(&self, deadline: Deadline) -> BringUp<'_> {
        BringUp {
            server: &self.server,
            cluster: &self.cluster,
            notes: &self.notes,
            deadline,
        }
    }

    /// Its promotion, within this time.
    pub fn promotion<'a>(&'a self, transition: &'a Transition, milliseconds: u64) -> Promotion<'a> {
        Promotion {
            server: &self.server,
            cluster: &self.cluster,
            notes: &self.notes,
            transition,
            deadline: in_ms(milliseconds),
        }
    }

    /// What runs now.
    pub fn processes(&self) -> Processes {
        self.server.instance().processes
    }

    /// A node was elected in this term, and opened this branch.
    pub fn elected(&self, of: &str, term: u64, branch: &str) {
        self.cluster
            .with_permanent(of, "reign-pgsqld", &reign(term, branch));
    }

    /// The vote of another node, given in this term.
    pub fn voted(&self, of: &str, term: u64, held: &str) {
        let line = format!("1;{};term={term}", fields(held));
        self.cluster.with_private(of, "vote-pgsqld", &line);
    }

    /// The promotion score of a node.
    pub fn with_score(&self, of: &str, score: i32) {
        self.cluster
            .with_permanent(of, "master-pgsqld", &score.to_string());
    }

    /// The promotion score of a node.
    pub fn score(&self, of: &str) -> Option<String> {
        self.cluster.permanent_of(of, "master-pgsqld")
    }

    /// The effects so far, without the values of attributes.
    pub fn effects(&self) -> Vec<String> {
        let short = |line: String| match line.split_once(" = ") {
            Some((name, _)) => name.to_owned(),
            None => line,
        };
        self.journal.effects().into_iter().map(short).collect()
    }
}

/// A short time, for what should be done at once.
pub fn soon() -> Deadline {
    in_ms(300)
}

/// Time enough for a clean stop, and for the hard ones that follow it.
pub fn patient() -> Deadline {
    Deadline::of_action(std::time::Instant::now(), None).within(Duration::from_millis(10_200))
}

/// The line of an opened reign. As LSN a branch has the one where it began.
pub fn reign(term: u64, branch: &str) -> String {
    format!("1;term={term};opened=yes;{}", fields(branch))
}

/// The line of a claim.
pub fn claim(term: u64, held: &str) -> String {
    format!("1;term={term};opened=no;{}", fields(held))
}

/// The fields of a position.
fn fields(held: &str) -> String {
    let held = position(held);
    let switches = held.history.switches().iter();
    let steps: Vec<_> = switches
        .map(|step| format!("{}:{}", step.timeline, step.at.as_u64()))
        .collect();
    let (timeline, lsn) = (held.timeline, held.lsn.as_u64());
    format!("sys=7;tl={timeline};lsn={lsn};hist={}", steps.join(","))
}

/// A transition that promotes `n1`, with all three nodes running.
pub fn promoting() -> Transition {
    Transition {
        active: nodes("n1 n2 n3"),
        unpromoted: nodes("n1 n2 n3"),
        promote: nodes("n1"),
        ..Transition::default()
    }
}

/// Nodes by name.
pub fn nodes(names: &str) -> Nodes {
    names.split_whitespace().map(node).collect()
}

/// A timeline by number.
pub fn timeline(number: u32) -> Timeline {
    Timeline::new(number).unwrap()
}

/// A location as PostgreSQL prints it.
pub fn lsn(text: &str) -> Lsn {
    Lsn::from_hex(text).unwrap()
}

//! Three nodes of a cluster, each with an instance in memory, and Pacemaker's part: which
//! verb is called where, and with which lists.

use std::cell::RefMut;
use std::rc::Rc;

use crate::actions::{Action, Handles};
use crate::instance::Role;
use crate::instance::replication::{Sender, SenderState};
use crate::ocf::{Environment, Outcome};
use crate::pacemaker::FakeCluster;
use crate::postgres::FakeServer;
use crate::postgres::fake_instance::{FakeInstance, Processes};
use crate::system::{FakeNotes, Notes};
use crate::testing::journal::Journal;
use crate::testing::node;
use crate::wal::notation::position;

/// The nodes.
pub const NAMES: [&str; 3] = ["n1", "n2", "n3"];

struct Node {
    server: FakeServer,
    cluster: FakeCluster,
    notes: FakeNotes,
}

/// The cluster.
pub struct Fleet {
    pub journal: Rc<Journal>,
    nodes: [Node; 3],
}

/// One of the notify lists: its name, and the nodes on it.
pub type List<'a> = (&'a str, &'a str);

impl Fleet {
    /// Three standbys that hold the same. All are stopped.
    pub fn holding(held: &str) -> Self {
        let journal = Journal::new();
        let cluster = FakeCluster::of(&NAMES, &journal);
        let nodes = NAMES.map(|name| Node {
            server: FakeServer::holding(&position(held), &journal),
            cluster: cluster.seen_by(name),
            notes: FakeNotes::default(),
        });
        Self { journal, nodes }
    }

    /// The server of a node.
    pub fn server(&mut self, name: &str) -> &mut FakeServer {
        &mut self.node_mut(name).server
    }

    /// The instance of a node.
    pub fn instance(&self, name: &str) -> RefMut<'_, FakeInstance> {
        self.node(name).server.instance()
    }

    /// A node loses power: what was in memory is gone, the permanent stays.
    pub fn lose_power(&self, name: &str) {
        let lost = self.node(name);
        lost.server.instance().crash();
        lost.server.data().lose_power();
        self.cluster().kept().leave(name);
        let boots = &mut self.cluster().kept().boots;
        *boots.entry(node(name)).or_default() += 1;
        lost.notes.lose();
    }

    /// A note of a node, by the name of its file.
    pub fn note(&self, name: &str, file: &str) -> String {
        self.node(name).notes.read(file).unwrap()
    }

    /// Writes a note of a node.
    pub fn write_note(&self, name: &str, file: &str, text: &str) {
        self.node(name).notes.write(file, text);
    }

    /// What the cluster has.
    pub fn cluster(&self) -> &FakeCluster {
        &self.nodes[0].cluster
    }

    /// What runs on a node.
    pub fn processes(&self, name: &str) -> Processes {
        self.node(name).server.instance().processes
    }

    fn node(&self, name: &str) -> &Node {
        &self.nodes[NAMES.iter().position(|other| *other == name).unwrap()]
    }

    fn node_mut(&mut self, name: &str) -> &mut Node {
        &mut self.nodes[NAMES.iter().position(|other| *other == name).unwrap()]
    }

    /// Runs a verb on a node, asked in these words more.
    pub(super) fn run(
        &self,
        (action, name): (Action, &str),
        words: &[(&str, &str)],
        lists: &[List<'_>],
    ) -> Outcome {
        let usual = [
            ("on_node", name),
            ("timeout", "4000"),
            ("clone_max", "3"),
            ("notify", "true"),
        ];
        let meta = |(key, value): &(&str, &str)| {
            (format!("OCF_RESKEY_CRM_meta_{key}"), (*value).to_owned())
        };
        let list = |(key, nodes): &List<'_>| meta(&(&format!("notify_{key}_uname"), nodes));
        let instance = ("OCF_RESOURCE_INSTANCE".to_owned(), "pgsqld:0".to_owned());
        let environment: Environment = usual
            .iter()
            .chain(words)
            .map(meta)
            .chain(lists.iter().map(list))
            .chain([instance])
            .collect();
        let node = self.node(name);
        let handles: Handles = (
            Box::new(node.server.clone()),
            Box::new(node.cluster.clone()),
            Notes::in_memory(&node.notes),
        );
        action.on(&environment, handles)
    }

    /// `start` on a node.
    pub fn start(&self, name: &str) -> Outcome {
        self.run((Action::Start, name), &[], &[])
    }

    /// `stop` on a node.
    pub fn stop(&self, name: &str) -> Outcome {
        self.run((Action::Stop, name), &[], &[])
    }

    /// The monitor of a node.
    pub fn monitor(&self, name: &str) -> Outcome {
        self.run((Action::Monitor, name), &[("interval", "15000")], &[])
    }

    /// What Pacemaker asks of a node before it knows anything of it.
    pub fn probe(&self, name: &str) -> Outcome {
        self.run((Action::Monitor, name), &[], &[])
    }

    /// `demote` on a node, and what the others are told after it.
    pub fn demote(&self, name: &str, lists: &[List<'_>]) -> Outcome {
        let demoted = self.run((Action::Demote, name), &[], lists);
        self.tell(["post", "demote"], lists);
        demoted
    }

    /// `promote` on a node, with what the others are told before and after it.
    pub fn promote(&self, name: &str, lists: &[List<'_>]) -> Outcome {
        self.tell(["pre", "promote"], lists);
        let promoted = self.run((Action::Promote, name), &[], lists);
        self.tell(["post", "promote"], lists);
        promoted
    }

    /// Tells all nodes that run. Pacemaker ignores what notify answers.
    pub fn tell(&self, [when, operation]: [&str; 2], lists: &[List<'_>]) {
        let words = [("notify_type", when), ("notify_operation", operation)];
        for name in NAMES {
            if self.processes(name) != Processes::Nothing {
                let _ = self.run((Action::Notify, name), &words, lists);
            }
        }
    }

    /// Has a standby get all that a primary wrote, and follow it.
    pub fn follow(&self, standby: &str, primary: &str) {
        let source = self.node(primary);
        let mut target = self.node(standby).server.instance();
        let mut from = source.server.instance();
        target.data.histories.clone_from(&from.data.histories);
        target.data.timeline = from.data.timeline;
        target.data.end = from.data.end;
        target.receives = from.processes == Processes::Alive(Role::Primary);
        from.senders.push(Sender {
            name: standby.to_owned(),
            state: SenderState::Following,
            lag: Some(0),
            confirms: true,
        });
    }

    /// Has a primary write this much that nobody else gets.
    pub fn write(&self, primary: &str, bytes: u64) {
        let mut instance = self.node(primary).server.instance();
        let end = instance.data.end.as_u64() + bytes;
        instance.data.end = end.into();
    }
}

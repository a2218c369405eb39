//! What there is in a simulation: the servers and the cluster in memory, what Pacemaker knows
//! of them, and what is true whatever anybody knows.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::count::Counts;
use super::fleet::{Fleet, NAMES};
use super::pacemaker::Pacemaker;
use super::schedule::{Ambush, Id, Setting};
use super::truth::Truth;
use crate::instance::Role;
use crate::postgres::fake_instance::Processes;

/// Who works, and since when.
#[derive(Debug, Clone, Copy)]
pub struct Actor {
    pub id: Id,
    pub since: Duration,
    pub limit: Duration,
    /// Of a promotion that comes ("pre") or has been ("post"), if that is what it is told.
    pub told: Option<&'static str>,
}

impl Actor {
    /// Whether it is this node, and is told that of a promotion.
    pub fn is_told(self, id: Id, when: &str) -> bool {
        self.id == id && self.told == Some(when)
    }
}

/// A simulation.
pub struct Simulation {
    pub fleet: Fleet,
    pub setting: Setting,
    pub pacemaker: RefCell<Pacemaker>,
    pub truth: RefCell<Truth>,
    pub counts: RefCell<Counts>,
    pub armed: RefCell<Vec<(u8, Ambush)>>,
    pub actor: Cell<Option<Actor>>,
    /// Whether a verb runs beside another one: nothing lies in wait for it.
    pub beside: Cell<bool>,
    /// Whether a branch was opened, and the monitor of its primary has not come yet.
    pub is_new: Cell<bool>,
    /// Whether an action was held up.
    pub held_up: Cell<bool>,
    /// Whose replication does not work.
    pub cut: Cell<[bool; 3]>,
    /// Who is cut off from the cluster.
    pub apart: Cell<[bool; 3]>,
    /// Why the last promotion did not come true.
    pub last_reason: RefCell<String>,
    /// The story so far, if somebody wants to read it, and how many effects are in it.
    pub story: RefCell<Option<Vec<String>>>,
    pub told: Cell<usize>,
}

impl Simulation {
    pub fn is_broken(&self) -> bool {
        self.truth.borrow().violation.is_some()
    }

    /// Writes a line of the story.
    pub fn say(&self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut *self.story.borrow_mut() {
            let effects = self.fleet.journal.effects();
            let new = effects.iter().skip(self.told.get());
            story.extend(new.map(|effect| format!("        {effect}")));
            self.told.set(effects.len());
            story.push(line());
        }
    }

    /// The node on which clients can write: the address follows Pacemaker's primary, but one
    /// that is cut off still has its sessions.
    pub fn primary(&self) -> Option<Id> {
        (0..self.setting.nodes).find(|id| {
            let on = self
                .pacemaker
                .try_borrow()
                .is_ok_and(|p| p.nodes[*id].power);
            on && self.fleet.processes(NAMES[*id]) == Processes::Alive(Role::Primary)
        })
    }
}

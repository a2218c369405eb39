//! The replication slots of an instance in memory.

use std::collections::BTreeMap;

use crate::instance::slots::{Slot, Slots as Seen};
use crate::instance::{NoAnswer, Role};
use crate::wal::Lsn;

const SEGMENT: u64 = 16 * 1024 * 1024;

/// They last as long as the data directory.
pub struct FakeSlots {
    /// By name.
    pub all: BTreeMap<String, Slot>,
    /// Whether WAL kept for them is bounded.
    pub bounded: bool,
    /// From where on there is WAL.
    pub redo: Lsn,
}

impl FakeSlots {
    /// None, and room for some.
    pub fn none() -> Self {
        Self {
            all: BTreeMap::new(),
            bounded: true,
            redo: Lsn::ZERO,
        }
    }

    /// A slot that keeps WAL from there on.
    pub fn with(&mut self, name: &str, restart: Lsn) -> &mut Slot {
        let slot = Slot {
            name: name.to_owned(),
            is_physical: true,
            is_active: false,
            restart: Some(restart),
            flushed: None,
            is_lost: false,
        };
        self.all.entry(name.to_owned()).or_insert(slot)
    }

    /// What a server in this role says of them, whose WAL ends there.
    pub fn seen(&self, role: Role, end: Lsn) -> Seen {
        Seen {
            all: self.all.values().cloned().collect(),
            bounded: self.bounded,
            segment: SEGMENT,
            end,
            redo: (role == Role::Standby).then_some(self.redo),
        }
    }

    /// A slot that is there and that nobody uses.
    pub fn idle(&mut self, name: &str) -> Result<&mut Slot, NoAnswer> {
        let slot = self.all.get_mut(name);
        let slot = slot.filter(|slot| !slot.is_active);
        slot.ok_or_else(|| NoAnswer::Unknown("it is in use, or not there".to_owned()))
    }
}

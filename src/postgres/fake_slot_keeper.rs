//! How the replication slots of an instance in memory are made, moved and dropped.

use std::io;

use super::fake_instance::FakeInstance;
use super::fake_server::FakeServer;
use super::server::Slots;
use crate::instance::NoAnswer;
use crate::ocf::Deadline;
use crate::wal::Lsn;

impl Slots for FakeServer {
    fn make_slot(&self, name: &str, _: Deadline) -> Result<(), NoAnswer> {
        self.instance
            .act("make_slot", format!("make {name}"), |of| {
                let redo = of.slots.redo;
                of.slots.with(name, redo);
                Ok(())
            })
    }

    fn advance_slot(&self, name: &str, to: Lsn, _: Deadline) -> Result<(), NoAnswer> {
        self.instance
            .act("advance_slot", format!("advance {name} to {to}"), |of| {
                of.slots.idle(name)?.restart = Some(to);
                Ok(())
            })
    }

    fn drop_slot(&self, name: &str, _: Deadline) -> Result<(), NoAnswer> {
        self.instance
            .act("drop_slot", format!("drop {name}"), |of| {
                of.slots.idle(name)?;
                of.slots.all.remove(name);
                Ok(())
            })
    }

    fn slots_on_disk(&self) -> io::Result<Vec<String>> {
        let names = |of: &mut FakeInstance| Ok(of.slots.all.keys().cloned().collect());
        self.instance.ask("slots_on_disk", names)
    }
}

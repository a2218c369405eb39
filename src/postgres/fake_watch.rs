//! The life of a postmaster in memory: it is over after one wait, or goes on.

use std::time::Duration;

use super::fake_instance::{FakeInstance, POSTMASTER, Processes};
use super::fake_manners::Orphaned;
use super::fake_server::FakeServer;
use super::server::{Orphans, Watched};
use crate::ocf::{Deadline, time};

/// When each postmaster here started.
const STARTED: u64 = 5000;

impl FakeInstance {
    fn quit_orphans(&mut self) {
        if self.life.orphans == Orphaned::Obey {
            self.crash();
        }
    }

    fn ends_now(&mut self) -> bool {
        let end = self.life.end.take();
        if let Some(end) = end {
            end(self);
        }
        end.is_some()
    }
}

impl Watched for FakeServer {
    fn started(&self, pid: i32) -> Option<u64> {
        self.instance.ask("started", |of| {
            let lives = matches!(of.processes, Processes::Alive(_));
            (lives && pid == POSTMASTER).then_some(STARTED + of.life.number)
        })
    }

    fn has_ended(&self, pid: i32, since: u64, deadline: Deadline) -> bool {
        if self.started(pid) != Some(since) {
            return true;
        }
        let ends = self.instance.ask("has_ended", FakeInstance::ends_now);
        if !ends {
            time::sleep(deadline.left().min(Duration::from_secs(60)));
        }
        ends
    }
}

impl Orphans for FakeServer {
    fn quit_orphans(&self) -> bool {
        let orphans = |of: &mut FakeInstance| Some(of.life.orphans);
        let orphans = self.instance.ask("orphans", orphans);
        if orphans.is_none_or(|orphans| orphans == Orphaned::Unsure) {
            return false;
        }
        let line = "quit orphans".to_owned();
        let quit = FakeInstance::quit_orphans;
        self.instance.act("quit_orphans", line, quit);
        true
    }
}

//! What the processes of an instance in memory do, and what ends them one by one.

use super::fake_instance::{FakeInstance, POSTMASTER, Processes};
use crate::instance::{Activity, Process};

impl FakeInstance {
    /// What a look at them finds: they have used the processor since the look before, unless
    /// they are frozen. Those that hold a stop never move.
    pub fn activity(&mut self) -> Activity {
        self.looks += 1;
        let ticks = if self.is_frozen { 0 } else { self.looks * 10 };
        let Processes::Alive(_) = self.processes else {
            return Activity::default();
        };
        let held = self.walsenders.iter();
        let mut children: Vec<_> = held
            .map(|one| process(one.pid, "walsender u h(1)", 0))
            .collect();
        if self.archives {
            children.push(process(POSTMASTER + 1, "archiver", 0));
        }
        if children.is_empty() {
            children.push(process(POSTMASTER + 2, "checkpointer", ticks));
        }
        Activity {
            is_stopping: true,
            control: Some(self.data.control.state),
            postmaster: Some(Process {
                state: if self.is_stopped { 'T' } else { 'S' },
                ..process(POSTMASTER, "postmaster", ticks)
            }),
            children,
            disk: Some(0),
        }
    }

    /// SIGTERM: the last walsender that held the stop lets it go on.
    pub fn terminate(&mut self, pid: i32) {
        self.walsenders.retain(|one| one.pid != pid);
        if self.walsenders.is_empty() {
            self.stop_cleanly();
        }
    }
}

fn process(pid: i32, title: &str, cpu_ticks: u64) -> Process {
    Process {
        pid,
        started: 1,
        state: 'S',
        cpu_ticks,
        io: Some(0),
        title: format!("postgres: {title}"),
    }
}

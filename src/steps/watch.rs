//! The monitor of a primary waits for the end of the postmaster, so that a crash is told at
//! once. `instance::watch` says when it may.
//!
//! It may be killed at any moment, by Pacemaker, which ends it before it changes the role: until
//! its answer it only reads. Its note may be lost, or old: then it does not wait.

use std::time::Duration;

use crate::instance::watch::{AfterEnd, Moment, Operation, RESTART, after_end, complaint};
use crate::instance::{Postmaster, Role, State};
use crate::ocf::ClusterRole;
use crate::ocf::{Deadline, OcfExit, Outcome};
use crate::pacemaker::{Cluster, Monitor};
use crate::postgres::Server;
use crate::record::Sighting;
use crate::system::{Notes, boot, clock, oom};

/// What Pacemaker gives an operation that has no time-out of its own.
const PACEMAKERS_TIMEOUT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// A monitor that may wait.
pub struct Watch<'a> {
    /// The server.
    pub server: &'a dyn Server,
    /// What the run before left.
    pub notes: &'a Notes,
    /// The monitor.
    pub operation: Operation,
}

impl Watch<'_> {
    /// Waits, if this run may. The answer, where the server need not be asked for it.
    pub fn wait(&self, deadline: Deadline) -> Option<Outcome> {
        let boot = boot::id()?;
        let mut seen = Sighting::decode(&self.notes.read(&Sighting::NAME)?).ok()?;
        if !self.operation.waits_for(&seen, &now(&boot)) {
            return None;
        }
        let spared = oom::spare();
        let limit = deadline.within(self.operation.wait);
        let has_ended = self.server.has_ended(seen.pid, seen.started, limit);
        drop(spared);
        if has_ended {
            log::info!("The postmaster (pid {}) has ended", seen.pid);
            return self.after_end(deadline);
        }
        let now = now(&boot);
        if self.operation.is_to_ask(&seen, &now) {
            return None;
        }
        seen.seen = now.since_epoch;
        self.notes.write(&Sighting::NAME, &seen.encode());
        Some(Ok(OcfExit::Promoted))
    }

    fn after_end(&self, deadline: Deadline) -> Option<Outcome> {
        let now = self.server.postmaster().ok();
        let control = self.server.role_files().control;
        match after_end(now, control) {
            AfterEnd::Crashed => Some(State::Crashed(Role::Primary).monitor(false)),
            AfterEnd::AwaitRestart => {
                await_restart(self.server, deadline.within(RESTART));
                None
            }
            AfterEnd::Look => None,
        }
    }

    /// Notes what was seen, for the next run.
    pub fn note(&self, answer: &Outcome) {
        if !self.operation.may_wait() {
            return;
        }
        let sighting = match answer {
            Ok(OcfExit::Promoted) => self.sighting(),
            _ => None,
        };
        match sighting {
            Some(sighting) => drop(self.notes.write(&Sighting::NAME, &sighting.encode())),
            None => forget(self.notes),
        }
    }

    fn sighting(&self) -> Option<Sighting> {
        let Ok(Postmaster::Alive(pid)) = self.server.postmaster() else {
            return None;
        };
        let now = clock::to_the_millisecond();
        Some(Sighting {
            pid,
            started: self.server.started(pid)?,
            boot: boot::id()?,
            interval: self.operation.interval,
            seen: now,
            asked: now,
        })
    }
}

/// Has the next monitor not wait. Where Pacemaker probes, or takes over other parameters, it
/// begins all operations anew, and the transition waits for the first run of each.
pub fn forget(notes: &Notes) {
    notes.forget(&Sighting::NAME);
}

/// Says what keeps a crash from being noticed at once, where there is a cluster that can be
/// asked.
pub fn say(cluster: &dyn Cluster, wait: Duration) {
    let operation = |monitor: &Monitor| Operation {
        of_primary: monitor.role == Some(ClusterRole::Promoted),
        interval: monitor.interval,
        timeout: monitor.timeout.unwrap_or(PACEMAKERS_TIMEOUT),
        wait,
    };
    match cluster.monitors() {
        Ok(monitors) if monitors.is_empty() => {}
        Ok(monitors) => {
            let operations: Vec<_> = monitors.iter().map(operation).collect();
            if let Some(complaint) = complaint(&operations, wait) {
                let resource = cluster.resource();
                log::warn!(
                    "{complaint}. Set: pcs resource update {resource} op monitor interval=1s \
                     role=Promoted timeout=60s on-fail=demote"
                );
            }
        }
        Err(error) => log::debug!("{error}"),
    }
}

fn now(boot: &str) -> Moment<'_> {
    Moment {
        since_epoch: clock::to_the_millisecond(),
        boot,
    }
}

fn await_restart(server: &dyn Server, patient: Deadline) {
    loop {
        let is_over = match server.postmaster() {
            Ok(Postmaster::Alive(_)) => server.lock_file().is_some_and(|file| file.is_up()),
            Ok(Postmaster::None | Postmaster::LeftBehind(_)) => false,
            Ok(Postmaster::SingleUser(_)) | Err(_) => true,
        };
        if is_over || !patient.sleep(POLL) {
            return;
        }
    }
}

//! What monitor and stop do with parameters that cannot be what they are set
//! to. A typo is in effect at the next call, on all nodes at once: it must not
//! cost an instance that runs, nor fence a node.
//!
//! The data directory and the process table are enough for both.

use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::sys::signal::Signal;

use super::stop::{gone, kill_all, outlives_sigkill};
use crate::instance::{Postmaster, Role};
use crate::ocf::parameters::datadir;
use crate::ocf::{Environment, Failure, OcfExit, Outcome, Request};
use crate::postgres::{postmaster, standby_signal};

/// How long a standby may take to stop: a part of the action's time.
const PART_FOR_FAST: u32 = 2;

/// Says what can be seen without asking the server.
pub fn monitor(environment: &Environment, failure: Failure) -> Outcome {
    let request = Request::from_environment(environment, Instant::now());
    let found = found(environment);
    if let Some((datadir, Postmaster::Alive(_))) = &found {
        log::error!("{failure}: the instance runs, but is not asked until that is put right");
        return Ok(match role(datadir) {
            Role::Primary => OcfExit::Promoted,
            Role::Standby => OcfExit::Success,
        });
    }
    let nothing_runs = matches!(found, Some((_, Postmaster::None)));
    if nothing_runs && !request.probe {
        return Err(Failure::new(OcfExit::NotRunning, failure.reason));
    }
    Err(failure)
}

/// Stops the instance as `pg_ctl` would, by signals.
pub fn stop(environment: &Environment, failure: Failure) -> Outcome {
    let Some((datadir, found)) = found(environment) else {
        return Err(Failure::soft(failure.reason));
    };
    log::error!("{failure}: stopping by signals");
    let deadline = Request::from_environment(environment, Instant::now()).deadline;
    if let Postmaster::Alive(pid) = found {
        postmaster::signal(pid, Signal::SIGINT);
    }
    let primary = found_primary(&datadir, found);
    let patience = if primary {
        deadline
    } else {
        deadline.within(deadline.left() / PART_FOR_FAST)
    };
    if gone(&datadir, patience) {
        return Ok(OcfExit::Success);
    }
    if primary {
        return Err(Failure::soft("The primary did not stop in time"));
    }
    kill_all(&datadir);
    if gone(&datadir, deadline) {
        return Ok(OcfExit::Success);
    }
    Err(outlives_sigkill())
}

fn found(environment: &Environment) -> Option<(PathBuf, Postmaster)> {
    let datadir = datadir(environment)?;
    let postmaster = postmaster::look(&datadir).ok()?;
    Some((datadir, postmaster))
}

/// Whose postmaster is dead has crashed already: nothing more is lost.
fn found_primary(datadir: &Path, found: Postmaster) -> bool {
    matches!(found, Postmaster::Alive(_)) && role(datadir) == Role::Primary
}

/// PostgreSQL removes `standby.signal` when it is promoted.
fn role(datadir: &Path) -> Role {
    if standby_signal::is_there(datadir) {
        Role::Standby
    } else {
        Role::Primary
    }
}

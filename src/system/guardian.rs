//! Watches over an action from another process, and answers for it if it hangs.
//!
//! A call on storage that hangs (fsync, a look at a directory, the start of a program)
//! comes back when the storage does, and until then no signal ends who made it, nor ends a
//! process one of whose threads made it. Pacemaker would wait for the answer: it calls a
//! monitor that does not end neither failed nor well. So the action is done in a child, and
//! who answers Pacemaker touches no storage. What hangs is left behind with SIGKILL pending.

use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pipe2, read};

use super::oom;
use super::pidfd::PidFd;
use crate::ocf::Deadline;

/// How long a killed action may take to die.
const DEATH: Duration = Duration::from_millis(100);
const SHORTEST_POLL: Duration = Duration::from_micros(500);
const LONGEST_POLL: Duration = Duration::from_millis(10);

/// How an action ended that was watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Exit(u8),
    /// Killed by this signal.
    Killed(i32),
    /// Not by the deadline.
    Hung,
}

/// Does `act` in a child process, which ends with its exit code, and waits for that. To be
/// called while there is one thread only. In the child, and where there can be none, the
/// code is the error.
pub fn watch(deadline: Deadline, act: impl FnOnce() -> ExitCode) -> Result<End, ExitCode> {
    let Ok((reader, writer)) = pipe2(nix::fcntl::OFlag::O_CLOEXEC) else {
        return Err(act());
    };
    match divide() {
        Ok(ForkResult::Parent { child }) => {
            drop(reader);
            let spared = oom::spare();
            let end = wait(child, deadline);
            drop(spared);
            // Until here: the child ends with who holds it.
            drop(writer);
            Ok(end)
        }
        Ok(ForkResult::Child) => {
            drop(writer);
            end_with(reader);
            Err(act())
        }
        Err(_) => Err(act()),
    }
}

#[allow(unsafe_code)]
fn divide() -> nix::Result<ForkResult> {
    // SAFETY: there is one thread, so the child has no lock that nobody releases.
    unsafe { fork() }
}

/// Ends this process when the other end of the pipe is closed: nobody waits for its answer.
/// (PR_SET_PDEATHSIG is forgotten whenever effective ids change.)
fn end_with(reader: OwnedFd) {
    let watch = move || {
        // Nothing is ever written.
        while read(&reader, &mut [0]) == Err(nix::errno::Errno::EINTR) {}
        let _ = kill(Pid::this(), Signal::SIGKILL);
    };
    if let Err(error) = thread::Builder::new().spawn(watch) {
        log::debug!("no thread to watch for the end of the parent: {error}");
    }
}

fn wait(child: Pid, deadline: Deadline) -> End {
    if let Some(end) = wait_until(child, deadline) {
        return end;
    }
    let _ = kill(child, Signal::SIGKILL);
    // One that was only slow dies of it.
    let _ = wait_until(child, Deadline::after(DEATH));
    End::Hung
}

fn wait_until(child: Pid, deadline: Deadline) -> Option<End> {
    // Else each look at the child would cost a little, all the time that it waits.
    if let Ok(handle) = PidFd::open(child.as_raw()) {
        handle.wait(deadline);
    }
    let mut poll = SHORTEST_POLL;
    loop {
        match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, code)) => {
                return Some(End::Exit(u8::try_from(code).unwrap_or(u8::MAX)));
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => return Some(End::Killed(signal as i32)),
            _ => {}
        }
        if !deadline.sleep(poll) {
            return None;
        }
        poll = (poll * 2).min(LONGEST_POLL);
    }
}

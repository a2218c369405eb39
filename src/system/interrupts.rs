//! Signals that ask a command to end, for one that has something to put back before it does.
//!
//! They are blocked and read, so that nothing is ended in its middle; std gives programs that
//! are started an empty mask again, so that these do end by Ctrl-C.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Ctrl-C, `kill`, a terminal that is closed.
const ASKS_TO_END: [Signal; 3] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];

/// What asks this process to end.
pub struct Interrupts(SignalFd);

impl Interrupts {
    /// From now on nothing of it ends this process by itself. To be called while there is one
    /// thread only.
    pub fn hold() -> io::Result<Self> {
        let signals: SigSet = ASKS_TO_END.into_iter().collect();
        signals.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self(SignalFd::with_flags(&signals, flags)?))
    }

    /// Lets so much time pass, unless one comes before; its name.
    pub fn wait(&self, limit: Duration) -> Option<&'static str> {
        let limit = u16::try_from(limit.as_millis()).unwrap_or(u16::MAX);
        let mut waits = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut waits, PollTimeout::from(limit));
        let read = self.0.read_signal().ok().flatten()?;
        let number = i32::try_from(read.ssi_signo).ok()?;
        Signal::try_from(number).ok().map(Signal::as_str)
    }
}

#[test]
fn what_asks_to_end_is_told_and_ends_nothing() {
    let held = Interrupts::hold().unwrap();
    assert_eq!(held.wait(Duration::from_millis(1)), None);
    for signal in ASKS_TO_END {
        // To this thread, which alone has them blocked.
        nix::sys::signal::raise(signal).unwrap();
        assert_eq!(held.wait(Duration::from_secs(10)), Some(signal.as_str()));
    }
    assert_eq!(held.wait(Duration::from_millis(1)), None);
}

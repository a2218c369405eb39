//! A handle on a process that need not be a child of this one, to wait for its end (Linux 5.3).

use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::ocf::Deadline;

/// The handle. It is of the process that had the number when it was opened, whoever has the
/// number later.
#[derive(Debug)]
pub struct PidFd(OwnedFd);

impl PidFd {
    /// Opens it. Older kernels cannot, and some containers forbid it.
    #[allow(unsafe_code)]
    pub fn open(pid: i32) -> nix::Result<Self> {
        // SAFETY: the call takes two numbers, and gives a file descriptor that nobody else has.
        let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let opened = Errno::result(opened)?;
        let opened = RawFd::try_from(opened).map_err(|_| Errno::EBADF)?;
        // SAFETY: it is open, and only this handle has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(opened) }))
    }

    /// Waits until the process has ended, or the deadline has passed. Whether it has ended;
    /// `None` where that cannot be waited for.
    pub fn wait(&self, deadline: Deadline) -> Option<bool> {
        loop {
            let left = deadline.left().as_millis();
            // A wait that is rounded down would end before the deadline, again and again.
            let left = PollTimeout::try_from(left + 1).unwrap_or(PollTimeout::MAX);
            let mut handle = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            match poll(&mut handle, left) {
                Ok(0) if deadline.passed() => return Some(false),
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => return handle[0].any(),
                Err(_) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_end_of_a_process_is_noticed_at_once_and_its_life_when_the_time_is_over() {
        let own = i32::try_from(std::process::id()).unwrap();
        if PidFd::open(own).is_err_and(|error| error == Errno::ENOSYS) {
            return;
        }
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let handle = PidFd::open(i32::try_from(child.id()).unwrap()).unwrap();
        let soon = Deadline::after(Duration::from_millis(30));
        assert_eq!(handle.wait(soon), Some(false));
        child.kill().unwrap();
        let begin = Instant::now();
        let late = Deadline::after(Duration::from_secs(60));
        // Not waited for yet: a zombie has ended.
        assert_eq!(handle.wait(late), Some(true));
        assert!(begin.elapsed() < Duration::from_secs(30));
        child.wait().unwrap();
        assert_eq!(handle.wait(soon), Some(true));
    }

    #[test]
    fn of_nobody_there_is_no_handle() {
        assert!(PidFd::open(i32::MAX).is_err());
    }
}

//! The end of a postmaster, waited for.

use std::time::Duration;

use super::process_table;
use super::real_server::RealServer;
use super::server::Watched;
use crate::ocf::Deadline;
use crate::system::pidfd::PidFd;

/// Between two looks where the kernel knows no handle on a process.
const POLL: Duration = Duration::from_millis(20);

impl Watched for RealServer {
    fn started(&self, pid: i32) -> Option<u64> {
        started(pid)
    }

    fn has_ended(&self, pid: i32, since: u64, deadline: Deadline) -> bool {
        // A smart shutdown by hand waits for all sessions.
        self.hang_up();
        has_ended(pid, since, deadline)
    }
}

fn started(pid: i32) -> Option<u64> {
    let stat = process_table::stat(pid)?;
    stat.lives().then_some(stat.start_ticks)
}

fn has_ended(pid: i32, since: u64, deadline: Deadline) -> bool {
    let handle = PidFd::open(pid);
    // Asked once the handle is there: what lives now is what the handle is of.
    let lives = || started(pid) == Some(since);
    if !lives() {
        return true;
    }
    let waited = handle.ok().and_then(|handle| handle.wait(deadline));
    waited.unwrap_or_else(|| look_again_and_again(lives, deadline))
}

fn look_again_and_again(lives: impl Fn() -> bool, deadline: Deadline) -> bool {
    while lives() {
        if !deadline.sleep(POLL) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const SHORT: Duration = Duration::from_millis(40);

    #[test]
    fn a_process_is_known_by_its_number_and_its_start() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let since = started(pid).unwrap();
        assert!(!has_ended(pid, since, Deadline::after(SHORT)));
        // The number is another one's by now.
        assert!(has_ended(pid, since + 1, Deadline::after(SHORT)));
        child.kill().unwrap();
        assert!(has_ended(
            pid,
            since,
            Deadline::after(Duration::from_secs(60))
        ));
        child.wait().unwrap();
        assert!(started(pid).is_none());
    }

    #[test]
    fn without_a_handle_it_is_looked_for() {
        let deadline = || Deadline::after(SHORT);
        assert!(!look_again_and_again(|| true, deadline()));
        let looks = std::cell::Cell::new(0);
        let dies = || {
            looks.set(looks.get() + 1);
            looks.get() < 3
        };
        assert!(look_again_and_again(
            dies,
            Deadline::after(Duration::from_secs(60))
        ));
    }
}

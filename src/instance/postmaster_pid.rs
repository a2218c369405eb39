//! The lock file `postmaster.pid` (PostgreSQL `src/include/utils/pidfile.h`):
//! pid, data directory, start time, port, socket directory, listen address,
//! shared memory, status, one a line. A starting server has written only the
//! first ones.

use thiserror::Error;

/// Line 8, which says without SQL how far a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// On its way up.
    Starting,
    /// On its way down.
    Stopping,
    /// Accepts connections.
    Ready,
    /// Up as a standby that takes no connections (`hot_standby` off).
    Standby,
}

/// What the lock file says. It proves nothing: the pid may be anybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostmasterPid {
    /// The postmaster's process id.
    pub pid: i32,
    /// When it started, in seconds since the epoch, by its own clock; `None` while the line is
    /// not written.
    pub started: Option<i64>,
    /// The port it listens on; `None` while the line is not written.
    pub port: Option<u16>,
    /// Its first socket directory, if it has one.
    pub socket_directory: Option<String>,
    /// Id of the System V segment that children keep attached.
    pub shared_memory: Option<i64>,
    /// How far the server is; `None` while the line is not written.
    pub status: Option<Status>,
}

/// Characters of a line that a message repeats: anybody may have written the file.
const LONGEST_QUOTE: usize = 20;

/// Not a postmaster.pid.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PidFileError {
    /// Line 1 is no process id.
    #[error("postmaster.pid begins with \"{0}\", not with a process id")]
    Pid(String),
    /// A negative pid: `postgres --single` holds the data directory.
    #[error("the data directory is in use by postgres in single-user mode (pid {0})")]
    SingleUser(u64),
}

impl PostmasterPid {
    /// Parses the file's text.
    pub fn parse(text: &str) -> Result<Self, PidFileError> {
        let line = |number: usize| text.lines().nth(number - 1).map(str::trim);
        let first = line(1).unwrap_or_default();
        let malformed = || PidFileError::Pid(first.chars().take(LONGEST_QUOTE).collect());
        let number: i64 = first.parse().map_err(|_| malformed())?;
        if number < 0 {
            return Err(PidFileError::SingleUser(number.unsigned_abs()));
        }
        let pid = i32::try_from(number).map_err(|_| malformed())?;
        if pid == 0 {
            return Err(malformed());
        }
        Ok(Self {
            pid,
            started: line(3).and_then(|text| text.parse().ok()),
            port: line(4).and_then(|text| text.parse().ok()),
            socket_directory: line(5).filter(|text| !text.is_empty()).map(str::to_owned),
            shared_memory: line(7).and_then(segment_id),
            status: line(8).and_then(status),
        })
    }
}

impl PostmasterPid {
    /// Whether the server has let nobody in since it was started.
    pub fn is_starting(&self) -> bool {
        self.status == Some(Status::Starting)
    }

    /// Whether the server has noted that it was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.status == Some(Status::Stopping)
    }
}

/// `<key> <id>`
fn segment_id(line: &str) -> Option<i64> {
    line.split_whitespace().nth(1)?.parse().ok()
}

fn status(line: &str) -> Option<Status> {
    Some(match line {
        "starting" => Status::Starting,
        "stopping" => Status::Stopping,
        "ready" => Status::Ready,
        "standby" => Status::Standby,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const READY: &str = "4711\n/var/lib/postgresql/15/main\n1795000000\n5432\n\
/var/run/postgresql\n*\n  5432001    32768\nready   \n";

    #[test]
    fn a_whole_file_is_read() {
        let file = PostmasterPid::parse(READY).unwrap();
        assert_eq!(file.pid, 4711);
        assert_eq!((file.started, file.port), (Some(1_795_000_000), Some(5432)));
        let directory = file.socket_directory.as_deref();
        assert_eq!(directory, Some("/var/run/postgresql"));
        assert_eq!(file.shared_memory, Some(32768));
        assert_eq!(file.status, Some(Status::Ready));
    }

    #[test]
    fn a_starting_server_has_written_only_the_first_lines() {
        let file = PostmasterPid::parse("4711\n/data\n").unwrap();
        assert_eq!((file.shared_memory, file.status), (None, None));
    }

    #[test]
    fn a_broken_file_is_refused() {
        for broken in ["", "0", "abc", "99999999999", "47 11", "\n4711"] {
            assert!(PostmasterPid::parse(broken).is_err(), "{broken:?}");
        }
        assert_eq!(
            PostmasterPid::parse("-42\n"),
            Err(PidFileError::SingleUser(42))
        );
        let lowest = PostmasterPid::parse("-9223372036854775808");
        assert_eq!(lowest, Err(PidFileError::SingleUser(1 << 63)));
    }

    proptest! {
        #[test]
        fn only_a_process_id_is_one(number: i64) {
            let parsed = PostmasterPid::parse(&format!("{number}\n/data\n"));
            let pid = i32::try_from(number).ok().filter(|pid| *pid > 0);
            prop_assert_eq!(parsed.ok().map(|file| file.pid), pid);
        }

        #[test]
        fn no_file_panics(text in "(?s).*", lines in "[-0-9a-z \n]*") {
            let _ = PostmasterPid::parse(&text);
            let _ = PostmasterPid::parse(&lines);
        }
    }
}

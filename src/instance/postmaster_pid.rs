//! The lock file `postmaster.pid` (PostgreSQL `src/include/utils/pidfile.h`):
//! pid, data directory, start time, port, socket directory, listen address,
//! shared memory, status, one a line. A starting server has written only the
//! first ones.

use thiserror::Error;

use super::shared_memory::Segment;

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
    /// The postmaster's process id, or that of `postgres --single`.
    pub pid: i32,
    /// Whether `postgres --single` wrote it, as a negative number.
    pub single_user: bool,
    /// Its data directory, as it was started with.
    pub datadir: Option<String>,
    /// When it started, in seconds since the epoch, by its own clock; `None` while the line is
    /// not written.
    pub started: Option<i64>,
    /// The port it listens on; `None` while the line is not written.
    pub port: Option<u16>,
    /// Its first socket directory, if it has one.
    pub socket_directory: Option<String>,
    /// The System V segment that every process of the server keeps attached.
    pub shared_memory: Option<Segment>,
    /// How far the server is; `None` while the line is not written.
    pub status: Option<Status>,
}

/// Characters of a line that a message repeats: anybody may have written the file.
const LONGEST_QUOTE: usize = 20;

/// Not a postmaster.pid.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum PidFileError {
    /// Line 1 is no process id.
    #[error("postmaster.pid begins with \"{0}\", not with a process id")]
    Pid(String),
}

impl PostmasterPid {
    /// Parses the file's text.
    pub fn parse(text: &str) -> Result<Self, PidFileError> {
        let line = |number: usize| text.lines().nth(number - 1).map(str::trim);
        let first = line(1).unwrap_or_default();
        let malformed = || PidFileError::Pid(first.chars().take(LONGEST_QUOTE).collect());
        let number: i64 = first.parse().map_err(|_| malformed())?;
        let pid = i32::try_from(number.unsigned_abs()).map_err(|_| malformed())?;
        if pid == 0 {
            return Err(malformed());
        }
        Ok(Self {
            pid,
            single_user: number < 0,
            datadir: line(2).filter(|text| !text.is_empty()).map(str::to_owned),
            started: line(3).and_then(|text| text.parse().ok()),
            port: line(4).and_then(|text| text.parse().ok()),
            socket_directory: line(5).filter(|text| !text.is_empty()).map(str::to_owned),
            shared_memory: line(7).and_then(Segment::of_lock_file),
            status: line(8).and_then(status),
        })
    }
}

impl PostmasterPid {
    /// Whether the server has let nobody in since it was started.
    pub fn is_starting(&self) -> bool {
        self.status == Some(Status::Starting)
    }

    /// Whether the server lets sessions in, or is a standby that lets nobody in.
    pub fn is_up(&self) -> bool {
        matches!(self.status, Some(Status::Ready | Status::Standby))
    }

    /// Whether the server has noted that it was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.status == Some(Status::Stopping)
    }
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
        let segment = Segment {
            key: 5_432_001,
            id: 32768,
        };
        assert_eq!(file.shared_memory, Some(segment));
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
    }

    #[test]
    fn a_negative_number_is_of_single_user_mode() {
        let file = PostmasterPid::parse("-42\n").unwrap();
        assert_eq!((file.pid, file.single_user), (42, true));
    }

    proptest! {
        #[test]
        fn only_a_process_id_is_one(number: i64) {
            let parsed = PostmasterPid::parse(&format!("{number}\n/data\n"));
            let pid = i32::try_from(number.unsigned_abs()).ok().filter(|pid| *pid > 0);
            prop_assert_eq!(parsed.ok().map(|file| file.pid), pid);
        }

        #[test]
        fn no_file_panics(text in "(?s).*", lines in "[-0-9a-z \n]*") {
            let _ = PostmasterPid::parse(&text);
            let _ = PostmasterPid::parse(&lines);
        }
    }
}

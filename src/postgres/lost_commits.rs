//! The commits in WAL that was kept, as `pg_waldump` shows them.

use std::fs::File;
use std::io;
use std::process::{Command, ExitStatus, Stdio};

use super::lost_wal::KeptWal;
use super::real_server::RealServer;
use super::server::Server;
use crate::system::long_program::{self, From, Goes};
use crate::wal::segments::Segment;
use crate::wal::transactions::Commits;
use crate::wal::{Lsn, Timeline};

/// What `pg_waldump` says where no record follows another one (13 to 18).
const END_OF_WAL: &str = "error in WAL record at ";
/// And where the records go on in a file that is not there.
const NO_FILE: &str = "could not find file ";
/// And where there is none at all from the place on where it was to begin.
const NO_RECORD: &str = "could not find a valid record after ";

impl KeptWal {
    /// The timelines in it.
    fn timelines(&self) -> Vec<(Timeline, Lsn)> {
        let size = self.lost.segment_size;
        let mut first: Vec<(Timeline, Lsn)> = Vec::new();
        for name in &self.files {
            let Some(segment) = Segment::parse(name, size) else {
                continue;
            };
            let begin = segment.begin(size).max(self.lost.fork);
            match first
                .iter_mut()
                .find(|(timeline, _)| *timeline == segment.timeline)
            {
                Some((_, known)) => *known = begin.min(*known),
                None => first.push((segment.timeline, begin)),
            }
        }
        first
    }

    /// The commits in it, counted by `pg_waldump` of the server's version. It runs as the system
    /// user, whose WAL it is: the directory is handed to it open, since nobody but root comes there
    /// by its path.
    pub fn commits(&self, server: &RealServer) -> io::Result<Commits> {
        let mut commits = Commits::default();
        for (timeline, begin) in self.timelines() {
            let mut command = Command::new(server.parameters().program("pg_waldump"));
            server.user().dress(&mut command);
            command.args(["--path", "/proc/self/fd/0", "--rmgr", "Transaction"]);
            command.args(["--timeline", &timeline.to_string()]);
            command.args(["--start", &begin.to_string()]);
            command.stdin(Stdio::from(File::open(&self.folder)?));
            self.count(&mut command, timeline, &mut commits)?;
        }
        Ok(commits)
    }

    /// It ends where the WAL does, with an error. With any other, or where it was killed, it has not
    /// seen all that is there, whatever it has shown before.
    fn count(
        &self,
        dump: &mut Command,
        timeline: Timeline,
        commits: &mut Commits,
    ) -> io::Result<()> {
        let mut complaint = String::new();
        let ended = long_program::run(dump, |line| {
            match line.filter(|(_, line)| !line.is_empty()) {
                Some((From::Out, line)) => commits.count(line, self.lost.fork),
                Some((From::Err, line)) => line.clone_into(&mut complaint),
                None => {}
            }
            Goes::On
        })?;
        // The node left an earlier timeline in this file, and wrote nothing behind the fork on it.
        let is_left = timeline < self.lost.timeline && says(&complaint, NO_RECORD);
        let is_read = ended.success()
            || is_left
            || says(&complaint, END_OF_WAL)
            || self.is_behind_all(&complaint);
        is_read
            .then_some(())
            .ok_or_else(|| unread(ended, &complaint))
    }

    /// Whether it looked for the file behind the last one that was kept of the timeline.
    fn is_behind_all(&self, complaint: &str) -> bool {
        let missing = complaint
            .split('"')
            .nth(1)
            .filter(|_| says(complaint, NO_FILE));
        let missing = missing.and_then(|name| Segment::parse(name, self.lost.segment_size));
        let Some(missing) = missing else { return false };
        let place = |one: &Segment| one.begin(self.lost.segment_size);
        let mut kept = self.files.iter();
        !kept.any(|name| {
            Segment::parse(name, self.lost.segment_size).is_some_and(|one| {
                one.timeline == missing.timeline && place(&one) >= place(&missing)
            })
        })
    }
}

fn unread(ended: ExitStatus, complaint: &str) -> io::Error {
    if complaint.is_empty() {
        return io::Error::other(format!("pg_waldump ended with {ended}"));
    }
    io::Error::other(complaint.to_owned())
}

/// Whether that is the error: `pg_waldump: error: error in WAL record at 0/4000110: …`, with
/// `fatal` for `error` up to version 13.
fn says(complaint: &str, error: &str) -> bool {
    let mut parts = complaint.split(": ");
    parts.any(|part| part.starts_with(error))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::record::lost::{By, Lost};

    const SIZE: u64 = 1024 * 1024;

    fn kept(files: &[&str]) -> KeptWal {
        KeptWal {
            folder: PathBuf::from("/nowhere"),
            lost: Lost {
                by: By::Rewind,
                at: 100,
                timeline: Timeline::new(2).unwrap(),
                fork: Lsn::from(4 * SIZE),
                end: Lsn::from(6 * SIZE),
                segment_size: SIZE,
                is_whole: true,
            },
            files: files.iter().map(|name| (*name).to_owned()).collect(),
            bytes: 0,
        }
    }

    #[test]
    fn each_timeline_is_read_from_its_first_file_on() {
        let kept = kept(&["000000010000000000000004", "000000010000000000000005"]);
        assert_eq!(kept.timelines(), [(Timeline::FIRST, Lsn::from(4 * SIZE))]);
    }

    /// A dump that saw nothing for any other reason has not seen that there is nothing.
    #[test]
    fn only_the_end_of_the_wal_ends_a_count() {
        let kept = kept(&["000000020000000000000005"]);
        let count_on = |timeline: u32, script: &str| {
            let mut dump = Command::new("sh");
            dump.args(["-c", script]);
            let mut commits = Commits::default();
            kept.count(&mut dump, Timeline::new(timeline).unwrap(), &mut commits)
                .map(|()| commits.count)
                .map_err(|error| error.to_string())
        };
        let count = |script: &str| count_on(2, script);
        let commit = "echo 'rmgr: Transaction, lsn: 0/05000110, desc: COMMIT 2026'";
        let no_file = |name: &str| format!("pg_waldump: error: could not find file \"{name}\": No");
        let then = |complaint: &str| count(&format!("{commit}; echo '{complaint}' >&2; exit 1"));
        assert_eq!(then(&no_file("000000020000000000000006")), Ok(1));
        // A file between, a disk that fails, and a killed program: there may be more.
        assert!(then(&no_file("000000020000000000000004")).is_err());
        assert!(
            then("pg_waldump: error: could not read from file 5, offset 8192: I/O error").is_err()
        );
        assert!(count(&format!("{commit}; kill -9 $$")).is_err());
        for word in ["error", "fatal"] {
            let end = format!("pg_waldump: {word}: error in WAL record at 0/5000110: invalid");
            assert_eq!(count(&format!("echo '{end}' >&2; exit 1")), Ok(0));
        }
        let broken = "pg_waldump: error: could not open directory";
        assert_eq!(
            count(&format!("echo '{broken}' >&2; exit 1")),
            Err(broken.to_owned())
        );
        assert!(count("exit 1").is_err());
        let none = "echo 'pg_waldump: error: could not find a valid record after 0/5' >&2; exit 1";
        assert_eq!(count_on(1, none), Ok(0));
        assert!(count_on(2, none).is_err());
    }
}

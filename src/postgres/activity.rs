//! What the processes of a server do: read from `/proc`, where nothing waits for a disk
//! that hangs, but for the control file.
//!
//! The children are those that the kernel calls children of the postmaster. What a process
//! has read and written may be seen only by who could trace it, as where it works
//! (`process_table`): its owner.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::stat::{major, minor};

use super::{children, control_file, postmaster, process_table};
use crate::instance::{Activity, ClusterState, Process};
use crate::system::user::act_as;

/// What the server of this postmaster does.
pub fn look(datadir: &Path, postmaster: i32) -> Activity {
    let place = fs::metadata(datadir).ok();
    let lock_file = postmaster::pid_file(datadir).ok().flatten();
    Activity {
        is_stopping: lock_file.is_none_or(|file| file.status.is_none() || file.is_stopping()),
        control: control_state(datadir, place.as_ref()),
        postmaster: process(postmaster, place.as_ref()),
        children: children::of(postmaster)
            .into_iter()
            .filter_map(|pid| process(pid, place.as_ref()))
            .collect(),
        disk: requests_done(datadir),
    }
}

fn control_state(datadir: &Path, place: Option<&Metadata>) -> Option<ClusterState> {
    let place = place?;
    let read = || Ok(control_file::state(datadir));
    act_as(place.uid(), place.gid(), read).ok().flatten()
}

fn process(pid: i32, place: Option<&Metadata>) -> Option<Process> {
    let stat = process_table::stat(pid)?;
    Some(Process {
        pid,
        started: stat.start_ticks,
        state: stat.state,
        cpu_ticks: stat.cpu_ticks,
        io: io(pid, place),
        title: children::title(pid),
    })
}

/// Bytes read and written by system calls (proc(5), `rchar` and `wchar`).
fn io(pid: i32, place: Option<&Metadata>) -> Option<u64> {
    let read = || fs::read_to_string(format!("/proc/{pid}/io"));
    let text = read().or_else(|error| match place {
        Some(place) => act_as(place.uid(), place.gid(), read),
        None => Err(error),
    });
    bytes(&text.ok()?)
}

fn bytes(io: &str) -> Option<u64> {
    let of = |name| {
        let value = io.lines().find_map(|line| line.strip_prefix(name))?;
        value.trim().parse::<u64>().ok()
    };
    Some(of("rchar:")?.saturating_add(of("wchar:")?))
}

/// Requests that the disks of data and WAL have done. Known only where both are on disks of
/// this machine.
fn requests_done(datadir: &Path) -> Option<u64> {
    let done = |path: &Path| {
        let device = fs::metadata(path).ok()?.dev();
        let (major, minor) = (major(device), minor(device));
        let stat = fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).ok()?;
        reads_and_writes(&stat)
    };
    Some(done(datadir)?.saturating_add(done(&datadir.join("pg_wal"))?))
}

/// Fields 1 and 5 of a block device's `stat`.
fn reads_and_writes(stat: &str) -> Option<u64> {
    let fields: Vec<_> = stat.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(number(0)?.saturating_add(number(4)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let io = "rchar: 100\nwchar: 23\nsyscr: 1\nread_bytes: 4096\n";
        assert_eq!(bytes(io), Some(123));
        assert_eq!(bytes("rchar: 100\n"), None);
        let stat = "   10 0 80 5 7 1 56 9 0 14 14 0 0 0 0 3 2\n";
        assert_eq!(reads_and_writes(stat), Some(17));
    }

    #[test]
    fn a_process_sees_itself() {
        let ours = i32::try_from(std::process::id()).unwrap();
        let here = fs::metadata("/proc/self").unwrap();
        let before = process(ours, Some(&here)).unwrap();
        assert!(before.io.is_some() && before.started > 0);
        assert!(!before.title.is_empty() && !before.title.contains('\0'));
        let now = process(ours, Some(&here)).unwrap();
        assert!(now.is(&before) && now.moved_since(&before, Some(false)));
        assert_eq!(process(i32::MAX, None), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).*", numbers in "[0-9: \nrwcha]*") {
            for text in [text, numbers] {
                let _ = (bytes(&text), reads_and_writes(&text));
            }
        }
    }
}

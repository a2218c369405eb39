//! The servers that work in a directory, and those of which that cannot be told.
//!
//! `/proc/PID/stat` may be read by everybody. Where a process works
//! (`/proc/PID/cwd`) may be read only by who could trace it: root with
//! CAP_SYS_PTRACE, or the process's own user. A hardened unit, a container or a
//! security module may take that capability from Pacemaker. So what root may not
//! see is looked at once more as its user (`ptrace_may_access` in the kernel's
//! `kernel/ptrace.c`: equal ids need no capability). What cannot be seen even so
//! is said: two primaries have come of taking "not seen" for "not there".

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::libc::ESRCH;

use crate::instance::ProcessStat;
use crate::instance::witnesses::Place;
use crate::system::user::act_as;

/// What was seen of the servers that may work in a directory.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Servers {
    /// The living servers that work there.
    pub here: Vec<i32>,
    /// Living servers of the directory's owner that may work there or elsewhere.
    pub unseen: Vec<i32>,
}

/// Looks through the process table for the servers in `datadir`.
pub fn servers(datadir: &Path) -> io::Result<Servers> {
    let mut servers = Servers::default();
    // Nobody works in a directory that is not there.
    let Some(place) = existing(datadir)? else {
        return Ok(servers);
    };
    for pid in pids(&place)? {
        match works_in(pid, &place) {
            Some(true) => servers.here.push(pid),
            Some(false) => {}
            None => servers.unseen.push(pid),
        }
    }
    Ok(servers)
}

/// The living process of the owner's with this number, and where it works.
pub fn process(pid: i32, owner: &Metadata) -> Option<(ProcessStat, Place)> {
    let (process, stat) = seen(pid, owner)?;
    let is_owners = process.uid() == owner.uid();
    let place = place_of(pid, &process, owner)?;
    (stat.lives() && is_owners).then_some((stat, place))
}

/// Whether there is a process or thread of the owner's with this number, living or not.
pub fn is_owners(pid: i32, owner: &Metadata) -> bool {
    seen(pid, owner).is_some_and(|(process, _)| process.uid() == owner.uid())
}

/// The same, where what cannot be seen is yes: of a process that is a child of the
/// server's for other reasons.
pub fn may_be_server_in(datadir: &Path, pid: i32) -> bool {
    let place = existing(datadir).ok().flatten();
    place.is_some_and(|place| works_in(pid, &place) != Some(false))
}

/// The process's own line in the table.
pub fn stat(pid: i32) -> Option<ProcessStat> {
    ProcessStat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// When this machine was started, in seconds since the epoch by its clock of today.
pub fn boot() -> Option<u64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.parse().ok()
}

/// The directory, if it is there.
pub fn existing(datadir: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(datadir) {
        Ok(place) => Ok(Some(place)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// All processes. `hidepid` hides those of others from root without the capability;
/// the owner of the directory sees those that matter.
fn pids(place: &Metadata) -> io::Result<Vec<i32>> {
    let mut pids = listed()?;
    if fs::metadata("/proc/1/stat").is_err() {
        pids.extend(act_as(place.uid(), place.gid(), listed)?);
        pids.sort_unstable();
        pids.dedup();
    }
    Ok(pids)
}

fn listed() -> io::Result<Vec<i32>> {
    let entries = fs::read_dir("/proc")?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Ok(pids.collect())
}

/// Whether the process is a living server that works in `place`. `None` if it is one of the
/// owner's that may not be looked into. One that does not have the name of a server, as of
/// a rebranded PostgreSQL, is one if it is attached to shared memory of PostgreSQL's kind.
fn works_in(pid: i32, place: &Metadata) -> Option<bool> {
    // In neither view: it has ended meanwhile.
    let Some((process, stat)) = seen(pid, place) else {
        return Some(false);
    };
    let is_owners = process.uid() == place.uid();
    if !stat.lives() || !(stat.has_servers_name() || is_owners) {
        return Some(false);
    }
    match (place_of(pid, &process, place), stat.has_servers_name()) {
        (Some(Place::Here), true) => Some(true),
        (Some(Place::Here), false) => Some(is_attached(pid, &process)),
        (Some(Place::Unseen), true) if is_owners => None,
        _ => Some(false),
    }
}

/// The process, by root or as the owner of the directory.
fn seen(pid: i32, owner: &Metadata) -> Option<(Metadata, ProcessStat)> {
    let look = || Some((fs::metadata(format!("/proc/{pid}")).ok()?, stat(pid)?));
    look().or_else(|| {
        let as_owner = act_as(owner.uid(), owner.gid(), || Ok(look()));
        as_owner.ok().flatten()
    })
}

/// Where it works: in `place` (the same directory by device and inode: paths may lead
/// through links) or elsewhere. `None` if it has ended.
fn place_of(pid: i32, process: &Metadata, place: &Metadata) -> Option<Place> {
    match place_of_work(&PathBuf::from(format!("/proc/{pid}")), process) {
        Ok(seen) if (seen.dev(), seen.ino()) == (place.dev(), place.ino()) => Some(Place::Here),
        Ok(_) => Some(Place::Elsewhere),
        Err(error) if is_refusal(&error) => Some(Place::Unseen),
        Err(_) => None,
    }
}

/// Whether it has System V shared memory in its address space: a shell or a tool in the
/// data directory has not.
fn is_attached(pid: i32, process: &Metadata) -> bool {
    let look = || fs::read(format!("/proc/{pid}/maps"));
    let maps = look().or_else(|_| act_as(process.uid(), process.gid(), look));
    maps.is_ok_and(|maps| String::from_utf8_lossy(&maps).contains(" /SYSV"))
}

fn place_of_work(folder: &Path, process: &Metadata) -> io::Result<Metadata> {
    let look = || fs::metadata(folder.join("cwd"));
    look().or_else(|error| match is_refusal(&error) {
        true => act_as(process.uid(), process.gid(), look),
        false => Err(error),
    })
}

/// Whether an error says anything but that the process has ended.
fn is_refusal(error: &io::Error) -> bool {
    error.kind() != io::ErrorKind::NotFound && error.raw_os_error() != Some(ESRCH)
}

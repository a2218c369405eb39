//! Whether anybody is attached to the shared memory of an instance.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;

use super::process_table;
use crate::instance::postmaster_pid::PostmasterPid;
use crate::instance::shared_memory::{Listed, attached_from, named, parse};
use crate::instance::witnesses::Memory;

const LIST: &str = "/proc/sysvipc/shm";
/// PostgreSQL 12 and older make a key of the port (`PGSharedMemoryCreate`).
const KEYS_OF_A_PORT: u32 = 1000;

/// Who is attached to the segment that the lock file names.
pub fn of_lock_file(file: &PostmasterPid) -> Memory {
    let (Some(list), Some(segment)) = (list(), file.shared_memory) else {
        return Memory::Unknown;
    };
    match named(&list, segment, file.pid) {
        Some(one) => memory(one.attached),
        None if is_older_than_boot(file) => Memory::Free,
        // It is gone, or belongs to another IPC namespace, as of a unit with PrivateIPC.
        None => Memory::Unknown,
    }
}

/// Who is attached to what a server in the directory would have made. Only for where
/// nothing better is known: a key is no proof of whose a segment is.
pub fn of_directory(place: &Metadata, port: Option<u16>) -> Memory {
    let Some(list) = list() else {
        return Memory::Unknown;
    };
    let inode = u32::try_from(place.ino() & 0xFFFF_FFFF).ok();
    let port = port.map(|port| u32::from(port) * KEYS_OF_A_PORT);
    let next = port.map(|key| key + 1);
    let keys: Vec<_> = [inode, port, next].into_iter().flatten().collect();
    memory(attached_from(&list, &keys, place.uid()))
}

/// Whether the process that the lock file names made the segment that it names.
pub fn is_made_by_named(file: &PostmasterPid) -> bool {
    let (Some(list), Some(segment)) = (list(), file.shared_memory) else {
        return false;
    };
    named(&list, segment, file.pid).is_some_and(|one| one.maker == file.pid && one.attached > 0)
}

fn is_older_than_boot(file: &PostmasterPid) -> bool {
    let started = file.started.and_then(|time| u64::try_from(time).ok());
    matches!((started, process_table::boot()), (Some(started), Some(boot)) if started < boot)
}

fn memory(attached: u64) -> Memory {
    match usize::try_from(attached) {
        Ok(0) => Memory::Free,
        Ok(attached) => Memory::Attached(attached),
        Err(_) => Memory::Unknown,
    }
}

fn list() -> Option<Vec<Listed>> {
    let list = fs::read_to_string(LIST).ok()?;
    // Without its first line it is no list.
    list.trim_start().starts_with("key").then(|| parse(&list))
}

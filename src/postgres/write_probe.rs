//! Can the primary still write? One WAL record, flushed to its own disk.
//!
//! Everything else that a monitor asks is answered from memory: a server whose
//! storage is full, read-only or hung looks well until somebody commits. The
//! file of a WAL record is there beforehand, so a full disk is looked for apart.

use std::path::{Path, PathBuf};

use ::postgres::Client;
use ::postgres::error::DbError;
use nix::sys::statvfs::statvfs;

use crate::instance::answer::is_of_storage;

/// Does not wait for standbys: that they are away is no fault of the storage.
const LOCALLY: &str = "SET synchronous_commit = local";
/// Writes no table and needs no right; a commit of it flushes the WAL.
const WRITE: &str = "SELECT pg_catalog.pg_logical_emit_message(true, 'pgsqlms', '')";

const PAGE: u64 = 8192;

/// Writes the record. Returns what the server said of its storage, if that is
/// the trouble.
pub fn write(client: &mut Client) -> Result<Option<String>, ::postgres::Error> {
    client.batch_execute(LOCALLY)?;
    match client.batch_execute(WRITE) {
        Ok(()) => Ok(None),
        Err(error) => match error.as_db_error().and_then(of_storage) {
            Some(text) => Ok(Some(text)),
            None => Err(error),
        },
    }
}

/// A directory of the instance without room for one page more.
pub fn full(datadir: &Path) -> Option<PathBuf> {
    let directories = [datadir.to_owned(), datadir.join("pg_wal")];
    directories.into_iter().find(|path| is_full(path))
}

/// What only root may still use does not help the server.
fn is_full(path: &Path) -> bool {
    let room = statvfs(path).map(|data| {
        let blocks = data.blocks_available();
        blocks.saturating_mul(data.fragment_size())
    });
    room.is_ok_and(|bytes| bytes < PAGE)
}

/// What says that storage or catalogs are broken, and 25006, a read-only transaction.
fn of_storage(error: &DbError) -> Option<String> {
    let code = error.code().code();
    is_fatal(code).then(|| format!("{} ({code})", error.message()))
}

fn is_fatal(code: &str) -> bool {
    code == "25006" || is_of_storage(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_room_nothing_is_full() {
        let datadir = tempfile::tempdir().unwrap();
        assert_eq!(full(datadir.path()), None);
        assert_eq!(full(Path::new("/nonexistent")), None);
        // Has no blocks at all.
        assert!(is_full(Path::new("/proc")));
    }

    #[test]
    fn only_storage_is_the_storage_s_fault() {
        for code in ["53100", "58030", "58P01", "XX000", "25006"] {
            assert!(is_fatal(code), "{code}");
        }
        for code in ["53200", "42501", "57014", "57P01", "08006", ""] {
            assert!(!is_fatal(code), "{code}");
        }
    }
}

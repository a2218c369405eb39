//! Lock files that a dead server left: in the data directory, and beside its socket.
//!
//! PostgreSQL takes any process of its user for the one that wrote the file, and refuses a
//! file that it would not have written (`CreateLockFile`). Numbers are given out again: after
//! a boot soon, and with a second instance of the same user for weeks.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::process_table;
use crate::instance::postmaster_pid::PostmasterPid;
use crate::ocf::Parameters;
use crate::system::plain_file;
use crate::system::user::act_as;

/// The first one that keeps the server from starting, where nothing of it runs, and why.
pub fn in_the_way(parameters: &Parameters) -> Option<(PathBuf, String)> {
    let datadir = &parameters.datadir;
    let owner = process_table::existing(datadir).ok()??;
    let own = datadir.join("postmaster.pid");
    let found = reason(&own, &owner, |_| true).map(|why| (own, why));
    found.or_else(|| {
        let beside = beside_the_socket(parameters)?;
        let is_ours = |file: &PostmasterPid| is_of(file, &owner);
        reason(&beside, &owner, is_ours).map(|why| (beside, why))
    })
}

/// Removes one, as the owner of the data directory.
pub fn remove(datadir: &Path, file: &Path) -> io::Result<()> {
    let owner = fs::metadata(datadir)?;
    act_as(owner.uid(), owner.gid(), || fs::remove_file(file))
}

/// Of one in pieces nobody can say whose it is: it is at this server's address.
fn reason(
    path: &Path,
    owner: &Metadata,
    is_ours: impl FnOnce(&PostmasterPid) -> bool,
) -> Option<String> {
    let read = || plain_file::read(path);
    let text = act_as(owner.uid(), owner.gid(), read).ok()?;
    match PostmasterPid::parse(&text) {
        Err(_) if text.trim().is_empty() => Some("it is empty".to_owned()),
        Err(error) => Some(error.to_string()),
        Ok(file) => (is_ours(&file) && process_table::is_owners(file.pid, owner)).then(|| {
            let pid = file.pid;
            format!("it names process {pid}, which is not of this instance")
        }),
    }
}

fn beside_the_socket(parameters: &Parameters) -> Option<PathBuf> {
    let folder = Path::new(&parameters.pghost);
    let name = format!(".s.PGSQL.{}.lock", parameters.pgport);
    folder.is_absolute().then(|| folder.join(name))
}

/// Whether the server that wrote it had this data directory.
fn is_of(file: &PostmasterPid, place: &Metadata) -> bool {
    let Some(theirs) = &file.datadir else {
        return false;
    };
    // As the owner: the path is whatever somebody wrote.
    let theirs = act_as(place.uid(), place.gid(), || fs::metadata(theirs));
    theirs.is_ok_and(|theirs| (theirs.dev(), theirs.ino()) == (place.dev(), place.ino()))
}

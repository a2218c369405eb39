//! What is expensive to make is made once, under a lock, and kept in a folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use nix::fcntl::{Flock, FlockArg};

/// An exclusive lock, so that two runs do not make the same thing at once.
pub fn lock(path: &Path) -> Result<Flock<fs::File>> {
    let file = fs::File::create(path)?;
    Flock::lock(file, FlockArg::LockExclusive)
        .map_err(|(_, errno)| errno)
        .with_context(|| format!("cannot lock {}", path.display()))
}

/// Removes a folder and all below it; one that is not there is fine.
pub fn remove_tree(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

//! Whether a look at the data directory can hang: the kernel says so without waiting.

use std::path::Path;

use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};

/// `RESOLVE_CACHED` (Linux 5.12): only what is in memory. Older kernels know no such thing.
const CACHED: ResolveFlag = ResolveFlag::from_bits_retain(0x20);
/// What every monitor looks for.
const PLACES: [&str; 3] = ["", "postmaster.pid", "standby.signal"];

/// Whether all that a monitor looks for is known without asking the storage.
pub fn is_in_memory(datadir: &Path) -> bool {
    PLACES.iter().all(|name| {
        let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW);
        match openat2(AT_FDCWD, &datadir.join(name), how.resolve(CACHED)) {
            Ok(_) | Err(nix::errno::Errno::ENOENT) => true,
            Err(_) => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_fails_says_nothing_of_memory() {
        let folder = tempfile::tempdir().unwrap();
        let circle = folder.path().join("circle");
        std::os::unix::fs::symlink(&circle, &circle).unwrap();
        assert!(!is_in_memory(&circle));
    }
}

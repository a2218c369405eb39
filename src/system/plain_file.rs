//! Reading small files in the data directory. It belongs to the system user and
//! we are root: no link is followed, nothing is read that is not a file, and
//! nothing is waited for.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// Longer than any file that is read here (bytes): a history of thousands of
/// timelines.
const LONGEST: u64 = 1024 * 1024;

/// The text of a file.
pub fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// The beginning of a file that has at least so many bytes.
pub fn begin<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    let mut begin = [0; BYTES];
    open(path)?.read_exact(&mut begin)?;
    Ok(begin)
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW.bits() | OFlag::O_NONBLOCK.bits();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_file_itself_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "text").unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read(&path("file")).unwrap(), "text");
        assert_eq!(begin(&path("file")).unwrap(), *b"te");
        assert!(begin::<5>(&path("file")).is_err());
        for name in ["link", "fifo", "none", "."] {
            assert!(read(&path(name)).is_err(), "{name}");
        }
    }
}

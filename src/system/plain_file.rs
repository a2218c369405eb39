//! Opening files where the system user may put anything in their place, and we are root: no
//! link is followed, nothing is opened that is not a file, nothing is waited for, and no more
//! is read than such a file can have.
//!
//! Whose identity that is done with is said by `SystemUser::act`: a directory above the file
//! may be a link as well, or become one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

/// Longer than any file that is read here (bytes): a history of thousands of
/// timelines.
const LONGEST: u64 = 1024 * 1024;

/// The text of a file.
pub fn read(path: &Path) -> io::Result<String> {
    text_in(open(OpenOptions::new().read(true), path)?)
}

/// The text of a file that admins may keep elsewhere, behind a link. Only to be read as the
/// user to whom the link belongs.
pub fn read_behind_links(path: &Path) -> io::Result<String> {
    let nonblocking = OFlag::O_NONBLOCK.bits();
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(nonblocking).open(path)?;
    text_in(regular(file)?)
}

/// A file that a user may keep elsewhere, and its mode. Only to be read as that user.
pub fn read_behind_links_with_mode(path: &Path) -> io::Result<(Vec<u8>, u32)> {
    let nonblocking = OFlag::O_NONBLOCK.bits();
    let mut options = OpenOptions::new();
    let mut file = regular(options.read(true).custom_flags(nonblocking).open(path)?)?;
    let mut bytes = Vec::new();
    (&mut file).take(LONGEST).read_to_end(&mut bytes)?;
    Ok((bytes, file.metadata()?.permissions().mode() & 0o777))
}

fn text_in(file: File) -> io::Result<String> {
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// At most `most` bytes of a file, behind the first `skipped` ones.
pub fn read_behind(path: &Path, skipped: u64, most: u64) -> io::Result<Vec<u8>> {
    let mut file = open(OpenOptions::new().read(true), path)?;
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A whole file of at most `most` bytes, and its mode.
pub fn read_with_mode(path: &Path, most: u64) -> io::Result<(Vec<u8>, u32)> {
    let mut file = open(OpenOptions::new().read(true), path)?;
    let mut bytes = Vec::new();
    // It may grow while it is read.
    (&mut file).take(most).read_to_end(&mut bytes)?;
    Ok((bytes, file.metadata()?.permissions().mode() & 0o777))
}

/// Writes a file anew; on disk when it returns.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let mut file = open(&options, path)?;
    file.write_all(bytes)?;
    file.set_permissions(PermissionsExt::from_mode(mode))?;
    file.sync_all()
}

/// Writes a file by way of a draft beside it, so that it is there whole, as it was or as it was to
/// become.
pub fn replace(path: &Path, draft: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let written = write(draft, bytes, mode).and_then(|()| fs::rename(draft, path));
    if written.is_err() {
        let _ = fs::remove_file(draft);
    }
    written
}

/// The beginning of a file that has at least so many bytes.
pub fn begin<const BYTES: usize>(path: &Path) -> io::Result<[u8; BYTES]> {
    let mut begin = [0; BYTES];
    open(OpenOptions::new().read(true), path)?.read_exact(&mut begin)?;
    Ok(begin)
}

/// Opens a file itself, and nothing else that has its name.
pub fn open(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let mut options = options.clone();
    regular(options.custom_flags(flags.bits()).open(path)?)
}

fn regular(file: File) -> io::Result<File> {
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
            assert!(read_behind(&path(name), 0, 9).is_err(), "{name}");
            assert!(read_with_mode(&path(name), 9).is_err(), "{name}");
        }
        assert_eq!(read_behind_links(&path("link")).unwrap(), "text");
        assert!(read_behind_links(&path("fifo")).is_err());
        assert!(read_behind_links_with_mode(&path("fifo")).is_err());
        let (bytes, _) = read_behind_links_with_mode(&path("link")).unwrap();
        assert_eq!(bytes, b"text");
        assert!(read_behind_links(Path::new("/dev/zero")).is_err());
    }

    #[test]
    fn only_a_file_itself_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink(path("new"), path("link")).unwrap();
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for name in ["link", "fifo", "."] {
            assert!(write(&path(name), b"x", 0o600).is_err(), "{name}");
        }
        assert!(!path("new").exists());
        write(&path("file"), b"text", 0o640).unwrap();
        assert_eq!(
            read_with_mode(&path("file"), 2).unwrap(),
            (b"te".to_vec(), 0o640)
        );
        assert_eq!(read_behind(&path("file"), 2, 9).unwrap(), b"xt");
    }

    #[test]
    fn of_a_file_without_end_a_little_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read(&path).unwrap().len() as u64, LONGEST);
    }
}

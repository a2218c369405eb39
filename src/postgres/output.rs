//! The server's own output: early messages, and all of its log without a logging
//! collector.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::system::{SystemUser, plain_file};

/// Far more than a server says before it ends at its start (bytes).
const LONGEST_LOOK: u64 = 64 * 1024;
const DEBIAN_LOGS: &str = "/var/log/postgresql";

/// Where the server's own output goes: early messages, and all of its log
/// without a logging collector. Where Debian's logrotate finds it, if it can.
pub fn prepare(resource: &str, user: &SystemUser) -> PathBuf {
    let name = format!("pgsqlms-{resource}.log");
    let folder = [DEBIAN_LOGS, "/var/log"].map(Path::new);
    let folder = folder.into_iter().find(|folder| folder.is_dir());
    let path = folder.unwrap_or(Path::new("/var/log")).join(name);
    match give_to(&path, user) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            log::warn!("cannot prepare {}: {error}", path.display());
        }
        _ => {}
    }
    path
}

/// How much the server has written so far (bytes), to know later what is new.
pub fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |data| data.len())
}

/// Why the server ended, in its own words: the first fatal line behind `length`.
pub fn fatal_line(path: &Path, length: u64) -> Option<String> {
    let bytes = plain_file::read_behind(path, length, LONGEST_LOOK).ok()?;
    first_fatal(&String::from_utf8_lossy(&bytes)).map(str::to_owned)
}

/// The first line of a server's output that says why it ended.
pub fn first_fatal(text: &str) -> Option<&str> {
    let levels = ["FATAL:  ", "PANIC:  "];
    text.lines()
        .find_map(|line| levels.iter().find_map(|level| line.split_once(*level)))
        .map(|(_, text)| text.trim())
}

/// The system user cannot create files in /var/log itself, nor in Debian's
/// directory if it is another one than postgres.
fn give_to(path: &Path, user: &SystemUser) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true).mode(0o640);
    let file = plain_file::open(&options, path)?;
    fchown(&file, Some(user.uid.as_raw()), Some(user.gid().as_raw()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_words_are_those_of_this_start() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let old = "1 [7] FATAL:  an old one\n";
        fs::write(file.path(), old).unwrap();
        let before = length(file.path());
        assert_eq!(fatal_line(file.path(), before), None);
        let new = "2 [8] LOG:  bind: in use\n2 [8] FATAL:  could not create any TCP/IP sockets\n";
        fs::write(file.path(), format!("{old}{new}")).unwrap();
        let words = fatal_line(file.path(), before);
        assert_eq!(
            words.as_deref(),
            Some("could not create any TCP/IP sockets")
        );
    }

    proptest! {
        #[test]
        fn no_output_panics(text in "(?s).*") {
            let _ = first_fatal(&text);
        }
    }
}

//! metrics: the view in the text format of Prometheus, for a timer and the textfile collector
//! of node_exporter, or for whoever serves what a program prints. No daemon of our own.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::look::Where;
use crate::ocf::{Environment, Failure, screen};
use crate::system::plain_file;
use crate::view::{self, Health, View};

/// The collector is another user.
const READABLE: u32 = 0o644;

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Metrics {
    #[command(flatten)]
    place: Where,
    /// Write them to this file, which is replaced as a whole
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Prints or writes them. That something is wrong is in them, and no failure of the command.
pub fn run(wish: &Metrics, shell: &Environment) -> Result<Health, Failure> {
    let looked = wish.place.glance(shell);
    let text = match &looked {
        Ok(seen) => view::metrics(&View::of(seen)),
        Err(_) => view::metrics_without_view(wish.place.resource.as_deref()),
    };
    match &wish.output {
        Some(file) => replace(file, &text)
            .map_err(|error| Failure::soft(format!("Cannot write {}: {error}", file.display())))?,
        // Whoever reads it may have seen enough.
        None => drop(screen::print_document(&text)),
    }
    looked.map(|_| Health::Well)
}

/// A reader sees the old text or the new one, and never a part. The name of the draft has
/// another end: collectors read all that ends with `.prom`. The folder may be another user's, so
/// that no link in it is followed.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let mut draft = OsString::from(file);
    draft.push(".new");
    plain_file::replace(file, Path::new(&draft), text.as_bytes(), READABLE)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pgsqlms.prom");
        for text in ["a 1\n", "a 2\n"] {
            replace(&file, text).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, READABLE);
        assert!(replace(&folder.path().join("none/pgsqlms.prom"), "").is_err());
    }

    /// Root writes where somebody else may put a link.
    #[test]
    fn a_link_in_the_place_of_the_draft_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("a.prom"), folder.path().join("other"));
        fs::write(&other, "precious").unwrap();
        symlink(&other, folder.path().join("a.prom.new")).unwrap();
        assert!(replace(&file, "text").is_err());
        assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
    }
}

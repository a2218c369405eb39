//! Table spaces: directories elsewhere, to which links in `pg_tblspc` lead.
//!
//! A server starts, and is promoted, without one that is not mounted, and says so in its log
//! alone (`StartupXLOG` opens none of them): its tables have no data then.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The first table space that is not where its link leads: a directory with a folder of this
/// major version in it, as `CREATE TABLESPACE` has made it there.
pub fn missing(datadir: &Path, major: u32) -> io::Result<Option<PathBuf>> {
    let folder = format!("PG_{major}_");
    for entry in fs::read_dir(datadir.join("pg_tblspc"))? {
        let link = entry?.path();
        // One in place (a setting for tests of PostgreSQL) is no link.
        let Ok(place) = fs::read_link(&link) else {
            continue;
        };
        if !has_folder(&place, &folder)? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

fn has_folder(place: &Path, prefix: &str) -> io::Result<bool> {
    let entries = match fs::read_dir(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if name.to_str().is_some_and(|name| name.starts_with(prefix)) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_table_space_is_missing_where_its_version_has_no_folder() {
        let root = tempfile::tempdir().unwrap();
        let (datadir, disk) = (root.path().join("data"), root.path().join("disk"));
        fs::create_dir_all(datadir.join("pg_tblspc/16385")).unwrap();
        fs::create_dir(&disk).unwrap();
        assert_eq!(missing(&datadir, 15).unwrap(), None);
        symlink(&disk, datadir.join("pg_tblspc/16391")).unwrap();
        assert_eq!(missing(&datadir, 15).unwrap(), Some(disk.clone()));
        fs::create_dir(disk.join("PG_15_202209061")).unwrap();
        assert_eq!(missing(&datadir, 15).unwrap(), None);
        assert_eq!(missing(&datadir, 16).unwrap(), Some(disk.clone()));
        fs::remove_dir_all(&disk).unwrap();
        assert_eq!(missing(&datadir, 15).unwrap(), Some(disk));
    }
}

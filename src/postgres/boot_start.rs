//! Whether the system starts the server at boot, before Pacemaker could say as what.
//!
//! A former primary that is started so is open for writing at once: nobody else's address
//! leads there, but what local jobs write is lost.

use std::fs;
use std::path::{Path, PathBuf};

use crate::system::plain_file;

const WANTED: &str = "etc/systemd/system/multi-user.target.wants";

/// The file that says so: Debian's `start.conf`, also where it is missing, or the link of an enabled
/// unit of the packages of the RHEL family. `root` is `/`. As the user to whom `pgdata` belongs.
pub fn reason(root: &Path, pgdata: &Path, datadir: &Path) -> Option<PathBuf> {
    let start = pgdata.join("start.conf");
    let text = match plain_file::read_behind_links(&start) {
        Ok(text) => Some(text),
        // `postgresql-generator` of Debian's postgresql-common takes a file that is not there for
        // "auto". One that cannot be read may say so.
        Err(_) if is_debians(root, pgdata) => return Some(start),
        Err(_) => None,
    };
    if let Some(text) = text {
        let mut words = text.lines().filter_map(|line| {
            let line = line.split('#').next().unwrap_or_default().trim();
            (!line.is_empty()).then_some(line)
        });
        return words.next().filter(|word| *word == "auto").map(|_| start);
    }
    let unit = root.join(WANTED).join(unit_of(datadir)?);
    fs::symlink_metadata(&unit).is_ok().then_some(unit)
}

/// Whether the folder is the configuration of one of Debian's clusters.
fn is_debians(root: &Path, pgdata: &Path) -> bool {
    let below = pgdata.strip_prefix(root.join("etc/postgresql"));
    let is_place = below.is_ok_and(|below| below.components().count() == 2);
    is_place && fs::symlink_metadata(pgdata.join("postgresql.conf")).is_ok()
}

/// `/var/lib/pgsql/data` is of `postgresql.service`, `/var/lib/pgsql/16/data` of
/// `postgresql-16.service`.
fn unit_of(datadir: &Path) -> Option<String> {
    let version = datadir.strip_prefix("/var/lib/pgsql").ok()?;
    let version = version.to_str()?.strip_suffix("data")?;
    Some(match version.trim_end_matches('/') {
        "" => "postgresql.service".to_owned(),
        version => format!("postgresql-{version}.service"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_start_conf_says_whether() {
        let root = tempfile::tempdir().unwrap();
        let pgdata = root.path().join("etc/postgresql/15/main");
        fs::create_dir_all(&pgdata).unwrap();
        let start = pgdata.join("start.conf");
        let reason = || {
            reason(
                root.path(),
                &pgdata,
                Path::new("/var/lib/postgresql/15/main"),
            )
        };
        assert_eq!(reason(), None);
        for (text, is) in [
            ("# comment\n\nauto\n", true),
            ("manual\n", false),
            ("# auto\ndisabled", false),
            ("", false),
        ] {
            fs::write(&start, text).unwrap();
            assert_eq!(reason().is_some(), is, "{text:?}");
        }
        let elsewhere = root.path().join("elsewhere");
        fs::write(&elsewhere, "auto\n").unwrap();
        fs::remove_file(&start).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &start).unwrap();
        assert_eq!(reason(), Some(start.clone()));
        // Without the file Debian starts what has a configuration there.
        fs::remove_file(&start).unwrap();
        assert_eq!(reason(), None);
        fs::write(pgdata.join("postgresql.conf"), "").unwrap();
        assert_eq!(reason(), Some(start));
    }

    #[test]
    fn an_enabled_unit_of_the_data_directory_says_so() {
        let root = tempfile::tempdir().unwrap();
        let wanted = root.path().join(WANTED);
        fs::create_dir_all(&wanted).unwrap();
        let reason = |datadir: &str| reason(root.path(), Path::new(datadir), Path::new(datadir));
        assert_eq!(reason("/var/lib/pgsql/16/data"), None);
        for (unit, datadir) in [
            ("postgresql-16.service", "/var/lib/pgsql/16/data"),
            ("postgresql.service", "/var/lib/pgsql/data"),
        ] {
            std::os::unix::fs::symlink("/usr/lib/nowhere", wanted.join(unit)).unwrap();
            assert_eq!(reason(datadir), Some(wanted.join(unit)));
        }
        assert_eq!(reason("/srv/data"), None);
    }
}

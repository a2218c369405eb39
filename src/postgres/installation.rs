//! What of a PostgreSQL is on this node: programs, directories, versions.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::real_server::RealServer;
use super::server::{Access, Installed, Server, Setting};
use super::{boot_start, settings, table_spaces, version_file};
use crate::instance::configuration::major;
use crate::ocf::{Deadline, Parameters};
use crate::system::{plain_file, program};

/// Whether anything is at a path.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

impl RealServer {
    /// Looks at a path as the system user: the configuration names it, or a directory on the
    /// way is the user's.
    fn sees(&self, look: impl FnOnce() -> bool) -> bool {
        self.user().act(|| Ok(look())).unwrap_or(false)
    }
}

impl Installed for RealServer {
    fn is_executable(&self, path: &Path) -> bool {
        let is_program =
            |data: fs::Metadata| data.is_file() && data.permissions().mode() & 0o111 != 0;
        fs::metadata(path).is_ok_and(is_program)
    }

    fn is_directory(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn exists(&self, path: &Path) -> bool {
        self.sees(|| exists(path))
    }

    fn is_datadir(&self, path: &Path) -> bool {
        let identity = |path: &Path| {
            let data = fs::metadata(path).ok()?;
            Some((data.dev(), data.ino()))
        };
        self.sees(|| {
            let datadir = identity(&self.parameters().datadir);
            datadir.is_some() && identity(path) == datadir
        })
    }

    fn data_version(&self) -> io::Result<Option<u32>> {
        version_file::read(&self.parameters().datadir)
    }

    fn program_version(&self, deadline: Deadline) -> Option<u32> {
        let mut command = Command::new(self.parameters().program("postgres"));
        command.arg("--version");
        self.user().dress(&mut command);
        let ended = program::run(&mut command, deadline).ok()?;
        major(&ended.stdout)
    }

    fn access(&self) -> io::Result<Access> {
        let data = fs::metadata(&self.parameters().datadir)?;
        Ok(Access {
            uid: data.uid(),
            mode: data.mode() & 0o777,
        })
    }

    fn uid(&self) -> u32 {
        self.user().uid.as_raw()
    }

    fn missing_table_space(&self) -> io::Result<Option<PathBuf>> {
        let datadir = &self.parameters().datadir;
        let nameless = || io::Error::other("PG_VERSION does not contain a version");
        let major = version_file::read(datadir)?.ok_or_else(nameless)?;
        self.user().act(|| table_spaces::missing(datadir, major))
    }

    fn boot_start(&self) -> Option<PathBuf> {
        let Parameters {
            pgdata, datadir, ..
        } = self.parameters();
        let reason = || Ok(boot_start::reason(Path::new("/"), pgdata, datadir));
        self.user().act(reason).ok().flatten()
    }

    fn text_of(&self, path: &str) -> Option<String> {
        let read = || plain_file::read_behind_links(Path::new(path));
        self.user().act(read).ok()
    }

    fn settings(&self, names: &[&'static str], deadline: Deadline) -> Vec<Setting> {
        let (parameters, user) = (self.parameters(), self.user());
        settings::read_at_once(names, |name| {
            settings::read(parameters, user, name, deadline)
        })
    }
}

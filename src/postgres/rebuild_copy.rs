//! Fills an empty directory with the data of another server: by `pg_basebackup`, or by a command
//! of the admin.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use nix::sys::statvfs::statvfs;

use super::control_file::{self, ControlFileError};
use super::real_server::RealServer;
use super::server::Server;
use crate::instance::ControlData;
use crate::instance::configuration::Conninfo;
use crate::ocf::{Deadline, Parameters};
use crate::system::lock_file::LockFile;
use crate::system::long_program::{self, From, Goes};

const CONNECT_TIMEOUT_S: &str = "5";

/// How it is copied.
#[derive(Debug, Clone, Default)]
pub struct How {
    /// `--max-rate` of `pg_basebackup`.
    pub max_rate: Option<String>,
    /// Where the WAL goes.
    pub waldir: Option<PathBuf>,
    /// Places of table spaces there and here.
    pub mapping: Vec<(PathBuf, PathBuf)>,
}

impl RealServer {
    /// The program that copies.
    pub fn base_backup_program(&self) -> PathBuf {
        self.parameters().program("pg_basebackup")
    }

    /// Copies from `source` to the empty directory `fresh`.
    pub fn base_backup(
        &self,
        (source, fresh): (&Conninfo, &Path),
        how: &How,
        lock: &LockFile,
        each: impl FnMut(Option<(From, &str)>) -> Goes,
    ) -> io::Result<ExitStatus> {
        let mut command = Command::new(self.base_backup_program());
        let mut source = source.clone();
        if source.get("connect_timeout").is_none() {
            source = source.with("connect_timeout", CONNECT_TIMEOUT_S);
        }
        self.user().dress(&mut command);
        // Arguments are seen by everybody.
        if let Some(password) = source.take("password") {
            command.env("PGPASSWORD", password);
        }
        command.arg("--pgdata").arg(fresh);
        command.args(["--wal-method=stream", "--checkpoint=fast", "--progress"]);
        command.arg("--no-password");
        command.arg("--dbname").arg(source.render());
        if let Some(rate) = &how.max_rate {
            command.arg("--max-rate").arg(rate);
        }
        if let Some(waldir) = &how.waldir {
            command.arg("--waldir").arg(waldir);
        }
        for (there, here) in &how.mapping {
            let mut pair = there.as_os_str().to_owned();
            pair.push("=");
            pair.push(here);
            command.arg("--tablespace-mapping").arg(pair);
        }
        command.stdin(lock.for_program()?);
        long_program::run(&mut command, each)
    }

    /// Has a command of the admin fill the empty directory `fresh`, as the user of the server.
    pub fn fill_by_command(
        &self,
        (script, fresh): (&str, &Path),
        lock: &LockFile,
        each: impl FnMut(Option<(From, &str)>) -> Goes,
    ) -> io::Result<ExitStatus> {
        let mut command = Command::new("/bin/sh");
        self.user().dress_with_groups(&mut command);
        command.args(["-c", script]).env("PGDATA", fresh);
        command.stdin(lock.for_program()?);
        long_program::run(&mut command, each)
    }

    /// The control file of other data than those of this server.
    pub fn control_data_in(
        &self,
        datadir: &Path,
        deadline: Deadline,
    ) -> Result<ControlData, ControlFileError> {
        let parameters = Parameters {
            datadir: datadir.to_owned(),
            ..self.parameters().clone()
        };
        control_file::read(&parameters, self.user(), deadline)
    }
}

/// Bytes that are free for others than root on the disk of a directory.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.blocks_available().saturating_mul(disk.fragment_size()))
}

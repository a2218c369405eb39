//! The server on this node.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::postgres::{Client, Error};
use nix::sys::signal::Signal;

use super::control_file::{self, ControlFileError};
use super::pg_ctl::{self, ServerError, StopMode};
use super::postmaster::{self, LookError};
use super::server::{Address, Server};
use super::session::Session;
use super::settings::{self, SettingError};
use super::wal_position::{self, WalPosition};
use super::walsenders::{self, NamedWalsender};
use super::{
    activity, children, environment, history_file, last_record, local_wal, lock_files, output,
    process_table, questions, replay, rights, role_files, standby_signal, startup_process, storage,
    wal_files, write_probe,
};
use crate::instance::postmaster_pid::PostmasterPid;
use crate::instance::replay::Replay;
use crate::instance::replication::Details;
use crate::instance::role::Files;
use crate::instance::{Activity, ControlData, NoAnswer, Postmaster, Process, Role, StartOption};
use crate::ocf::{Deadline, Failure, OcfExit, Parameters};
use crate::system::SystemUser;
use crate::system::program::ProgramError;
use crate::system::user::IdentityError;
use crate::wal::{History, Lsn, Place, Position, Timeline};

/// The server of one resource on this node.
pub struct RealServer {
    parameters: Parameters,
    user: SystemUser,
    resource: String,
    session: Session,
    /// Of its messages, if a start was prepared.
    language: RefCell<Option<String>>,
}

impl RealServer {
    /// The server that the parameters describe. An account that is not there bans the node;
    /// that it cannot be looked up may pass.
    pub fn look_up(parameters: Parameters, resource: &str) -> Result<Self, Failure> {
        let user = SystemUser::look_up(&parameters.system_user).map_err(|error| {
            let exit = match error {
                IdentityError::Unknown(_) => OcfExit::Arguments,
                IdentityError::Denied { .. } => OcfExit::Generic,
            };
            Failure::new(exit, error.to_string())
        })?;
        Ok(Self::new(parameters, user, resource))
    }

    /// Whether a monitor of the server in `datadir` asks nothing of the storage, so that it
    /// cannot hang with it.
    pub fn is_in_memory(datadir: &Path) -> bool {
        storage::is_in_memory(datadir)
    }

    /// The server that the parameters describe, run by the owner of its data directory.
    pub fn of_owner(parameters: Parameters, resource: &str) -> Self {
        let user = SystemUser::owner_of(&parameters.datadir);
        Self::new(parameters, user, resource)
    }

    /// The server of an account that is known; `resource` names its files.
    fn new(parameters: Parameters, user: SystemUser, resource: &str) -> Self {
        Self {
            parameters,
            user,
            resource: resource.to_owned(),
            session: Session::default(),
            language: RefCell::default(),
        }
    }

    /// The account.
    pub fn user(&self) -> &SystemUser {
        &self.user
    }

    fn datadir(&self) -> &Path {
        &self.parameters.datadir
    }

    /// Ends the session of this action; its next question begins another.
    pub(super) fn hang_up(&self) {
        self.session.end();
    }

    /// Asks at the usual address.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        deadline: Deadline,
        question: impl Fn(&mut Client) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        self.session
            .ask((&self.parameters, &self.user), deadline, question)
    }

    fn ask_at<T: Send + 'static>(
        &self,
        at: &Address,
        deadline: Deadline,
        question: impl Fn(&mut Client) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        if at.host == self.parameters.pghost && at.port == self.parameters.pgport {
            return self.ask(deadline, question);
        }
        let parameters = Parameters {
            pghost: at.host.clone(),
            pgport: at.port,
            ..self.parameters.clone()
        };
        Session::default().ask((&parameters, &self.user), deadline, question)
    }
}

impl Server for RealServer {
    fn resource(&self) -> &str {
        &self.resource
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn postmaster(&self) -> Result<Postmaster, LookError> {
        postmaster::look(self.datadir())
    }

    fn lock_file(&self) -> Option<PostmasterPid> {
        postmaster::pid_file(self.datadir()).ok().flatten()
    }

    fn lock_in_the_way(&self) -> Option<(PathBuf, String)> {
        lock_files::in_the_way(&self.parameters)
    }

    fn recovering_for(&self, postmaster: i32) -> Option<Duration> {
        startup_process::age(postmaster)
    }

    fn activity(&self, postmaster: i32) -> Activity {
        activity::look(self.datadir(), postmaster)
    }

    fn not_archived(&self) -> usize {
        let count = self.user.act(|| wal_files::not_archived(self.datadir()));
        count.unwrap_or_default()
    }

    fn is_frozen(&self, postmaster: i32) -> bool {
        process_table::stat(postmaster).is_some_and(|stat| stat.is_frozen())
    }

    fn restoring_for(&self, postmaster: i32) -> Option<Duration> {
        startup_process::waits_for_program(postmaster)
    }

    fn streams(&self, postmaster: i32) -> bool {
        children::with_title(postmaster, &["walreceiver", "streaming"]).is_some()
    }

    fn has_database(&self) -> io::Result<bool> {
        self.user
            .act(|| self.datadir().join("PG_VERSION").try_exists())
    }

    fn has_standby_signal(&self) -> bool {
        let there = self.user.act(|| standby_signal::is_there(self.datadir()));
        there.unwrap_or_else(|error| {
            log::warn!("Cannot tell whether standby.signal exists: {error}");
            false
        })
    }

    fn role_files(&self) -> Files {
        let files = self.user.act(|| Ok(role_files::read(self.datadir())));
        files.unwrap_or(Files {
            standby_signal: false,
            control: None,
            starting: false,
        })
    }

    fn control_identity(&self) -> io::Result<String> {
        let datadir = &self.parameters().datadir;
        self.user().act(|| control_file::identity(datadir))
    }

    fn control_data(&self, deadline: Deadline) -> Result<ControlData, ControlFileError> {
        control_file::read(&self.parameters, &self.user, deadline)
    }

    fn history(&self, timeline: Timeline) -> History {
        history_file::known(&self.user, self.datadir(), timeline)
    }

    fn ends_with_shutdown(
        &self,
        held: &Position,
        deadline: Deadline,
    ) -> Result<bool, ProgramError> {
        last_record::is_shutdown_checkpoint(&self.parameters, &self.user, held, deadline)
    }

    fn local_end(
        &self,
        from: &Place,
        segment_size: u64,
        deadline: Deadline,
    ) -> Result<Option<Lsn>, ProgramError> {
        local_wal::end((&self.parameters, &self.user), from, segment_size, deadline)
    }

    fn setting(&self, name: &str, deadline: Deadline) -> Result<String, SettingError> {
        settings::read(&self.parameters, &self.user, name, deadline)
    }

    fn full_directory(&self) -> Option<PathBuf> {
        let full = self.user.act(|| Ok(write_probe::full(self.datadir())));
        full.ok().flatten()
    }

    fn role(&self, at: &Address, deadline: Deadline) -> Result<Role, NoAnswer> {
        self.ask_at(at, deadline, questions::role)
    }

    fn details(&self, at: &Address, deadline: Deadline) -> Result<Details, NoAnswer> {
        let with_slots = self.keeps_slots();
        let question = move |client: &mut Client| questions::details(client, with_slots);
        rights::sighted(self.ask_at(
            at,
            deadline,
            rights::seeing(self.logs_in_by_name(), question),
        ))
    }

    fn wal_position(&self, deadline: Deadline) -> Result<WalPosition, NoAnswer> {
        self.ask_seeing(deadline, wal_position::query)
    }

    fn synchronous_standby_names(&self, deadline: Deadline) -> Result<String, NoAnswer> {
        self.ask(deadline, questions::synchronous_standby_names)
    }

    fn walsenders(&self, deadline: Deadline) -> Result<Vec<NamedWalsender>, NoAnswer> {
        self.ask_seeing(deadline, walsenders::query)
    }

    fn write_record(&self, deadline: Deadline) -> Result<Option<String>, NoAnswer> {
        self.ask(deadline, write_probe::write)
    }

    fn checkpoint(&self, deadline: Deadline) -> Result<(), NoAnswer> {
        self.ask(deadline, questions::checkpoint)
    }

    fn replay(&self, deadline: Deadline) -> Result<Replay, NoAnswer> {
        self.ask_seeing(deadline, replay::query)
    }

    fn end_sessions(&self, all: bool, deadline: Deadline) -> Result<i64, NoAnswer> {
        self.ask_seeing(deadline, move |client| replay::end_sessions(client, all))
    }

    fn resume_replay(&self, deadline: Deadline) -> Result<(), NoAnswer> {
        self.ask(deadline, questions::resume_replay)
    }

    fn start(&self, options: &[StartOption], deadline: Deadline) -> Result<(), ServerError> {
        self.prepare_start(deadline);
        let language = self.language.take();
        let whose = (&self.parameters, &self.user);
        let variables = environment::of_server(whose, language.as_deref());
        pg_ctl::start(
            (whose, &variables),
            &self.prepare_output(),
            options,
            deadline,
        )
    }

    fn prepare_start(&self, deadline: Deadline) {
        if self.language.borrow().is_none() {
            let language = environment::language(&self.parameters, &self.user, deadline);
            self.language.replace(language);
        }
    }

    fn stop(&self, mode: StopMode, deadline: Deadline) -> Result<(), ServerError> {
        pg_ctl::stop(&self.parameters, &self.user, mode, deadline)
    }

    fn signal_stop(&self, postmaster: i32, mode: StopMode) {
        let signal = match mode {
            StopMode::Fast => Signal::SIGINT,
            StopMode::Immediate => Signal::SIGQUIT,
        };
        postmaster::signal(&self.user, postmaster, signal);
    }

    fn terminate(&self, process: &Process) {
        walsenders::terminate(&self.user, self.datadir(), process);
    }

    fn end_single_user(&self, pid: i32) {
        postmaster::signal(&self.user, pid, Signal::SIGTERM);
    }

    fn remove_lock(&self, file: &Path) -> io::Result<()> {
        lock_files::remove(self.datadir(), file)
    }

    fn kill_all(&self) {
        for pid in postmaster::processes(self.datadir()) {
            log::warn!("Killing process {pid} of the instance");
            postmaster::signal(&self.user, pid, Signal::SIGKILL);
        }
    }

    fn promote(&self, deadline: Deadline) -> Result<(), ServerError> {
        pg_ctl::promote(&self.parameters, &self.user, deadline)
    }

    fn write_standby_signal(&self) -> io::Result<()> {
        self.user.act(|| standby_signal::write(self.datadir()))
    }

    fn prepare_output(&self) -> PathBuf {
        output::prepare(&self.resource, &self.user)
    }

    fn output_length(&self, output: &Path) -> u64 {
        self.user
            .act(|| Ok(output::length(output)))
            .unwrap_or_default()
    }

    fn fatal_line(&self, output: &Path, length: u64) -> Option<String> {
        let look = || Ok(output::fatal_line(output, length));
        self.user.act(look).ok().flatten()
    }
}

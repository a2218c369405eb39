//! A server for tests: the handle on an instance in memory. Every method reaches the
//! instance through the journal, where a test has it fail or be the agent's last.

use std::cell::RefMut;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::control_file::ControlFileError;
use super::fake_data::FakeData;
use super::fake_instance::{FakeInstance, Processes};
use super::pg_ctl::{ServerError, StopMode};
use super::postmaster::LookError;
use super::server::{Address, Server};
use super::settings::SettingError;
use super::wal_position::WalPosition;
use super::walsenders::NamedWalsender;
use crate::instance::postmaster_pid::PostmasterPid;
use crate::instance::replay::Replay;
use crate::instance::replication::{Details, Primary};
use crate::instance::role::Files;
use crate::instance::{
    Activity, ControlData, NoAnswer, Postmaster, Process, Role, StartOption, start_option,
};
use crate::ocf::{Deadline, Environment, Parameters, Slots};
use crate::system::program::ProgramError;
use crate::testing::journal::{Journal, Watched};
use crate::wal::{History, Lsn, Place, Position, Timeline};

/// A handle on an instance in memory.
#[derive(Clone)]
pub struct FakeServer {
    /// The parameters of the resource.
    pub parameters: Parameters,
    pub(super) instance: Rc<Watched<FakeInstance>>,
}

impl FakeServer {
    /// A standby that was stopped cleanly and holds just this.
    pub fn holding(held: &Position, journal: &Rc<Journal>) -> Self {
        let environment = Environment::of(&[("OCF_RESKEY_pgdata", "/data")]);
        let parameters = Parameters::from_environment(&environment).unwrap();
        let listens = Address {
            host: parameters.pghost.clone(),
            port: parameters.pgport,
        };
        let instance = FakeInstance::new(FakeData::of_standby(held), listens);
        Self {
            parameters,
            instance: Rc::new(Watched::new(instance, journal)),
        }
    }

    /// The instance itself, for a test to arrange and to look at.
    pub fn instance(&self) -> RefMut<'_, FakeInstance> {
        self.instance.arrange()
    }

    /// The data directory, the same.
    pub fn data(&self) -> RefMut<'_, FakeData> {
        RefMut::map(self.instance(), |instance| &mut instance.data)
    }

    fn usual(&self) -> Address {
        Address {
            host: self.parameters.pghost.clone(),
            port: self.parameters.pgport,
        }
    }

    /// A question that only a server answers that is to be reached where the parameters say.
    pub(super) fn question<T>(
        &self,
        name: &'static str,
        answer: impl FnOnce(&mut FakeInstance) -> T,
    ) -> Result<T, NoAnswer> {
        self.instance.ask(name, |instance| {
            instance.answer(&self.usual())?;
            Ok(answer(instance))
        })
    }
}

impl Server for FakeServer {
    fn resource(&self) -> &str {
        "pgsqld"
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn postmaster(&self) -> Result<Postmaster, LookError> {
        self.instance.ask("postmaster", FakeInstance::look)
    }

    fn lock_file(&self) -> Option<PostmasterPid> {
        self.instance.ask("lock_file", |of| of.lock_file())
    }

    fn lock_in_the_way(&self) -> Option<(PathBuf, String)> {
        let why = |of: &mut FakeInstance| of.lock_in_the_way.clone();
        let why = self.instance.ask("lock_in_the_way", why)?;
        Some(("/data/postmaster.pid".into(), why))
    }

    fn recovering_for(&self, _: i32) -> Option<Duration> {
        self.instance.ask("recovering_for", |of| {
            matches!(of.processes, Processes::Alive(_)).then_some(Duration::from_secs(1))
        })
    }

    fn activity(&self, _: i32) -> Activity {
        let seen = self.instance.ask("activity", |of| Some(of.activity()));
        seen.unwrap_or_default()
    }

    fn not_archived(&self) -> usize {
        0
    }

    fn restoring_for(&self, _: i32) -> Option<Duration> {
        self.instance.ask("restoring_for", |of| of.replay.restoring)
    }

    fn is_frozen(&self, _: i32) -> bool {
        self.instance.ask("is_frozen", |of| of.is_stopped)
    }

    fn streams(&self, _: i32) -> bool {
        self.instance.ask("streams", |of| of.receives)
    }

    fn has_database(&self) -> io::Result<bool> {
        self.instance
            .ask("has_database", |of| Ok(of.data.has_database))
    }

    fn has_standby_signal(&self) -> bool {
        self.instance
            .ask("has_standby_signal", |of| of.data.standby_signal)
    }

    fn role_files(&self) -> Files {
        let seen = self.instance.ask("role_files", |of| {
            Some(Files {
                standby_signal: of.data.standby_signal,
                control: Some(of.data.control.state),
                starting: of.is_starting,
            })
        });
        seen.unwrap_or(Files {
            standby_signal: false,
            control: None,
            starting: false,
        })
    }

    fn control_identity(&self) -> io::Result<String> {
        self.instance
            .ask("control_identity", |of| Ok(of.data.identity.clone()))
    }

    fn control_data(&self, _: Deadline) -> Result<ControlData, ControlFileError> {
        self.instance
            .ask("control_data", |of| Ok(of.data.control.clone()))
    }

    fn history(&self, timeline: Timeline) -> History {
        let known = self
            .instance
            .ask("history", |of| Some(of.data.history(timeline)));
        known.unwrap_or_else(History::unknown)
    }

    fn ends_with_shutdown(&self, _: &Position, _: Deadline) -> Result<bool, ProgramError> {
        self.instance
            .ask("ends_with_shutdown", |of| Ok(of.data.ends_with_shutdown))
    }

    fn local_end(&self, _: &Place, _: u64, _: Deadline) -> Result<Option<Lsn>, ProgramError> {
        self.instance.ask("local_end", |of| {
            Ok(of.replay.shows_local_end.then_some(of.data.end))
        })
    }

    fn setting(&self, name: &str, _: Deadline) -> Result<String, SettingError> {
        self.instance.ask("setting", |of| Ok(of.data.setting(name)))
    }

    fn full_directory(&self) -> Option<PathBuf> {
        self.instance
            .ask("full_directory", |of| of.data.full.clone())
    }

    fn role(&self, at: &Address, _: Deadline) -> Result<Role, NoAnswer> {
        self.instance.ask("role", |of| of.answer(at))
    }

    fn details(&self, at: &Address, _: Deadline) -> Result<Details, NoAnswer> {
        self.instance.ask("details", |of| {
            let role = of.answer(at)?;
            let with_slots = self.parameters.slots == Slots::Nodes;
            let slots = with_slots.then(|| of.slots.seen(role, of.data.end));
            Ok(match role {
                Role::Standby => Details::Standby {
                    receives: of.receives,
                    timeline: of.receives.then_some(of.data.timeline),
                    paused: of.replay.paused.then_some(of.replay.capacity),
                    slots,
                },
                Role::Primary => Details::Primary(Primary {
                    timeline: Some(of.data.timeline),
                    written: of.data.end,
                    synchronous_standby_names: of.synchronous_standby_names.clone(),
                    senders: of.senders.clone(),
                    slots,
                }),
            })
        })
    }

    fn wal_position(&self, _: Deadline) -> Result<WalPosition, NoAnswer> {
        self.question("wal_position", |of| {
            let complete = of.replays_for == 0;
            of.replays_for = of.replays_for.saturating_sub(1);
            let end = of.data.end.as_u64() - if complete { 0 } else { 8 };
            let replayed = of.replay.stuck_at.map_or(end, |lsn| lsn.as_u64());
            WalPosition {
                in_recovery: of.processes == Processes::Alive(Role::Standby),
                end,
                replayed,
                waits: complete,
                received_timeline: None,
                complete,
                delayed: of.replay.delayed,
                last_commit_age_s: Some(3),
            }
        })
    }

    fn synchronous_standby_names(&self, _: Deadline) -> Result<String, NoAnswer> {
        self.question("synchronous_standby_names", |of| {
            of.synchronous_standby_names.clone()
        })
    }

    fn walsenders(&self, _: Deadline) -> Result<Vec<NamedWalsender>, NoAnswer> {
        self.question("walsenders", |of| of.walsenders.clone())
    }

    fn write_record(&self, _: Deadline) -> Result<Option<String>, NoAnswer> {
        self.question("write_record", |of| of.data.write_complaint.clone())
    }

    fn checkpoint(&self, _: Deadline) -> Result<(), NoAnswer> {
        let line = "checkpoint".to_owned();
        self.instance.act("checkpoint", line, |of| {
            of.answer(&self.usual())?;
            of.checkpoint();
            Ok(())
        })
    }

    fn replay(&self, _: Deadline) -> Result<Replay, NoAnswer> {
        self.question("replay", |of| of.replay.seen(of.data.end))
    }

    fn end_sessions(&self, all: bool, _: Deadline) -> Result<i64, NoAnswer> {
        let which = if all { "all" } else { "busy" };
        let line = format!("end {which} sessions");
        self.instance.act("end_sessions", line, |of| {
            of.answer(&self.usual())?;
            of.replay.readers = of.replay.readers.saturating_sub(1);
            Ok(1)
        })
    }

    fn resume_replay(&self, _: Deadline) -> Result<(), NoAnswer> {
        self.instance
            .act("resume_replay", "resume replay".to_owned(), |of| {
                of.answer(&self.usual())?;
                of.resume();
                Ok(())
            })
    }

    fn start(&self, options: &[StartOption], _: Deadline) -> Result<(), ServerError> {
        let line = format!("start {}", start_option::line(options));
        self.instance
            .act("start", line.trim().to_owned(), |of| of.start(options))
    }

    fn stop(&self, mode: StopMode, _: Deadline) -> Result<(), ServerError> {
        let line = format!("stop {mode:?}").to_lowercase();
        self.instance.act("stop", line, |of| of.stop(mode))
    }

    fn signal_stop(&self, _: i32, mode: StopMode) {
        let line = format!("signal {mode:?}").to_lowercase();
        self.instance
            .act("signal_stop", line, |of| of.told_to_stop(mode));
    }

    fn terminate(&self, process: &Process) {
        let line = format!("terminate {}", process.pid);
        let end = |of: &mut FakeInstance| of.terminate(process.pid);
        self.instance.act("terminate", line, end);
    }

    fn end_single_user(&self, _: i32) {
        let (name, end) = ("end_single_user", FakeInstance::end_single_user);
        self.instance.act(name, "end single user".to_owned(), end);
    }

    fn remove_lock(&self, _: &Path) -> io::Result<()> {
        let remove = |of: &mut FakeInstance| of.lock_in_the_way = None;
        self.write("remove_lock", "remove lock".into(), remove)
    }

    fn kill_all(&self) {
        let line = "kill".to_owned();
        self.instance.act("kill_all", line, FakeInstance::kill);
    }

    fn promote(&self, _: Deadline) -> Result<(), ServerError> {
        self.instance
            .act("promote", "promote".to_owned(), FakeInstance::promote)
    }

    fn write_standby_signal(&self) -> io::Result<()> {
        let line = "write standby.signal".to_owned();
        let write = |of: &mut FakeInstance| of.data.standby_signal = true;
        self.write("write_standby_signal", line, write)
    }

    fn prepare_output(&self) -> PathBuf {
        PathBuf::from("/var/log/pgsqlms-pgsqld.log")
    }

    fn output_length(&self, _: &Path) -> u64 {
        let length = |of: &mut FakeInstance| of.output.len() as u64;
        self.instance.ask("output_length", length)
    }

    fn fatal_line(&self, _: &Path, length: u64) -> Option<String> {
        self.instance.ask("fatal_line", |of| of.fatal_line(length))
    }
}

//! A PostgreSQL instance in memory, for tests: processes and a data directory that do
//! what those of a real one do, as far as steps can see it.
//!
//! Time passes for it with each look at its processes, so that a test needs no clock.

use std::collections::VecDeque;

use super::fake_manners::{Life, refused};
use super::pg_ctl::{ServerError, StopMode};
use super::{fake_data::FakeData, fake_upstream::FakeUpstream, postmaster::LookError};
use super::{fake_replay::FakeReplay, fake_slots::FakeSlots};
use super::{server::Address, walsenders::NamedWalsender};
use crate::instance::postmaster_pid::PostmasterPid;
use crate::instance::replication::Sender;
use crate::instance::{ClusterState, NoAnswer, Postmaster, Role, StartOption};
use crate::wal::Lsn;

pub use super::fake_manners::{HalfOpen, Manners, Obeys, Orphaned, Processes};

/// The process id of every postmaster here.
pub const POSTMASTER: i32 = 4711;
/// What a shutdown checkpoint takes in the WAL (bytes).
const CHECKPOINT: u64 = 120;

/// What was asked for and has not come yet.
#[derive(Debug, Clone, Copy)]
struct Pending {
    looks: usize,
    what: Change,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Appear,
    StopCleanly,
    Die,
    LeaveRecovery,
}

/// The instance.
pub struct FakeInstance {
    /// What runs of it.
    pub processes: Processes,
    /// What of the lock file keeps it from starting.
    pub lock_in_the_way: Option<String>,
    /// How it follows.
    pub manners: Manners,
    /// What is on its disk.
    pub data: FakeData,
    /// Where it listens.
    pub listens: Address,
    /// Its next answers, whatever it is asked.
    pub next_answers: VecDeque<NoAnswer>,
    /// What it answers after them, until further notice.
    pub refuses: Option<NoAnswer>,
    /// Why its next starts end, a line each.
    pub deaths: VecDeque<String>,
    /// Whether a start ends its recovery by itself (`recovery_target_action`).
    pub ends_recovery: bool,
    /// What it wrote to its own output.
    pub output: String,
    /// How many questions for its position come before its local WAL is used up.
    pub replays_for: usize,
    /// Its replay.
    pub replay: FakeReplay,
    /// Whether it streams from a primary.
    pub receives: bool,
    /// `synchronous_standby_names`.
    pub synchronous_standby_names: String,
    /// Who streams from it.
    pub senders: Vec<Sender>,
    /// Its replication slots.
    pub slots: FakeSlots,
    /// Its walsenders that do not end by themselves and hold its fast stop.
    pub walsenders: Vec<NamedWalsender>,
    /// Whether its archiver does not end, and holds the fast stop behind the checkpoint.
    pub archives: bool,
    /// Whether it has let nobody in since it was started.
    pub is_starting: bool,
    /// Whether its processes do anything.
    pub is_frozen: bool,
    /// A signal has stopped the postmaster.
    pub is_stopped: bool,
    /// How often its processes were looked at.
    pub looks: u64,
    /// The life of its postmaster.
    pub life: Life<Self>,
    pending: Option<Pending>,
}

impl FakeInstance {
    /// A stopped instance that obeys, with this data directory, to be asked there.
    pub fn new(data: FakeData, listens: Address) -> Self {
        let manners = Manners {
            start: Obeys::AtOnce,
            fast: Obeys::AtOnce,
            immediate: Obeys::AtOnce,
            kill: Obeys::AtOnce,
            promotion: Obeys::AtOnce,
        };
        Self {
            processes: Processes::Nothing,
            lock_in_the_way: None,
            manners,
            data,
            listens,
            next_answers: VecDeque::new(),
            refuses: None,
            deaths: VecDeque::new(),
            ends_recovery: false,
            output: String::new(),
            replays_for: 0,
            replay: FakeReplay::free(),
            receives: false,
            synchronous_standby_names: String::new(),
            senders: Vec::new(),
            slots: FakeSlots::none(),
            walsenders: Vec::new(),
            archives: false,
            is_starting: false,
            is_frozen: false,
            is_stopped: false,
            looks: 0,
            life: Life::first(),
            pending: None,
        }
    }

    /// Has it run in this role already.
    pub fn run_as(&mut self, role: Role) {
        self.data.standby_signal = role == Role::Standby;
        self.appear();
    }

    /// Ends it without a word, as SIGKILL of all processes or a power cut does.
    pub fn crash(&mut self) {
        if matches!(self.pending, Some(next) if matches!(next.what, Change::LeaveRecovery)) {
            self.data.break_off_promotion();
        }
        self.processes = Processes::Nothing;
        self.pending = None;
    }

    /// `pg_wal_replay_resume()`: of a replay that PostgreSQL paused, it is the end.
    pub fn resume(&mut self) {
        if self.replay.resume(&self.data) {
            self.crash();
        }
    }

    /// Why it ended, by what it wrote behind so many bytes.
    pub fn fatal_line(&self, length: u64) -> Option<String> {
        let new = self.output.get(usize::try_from(length).ok()?..)?;
        new.lines()
            .find_map(|line| line.strip_prefix("FATAL:  ").map(str::to_owned))
    }

    /// What a look at the processes finds.
    pub fn look(&mut self) -> Result<Postmaster, LookError> {
        let appears = self
            .pending
            .filter(|next| matches!(next.what, Change::Appear));
        self.pass_time();
        match self.processes {
            Processes::Alive(_) => Ok(Postmaster::Alive(POSTMASTER)),
            Processes::LeftBehind(count) => Ok(Postmaster::LeftBehind(count)),
            Processes::SingleUser => Ok(Postmaster::SingleUser(POSTMASTER)),
            Processes::Unseen => Err(LookError::Unseen(POSTMASTER)),
            // At work in the data directory, and no postmaster.pid yet.
            Processes::Nothing if appears.is_some_and(|next| next.looks == 1) => {
                Ok(Postmaster::LeftBehind(1))
            }
            Processes::Nothing => Ok(Postmaster::None),
        }
    }

    fn pass_time(&mut self) {
        match &mut self.pending {
            Some(Pending { looks: 0, what }) => {
                let what = *what;
                self.change(what);
            }
            Some(pending) => pending.looks -= 1,
            None => {}
        }
    }

    fn after(&mut self, obeys: Obeys, what: Change) {
        match obeys {
            Obeys::AtOnce => self.change(what),
            Obeys::AfterLooks(looks) => self.pending = Some(Pending { looks, what }),
            Obeys::Never => {}
        }
    }

    fn change(&mut self, what: Change) {
        self.pending = None;
        match what {
            Change::Appear => self.appear(),
            Change::StopCleanly => self.stop_cleanly(),
            Change::Die => self.crash(),
            Change::LeaveRecovery => self.leave_recovery(),
        }
    }

    /// The lock file of a postmaster that lives.
    pub fn lock_file(&self) -> Option<PostmasterPid> {
        let Processes::Alive(_) = self.processes else {
            return None;
        };
        let Address { host, port } = &self.listens;
        let stops = |next: Pending| matches!(next.what, Change::StopCleanly);
        let status = if self.pending.is_some_and(stops) {
            "stopping"
        } else if self.is_starting {
            "starting"
        } else {
            "ready"
        };
        let text = format!("{POSTMASTER}\n/data\n1795000000\n{port}\n{host}\n*\n1 2\n{status}\n");
        PostmasterPid::parse(&text).ok()
    }

    /// What it says to a question at this address: its role, if anything.
    pub fn answer(&mut self, at: &Address) -> Result<Role, NoAnswer> {
        let Processes::Alive(role) = self.processes else {
            return Err(NoAnswer::NotListening);
        };
        if *at != self.listens {
            return Err(NoAnswer::NotListening);
        }
        match self.next_answers.pop_front().or(self.refuses.clone()) {
            Some(why) => Err(why),
            None => Ok(role),
        }
    }

    /// `pg_ctl start`, which returns before anything of the server is seen.
    pub fn start(&mut self, options: &[StartOption]) -> Result<(), ServerError> {
        if self.processes != Processes::Nothing {
            return Err(refused("start", "another server might be running"));
        }
        if self.lock_in_the_way.is_some() {
            let words = "FATAL:  lock file \"postmaster.pid\" already exists\n";
            self.output.push_str(words);
            return Ok(());
        }
        let too_small = self.replay.configure(&self.data, options);
        FakeUpstream::stream(self.replay.upstream, &mut self.data, options);
        let dies = self.data.unfit().or(too_small);
        match dies.or_else(|| self.deaths.pop_front()) {
            Some(words) => self.output.push_str(&format!("FATAL:  {words}\n")),
            None => self.after(self.manners.start, Change::Appear),
        }
        Ok(())
    }

    /// Without a signal it opens for writing, whatever it was before.
    fn appear(&mut self) {
        self.life.number += 1;
        self.data.rewind_label = false;
        if self.data.standby_signal && !self.ends_recovery {
            self.data.take_newest_timeline();
            self.processes = Processes::Alive(Role::Standby);
            self.data.control.state = ClusterState::InArchiveRecovery;
        } else {
            self.data.standby_signal = false;
            self.processes = Processes::Alive(Role::Primary);
            self.data.control.state = ClusterState::InProduction;
        }
    }

    /// `pg_ctl stop`, which returns before the server has stopped.
    pub fn stop(&mut self, mode: StopMode) -> Result<(), ServerError> {
        let Processes::Alive(_) = self.processes else {
            return Err(refused("stop", "PID file does not exist"));
        };
        self.told_to_stop(mode);
        Ok(())
    }

    /// The signal that `pg_ctl stop` sends.
    pub fn told_to_stop(&mut self, mode: StopMode) {
        match mode {
            StopMode::Fast => self.after(self.manners.fast, Change::StopCleanly),
            StopMode::Immediate => self.after(self.manners.immediate, Change::Die),
        }
    }

    /// SIGTERM to `postgres --single`.
    pub fn end_single_user(&mut self) {
        self.after(self.manners.fast, Change::StopCleanly);
    }

    /// SIGKILL of all processes that can be seen to be of this instance.
    pub fn kill(&mut self) {
        if self.processes != Processes::Unseen {
            self.after(self.manners.kill, Change::Die);
        }
    }

    /// Has its last processes end by themselves, once somebody has looked so many times.
    pub fn ends_after(&mut self, looks: usize) {
        self.after(Obeys::AfterLooks(looks), Change::Die);
    }

    /// Its clean stop comes true.
    pub fn stop_cleanly(&mut self) {
        if !self.walsenders.is_empty() {
            return;
        }
        if self.processes == Processes::Alive(Role::Primary) {
            self.checkpoint();
            self.data.end = Lsn::from(self.data.end.as_u64() + CHECKPOINT);
            self.data.control.state = ClusterState::ShutDown;
            if self.archives {
                return;
            }
        } else {
            self.data.control.recovery_timeline = Some(self.data.timeline);
            self.data.control.recovery_end = self.data.end;
            self.data.control.state = ClusterState::ShutDownInRecovery;
        }
        self.processes = Processes::Nothing;
    }

    /// A checkpoint of a primary: from now on the control file has its timeline.
    pub fn checkpoint(&mut self) {
        self.data.control.checkpoint = self.data.end;
        self.data.control.checkpoint_timeline = self.data.timeline;
        self.data.control.recovery_timeline = None;
        self.data.control.recovery_end = Lsn::ZERO;
    }

    /// `pg_ctl promote`, which returns before the server has left recovery.
    pub fn promote(&mut self) -> Result<(), ServerError> {
        if self.processes != Processes::Alive(Role::Standby) {
            return Err(refused("promote", "server is not in standby mode"));
        }
        if !self.replay.is_held_up() {
            self.after(self.manners.promotion, Change::LeaveRecovery);
        }
        Ok(())
    }

    fn leave_recovery(&mut self) {
        self.data.open_timeline();
        self.processes = Processes::Alive(Role::Primary);
    }
}

//! The handle on one PostgreSQL server: all that the agent asks of it and does to it.
//!
//! Steps know the server by this trait alone; `RealServer` is the one on this node,
//! tests have one of their own. It decides nothing: what a thing seen means is said
//! in `crate::instance`.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::control_file::ControlFileError;
use super::pg_ctl::{ServerError, StopMode};
use super::pg_rewind::RewindError;
use super::postmaster::LookError;
use super::rebuild_mark::Rebuild;
use super::rewind_mark::Found;
use super::settings::SettingError;
use super::upstream::UpstreamError;
use super::wal_position::WalPosition;
use super::walsenders::NamedWalsender;
use crate::instance::configuration::Conninfo;
use crate::instance::postmaster_pid::PostmasterPid;
use crate::instance::rejoin::preview::Preview;
use crate::instance::replay::Replay;
use crate::instance::replication::Details;
use crate::instance::rights::Rights;
use crate::instance::role::Files;
use crate::instance::{
    Activity, ControlData, NoAnswer, Offered, Postmaster, Process, Role, StartOption,
};
use crate::ocf::{Deadline, Parameters};
use crate::record::lost::Lost;
use crate::system::program::ProgramError;
use crate::wal::{History, Lsn, Place, Position, Timeline, WalFiles};

/// A setting by its name.
pub type Setting = (&'static str, Result<String, SettingError>);

/// Owner and mode of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The owner's uid.
    pub uid: u32,
    /// The nine bits of the mode.
    pub mode: u32,
}

/// Where a server is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Socket directory, host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// One PostgreSQL server. The role is asked at an address, everything else where the
/// parameters say.
pub trait Server:
    Rewinder + Installed + Timelines + Upstream + Watched + Orphans + Slots + Privileged
{
    /// The resource it is of.
    fn resource(&self) -> &str;
    /// Where it is and whose.
    fn parameters(&self) -> &Parameters;

    /// What runs of it, by lock file and process table.
    fn postmaster(&self) -> Result<Postmaster, LookError>;
    /// Its lock file, if there is one that can be read.
    fn lock_file(&self) -> Option<PostmasterPid>;
    /// A lock file that keeps PostgreSQL from starting, if there is one, and why; only for
    /// where nothing of the server runs.
    fn lock_in_the_way(&self) -> Option<(PathBuf, String)>;
    /// Whether a signal has stopped this postmaster.
    fn is_frozen(&self, postmaster: i32) -> bool;
    /// For how long the startup process of this postmaster has been running.
    fn recovering_for(&self, postmaster: i32) -> Option<Duration>;
    /// What it and its processes do.
    fn activity(&self, postmaster: i32) -> Activity;
    /// How many WAL files it has not archived yet.
    fn not_archived(&self) -> usize;
    /// For how long the startup process of this postmaster has been waiting for a program:
    /// `restore_command`.
    fn restoring_for(&self, postmaster: i32) -> Option<Duration>;
    /// Whether the walreceiver of this postmaster streams, by its title: then all local
    /// WAL is used up.
    fn streams(&self, postmaster: i32) -> bool;
    /// Whether there is a data directory with a database in it.
    fn has_database(&self) -> io::Result<bool>;
    /// Whether `standby.signal` is there. Where that cannot be seen it is not: then the
    /// server is taken for a primary, which is not stopped hard while it works.
    fn has_standby_signal(&self) -> bool;
    /// What its files tell about its role, without a program.
    fn role_files(&self) -> Files;
    /// What tells this control file from any other that was ever in its place: inode and
    /// birth, as digits with a dot between. Server and pg_rewind write it in place; whatever
    /// makes or rebuilds a data directory makes a new one.
    fn control_identity(&self) -> io::Result<String>;
    /// The control file, by `pg_controldata`.
    fn control_data(&self, deadline: Deadline) -> Result<ControlData, ControlFileError>;
    /// The history of a timeline, by its file; unknown without one.
    fn history(&self, timeline: Timeline) -> History;
    /// Whether the last WAL record held is a shutdown checkpoint.
    fn ends_with_shutdown(&self, held: &Position, deadline: Deadline)
    -> Result<bool, ProgramError>;
    /// Where the valid WAL records on disk end that follow this place; `None` if nothing
    /// could tell.
    fn local_end(
        &self,
        from: &Place,
        segment_size: u64,
        deadline: Deadline,
    ) -> Result<Option<Lsn>, ProgramError>;
    /// A setting as the server would have it if it started now.
    fn setting(&self, name: &str, deadline: Deadline) -> Result<String, SettingError>;
    /// A directory of the server's without room for one page more.
    fn full_directory(&self) -> Option<PathBuf>;

    /// Asks whether it is a primary or a standby.
    fn role(&self, at: &Address, deadline: Deadline) -> Result<Role, NoAnswer>;
    /// As `role`, and what it says of its replication, on one connection.
    fn details(&self, at: &Address, deadline: Deadline) -> Result<Details, NoAnswer>;
    /// Asks a standby for the end of its WAL.
    fn wal_position(&self, deadline: Deadline) -> Result<WalPosition, NoAnswer>;
    /// Asks for the value of `synchronous_standby_names`.
    fn synchronous_standby_names(&self, deadline: Deadline) -> Result<String, NoAnswer>;
    /// Asks a primary who receives WAL from it.
    fn walsenders(&self, deadline: Deadline) -> Result<Vec<NamedWalsender>, NoAnswer>;
    /// Has a primary write and flush one WAL record. Returns what it said of its storage,
    /// if that is the trouble.
    fn write_record(&self, deadline: Deadline) -> Result<Option<String>, NoAnswer>;
    /// Has a primary write a checkpoint.
    fn checkpoint(&self, deadline: Deadline) -> Result<(), NoAnswer>;
    /// Asks a standby how far its replay is.
    fn replay(&self, deadline: Deadline) -> Result<Replay, NoAnswer>;
    /// Ends the sessions of clients, all or those in a transaction; how many.
    fn end_sessions(&self, all: bool, deadline: Deadline) -> Result<i64, NoAnswer>;
    /// Has a standby go on with a replay that somebody paused.
    fn resume_replay(&self, deadline: Deadline) -> Result<(), NoAnswer>;

    /// Asks beforehand what a start needs to know: while clients are still served.
    fn prepare_start(&self, _deadline: Deadline) {}
    /// Starts the server, with these options over its configuration, and returns at once.
    fn start(&self, options: &[StartOption], deadline: Deadline) -> Result<(), ServerError>;
    /// Asks the server to stop and returns at once.
    fn stop(&self, mode: StopMode, deadline: Deadline) -> Result<(), ServerError>;
    /// Sends the postmaster the signal by which `pg_ctl` asks it to stop.
    fn signal_stop(&self, postmaster: i32, mode: StopMode);
    /// Sends SIGTERM to one of its processes, as the server itself does to a session.
    fn terminate(&self, process: &Process);
    /// Asks `postgres --single` to end; it writes a shutdown checkpoint.
    fn end_single_user(&self, pid: i32);
    /// Removes a lock file.
    fn remove_lock(&self, file: &Path) -> io::Result<()>;
    /// Sends SIGKILL to all processes of the server, which ends stopped (SIGSTOP) ones too.
    fn kill_all(&self);
    /// Asks a standby to become primary and returns at once.
    fn promote(&self, deadline: Deadline) -> Result<(), ServerError>;
    /// Makes sure that the next start stays in recovery; on disk when it returns.
    fn write_standby_signal(&self) -> io::Result<()>;

    /// Makes sure that there is a file for the server's own output; its path.
    fn prepare_output(&self) -> PathBuf;
    /// How much the server has written there so far, in bytes.
    fn output_length(&self, output: &Path) -> u64;
    /// Why the server ended, in its own words: the first fatal line behind `length`.
    fn fatal_line(&self, output: &Path, length: u64) -> Option<String>;
}

/// The life of one of its processes.
pub trait Watched {
    /// When the process started, in clock ticks since the boot; `None` if none lives that can be
    /// seen.
    fn started(&self, pid: i32) -> Option<u64>;
    /// Waits until the process that started then has ended; `false` if the deadline has passed
    /// before.
    fn has_ended(&self, pid: i32, since: u64, deadline: Deadline) -> bool;
}

/// What a dead postmaster left.
pub trait Orphans {
    /// Tells all that is left to end at once, by SIGQUIT; `false` where it is not sure that the
    /// postmaster is dead.
    fn quit_orphans(&self) -> bool;
}

/// Replication slots of a server that runs.
pub trait Slots {
    /// Makes a physical one that keeps WAL from now on.
    fn make_slot(&self, name: &str, deadline: Deadline) -> Result<(), NoAnswer>;
    /// Has one let go of WAL.
    fn advance_slot(&self, name: &str, to: Lsn, deadline: Deadline) -> Result<(), NoAnswer>;
    /// Drops one that nobody uses.
    fn drop_slot(&self, name: &str, deadline: Deadline) -> Result<(), NoAnswer>;
    /// The names of all, of a server that may be stopped.
    fn slots_on_disk(&self) -> io::Result<Vec<String>>;
}

/// What the agent may do there.
pub trait Privileged {
    /// Asks which rights its role has.
    fn rights(&self, deadline: Deadline) -> Result<Rights, NoAnswer>;
}

/// Other servers that this one could stream from.
pub trait Upstream {
    /// What a standby can get there.
    fn offered_by(&self, source: &Conninfo, deadline: Deadline) -> Result<Offered, UpstreamError>;
}

/// What the files in `pg_wal` tell of timelines, and those that are made or removed there.
pub trait Timelines {
    /// The timelines with a WAL file for the last byte before `lsn`.
    fn written_timelines(&self, lsn: Lsn, segment_size: u64) -> io::Result<BTreeSet<Timeline>>;
    /// What the names tell.
    fn wal_files(&self) -> io::Result<WalFiles>;
    /// Keeps the next promotion, from timeline `own`, from opening `timeline`.
    fn reserve_timeline(&self, own: Timeline, timeline: Timeline) -> io::Result<()>;
    /// Takes back reserved timelines.
    fn release_timelines(&self, timelines: &[Timeline]) -> io::Result<()>;
    /// Removes the WAL files of a timeline.
    fn remove_wal_of(&self, timeline: Timeline) -> io::Result<()>;
}

/// What a rewind needs besides, of the stopped server.
pub trait Rewinder {
    /// The mark of a rewind that has begun and was not seen to end. One that cannot be
    /// read is an error: in doubt nothing is started.
    fn mark(&self) -> io::Result<Found>;
    /// Where the mark is, for messages.
    fn mark_folder(&self) -> PathBuf;
    /// Removes the mark: the data directory is whole, or another one.
    fn remove_mark(&self) -> io::Result<()>;
    /// Keeps copies of the node's own files and sets the mark; on disk when it returns.
    fn set_mark(&self, fork: Lsn) -> io::Result<()>;
    /// Puts the node's own files back.
    fn restore_files(&self) -> io::Result<()>;
    /// Keeps WAL that is about to be thrown away; `false` if that is not all of it.
    fn keep_lost(&self, lost: &Lost, deadline: Deadline) -> io::Result<bool>;
    /// What there is of a rebuild that was begun.
    fn rebuild(&self) -> io::Result<Rebuild>;
    /// Whether `backup_label` is one that pg_rewind wrote.
    fn has_rewind_label(&self) -> bool;
    /// A file of another account's in the way, which pg_rewind could not overwrite.
    fn foreign_file(&self) -> io::Result<Option<PathBuf>>;
    /// Writes what the disks of the data have in memory.
    fn sync_disks(&self) -> io::Result<()>;
    /// Takes `standby.signal` away, for a recovery that opens the server to nobody.
    fn remove_standby_signal(&self) -> io::Result<()>;
    /// Replays the WAL of a crashed server without opening it to anybody.
    fn recover(&self, deadline: Deadline) -> Result<(), RewindError>;
    /// What pg_rewind would do from this primary.
    fn preview(&self, primary: &Conninfo, deadline: Deadline) -> Result<Preview, RewindError>;
    /// Whether pg_rewind would work if the server were stopped.
    fn would_rewind(&self, primary: &Conninfo, deadline: Deadline) -> Result<(), RewindError>;
    /// Runs pg_rewind. From its begin to its end the data directory is good for nothing.
    fn rewind(&self, primary: &Conninfo, deadline: Deadline) -> Result<(), RewindError>;
}

/// What is on this node of PostgreSQL, and whose: it is judged before a start.
pub trait Installed {
    /// Whether a program can be run.
    fn is_executable(&self, path: &Path) -> bool;
    /// Whether a path leads to a directory.
    fn is_directory(&self, path: &Path) -> bool;
    /// Whether anything is at a path.
    fn exists(&self, path: &Path) -> bool;
    /// Whether a path leads to the data directory.
    fn is_datadir(&self, path: &Path) -> bool;
    /// The major version of the data; `None` if `PG_VERSION` does not begin with a number.
    fn data_version(&self) -> io::Result<Option<u32>>;
    /// The major version of the programs.
    fn program_version(&self, deadline: Deadline) -> Option<u32>;
    /// Who may use the data directory.
    fn access(&self) -> io::Result<Access>;
    /// The uid of the account that the server runs as.
    fn uid(&self) -> u32;
    /// A table space that is not where it should be, if there is one.
    fn missing_table_space(&self) -> io::Result<Option<PathBuf>>;
    /// The file that has the system start the server at boot, if there is one.
    fn boot_start(&self) -> Option<PathBuf>;
    /// The text of a file that may be a secret of the system user's.
    fn text_of(&self, path: &str) -> Option<String>;
    /// Several settings, as `setting` reads one, all at once.
    fn settings(&self, names: &[&'static str], deadline: Deadline) -> Vec<Setting>;
}

//! Eyes and hands on PostgreSQL: processes, programs, sessions, files.
//!
//! Nothing here decides what a thing seen means; see `crate::instance`. Steps know all
//! of it as a `Server`.

mod activity;
mod boot_start;
mod children;
mod control_file;
mod directories;
mod environment;
#[cfg(test)]
mod fake_activity;
#[cfg(test)]
pub mod fake_data;
#[cfg(test)]
pub mod fake_instance;
#[cfg(test)]
mod fake_manners;
#[cfg(test)]
pub mod fake_replay;
#[cfg(test)]
mod fake_rights;
#[cfg(test)]
mod fake_server;
#[cfg(test)]
mod fake_slot_keeper;
#[cfg(test)]
mod fake_slots;
#[cfg(test)]
mod fake_stopped;
#[cfg(test)]
mod fake_timelines;
#[cfg(test)]
pub mod fake_trail;
#[cfg(test)]
mod fake_upstream;
#[cfg(test)]
mod fake_watch;
mod history_file;
pub mod installation;
mod last_record;
mod local_wal;
mod lock_files;
mod lost_commits;
mod lost_wal;
mod orphans;
mod output;
mod own_files;
mod password_file;
mod pg_ctl;
mod pg_rewind;
mod postmaster;
mod privileged;
mod process_table;
mod questions;
mod real_server;
mod rebuild_copy;
mod rebuild_mark;
mod rebuilder;
mod replay;
mod replication;
mod rewind_mark;
mod rewinder;
mod rights;
mod role_files;
mod secrets;
mod server;
mod session;
mod settings;
mod shared_memory;
mod slot_keeper;
mod slots;
mod standby_signal;
mod startup_process;
mod storage;
mod survey;
mod table_spaces;
mod timelines;
mod upstream;
mod version_file;
mod wal_files;
mod wal_position;
mod walsenders;
mod watch;
mod write_probe;

/// What reads the words of programs, files and the kernel, for `crate::fuzzing` alone.
#[cfg(any(test, fuzzing))]
pub mod fuzzed {
    pub use super::output::first_fatal;
    pub use super::replication::timeline_of as timeline_of_wal_file;
    pub use super::rewind_mark::Mark;
    pub use super::settings::error_line;
    pub use super::startup_process::between;
    pub use super::wal_files::{segment_name, timeline_of as timeline_of_segment};
}

#[cfg(test)]
pub use fake_server::FakeServer;
#[cfg(test)]
pub use fake_upstream::FakeUpstream;
pub use lost_wal::{KeptWal, LostFolder};
pub use pg_ctl::StopMode;
pub use pg_rewind::RewindError;
pub use postmaster::LookError;
pub use real_server::RealServer;
pub use rebuild_copy::{How, free_bytes};
pub use rebuild_mark::{Mark as RebuildMark, Rebuild};
pub use rebuilder::Site;
pub use rewind_mark::Found;
pub use server::{Address, Installed, Rewinder, Server, Timelines, Upstream};
pub use settings::SettingError;
pub use wal_position::WalPosition;
pub use walsenders::NamedWalsender;

//! Eyes and hands on PostgreSQL: identity, processes, programs, sessions.
//!
//! Nothing here decides what a thing seen means; see `crate::instance`.

pub mod control_file;
pub mod history_file;
pub mod last_record;
pub mod pg_rewind;
pub mod postmaster;
pub mod process_table;
pub mod replication;
pub mod rewind_mark;
pub mod server;
pub mod session;
pub mod settings;
pub mod standby_signal;
pub mod startup_process;
pub mod version_file;
pub mod wal_files;
pub mod wal_position;
pub mod write_probe;

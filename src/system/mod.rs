//! What both wings use of the system: a program that runs within a deadline, the
//! identity of an account, small files, notes, the clock.
//!
//! Nothing here knows PostgreSQL or Pacemaker.

pub mod boot;
pub mod clock;
pub mod delivery;
#[cfg(test)]
mod fake_notes;
pub mod guardian;
pub mod host_name;
pub mod interrupts;
pub mod kept_file;
pub mod lock_file;
pub mod long_program;
pub mod machine;
mod name_service;
pub mod notes;
pub mod oom;
pub mod pidfd;
pub mod plain_file;
pub mod program;
pub mod surroundings;
pub mod user;

#[cfg(test)]
pub use fake_notes::FakeNotes;
pub use notes::Notes;
pub use user::SystemUser;

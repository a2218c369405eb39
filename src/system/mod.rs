//! What both wings use of the system: a program that runs within a deadline, the
//! identity of an account, small files.
//!
//! Nothing here knows PostgreSQL or Pacemaker.

pub mod plain_file;
pub mod program;
pub mod user;

pub use user::SystemUser;

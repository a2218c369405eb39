//! What this instance is: from what was seen to a state, its reason, and the code
//! that monitor answers.
//!
//! Pure: no file, process, clock or socket. `crate::postgres` looks.

pub mod activity;
pub mod answer;
pub mod capacity;
pub mod configuration;
pub mod control_data;
pub mod impairment;
pub mod plan;
pub mod postmaster_pid;
pub mod process_stat;
pub mod rebuild;
pub mod rejoin;
pub mod replay;
pub mod replication;
pub mod rights;
pub mod role;
pub mod shared_memory;
pub mod slots;
pub mod start_option;
pub mod state;
pub mod survey;
#[cfg(test)]
mod tests;
pub mod unknown_error;
pub mod upstream;
pub mod walsenders;
pub mod watch;
pub mod witnesses;

pub use activity::{Activity, Process};
pub use answer::NoAnswer;
pub use control_data::{ClusterState, ControlData};
pub use process_stat::ProcessStat;
pub use role::Role;
pub use start_option::StartOption;
pub use state::{Observation, Postmaster, State};
pub use survey::Survey;
pub use upstream::Offered;

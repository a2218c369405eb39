//! What is this instance? From what was seen to a state, its reason, and the
//! code that monitor answers.
//!
//! Pure: no file, process, clock or socket. `crate::postgres` looks.

pub mod answer;
pub mod attempts;
pub mod configuration;
pub mod conninfo;
pub mod control_data;
pub mod divergence;
pub mod postmaster_pid;
pub mod process_stat;
pub mod rejoin;
pub mod rewind_report;
pub mod state;
pub mod words;

pub use answer::Refusal;
pub use conninfo::Conninfo;
pub use control_data::{ClusterState, ControlData};
pub use divergence::Divergence;
pub use process_stat::ProcessStat;
pub use state::{Observation, Postmaster, Role, State};

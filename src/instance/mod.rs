//! What is this instance? From what was seen to a state, its reason, and the
//! code that monitor answers.
//!
//! Pure: no file, process, clock or socket. `crate::postgres` looks.

pub mod answer;
pub mod control_data;
pub mod postmaster_pid;
pub mod state;

pub use answer::Refusal;
pub use control_data::{ClusterState, ControlData};
pub use state::{Observation, Postmaster, Role, State};

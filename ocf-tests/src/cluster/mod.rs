//! PostgreSQL under Pacemaker on the nodes: prepared once, booted for each test, operated, asked.
//!
//! A [`Cluster`] is the thing to start reading at; what it can do is cut into files by topic.

pub mod agent;
mod options;
pub mod pacemaker;
pub mod postgresql;
pub mod prepare;
mod rejoin;
mod running;
mod stack;
pub mod state;
mod watching;
mod whole;

pub use options::Options;
pub use running::{Cluster, PATIENCE};

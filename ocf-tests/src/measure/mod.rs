//! Measuring agents: what a monitor costs, and how long clients cannot write.

pub mod bench;
mod cost;
mod course;
mod disturbance;
mod outage;
mod phase;
pub mod results;

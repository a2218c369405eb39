//! Eyes and hands on the cluster: attributes, promotion scores, membership.
//!
//! Nothing here decides; steps know all of it as a `Cluster`.

mod attributes;
mod cib_file;
mod cluster;
#[cfg(test)]
mod fake_cluster;
#[cfg(test)]
mod fake_kept;
mod hosts;
mod membership;
pub mod moving;
mod operations;
mod options;
mod permanent;
mod placement;
mod real_cluster;
mod tools;
pub mod whole_cib;

/// What reads the answers of tools, for `crate::fuzzing` alone.
#[cfg(any(test, fuzzing))]
pub mod fuzzed {
    pub use super::attributes::parse as attributes;
    pub use super::membership::names;
    pub use super::operations::parse as operations;
    pub use super::permanent::parse as permanent;
    pub use super::placement::{parse_constraints as constraints, parse_scores as scores};
}

pub use cluster::Cluster;
#[cfg(test)]
pub use fake_cluster::FakeCluster;
pub use membership::this_node;
pub use operations::Monitor;
pub use permanent::Permanent;
pub use placement::parse_constraints;
pub use real_cluster::RealCluster;
pub use tools::{ToolError, Tools};

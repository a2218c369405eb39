//! Eyes and hands on the cluster: attributes, promotion scores, membership.

mod attributes;
mod cib_file;
mod cluster;
mod membership;
mod permanent;
mod real_cluster;
mod tools;

pub use cluster::Cluster;
pub use permanent::Permanent;
pub use real_cluster::RealCluster;
pub use tools::{ToolError, Tools};

//! Eyes and hands on the cluster: attributes, promotion scores, membership.

pub mod attributes;
pub mod membership;
mod node_name;
pub mod scores;
pub mod tool;

pub use node_name::NodeName;
pub use tool::Tools;

//! Eyes and hands on the cluster: attributes, promotion scores, membership.

mod node_name;

pub use node_name::NodeName;

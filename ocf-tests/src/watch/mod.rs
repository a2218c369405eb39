//! What others saw of a cluster: a client that writes, and the logs of the nodes.

pub mod balancer;
pub mod client;
pub mod lists;
pub mod logs;
pub mod timeline;

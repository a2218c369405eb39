//! The contract with Pacemaker: what an action is given and what it answers.
//!
//! Nothing here looks at PostgreSQL or at the cluster.

pub mod clone;
mod cluster_role;
pub mod deadline;
pub mod environment;
pub mod exit;
mod ids;
mod journal;
pub mod line;
pub mod log;
pub mod metadata;
mod node_name;
pub mod notify;
mod parameter;
pub mod parameters;
pub mod request;
pub mod screen;
pub mod styled;
pub mod time;
pub mod values;

pub use cluster_role::ClusterRole;
pub use deadline::Deadline;
pub use environment::Environment;
pub use exit::{Failure, OcfExit, Outcome};
pub use node_name::NodeName;
pub use parameters::{Parameters, Rejoin, Slots};
pub use request::Request;
pub use styled::{Line, Style};

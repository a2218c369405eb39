//! The cluster's configuration and state, as one resource's reader needs them: from the text of
//! one `cibadmin --query`, or of a file that was saved.
//!
//! What runs where is read from the results of actions that are in it, as Pacemaker's own
//! tools do. No scheduler is built here: whom Pacemaker would choose, it is asked.

mod cluster;
mod error;
mod fencing;
mod location;
mod operations;
pub(super) mod resource;
pub(super) mod xml;

pub(super) use cluster::has_fencing;
pub use cluster::{Away, Cib, Node};
pub use error::CibError;
pub use fencing::Device;
pub(super) use fencing::has_watchdog;
pub use location::Location;
pub use operations::{Action, Failed, Running};
pub use resource::Resource;

//! What people call by hand, on a node of the running cluster.
//!
//! Nothing here promotes anything itself, or calls a verb.

mod explain;
mod force_promotion;
mod local;
mod look;
mod resource;
mod status;

pub use explain::{Explain, run as explain};
pub use force_promotion::{ForcePromotion, run as force_promotion};
pub use status::{Status, run as status};

//! What people call by hand, on a node of the running cluster.
//!
//! Nothing here promotes anything itself, or calls a verb.

mod force_promotion;
mod resource;

pub use force_promotion::{ForcePromotion, run as force_promotion};

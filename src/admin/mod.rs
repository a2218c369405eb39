//! What people call by hand, on a node of the running cluster.

mod force_promotion;
mod resource;

pub use force_promotion::{ForcePromotion, run as force_promotion};

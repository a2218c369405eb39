//! Pictures for the pages: the dashboard of `packaging/monitoring`, drawn from what a real Prometheus
//! answered of a real cluster, and what the bench has measured.
//!
//! [`story`] plays and asks, [`record`] is what came of it; all else only draws.

mod axis;
mod bands;
pub mod dashboard;
mod frame;
mod graph;
mod legend;
pub mod page;
pub mod ranges;
pub mod record;
mod stat;
pub mod story;
mod svg;
mod table;
mod units;

//! What the actions are made of, by topic: each looks, asks a pure room, and acts.
//!
//! A step is given the handles that it needs (`Server`, `Cluster`, `Notes`) and a
//! deadline. It knows no environment, runs no program, and never calls an action.

pub mod aftermath;
pub mod ballot;
pub mod bars;
pub mod before_stop;
pub mod bring_down;
pub mod bring_up;
pub mod claim;
pub mod election;
pub mod evidence;
pub mod fencing;
mod fetch;
pub mod foreign_scores;
pub mod forget;
pub mod fresh;
pub mod impairment;
mod local_wal;
pub mod lost;
pub mod mute;
pub mod not_yet;
pub mod offer;
mod patience;
pub mod position;
pub mod readiness;
pub mod rebuild;
pub mod reign;
pub mod rejoin;
mod replay;
pub mod rights;
pub mod scores;
pub mod shutdown;
pub mod single_user;
pub mod slots;
mod startup;
pub mod state;
#[cfg(test)]
mod tests;
pub mod unknown_error;
pub mod validation;
pub mod vote;
pub mod watch;
pub mod write_probe;

//! What the actions are made of, by topic: each looks, asks a pure room, and acts.

pub mod ballot;
mod call;
pub mod claim;
pub mod offer;
pub mod position;
pub mod rejoin;
pub mod scores;
pub mod shutdown;
pub mod state;

pub use call::Call;

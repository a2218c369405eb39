//! What keeps the agent from looking after replication slots.

use thiserror::Error;

use crate::instance::NoAnswer;
use crate::pacemaker::ToolError;

/// It is said once, and tried again with each monitor.
#[derive(Debug, Error)]
pub enum Complaint {
    /// A disk could fill.
    #[error(
        "No replication slots are made for the other nodes: max_slot_wal_keep_size does not limit \
         the WAL that they keep"
    )]
    Unbounded,
    /// The cluster does not answer.
    #[error("Cannot tell for which nodes there should be replication slots: {0}")]
    Nodes(#[from] ToolError),
    /// PostgreSQL refuses something.
    #[error("Cannot look after the replication slot {name}: {error}")]
    Slot {
        /// The slot.
        name: String,
        /// In the server's words.
        error: NoAnswer,
    },
}

//! The role of a node in the cluster, and its names.

/// The role of a node in the cluster, by Pacemaker's names of today and of old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterRole {
    /// The node has the primary.
    Promoted,
    /// The node has a standby.
    Unpromoted,
}

impl ClusterRole {
    /// The role that Pacemaker calls so; it does not look at capital letters.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "promoted" | "master" => Some(Self::Promoted),
            "unpromoted" | "slave" => Some(Self::Unpromoted),
            _ => None,
        }
    }
}

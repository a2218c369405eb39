//! The private attributes of this agent, each followed by `-<resource>`.

/// A node's vote; shared with nodes on the Perl agent.
pub const VOTE: &str = "lsn_location";
/// Where a demoted primary's shutdown checkpoint is, on its own node.
pub const SHUTDOWN: &str = "shutdown_checkpoint";
/// The same, kept by every other node: it outlives the old primary's. Never
/// cleaned: a later primary is on a higher timeline.
pub const FLOOR: &str = "shutdown_floor";
/// Since when standbys are missing, on the primary: `node@seconds …`.
pub const MISSING: &str = "missing";

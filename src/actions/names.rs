//! The attributes and files that only the agent's effects name; the others
//! are named by what they carry (`Vote::attribute`, `Reign::attribute` …).

/// Private, on the primary: since when standbys are missing, `node@seconds …`.
pub const MISSING: &str = "missing";

//! The instance held to its tables.

mod rejoin;
mod roles;
mod states;

//! The instance held to its tables, and what its longer files must do.

mod configuration;
mod control_data;
mod rebuild;
mod rejoin;
mod roles;
mod states;
mod watch;
mod witnesses;

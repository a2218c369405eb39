//! This machine: what it must have, where the lab keeps its files on it, what is built on it.
//!
//! Nothing here knows of nodes or clusters.

pub mod apt;
pub mod cache;
pub mod deb;
pub mod history;
pub mod package;
pub mod paths;
pub mod progress;
pub mod prometheus;
pub mod release;
pub mod requirements;
pub mod shell;
pub mod sysroot;
pub mod unpacked;

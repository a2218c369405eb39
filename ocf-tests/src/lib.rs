//! The cluster lab of pgsqlms: real nodes, real fencing, real clients.
//!
//! Start reading at [`cluster`]; [`tests`] shows how it is used.

pub mod agent;
pub mod bench;
pub mod chance;
pub mod client;
pub mod cluster;
pub mod commands;
pub mod cost;
pub mod disk;
pub mod document;
pub mod fault;
pub mod host;
pub mod logs;
pub mod machine;
pub mod network;
pub mod node;
pub mod pacemaker;
pub mod package;
pub mod paths;
pub mod phase;
pub mod postgresql;
pub mod power;
pub mod prepare;
pub mod progress;
pub mod prove;
pub mod rejoin;
pub mod release;
pub mod rootfs;
pub mod runner;
pub mod scene;
pub mod shell;
pub mod soak;
pub mod staging;
pub mod state;
pub mod sysroot;
pub mod tests;
pub mod timeline;
pub mod warden;
pub mod whole;

//! The cluster lab of pgsqlms: real nodes, real fencing, real clients.
//!
//! Start reading at [`cluster`]; [`tests`] shows how it is used. Each folder uses those above
//! it in this table, never one below:
//!
//! | folder | what is in it |
//! |---|---|
//! | [`consistency`] | pure: judges what clients of a database were told |
//! | [`host`] | this machine: its programs, folders and caches, the agent that is built on it |
//! | [`machine`] | the nodes as machines: file systems, network, disks, power |
//! | [`cluster`] | PostgreSQL and Pacemaker on them: made, started, operated, asked |
//! | [`watch`] | what clients and logs saw of a cluster |
//! | [`run`] | what a test needs: its scene, faults, chance, and the runner |
//! | [`measure`], [`picture`], [`document`], [`prove`], [`soak`] | five things that are done with a cluster |
//! | [`tests`] | the table of all tests |
//! | [`commands`] | the command line |

pub mod cluster;
pub mod commands;
pub mod consistency;
pub mod document;
pub mod host;
pub mod machine;
pub mod measure;
pub mod picture;
pub mod prove;
pub mod run;
pub mod soak;
pub mod tests;
pub mod watch;

//! The nodes as machines: what they boot from, their cables, disks and power.
//!
//! [`warden`] and [`container`] are the side of the process that owns them, [`power`] and
//! [`node`] the side of everybody else. What runs on a node is not known here, but for the place
//! where PostgreSQL has its data.

pub mod container;
pub mod disk;
pub mod network;
pub mod node;
pub mod power;
pub mod rootfs;
pub mod warden;

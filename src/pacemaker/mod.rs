//! Eyes and hands on the cluster: attributes, promotion scores, membership.

pub mod attributes;
pub mod cib_file;
pub mod membership;
pub mod permanent;
pub mod tool;

pub use permanent::Permanent;
pub use tool::Tools;

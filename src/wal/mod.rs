//! What a node holds, in the terms of the write-ahead log.
//!
//! Pure. Everything read from attributes, files and tools is parsed strictly:
//! a lenient LSN may promote the wrong node.

mod lsn;
mod system_id;
mod timeline;

pub use lsn::Lsn;
pub use system_id::SystemId;
pub use timeline::Timeline;

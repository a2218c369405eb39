//! Runs the commands of `docs/` on a cluster, so that the documents cannot rot.
//!
//! A document is read by [`parse`], put into the version of the nodes by [`version`], its commands
//! are judged by [`expect`] and played by [`play`].
//! `docs/README.md` tells writers of documents which marks these modules understand. Nothing here
//! knows what a certain document says.

pub mod expect;
pub mod parse;
pub mod play;
mod stage;
mod version;

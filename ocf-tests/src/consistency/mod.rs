//! Judges what clients were told: appends to lists and reads of them, in the manner of Elle.
//!
//! A transaction appends unique elements to lists and reads whole lists. A read therefore shows the
//! order of all appends before it, so that most of what a database did can be inferred from
//! outside: K. Kingsbury and P. Alvaro, "Elle: Inferring Isolation Anomalies from Experimental
//! Observations", VLDB 2020. Two judges look at every history:
//!
//! * [`check`], the rules of that paper for single lists in the words of a cluster: lost, phantom,
//!   doubled and disordered appends, incompatible orders, stale reads. They are few and plain, so
//!   that a reader can convince himself of each.
//! * [`second`], the crate adya, which looks for cycles of dependencies over all lists as Elle does
//!   (its authors compare it with Elle itself). It has no rule for a phantom and no word for a
//!   loss, and it is young: one author, one release. So its silence alone proves nothing here.
//!
//! Everything in this folder is pure; `watch::lists` has the clients.

pub mod check;
pub mod history;
mod lists;
pub mod second;

#[cfg(test)]
mod samples;

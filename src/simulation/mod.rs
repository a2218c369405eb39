//! Whole verbs over instances and a cluster in memory: three nodes, and Pacemaker's part.
//!
//! For tests only. The real verbs run; `FakeServer` and `FakeCluster` are beneath them.

mod fleet;
mod verbs;

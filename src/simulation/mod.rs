//! A whole cluster in memory: the real verbs over servers and a cluster that can be cut off
//! at every effect.
//!
//! No part of the agent: compiled for tests only.

mod evidence;
mod fleet;
mod verbs;

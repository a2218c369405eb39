//! A whole cluster in memory: the real verbs over servers and a cluster that can be cut off
//! at every effect.

mod fleet;
mod verbs;

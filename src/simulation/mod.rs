//! The real verbs on three nodes in memory.
//!
//! No part of the agent: compiled for tests only. `verbs`, `votes`, `waits` and `moves` have single stories; the rest plays
//! schedules that come from seeds: `schedule` what happens, `pacemaker` and `transition` what
//! Pacemaker does about it, `clients` what is written and received, `watch` what lies in wait
//! for the agent's calls, `invariant` what must never be. The time is virtual.

mod campaign;
mod chance;
mod clients;
mod count;
mod evidence;
mod fleet;
mod invariant;
mod machines;
mod moves;
mod pacemaker;
mod play;
mod possible;
mod proofs;
mod schedule;
mod shrink;
mod state;
mod transition;
mod truth;
mod verbs;
mod votes;
mod waits;
mod watch;

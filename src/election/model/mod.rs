//! A proof by exhaustion: a small cluster, the real decision functions, and
//! everything that can happen to it within bounds.
//!
//! `world` is what is true, `observe` what the agents are told, `possible` what
//! can happen next and `step` what it leads to. After each decision `invariant`
//! asks whether a promise was broken; in each state without a primary `settle`
//! asks whether the cluster will find one by itself. Nothing decides here that
//! does not decide in the agent: votes, claims, shutdown checkpoints and scores are the real
//! ones, through their real encodings, and so is the election. `ledger` is what nodes keep
//! of elections, `loss` how that is lost.
//!
//! The bounds of `cargo test` fit into a minute. For wider ones:
//! `cargo test --release -- --ignored --nocapture model`.

mod cache;
mod changes;
mod event;
mod explore;
mod invariant;
mod ledger;
mod loss;
mod losses;
mod made;
mod monitor;
mod observe;
mod odds;
mod possible;
mod promotion;
mod proofs;
mod resume;
mod scenario;
mod seen;
mod settle;
mod step;
mod trace;
mod walk;
mod walks;
mod weakened;
mod world;

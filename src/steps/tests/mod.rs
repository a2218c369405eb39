//! Steps over an instance and a cluster in memory: what they do, and in which order.

mod aftermath;
mod attempts;
mod barred;
mod bench;
mod bring_down;
mod bring_up;
mod candidates;
mod claim;
mod confirming;
mod election;
mod forget;
mod fresh;
mod identity;
mod looks;
mod mute;
mod planned_stop;
mod readiness;
mod rebuild;
mod rejoin;
mod replay;
mod rights;
mod scores;
mod shutdown;
mod slots;
mod testimony;

//! What people call by hand, on a node of the running cluster.
//!
//! Nothing here promotes anything itself, or calls a verb.

mod alert;
mod check;
pub mod exit_codes;
mod explain;
mod force_promotion;
mod forget;
mod history;
mod local;
mod look;
mod lost;
mod metrics;
mod moving;
mod rebuild;
mod rebuilding;
mod resource;
mod role;
mod setup;
mod source;
mod stakes;
mod status;
mod switchover;

pub use alert::{
    AlertAgent, LONGEST as LONGEST_ALERT, complain as complain_of_alert, run as alert,
};
pub use check::{Check, run as check};
pub use explain::{Explain, run as explain};
pub use force_promotion::{ForcePromotion, run as force_promotion};
pub use forget::{Forget, run as forget};
pub use history::{History, run as history};
pub use lost::{Lost, run as lost};
pub use metrics::{Metrics, run as metrics};
pub use rebuild::{Rebuild, run as rebuild};
pub use role::{Role, run as role};
pub use status::{Status, run as status};
pub use switchover::{Switchover, run as switchover};

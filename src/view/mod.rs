//! What is, what would happen, what to do: from what was seen to what people, monitoring and
//! other programs are shown.
//!
//! One look (`Seen`) becomes one `View`; text, JSON, checks and metrics are forms of that, so
//! that none of them knows more than another. What would happen is decided by the election
//! itself (`prospect`).
//!
//! Pure: no file, process, clock or socket. `crate::admin` looks, and prints.

mod alert;
mod bytes;
mod candidacy;
mod checked;
pub mod cib;
mod course;
mod event;
mod explanation;
mod fate;
mod fencing;
mod forgetting;
mod handover;
mod held;
mod json;
mod last;
mod later;
mod lost;
mod metrics;
mod past;
mod plugin;
mod problem;
mod prospect;
mod rebuild;
mod recipient;
mod replay;
mod report;
mod role;
mod seen;
pub mod setup;
mod stopping;
mod switchover;
mod synchronous;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod threshold;
mod time;
mod trouble;
mod underway;
mod unsure;
mod words;

pub use alert::Alert;
pub use bytes::amount;
pub use checked::{Checked, checked_lines, worst_checked};
pub use cib::{Cib, CibError};
pub use course::{Course, Ending, Stage};
pub use event::{Event, event_json};
pub use explanation::{explanation, explanation_json};
pub use forgetting::before_forget;
pub use json::document;
pub use last::{last_course, last_json, last_lines};
pub use later::Later;
pub use lost::{Loss, lost_json, lost_lines};
pub use metrics::{metrics, metrics_without_view};
pub use past::{past, past_json, past_lines};
pub use plugin::{Judgement, plugin, plugin_without_view};
pub use problem::{Health, PROBLEMS};
pub use prospect::Prospect;
pub use rebuild::Progress;
pub use recipient::Recipient;
pub use replay::standing_still;
pub use report::View;
pub use role::{Record, Word, word};
pub use seen::{Known, Leftover, Local, Policy, Seen};
pub use stopping::{before_stop, may_stop, stop_json, stop_lines};
pub use switchover::{before_switchover, may_move};
pub use text::lines;
pub use threshold::Threshold;

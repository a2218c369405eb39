//! A prospect in a sentence, and how bad it is.

use super::bytes::amount;
use super::problem::Health;
use super::prospect::{Fate, FirstFetch, Loss, Prospect};
use super::replay::Late;
use super::unsure;

impl Prospect {
    /// What would happen, as one sentence without its end.
    pub fn sentence(&self) -> String {
        match &self.fate {
            Fate::Stays(primary) => format!("{primary} stays the primary"),
            Fate::Promotes {
                node,
                instead,
                loss,
                fetch,
                late,
            } => {
                let instead = unsure::words(instead);
                let first = fetch.as_ref().map(fetch_words).unwrap_or_default();
                let late = late.map(late_words).unwrap_or_default();
                format!(
                    "{node} is promoted{first}{late}{instead}; {}",
                    loss.sentence()
                )
            }
            Fate::Nobody { reason, .. } => format!("nobody is promoted: {reason}"),
            Fate::Unknown(why) => format!("cannot tell: {why}"),
        }
    }

    /// 0 somebody, and nothing is lost; 1 somebody, and something may be, or late; 2 nobody; 3 that
    /// cannot be told.
    pub fn health(&self) -> Health {
        match &self.fate {
            Fate::Stays(_) => Health::Well,
            Fate::Promotes {
                instead,
                loss,
                fetch: None,
                late: None,
                ..
            } if loss.is_guarded && instead.is_empty() => Health::Well,
            Fate::Promotes { .. } => Health::Attention,
            Fate::Nobody { .. } => Health::Critical,
            Fate::Unknown(_) => Health::Unknown,
        }
    }

    /// The nodes that are lost in it.
    pub fn names_of_lost(&self) -> String {
        let names: Vec<_> = self.lost.iter().map(|node| node.as_str()).collect();
        names.join(" and ")
    }
}

fn fetch_words(fetch: &FirstFetch) -> String {
    let FirstFetch { from, otherwise } = fetch;
    format!(" once it has fetched what only {from} holds (if it cannot, {otherwise})")
}

fn late_words(late: Late) -> String {
    let still = if late.is_still {
        " (none of it now: its replay is paused, delayed or held up)"
    } else {
        ""
    };
    format!(", late: it has {} to replay{still}", late.amount())
}

impl Loss {
    fn sentence(self) -> String {
        if self.is_guarded {
            return "no synchronous commit that a client was told is safe is lost".to_owned();
        }
        match self.behind {
            Some(bytes) => format!(
                "commits that it has not received are lost: {} now (asynchronous)",
                amount(bytes)
            ),
            None => {
                "commits that it has not received are lost; how many is not known here".to_owned()
            }
        }
    }

    /// The most that can be lost of what clients were told is safe, in bytes of WAL.
    pub fn bytes_max(self) -> Option<u64> {
        if self.is_guarded {
            Some(0)
        } else {
            self.behind
        }
    }
}

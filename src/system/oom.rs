//! Keeps the kernel's killer away from this process for a while: a monitor that is killed is a
//! failure of what it monitors.

use std::fs;

const SCORE: &str = "/proc/self/oom_score_adj";
/// Never chosen.
const NEVER: &str = "-1000";

/// The killer is kept away as long as this lives.
#[derive(Debug)]
pub struct Spared {
    before: Option<String>,
}

/// Keeps the killer away. Where that is forbidden, as in some containers, it is as before.
pub fn spare() -> Spared {
    let before = fs::read_to_string(SCORE).ok();
    let written = fs::write(SCORE, NEVER).is_ok();
    Spared {
        before: before.filter(|_| written),
    }
}

impl Drop for Spared {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = fs::write(SCORE, before.trim());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score() -> String {
        fs::read_to_string(SCORE).unwrap().trim().to_owned()
    }

    #[test]
    fn it_is_as_before_afterwards() {
        let before = score();
        let spared = spare();
        if spared.before.is_some() {
            assert_eq!(score(), NEVER);
        }
        drop(spared);
        assert_eq!(score(), before);
    }
}

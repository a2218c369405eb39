//! What an admin is told before something is done that may lose commits, and the question.

use std::io::{self, BufRead};

use crate::election::Lineage;
use crate::ocf::{self, NodeName};
use crate::record::Reign;
use crate::wal::Position;

/// What may be lost, in sentences.
pub fn stakes(
    node: &NodeName,
    held: &Position,
    last: Option<&Reign>,
    is_member: impl Fn(&NodeName) -> bool,
) -> Vec<String> {
    let mut lines = vec![format!(
        "{node} holds timeline {} up to {}.",
        held.timeline, held.lsn
    )];
    let Some(last) = last else {
        lines.push("No election is on record: what other nodes hold is not known.".to_owned());
        return lines;
    };
    let away = if is_member(&last.primary) {
        "in the cluster"
    } else {
        "away"
    };
    lines.push(match last.lineage_of(held) {
        Lineage::Left { fork } => format!(
            "The last primary was {} ({away}). {node} left its branch at {fork}: every commit \
             made since then on that branch will be lost.",
            last.primary
        ),
        Lineage::OtherSystem => format!(
            "The last primary was {} ({away}). {node} holds another database: every commit of \
             the last primary will be lost.",
            last.primary
        ),
        Lineage::Follows | Lineage::Unknown => format!(
            "The last primary was {} ({away}). Every commit that it made beyond {} and that \
             {node} does not hold will be lost.",
            last.primary, held.lsn
        ),
    });
    if let Some(rule) = &last.sync {
        lines.push(format!(
            "It ran with synchronous_standby_names = {rule}: among them may be commits that \
             clients were told are safe."
        ));
    }
    lines
}

/// Asks, and whether just this word was the answer.
pub fn is_typed(question: &str, word: &str) -> bool {
    ocf::log::say(question);
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && answer.trim() == word
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::SyncRule;
    use crate::wal::{History, Lsn, Timeline};

    fn held() -> Position {
        Position {
            system: None,
            timeline: Timeline::FIRST,
            lsn: Lsn::from(0x300_0060),
            history: History::root(),
        }
    }

    #[test]
    fn synchronous_commits_at_stake_are_named() {
        let node = |name| NodeName::new(name).unwrap();
        let rule = SyncRule::parse("ANY 1 (srv2, srv3)").unwrap();
        let reign = Reign::claim(node("srv1"), held(), rule, 1);
        let text = stakes(&node("srv2"), &held(), Some(&reign), |_| false).join("\n");
        for word in [
            "srv2 holds timeline 1 up to 0/3000060",
            "srv1 (away)",
            "ANY 1",
        ] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }

    /// What is lost begins at the fork, not at the end of what the node holds.
    #[test]
    fn for_a_diverged_node_the_fork_is_named() {
        let node = |name| NodeName::new(name).unwrap();
        let at = Position {
            lsn: Lsn::from(0x100_0000),
            ..held()
        };
        let reign = Reign::claim(node("srv1"), at, None, 1);
        let text = stakes(&node("srv2"), &held(), Some(&reign), |_| false).join("\n");
        assert!(text.contains("left its branch at 0/1000000"), "{text}");
    }

    #[test]
    fn without_a_record_that_is_said() {
        let node = NodeName::new("srv2").unwrap();
        let text = stakes(&node, &held(), None, |_| true).join("\n");
        assert!(text.contains("not known"), "{text}");
    }
}

//! How far the standbys are that stream from the primary, for the slots that other standbys keep for
//! them; and the nodes that have slots.
//!
//! The primary's monitor publishes the first, where it has moved by a WAL file or more.

use std::collections::BTreeMap;

use super::name::{Life, Name};
use crate::ocf::NodeName;
use crate::wal::{Lsn, Timeline};

/// On the node of the primary.
pub const NAME: Name = Name::new(
    Life::Private,
    "slots-RESOURCE",
    "what the standbys have flushed that stream from this primary, and on which timeline",
);

/// What the primary of a timeline says: for each standby the end of what it has flushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flushed {
    /// The primary's timeline: each election opens another one, so an old line is known.
    pub timeline: Timeline,
    /// By node.
    pub standbys: BTreeMap<NodeName, Lsn>,
}

impl Flushed {
    /// The line: `3 srv2@83886080 srv3@83886080`.
    pub fn encode(&self) -> String {
        let each = self.standbys.iter();
        let each = each.map(|(node, lsn)| format!(" {node}@{}", lsn.as_u64()));
        format!("{}{}", self.timeline, each.collect::<String>())
    }

    /// Reads the line; a broken entry is as if its node said nothing.
    pub fn decode(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let timeline = Timeline::new(words.next()?.parse().ok()?)?;
        let standbys = words.filter_map(|word| {
            let (node, lsn) = word.rsplit_once('@')?;
            Some((NodeName::new(node)?, Lsn::from_decimal(lsn).ok()?))
        });
        Some(Self {
            timeline,
            standbys: standbys.collect(),
        })
    }

    /// Whether it says anything that `last` did not: another timeline, other nodes, or one that
    /// has `step` bytes more.
    pub fn is_news_after(&self, last: Option<&Self>, step: u64) -> bool {
        let Some(last) = last.filter(|last| last.timeline == self.timeline) else {
            return !self.standbys.is_empty();
        };
        let has_moved = |(node, lsn): (&NodeName, &Lsn)| {
            let before = last.standbys.get(node);
            before.is_none_or(|before| lsn.bytes_since(*before).is_some_and(|more| more >= step))
        };
        self.standbys.len() != last.standbys.len() || self.standbys.iter().any(has_moved)
    }
}

/// What the configuration of the cluster says that slots depend on; a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The nodes, present or not, and whether the resource may run there.
    pub nodes: BTreeMap<NodeName, bool>,
    /// The primary that was elected last, and its timeline.
    pub primary: Option<(NodeName, Timeline)>,
}

impl Hosts {
    /// Two lines: `srv1 srv2 !srv3`, where the resource may not run on srv3, and `3 srv1`.
    pub fn encode(&self) -> String {
        let node = |(node, may_run): (&NodeName, &bool)| match may_run {
            true => node.to_string(),
            false => format!("!{node}"),
        };
        let nodes: Vec<_> = self.nodes.iter().map(node).collect();
        let primary = self.primary.as_ref();
        let primary = primary.map(|(node, timeline)| format!("{timeline} {node}"));
        format!("{}\n{}", nodes.join(" "), primary.unwrap_or_default())
    }

    /// Reads them.
    pub fn decode(text: &str) -> Option<Self> {
        let (nodes, primary) = text.split_once('\n')?;
        let node = |word: &str| {
            let name = word.strip_prefix('!');
            Some((NodeName::new(name.unwrap_or(word))?, name.is_none()))
        };
        let primary = primary.split_once(' ').and_then(|(timeline, node)| {
            let timeline = Timeline::new(timeline.parse().ok()?)?;
            Some((NodeName::new(node)?, timeline))
        });
        Some(Self {
            nodes: nodes.split_whitespace().filter_map(node).collect(),
            primary,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::node;

    fn flushed(timeline: u32, standbys: &[(&str, u64)]) -> Flushed {
        let each = standbys.iter();
        Flushed {
            timeline: Timeline::new(timeline).unwrap(),
            standbys: each
                .map(|(name, lsn)| (node(name), Lsn::from(*lsn)))
                .collect(),
        }
    }

    #[test]
    fn only_what_has_moved_by_a_file_is_news() {
        let last = flushed(2, &[("srv2", 100), ("srv3", 100)]);
        let is_news = |now: &Flushed| now.is_news_after(Some(&last), 16);
        assert!(!is_news(&last));
        assert!(!is_news(&flushed(2, &[("srv2", 115), ("srv3", 100)])));
        assert!(is_news(&flushed(2, &[("srv2", 116), ("srv3", 100)])));
        assert!(is_news(&flushed(2, &[("srv2", 100)])));
        assert!(is_news(&flushed(3, &[("srv2", 100), ("srv3", 100)])));
        assert!(last.is_news_after(None, 16));
        assert!(!flushed(2, &[]).is_news_after(None, 16));
    }

    #[test]
    fn a_broken_entry_costs_no_other() {
        let read = Flushed::decode("2 srv2@x srv3@100 @ srv4").unwrap();
        assert_eq!(read, flushed(2, &[("srv3", 100)]));
        assert_eq!(Flushed::decode("0 srv3@100"), None);
        assert_eq!(Flushed::decode(""), None);
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(
            timeline in 1..=u32::MAX,
            standbys in btree_map("[a-zA-Z0-9.@_-]{1,9}", any::<u64>(), 0..4),
            elected in proptest::option::of("[a-z.@!-]{1,9}"),
        ) {
            let each = standbys.iter();
            let said = Flushed {
                timeline: Timeline::new(timeline).unwrap(),
                standbys: each.map(|(name, lsn)| (node(name), Lsn::from(*lsn))).collect(),
            };
            prop_assert_eq!(Flushed::decode(&said.encode()), Some(said.clone()));
            let hosts = Hosts {
                nodes: standbys.iter().map(|(name, lsn)| (node(name), lsn % 2 == 0)).collect(),
                primary: elected.map(|name| (node(&name), said.timeline)),
            };
            prop_assert_eq!(Hosts::decode(&hosts.encode()), Some(hosts));
        }

        #[test]
        fn no_line_panics(line in "(?s).*") {
            let _ = Flushed::decode(&line);
            let _ = Hosts::decode(&line);
        }
    }
}

//! What the cluster and this node remember: attributes, notes, the mark of a rewind.

use super::target::{See, Target, comes_back, text, texts};
use crate::instance::rejoin::attempts::Attempts;
use crate::ocf::NodeName;
use crate::postgres::fuzzed::Mark;
use crate::record::line::HISTORY_LIMIT;
use crate::record::slots::Flushed;
use crate::record::{
    Divergence, Force, Reign, ShutdownCheckpoint, Sighting, SyncRule, Vote, missing, score,
    unknown_error,
};

/// The targets of this file.
pub const TARGETS: &[Target] = &[
    Target {
        name: "vote",
        seeds: votes,
        run: vote,
    },
    Target {
        name: "vote-paf",
        seeds: || texts(&["3#83886080", "1#18446744073709551615"]),
        run: vote_paf,
    },
    Target {
        name: "reign",
        seeds: reigns,
        run: reign,
    },
    Target {
        name: "shutdown",
        seeds: || {
            texts(&[
                "1;node=srv1;term=3;sys=7301234567890123456;tl=2;lsn=50331688",
                "1;node=a%2Db%C3%A9;tl=2;lsn=40",
            ])
        },
        run: shutdown,
    },
    Target {
        name: "divergence",
        seeds: || texts(&["3#83886080#67108864", "other-system"]),
        run: divergence,
    },
    Target {
        name: "missing",
        seeds: || texts(&["srv2@1795000000 srv3@1795000015", "a.b-c@0"]),
        run: missing_since,
    },
    Target {
        name: "slots",
        seeds: || texts(&["3 srv2@83886080 srv3@83886080", "1", "2 a@b@0 @1"]),
        run: |input, see| {
            if let Some(flushed) = Flushed::decode(&text(input)) {
                comes_back(&flushed, Flushed::decode(&flushed.encode()), see);
            }
        },
    },
    Target {
        name: "force",
        seeds: || texts(&["3", "4294967295"]),
        run: force,
    },
    Target {
        name: "score",
        seeds: || texts(&["1001", "-INFINITY", "+INFINITY", " 990\n"]),
        run: |input, see| {
            if let Some(score) = score::decode(&text(input)) {
                see(&score);
            }
        },
    },
    Target {
        name: "unknown-error",
        seeds: || texts(&["no logins at night (P0001)", "a\u{1b}[2J\nb\u{202e}c"]),
        run: published_error,
    },
    Target {
        name: "sync-rule",
        seeds: sync_rules,
        run: sync_rule,
    },
    Target {
        name: "attempts",
        seeds: || texts(&["0/5000110 2 1795000000"]),
        run: attempts,
    },
    Target {
        name: "sighting",
        seeds: || {
            texts(&[
                "1;pid=4711;started=5000;boot=c2b1a3f4-0c7e;interval=1000;seen=1795000000000;asked=0",
            ])
        },
        run: |input, see| {
            if let Ok(sighting) = Sighting::decode(&text(input)) {
                comes_back(&sighting, Sighting::decode(&sighting.encode()).ok(), see);
            }
        },
    },
    Target {
        name: "rewind-mark",
        seeds: || {
            let boot = "c2b1a3f4-0c7e-4b43-a6d5-0f8f5a4cf0bb";
            texts(&[&format!(
                "0/5000110\n42 1795000000\n{boot}\n/var/lib/postgresql/15/main\n"
            )])
        },
        run: |input, see| {
            if let Some(mark) = Mark::decode(&text(input)) {
                comes_back(&mark, Mark::decode(&mark.encode()), see);
            }
        },
    },
];

fn votes() -> Vec<Vec<u8>> {
    texts(&[
        "1;sys=7301234567890123456;tl=3;lsn=83886080;hist=1:50331648,2:67108864;term=3;shutdown=no;age=12",
        "1;tl=1;lsn=0;hist=~",
        "1;tl=9;lsn=4096;hist=~7:1,8:2;term=0;shutdown=yes;new=field",
    ])
}

/// A line carries the newest steps of a history only.
fn vote(input: &[u8], see: See<'_>) {
    let Ok(mut vote) = Vote::decode(&text(input)) else {
        return;
    };
    vote.position.history = vote.position.history.newest(HISTORY_LIMIT);
    comes_back(&vote, Vote::decode(&vote.encode()).ok(), see);
}

fn vote_paf(input: &[u8], see: See<'_>) {
    if let Ok(vote) = Vote::decode_paf(&text(input)) {
        comes_back(&vote, Vote::decode_paf(&vote.encode_paf()).ok(), see);
    }
}

fn reigns() -> Vec<Vec<u8>> {
    texts(&[
        "1;term=4;opened=yes;sys=7301234567890123456;tl=3;lsn=83886080;hist=1:50331648,2:67108864;sync=any:1:n2,n3",
        "1;term=5;opened=no;tl=1;lsn=40;hist=;sync=first:2:%2A",
    ])
}

fn reign(input: &[u8], see: See<'_>) {
    let node = || NodeName::new("srv1").into_iter();
    for primary in node() {
        let Ok(mut reign) = Reign::decode(primary, &text(input)) else {
            return;
        };
        reign.branch.history = reign.branch.history.newest(HISTORY_LIMIT);
        let mut again = node().filter_map(|node| Reign::decode(node, &reign.encode()).ok());
        comes_back(&reign, again.next(), see);
    }
}

fn shutdown(input: &[u8], see: See<'_>) {
    if let Ok(checkpoint) = ShutdownCheckpoint::decode(&text(input)) {
        let again = ShutdownCheckpoint::decode(&checkpoint.encode());
        comes_back(&checkpoint, again.ok(), see);
    }
}

fn divergence(input: &[u8], see: See<'_>) {
    if let Some(divergence) = Divergence::decode(&text(input)) {
        comes_back(&divergence, Divergence::decode(&divergence.encode()), see);
    }
}

fn missing_since(input: &[u8], see: See<'_>) {
    let nodes = missing::decode(&text(input));
    comes_back(&nodes, Some(missing::decode(&missing::encode(&nodes))), see);
}

fn force(input: &[u8], see: See<'_>) {
    if let Ok(force) = Force::decode(&text(input)) {
        comes_back(&force, Force::decode(&force.encode()).ok(), see);
    }
}

fn published_error(input: &[u8], see: See<'_>) {
    let shown = unknown_error::encode(&text(input));
    assert!(shown.chars().count() <= 100 && !shown.contains(char::is_control));
    see(&shown);
}

fn sync_rules() -> Vec<Vec<u8>> {
    let table = include_str!("../election/testdata/sync_rules.txt");
    let settings = table
        .lines()
        .filter_map(|line| line.strip_prefix("setting "));
    texts(&settings.collect::<Vec<_>>())
}

/// A rule reaches other nodes in a reign.
fn sync_rule(input: &[u8], see: See<'_>) {
    let Ok(Some(rule)) = SyncRule::parse(&text(input)) else {
        return;
    };
    comes_back(&rule, SyncRule::decode(&rule.encode()).ok(), see);
}

fn attempts(input: &[u8], see: See<'_>) {
    let attempts = Attempts::decode(&text(input));
    if attempts != Attempts::default() {
        comes_back(&attempts, Some(Attempts::decode(&attempts.encode())), see);
    }
    let _ = attempts.next("0/5000110", 1_795_000_060);
}

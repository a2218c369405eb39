//! What was thrown away of a node's WAL, for people and programs.

use serde_json::{Value, json};

use super::bytes::amount;
use crate::ocf::{Line, Style};
use crate::record::lost::Lost;
use crate::wal::transactions::Commits;

/// One loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// By what it is named.
    pub id: String,
    /// Where it is kept.
    pub folder: String,
    /// When it was thrown away, as logs have it.
    pub time: String,
    /// What it is.
    pub lost: Lost,
    /// The commits in it; why not, where they could not be counted.
    pub commits: Result<Commits, String>,
}

impl Loss {
    fn lines(&self) -> Vec<Line> {
        let Lost {
            by,
            timeline,
            fork,
            end,
            ..
        } = &self.lost;
        let bytes = self.lost.bytes();
        let mut lines = vec![
            Line::of(Style::Strong, format!("{}  {}", self.id, self.time)).and(
                Style::Plain,
                format!(
                    "  timeline {timeline} from {fork} to {end}: {bytes} bytes of WAL ({}), thrown away \
                     by a {}",
                    amount(bytes),
                    by.word()
                ),
            ),
        ];
        lines.push(match &self.commits {
            Ok(commits) => Line::plain(format!("    {}", words(commits))),
            Err(why) => Line::of(Style::Warn, format!("    commits cannot be counted: {why}")),
        });
        if !self.lost.is_whole {
            let text = "    only the newest part was kept, for want of time or room";
            lines.push(Line::of(Style::Warn, text));
        }
        lines.push(Line::of(Style::Faint, format!("    {}", self.folder)));
        lines
    }

    fn json(&self) -> Value {
        let commits = self.commits.as_ref().ok();
        json!({
            "id": self.id,
            "folder": self.folder,
            "at": self.lost.at,
            "by": self.lost.by.word(),
            "timeline": self.lost.timeline.as_u32(),
            "from": self.lost.fork.to_string(),
            "to": self.lost.end.to_string(),
            "bytes": self.lost.bytes(),
            "whole": self.lost.is_whole,
            "commits": commits.map(|commits| commits.count),
            "not_counted": self.commits.as_ref().err(),
            "first_commit": commits.and_then(|commits| commits.first.clone()),
            "last_commit": commits.and_then(|commits| commits.last.clone()),
        })
    }
}

fn words(commits: &Commits) -> String {
    match (&commits.first, &commits.last) {
        (Some(first), Some(last)) if commits.count > 1 => {
            format!("{} commits, from {first} to {last}", commits.count)
        }
        (Some(first), _) => format!("1 commit, of {first}"),
        _ => format!("{} commits", commits.count),
    }
}

/// For people.
pub fn lost_lines(losses: &[Loss]) -> Vec<Line> {
    if losses.is_empty() {
        let text = "Nothing that was thrown away is kept on this node.";
        return vec![Line::of(Style::Good, text)];
    }
    losses.iter().flat_map(Loss::lines).collect()
}

/// For programs.
pub fn lost_json(resource: &str, losses: &[Loss]) -> Value {
    json!({
        "schema": "pgsqlms.lost/1",
        "resource": resource,
        "lost": losses.iter().map(Loss::json).collect::<Vec<_>>(),
    })
}

#[test]
fn a_loss_is_told_in_words_and_to_programs() {
    use crate::record::lost::By;
    use crate::wal::{Lsn, Timeline};
    let mut loss = Loss {
        id: "100-2".to_owned(),
        folder: "/kept".to_owned(),
        time: "Nov 28 21:00:00".to_owned(),
        lost: Lost {
            by: By::Rewind,
            at: 100,
            timeline: Timeline::new(2).unwrap(),
            fork: Lsn::from(0x500_0000),
            end: Lsn::from(0x500_2078),
            segment_size: 1 << 24,
            is_whole: false,
        },
        commits: Ok(Commits {
            count: 2,
            first: Some("one".to_owned()),
            last: Some("two".to_owned()),
        }),
    };
    let text: Vec<_> = lost_lines(&[loss.clone()]).iter().map(Line::text).collect();
    assert_eq!(
        text,
        [
            "100-2  Nov 28 21:00:00  timeline 2 from 0/5000000 to 0/5002078: 8312 bytes of WAL (8.1 KiB), \
             thrown away by a rewind",
            "    2 commits, from one to two",
            "    only the newest part was kept, for want of time or room",
            "    /kept",
        ]
    );
    let document = lost_json("pgsqld", &[loss.clone()]);
    assert_eq!(document["lost"][0]["commits"], 2);
    loss.commits = Err("no".to_owned());
    assert_eq!(loss.json()["commits"], Value::Null);
    assert!(lost_lines(&[])[0].text().starts_with("Nothing"));
}

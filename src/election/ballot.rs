//! The election, held in every promotion. "Recovery of the same primary" is
//! no exception: Pacemaker's lists cannot tell it from a promotion that just
//! failed on that node.

use std::collections::BTreeMap;

use super::Vote;
use crate::ocf::notify::Nodes;
use crate::pacemaker::NodeName;

/// All that an election is decided by.
#[derive(Debug, Clone)]
pub struct Ballot {
    /// The node that Pacemaker asks to be promoted: this one.
    pub candidate: NodeName,
    /// The nodes that run after the transition's stops and starts.
    pub voters: Nodes,
    /// What they published, the candidate's own included.
    pub votes: BTreeMap<NodeName, Vote>,
    /// Start of the shutdown checkpoint of a primary that was stopped
    /// cleanly. A new primary must hold that record.
    pub floor: Option<Vote>,
    /// Has the bounded wait for mute voters run out?
    pub wait_over: bool,
}

/// What follows from a ballot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// These voters have not voted yet: look again.
    Wait(Nodes),
    /// Promote. The mute voters are named in a warning.
    Promote {
        /// Voters that never voted.
        mute: Nodes,
    },
    /// Another node holds more: let Pacemaker choose it.
    Yield {
        /// That node.
        to: NodeName,
        /// Why, with both positions.
        reason: String,
    },
    /// No node may be promoted here and now.
    Refuse(String),
}

/// Best position wins, a tie keeps the candidate.
pub fn elect(ballot: &Ballot) -> Verdict {
    let Some(own) = ballot.votes.get(&ballot.candidate).copied() else {
        return Verdict::Refuse("This node has not published its own position".to_owned());
    };
    let mute = mute(ballot);
    if !mute.is_empty() && !ballot.wait_over {
        return Verdict::Wait(mute);
    }
    if let Some((node, best)) = best(ballot) {
        if best > own {
            return Verdict::Yield {
                reason: format!("{node} holds {best}, this node only {own}: promotion aborted"),
                to: node,
            };
        }
    }
    match ballot.floor {
        Some(floor) if !holds(own, floor) => Verdict::Refuse(format!(
            "This node ends at {own}, before the shutdown of the old primary at {floor}"
        )),
        _ => Verdict::Promote { mute },
    }
}

fn mute(ballot: &Ballot) -> Nodes {
    let voted: Nodes = ballot.votes.keys().cloned().collect();
    &ballot.voters - &voted
}

/// The best vote of a voter; of equal ones the first by name.
fn best(ballot: &Ballot) -> Option<(NodeName, Vote)> {
    let votes = ballot.votes.iter();
    votes
        .filter(|(node, _)| ballot.voters.contains(*node))
        .map(|(node, vote)| (node.clone(), *vote))
        .reduce(|best, other| if other.1 > best.1 { other } else { best })
}

/// The record at `floor` is held by who ends beyond its start, and by every
/// later timeline that the cluster elected.
fn holds(position: Vote, floor: Vote) -> bool {
    position.timeline > floor.timeline
        || (position.timeline == floor.timeline && position.lsn > floor.lsn)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = include_str!("testdata/elections.txt");

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn ballot(line: &str) -> Ballot {
        let mut ballot = Ballot {
            candidate: node("n1"),
            voters: Nodes::new(),
            votes: BTreeMap::new(),
            floor: None,
            wait_over: false,
        };
        for word in line.split_whitespace() {
            match word.split_once('=') {
                None => ballot.wait_over = word == "waited",
                Some(("floor", vote)) => ballot.floor = Some(vote.parse().unwrap()),
                Some((name, vote)) => {
                    let gone = name.strip_prefix('!');
                    let name = node(gone.unwrap_or(name));
                    if gone.is_none() {
                        ballot.voters.insert(name.clone());
                    }
                    if vote != "mute" {
                        ballot.votes.insert(name, vote.parse().unwrap());
                    }
                }
            }
        }
        ballot
    }

    fn outcome(verdict: &Verdict) -> String {
        let names = |nodes: &Nodes| {
            let names: Vec<_> = nodes.iter().map(NodeName::as_str).collect();
            names.join(" ")
        };
        match verdict {
            Verdict::Wait(nodes) => format!("wait {}", names(nodes)),
            Verdict::Promote { mute } => format!("promote {}", names(mute)),
            Verdict::Yield { to, .. } => format!("yield {to}"),
            Verdict::Refuse(_) => "refuse".to_owned(),
        }
        .trim()
        .to_owned()
    }

    #[test]
    fn every_row_of_the_table_holds() {
        let rows = TABLE
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let mut seen = 0;
        for row in rows {
            let (left, right) = row.split_once('|').unwrap();
            assert_eq!(outcome(&elect(&ballot(left))), right.trim(), "{row}");
            seen += 1;
        }
        assert!(seen >= 12, "only {seen} rows");
    }
}

//! Asks whom Pacemaker may promote: only once another node than the candidate holds more,
//! so never where a promotion goes as usual.

use std::collections::BTreeMap;

use super::foreign_scores;
use crate::election::{Ballot, Bar, Choice};
use crate::ocf::NodeName;
use crate::pacemaker::{Cluster, ToolError};
use crate::record::note;
use crate::system::Notes;

/// The nodes that Pacemaker may not promote. Where it cannot be asked there is none: then
/// this node gives way, as to any other.
pub fn look(cluster: &dyn Cluster, notes: &Notes, ballot: &Ballot) -> BTreeMap<NodeName, Bar> {
    let choice = choice(cluster, notes, ballot);
    choice
        .map(|choice| choice.barred())
        .unwrap_or_else(|error| {
            log::warn!("Cannot tell which nodes Pacemaker may promote: {error}");
            BTreeMap::new()
        })
}

fn choice(cluster: &dyn Cluster, notes: &Notes, ballot: &Ballot) -> Result<Choice, ToolError> {
    let resource = cluster.resource();
    Ok(Choice {
        resource: resource.to_owned(),
        of_pacemaker: cluster.promotion_scores()?,
        stored: ballot.scores.clone(),
        foreign: foreign_scores::look(cluster)?,
        constraints: cluster.constraints()?,
        yielded_to: yielded_to(notes, ballot.term()),
    })
}

/// Remembers to whom this node gives way in this term.
pub fn note_yield(notes: &Notes, ballot: &Ballot, to: &NodeName) {
    notes.write(&note::YIELDED, &line(ballot.term(), to));
}

fn yielded_to(notes: &Notes, term: u64) -> Option<NodeName> {
    let noted = notes.read(&note::YIELDED)?;
    let (noted_term, node) = noted.split_once(' ')?;
    let node = NodeName::new(node)?;
    (noted_term == term.to_string()).then_some(node)
}

fn line(term: u64, to: &NodeName) -> String {
    format!("{term} {to}")
}

//! Asks whom Pacemaker may promote: only once another node than the candidate holds more,
//! so never where a promotion goes as usual.

use std::time::Duration;

use super::foreign_scores;
use crate::election::scores::Yielded;
use crate::election::{Ballot, Choice};
use crate::ocf::NodeName;
use crate::pacemaker::{Cluster, ToolError};
use crate::record::note;
use crate::system::{Notes, clock};

/// Adds to a ballot whom Pacemaker may not promote, and whom it prefers. Where it cannot be asked
/// there is neither: then this node gives way, as to any other.
pub fn look(cluster: &dyn Cluster, notes: &Notes, ballot: &mut Ballot) {
    match choice(cluster, notes, ballot) {
        Ok(choice) => {
            ballot.barred = choice.barred();
            ballot.added = choice.added();
        }
        Err(error) => log::warn!("Cannot tell which nodes Pacemaker may promote: {error}"),
    }
}

fn choice(cluster: &dyn Cluster, notes: &Notes, ballot: &Ballot) -> Result<Choice, ToolError> {
    let resource = cluster.resource();
    Ok(Choice {
        resource: resource.to_owned(),
        of_pacemaker: cluster.promotion_scores()?,
        stored: ballot.scores.clone(),
        foreign: foreign_scores::look(cluster)?,
        constraints: cluster.constraints()?,
        yielded_to: yielded(notes, ballot.term()).map(|yielded| yielded.to),
    })
}

/// Remembers to whom this node gives way in this term.
pub fn note_yield(notes: &Notes, ballot: &Ballot, to: &NodeName) {
    let now = clock::since_epoch().as_secs();
    notes.write(&note::YIELDED, &format!("{} {to} {now}", ballot.term()));
}

/// To whom this node gave way last, if that was in this term.
pub fn yielded(notes: &Notes, term: u64) -> Option<Yielded> {
    let noted = notes.read(&note::YIELDED)?;
    let mut words = noted.split(' ');
    words.next().filter(|noted| *noted == term.to_string())?;
    let to = NodeName::new(words.next()?)?;
    let since = Duration::from_secs(words.next()?.parse().ok()?);
    Some(Yielded { to, since })
}

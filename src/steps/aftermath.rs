//! What an election leaves to do and nobody waits for: the address of the new primary waits for
//! post-promote on all nodes, so that notes it down, and a monitor does it.

use super::{fencing, shutdown, vote};
use crate::pacemaker::{Cluster, ToolError};
use crate::record::note::AFTERMATH;
use crate::system::{Notes, clock};

/// How long (seconds) it is put off: the first monitor of a new primary comes with its address.
const LATER: u64 = 5;

/// The word of the node that was to be promoted, in the note.
const WINNER: &str = "promoted";
const VOTER: &str = "voted";

/// In post-promote: this node's vote is over, and was perhaps for itself.
pub fn put_off(cluster: &dyn Cluster, notes: &Notes, is_winner: bool) -> Result<(), ToolError> {
    let word = if is_winner { WINNER } else { VOTER };
    let now = clock::since_epoch().as_secs();
    if notes.write(&AFTERMATH, &format!("{now} {word}")) {
        return Ok(());
    }
    vote::withdraw(cluster)
}

/// In a probe or after a stop, where PostgreSQL does not run: this node tells what it has seen of
/// elections, for as long as it cannot vote.
pub fn testify(cluster: &dyn Cluster, notes: &Notes) {
    if vote::testify_of_ledger(cluster) {
        let now = clock::since_epoch().as_secs();
        notes.write(&AFTERMATH, &format!("{now} {VOTER}"));
    }
}

/// Before another vote, which takes the place of the one that was to be taken back.
pub fn forget(notes: &Notes) {
    notes.forget(&AFTERMATH);
}

/// In a monitor: copies the shutdown checkpoint that this node voted with, takes the vote back, and
/// looks on a new primary whether the cluster has fencing.
///
/// Until then the vote stays. It counts for no later election, where this node votes anew; and for
/// another attempt at the same one it is what it was, the least that this node holds.
pub fn attend(cluster: &dyn Cluster, notes: &Notes) {
    let Some(note) = notes.read(&AFTERMATH) else {
        return;
    };
    let (since, word) = note.split_once(' ').unwrap_or((&note, VOTER));
    let since = since.parse().unwrap_or(0);
    // A clock that was set back says nothing.
    let age = clock::since_epoch().as_secs().checked_sub(since);
    if age.is_some_and(|age| age < LATER) {
        return;
    }
    if let Err(error) = shutdown::copy_known(cluster) {
        log::warn!("Cannot copy the shutdown checkpoint of the last primary: {error}");
        return;
    }
    if let Err(error) = vote::withdraw(cluster) {
        log::warn!("Cannot take back the vote of the last election: {error}");
        return;
    }
    forget(notes);
    if word == WINNER {
        fencing::warn_if_disabled(cluster);
    }
}

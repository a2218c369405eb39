//! This node's vote: cast in pre-promote, and taken back a while after the election.

use std::collections::BTreeMap;

use super::evidence::{self, Known, LEDGER};
use super::position::{self, Held};
use crate::election::Unreadable;
use crate::ocf::notify::Transition;
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::reign::Stage;
use crate::record::{Fresh, ShutdownCheckpoint, Testimony, Vote};
use crate::wal::Place;

/// Publishes what this standby holds, and what it has seen of elections. A node that cannot
/// vote leaves no older vote behind, and tells what it has seen.
///
/// Before that it notes on its disk who is the candidate: from its vote on the candidate may
/// become primary, and if that goes together with the record of it, this node knows that it
/// may have been. And where the primary was stopped before that, for the same reason.
pub fn cast(
    server: &dyn Server,
    cluster: &dyn Cluster,
    transition: &Transition,
    deadline: Deadline,
) -> Result<(), Failure> {
    let resource = cluster.resource();
    let shutdown = ShutdownCheckpoint::NAME.of(resource);
    cluster.ask_ahead(&[&shutdown]);
    let demoted = transition.demote.contains(&cluster.node()?);
    let follower = (!demoted).then(|| follower_holds(server, deadline));
    let (permanent, published) = cluster.permanent_and_of_members(&[&shutdown])?;
    let mut known = Known::gather(server, cluster, &permanent)?;
    let held = follower.unwrap_or_else(|| demoted_holds(server, &known, deadline));
    let held = match held {
        Ok(held) => held,
        Err(failure) => {
            promise(&mut known, transition, None);
            known.keep(cluster);
            withdraw(cluster)?;
            let told = Testimony {
                ledger_is_unreadable: cannot_read_its_ledger(&known),
                seen: known.all,
            };
            testify(cluster, &told);
            return Err(failure);
        }
    };
    let stopped = published.first();
    let stopped = stopped.and_then(|published| stopped_by(transition, &known.node, published));
    if let Some(Ok(checkpoint)) = stopped.map(ShutdownCheckpoint::decode) {
        known.all.add_checkpoint(checkpoint);
    }
    promise(&mut known, transition, held.damaged_until);
    known.keep(cluster);
    publish(cluster, &vote_of(known, held))
}

/// The shutdown checkpoint of another node that this transition demotes.
fn stopped_by<'a>(
    transition: &Transition,
    own: &NodeName,
    published: &'a BTreeMap<NodeName, String>,
) -> Option<&'a str> {
    let is_other = |node: &NodeName| transition.demote.contains(node) && node != own;
    ShutdownCheckpoint::to_copy(published.iter(), is_other)
}

fn promise(known: &mut Known, transition: &Transition, damaged_until: Option<Place>) {
    let term = known.all.last_term();
    if let Some(until) = damaged_until {
        known.fresh = Some(Fresh::lacking(known.fresh, term, until));
    }
    for candidate in &transition.promote {
        known.all.promise(candidate, term.saturating_add(1));
    }
}

fn cannot_read_its_ledger(known: &Known) -> bool {
    let own = Unreadable {
        node: known.node.clone(),
        what: LEDGER,
    };
    known.unreadable.contains(&own)
}

fn vote_of(known: Known, held: Held) -> Vote {
    Vote {
        ledger_is_unreadable: cannot_read_its_ledger(&known),
        fresh: known.fresh,
        last_commit_age: held.last_commit_age,
        ..Vote::cast(held.position, known.all, known.data)
    }
}

fn publish(cluster: &dyn Cluster, vote: &Vote) -> Result<(), Failure> {
    let (timeline, lsn) = (vote.position.timeline, vote.position.lsn);
    log::info!("This node votes: timeline {timeline} at {lsn}");
    let (own, shared) = (vote.encode(), vote.encode_paf());
    let [name, paf_name] = [Vote::NAME, Vote::PAF_NAME].map(|name| name.of(cluster.resource()));
    Ok(cluster.set_private_each(&[(&name, &own), (&paf_name, &shared)])?)
}

fn follower_holds(server: &dyn Server, deadline: Deadline) -> Result<Held, Failure> {
    position::of_standby(server, position::LONGEST_REPLAY, deadline)
}

/// That a primary which was demoted just now is up as a standby is not waited for: clients are.
fn demoted_holds(server: &dyn Server, known: &Known, deadline: Deadline) -> Result<Held, Failure> {
    let checkpoints = known.all.checkpoints();
    let own = checkpoints.iter().rfind(|one| one.node == known.node);
    let own = own.filter(|own| is_last_end(known, own));
    match own.and_then(|own| position::of_demoted(server, own, deadline)) {
        Some(position) => Ok(Held::of(position)),
        None => follower_holds(server, deadline),
    }
}

/// Whether this node was not primary again since: then it holds more, although its control file may
/// show this checkpoint as the latest until the first one of that reign is complete.
fn is_last_end(known: &Known, stopped: &ShutdownCheckpoint) -> bool {
    let won = [Stage::Claimed, Stage::Opened];
    let won = won.map(|stage| known.all.of_node(&known.node, stage));
    let last = won.iter().flatten().map(|reign| reign.term).max();
    stopped.term == Some(last.unwrap_or(0))
}

/// Where PostgreSQL does not run, nobody asks this node for its vote: it tells unasked what its
/// ledger has. Whether it has told anything.
pub fn testify_of_ledger(cluster: &dyn Cluster) -> bool {
    if matches!(cluster.ledger(), Ok(None)) {
        return false;
    }
    // Nobody counts on the ledger of a node that does not vote: one that cannot be read is said in
    // the log alone.
    let seen = cluster
        .node()
        .map(|node| evidence::of_ledger(cluster, &node));
    let told = seen.map(|seen| Testimony {
        seen,
        ledger_is_unreadable: false,
    });
    // A vote in PAF's form would count in the place of the one that gives way: nothing in it says of
    // which election it is.
    let shared = Vote::PAF_NAME.of(cluster.resource());
    if let Err(error) = cluster.delete_private(&shared) {
        log::warn!("Cannot take back the vote of the last election: {error}");
        return false;
    }
    told.is_ok_and(|told| testify(cluster, &told))
}

/// Tells what this node has seen of elections, and nothing of what it holds. What keeps it from that
/// is said, and hides no other failure.
fn testify(cluster: &dyn Cluster, told: &Testimony) -> bool {
    let Some(line) = told.encode() else {
        return false;
    };
    let name = Vote::NAME.of(cluster.resource());
    let set = cluster.set_private_each(&[(&name, &line)]);
    if let Err(error) = &set {
        log::warn!("Cannot tell the cluster what this node has seen of elections: {error}");
    }
    set.is_ok()
}

/// Takes the vote back, in both forms at once: the address of a new primary waits for it.
pub fn withdraw(cluster: &dyn Cluster) -> Result<(), ToolError> {
    let resource = cluster.resource();
    let (own, shared) = (Vote::NAME.of(resource), Vote::PAF_NAME.of(resource));
    cluster.delete_private_each(&[&shared, &own])
}

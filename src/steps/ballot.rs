//! Gathers what elections are decided by: votes, shutdown checkpoints, reigns, scores.

use std::collections::BTreeMap;

use super::evidence::{Known, LEDGER};
use crate::election::{Ballot, Unreadable};
use crate::ocf::NodeName;
use crate::ocf::notify::Transition;
use crate::pacemaker::{Cluster, Permanent, ToolError};
use crate::postgres::Server;
use crate::record::name::Name;
use crate::record::{FieldError, Force, ShutdownCheckpoint, SyncRule, Testimony, Vote};
use crate::wal::Position;

/// Who stands for election, and with what.
pub struct Candidacy<'a> {
    /// The standby.
    pub server: &'a dyn Server,
    /// Its cluster.
    pub cluster: &'a dyn Cluster,
    /// What it holds, from its own files.
    pub held: &'a Position,
    /// The transition that wants it promoted.
    pub transition: &'a Transition,
}

/// What the nodes publish for an election, in the order of `Published`.
const ASKED_FOR: [Name; 4] = [
    Vote::PAF_NAME,
    Vote::NAME,
    ShutdownCheckpoint::NAME,
    ShutdownCheckpoint::COPY_NAME,
];

type OfNodes = BTreeMap<NodeName, String>;

/// The private attributes of all members.
#[derive(Default)]
struct Published {
    shared_votes: OfNodes,
    votes: OfNodes,
    checkpoints: OfNodes,
    copies: OfNodes,
}

impl Published {
    fn of(values: Vec<OfNodes>) -> Self {
        let mut values = values.into_iter();
        let mut next = || values.next().unwrap_or_default();
        Self {
            shared_votes: next(),
            votes: next(),
            checkpoints: next(),
            copies: next(),
        }
    }
}

/// The facts of this promotion as this node sees them now, and what of them it knew before
/// the votes came.
pub fn gather(candidacy: &Candidacy<'_>) -> Result<(Ballot, Known), ToolError> {
    let Candidacy {
        server,
        cluster,
        held,
        transition,
    } = *candidacy;
    let resource = cluster.resource();
    let names = ASKED_FOR.map(|name| name.of(resource));
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let (permanent, published) = cluster.permanent_and_of_members(&names)?;
    let published = Published::of(published);
    let mut known = Known::gather(server, cluster, &permanent)?;
    let mut ballot = Ballot::new(known.node.clone());
    ballot.voters.extend(transition.active_after());
    ballot.scores = permanent.scores(resource);
    ballot.known_nodes.extend(permanent.nodes());
    ballot.forces = forces(resource, &permanent);
    ballot.sync_guard = server.parameters().sync_guard;
    ballot.max_loss = server.parameters().maxloss;
    ballot.demoted = demoted(cluster, &known.node, transition)?;
    ballot.unreadable.append(&mut known.unreadable);
    votes(&published, &mut ballot);
    for checkpoint in shutdown_checkpoints(&published, &mut ballot) {
        known.all.add_checkpoint(checkpoint);
    }
    let voters = ballot.voters.clone();
    let votes = ballot.votes.iter();
    let seen = votes.filter(|(node, _)| voters.contains(*node));
    seen.for_each(|(_, vote)| known.all.merge(vote.seen.clone()));
    let told = ballot.told().cloned();
    told.for_each(|seen| known.all.merge(seen));
    let published = ballot.votes.get(&known.node);
    let own = Vote {
        fresh: known.fresh,
        last_commit_age: published.and_then(|vote| vote.last_commit_age),
        ..Vote::cast(held.clone(), known.all.clone(), known.data.clone())
    };
    ballot.votes.insert(known.node.clone(), own);
    ballot.count_evidence(&known.published, &known.all);
    Ok((ballot, known))
}

/// A fenced node is listed as well, but is no member any more.
fn demoted(
    cluster: &dyn Cluster,
    candidate: &NodeName,
    transition: &Transition,
) -> Result<Option<NodeName>, ToolError> {
    let mut others = transition.demote.iter().filter(|node| *node != candidate);
    let Some(node) = others.next() else {
        return Ok(None);
    };
    Ok(cluster.members()?.contains(node).then(|| node.clone()))
}

/// Whom an admin forces. What cannot be read forces nothing.
pub fn forces(resource: &str, permanent: &Permanent) -> BTreeMap<NodeName, Force> {
    let published = permanent.values(&Force::NAME.of(resource)).into_iter();
    let readable = published.filter_map(|(node, text)| Some((node, Force::decode(text).ok()?)));
    readable.collect()
}

/// All nodes' votes; of a node on PAF its form. One of this agent's that cannot be read may
/// be of a later version, and the best.
fn votes(published: &Published, ballot: &mut Ballot) {
    for (node, text) in &published.shared_votes {
        match Vote::decode_paf(text) {
            Ok(vote) => drop(ballot.votes.insert(node.clone(), vote)),
            Err(error) => {
                log::warn!("Ignoring the vote of {node}, which cannot be read: {error}");
            }
        }
    }
    for (node, text) in &published.votes {
        match Testimony::decode(text) {
            Some(Ok(told)) => {
                note_unreadable_ledger(ballot, node, told.ledger_is_unreadable);
                ballot.witnesses.insert(node.clone(), told.seen);
            }
            Some(Err(error)) => unreadable(ballot, node.clone(), "testimony", &error),
            None => vote(ballot, node, text),
        }
    }
}

fn vote(ballot: &mut Ballot, node: &NodeName, text: &str) {
    match Vote::decode(text) {
        Ok(vote) => {
            note_unreadable_ledger(ballot, node, vote.ledger_is_unreadable);
            ballot.votes.insert(node.clone(), vote);
        }
        Err(error) if ballot.voters.contains(node) => {
            unreadable(ballot, node.clone(), "vote", &error);
        }
        Err(_) => {}
    }
}

/// A voter that cannot read its own ledger knows more than it tells: it may be what decides.
fn note_unreadable_ledger(ballot: &mut Ballot, node: &NodeName, is_unreadable: bool) {
    if is_unreadable && ballot.voters.contains(node) {
        let (node, what) = (node.clone(), LEDGER);
        ballot.unreadable.insert(Unreadable { node, what });
    }
}

fn shutdown_checkpoints(published: &Published, ballot: &mut Ballot) -> Vec<ShutdownCheckpoint> {
    let mut checkpoints = Vec::new();
    for (node, text) in published.checkpoints.iter().chain(&published.copies) {
        match ShutdownCheckpoint::decode(text) {
            Ok(checkpoint) => checkpoints.push(checkpoint),
            Err(error) => unreadable(ballot, node.clone(), "shutdown checkpoint", &error),
        }
    }
    checkpoints
}

fn unreadable(ballot: &mut Ballot, node: NodeName, what: &'static str, error: &FieldError) {
    log::error!("The {what} of {node} cannot be read: {error}");
    ballot.unreadable.insert(Unreadable { node, what });
}

/// The rule by which a primary confirms commits. A setting that the agent cannot read is
/// one that the server could not read either: it is logged, and none.
pub fn sync_rule(setting: &str) -> Option<SyncRule> {
    SyncRule::parse(setting).unwrap_or_else(|error| {
        log::warn!("synchronous_standby_names: {error}");
        None
    })
}

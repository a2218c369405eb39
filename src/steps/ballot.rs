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
const ASKED_FOR: [Name; 3] = [
    Vote::NAME,
    ShutdownCheckpoint::NAME,
    ShutdownCheckpoint::COPY_NAME,
];

type OfNodes = BTreeMap<NodeName, String>;

/// The private attributes of all members.
#[derive(Default)]
struct Published {
    votes: OfNodes,
    checkpoints: OfNodes,
    copies: OfNodes,
}

impl Published {
    fn of(values: Vec<OfNodes>) -> Self {
        let mut values = values.into_iter();
        let mut next = || values.next().unwrap_or_default();
        Self {
            votes: next(),
            checkpoints: next(),
            copies: next(),
        }
    }
}

/// Begins to ask for what the first `gather` needs, which is done while this node is looked at.
pub fn ask_ahead(cluster: &dyn Cluster) {
    let names = names(cluster);
    cluster.ask_ahead(&names.each_ref().map(String::as_str));
}

fn names(cluster: &dyn Cluster) -> [String; 3] {
    ASKED_FOR.map(|name| name.of(cluster.resource()))
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
    let names = names(cluster);
    let names = names.each_ref().map(String::as_str);
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
    ballot.demoted = demoted((cluster, &published), &known.node, transition)?;
    ballot.unreadable.append(&mut known.unreadable);
    votes(&published, &mut ballot);
    votes_of_paf(cluster, &mut ballot)?;
    for checkpoint in shutdown_checkpoints(&published, &mut ballot) {
        known.all.add_checkpoint(checkpoint);
    }
    merge_what_others_have_seen(&ballot, &mut known);
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

/// Those count that take part, and those that tell without a vote.
fn merge_what_others_have_seen(ballot: &Ballot, known: &mut Known) {
    let votes = ballot.votes.iter();
    let seen = votes.filter(|(node, _)| ballot.voters.contains(*node));
    seen.for_each(|(_, vote)| known.all.merge(vote.seen.clone()));
    let told = ballot.told().cloned();
    told.for_each(|seen| known.all.merge(seen));
}

/// A fenced node is listed as well, but is no member any more. Private attributes go with their
/// node, so one that has any is a member.
fn demoted(
    (cluster, published): (&dyn Cluster, &Published),
    candidate: &NodeName,
    transition: &Transition,
) -> Result<Option<NodeName>, ToolError> {
    let mut others = transition.demote.iter().filter(|node| *node != candidate);
    let Some(node) = others.next() else {
        return Ok(None);
    };
    let is_there = published.votes.contains_key(node) || published.checkpoints.contains_key(node);
    let is_member = is_there || cluster.members()?.contains(node);
    Ok(is_member.then(|| node.clone()))
}

/// Whom an admin forces. What cannot be read forces nothing.
pub fn forces(resource: &str, permanent: &Permanent) -> BTreeMap<NodeName, Force> {
    let published = permanent.values(&Force::NAME.of(resource)).into_iter();
    let readable = published.filter_map(|(node, text)| Some((node, Force::decode(text).ok()?)));
    readable.collect()
}

/// The votes in PAF's form of those that have no other, which are asked for only then.
fn votes_of_paf(cluster: &dyn Cluster, ballot: &mut Ballot) -> Result<(), ToolError> {
    let has_voted = |node| ballot.votes.contains_key(node);
    if ballot.voters.iter().all(has_voted) {
        return Ok(());
    }
    let name = Vote::PAF_NAME.of(cluster.resource());
    for (node, text) in cluster.of_members(&name)? {
        if ballot.votes.contains_key(&node) {
            continue;
        }
        match Vote::decode_paf(&text) {
            Ok(vote) => drop(ballot.votes.insert(node, vote)),
            Err(error) => {
                log::warn!("Ignoring the vote of {node}, which cannot be read: {error}");
            }
        }
    }
    Ok(())
}

/// All nodes' votes. One that cannot be read may be of a later version, and the best.
fn votes(published: &Published, ballot: &mut Ballot) {
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

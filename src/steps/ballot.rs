//! Gathers what elections are decided by: votes, shutdown checkpoints, reigns, scores.

use std::collections::{BTreeMap, BTreeSet};

use crate::election::Ballot;
use crate::ocf::NodeName;
use crate::ocf::notify::Transition;
use crate::pacemaker::{Cluster, Permanent, ToolError};
use crate::record::{FieldError, Force, Reign, ShutdownCheckpoint, SyncRule, Vote};
use crate::wal::Position;

/// Who stands for election, and under which rule.
pub struct Candidacy<'a> {
    /// This node.
    pub node: &'a NodeName,
    /// What it holds, from its own files.
    pub held: &'a Position,
    /// The transition that wants it promoted.
    pub transition: &'a Transition,
    /// Parameter `sync_guard`.
    pub sync_guard: bool,
}

/// The facts of this promotion as this node sees them now.
pub fn gather(cluster: &dyn Cluster, candidacy: &Candidacy<'_>) -> Result<Ballot, ToolError> {
    let Candidacy {
        node,
        held,
        transition,
        sync_guard,
    } = *candidacy;
    let resource = cluster.resource();
    let permanent = cluster.permanent()?;
    let mut ballot = Ballot::new(node.clone());
    ballot.voters.extend(transition.active_after());
    ballot.scores = permanent.scores(resource);
    ballot.reigns = reigns(resource, &permanent);
    ballot.known_nodes.extend(permanent.nodes());
    let forces = permanent.values(&Force::NAME.of(resource));
    ballot.force = Force::of_timeline(forces.into_values(), held.timeline);
    ballot.sync_guard = sync_guard;
    ballot.demoted = demoted(cluster, node, transition)?;
    ballot.shutdown_checkpoints = shutdown_checkpoints(cluster)?;
    ballot.votes = votes(cluster)?;
    let published = ballot.votes.get(node);
    let age = published.and_then(|vote| vote.last_commit_age);
    let own = Vote::cast(held.clone(), &ballot.reigns, age);
    ballot.votes.insert(node.clone(), own);
    Ok(ballot)
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

/// All nodes' votes; of a node on PAF its form.
fn votes(cluster: &dyn Cluster) -> Result<BTreeMap<NodeName, Vote>, ToolError> {
    let resource = cluster.resource();
    let shared = cluster.of_members(&Vote::PAF_NAME.of(resource))?;
    let own = cluster.of_members(&Vote::NAME.of(resource))?;
    let mut votes = decoded(shared, "vote", |_, text| Vote::decode_paf(text));
    votes.extend(decoded(own, "vote", |_, text| Vote::decode(text)));
    Ok(votes)
}

fn shutdown_checkpoints(cluster: &dyn Cluster) -> Result<BTreeSet<ShutdownCheckpoint>, ToolError> {
    let mut checkpoints = BTreeSet::new();
    for name in [ShutdownCheckpoint::NAME, ShutdownCheckpoint::COPY_NAME] {
        let published = cluster.of_members(&name.of(cluster.resource()))?;
        let decode = |_: &NodeName, text: &str| ShutdownCheckpoint::decode(text);
        checkpoints.extend(decoded(published, "shutdown checkpoint", decode).into_values());
    }
    Ok(checkpoints)
}

/// The claims and reigns of all nodes, present or not.
pub fn reigns(resource: &str, permanent: &Permanent) -> Vec<Reign> {
    let names = [Reign::CLAIM_NAME.of(resource), Reign::NAME.of(resource)];
    let read = |name: &String| {
        let reign = |node: &NodeName, text: &str| Reign::decode(node.clone(), text);
        decoded(permanent.values(name), "reign", reign).into_values()
    };
    names.iter().flat_map(read).collect()
}

/// The reign that the monitor of one node published last.
pub fn reign_of(resource: &str, permanent: &Permanent, node: &NodeName) -> Option<Reign> {
    let published = permanent.values(&Reign::NAME.of(resource));
    Reign::decode(node.clone(), published.get(node)?).ok()
}

/// The rule by which a primary confirms commits. A setting that the agent cannot read is
/// one that the server could not read either: it is logged, and none.
pub fn sync_rule(setting: &str) -> Option<SyncRule> {
    SyncRule::parse(setting).unwrap_or_else(|error| {
        log::warn!("synchronous_standby_names: {error}");
        None
    })
}

/// Attributes are written by others: one that cannot be read is named and counts as
/// none.
fn decoded<V: AsRef<str>, T>(
    published: BTreeMap<NodeName, V>,
    what: &str,
    decode: impl Fn(&NodeName, &str) -> Result<T, FieldError>,
) -> BTreeMap<NodeName, T> {
    let decoded =
        published
            .into_iter()
            .filter_map(|(node, value)| match decode(&node, value.as_ref()) {
                Ok(value) => Some((node, value)),
                Err(error) => {
                    log::warn!("Ignoring the {what} of {node}, which cannot be read: {error}");
                    None
                }
            });
    decoded.collect()
}

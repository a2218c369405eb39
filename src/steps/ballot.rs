//! Gathers what elections are decided by: votes, floors, reigns, scores.

use std::collections::{BTreeMap, BTreeSet};

use super::Call;
use crate::election::Ballot;
use crate::ocf::NodeName;
use crate::ocf::notify::Transition;
use crate::pacemaker::tool::ToolError;
use crate::pacemaker::{Permanent, attributes, membership};
use crate::record::{FieldError, Floor, Force, Reign, SyncRule, Vote};
use crate::wal::Position;

/// The facts of this promotion as this node sees them now.
pub fn ballot(
    call: &Call,
    candidate: &NodeName,
    own: &Position,
    transition: &Transition,
) -> Result<Ballot, ToolError> {
    let resource = &call.request.resource;
    let permanent = Permanent::read(&call.tools)?;
    let mut ballot = Ballot::new(candidate.clone());
    ballot.voters.extend(transition.active_after());
    ballot.scores = permanent.scores(resource);
    ballot.reigns = reigns(call, &permanent);
    ballot.known_nodes.extend(permanent.nodes());
    let forces = permanent.values(&Force::attribute(resource));
    ballot.force = Force::of_timeline(forces.into_values(), own.timeline);
    ballot.sync_guard = call.parameters.sync_guard;
    ballot.demoted = demoted(call, candidate, transition)?;
    ballot.floors = floors(call)?;
    ballot.votes = votes(call)?;
    let published = ballot.votes.get(candidate);
    let own = Vote {
        position: own.clone(),
        term: Some(ballot.term()),
        ends_with_shutdown: None,
        last_commit_age_s: published.and_then(|vote| vote.last_commit_age_s),
    };
    ballot.votes.insert(candidate.clone(), own);
    Ok(ballot)
}

/// A fenced node is listed as well, but is no member any more.
fn demoted(
    call: &Call,
    candidate: &NodeName,
    transition: &Transition,
) -> Result<Option<NodeName>, ToolError> {
    let mut others = transition.demote.iter().filter(|node| *node != candidate);
    let Some(node) = others.next() else {
        return Ok(None);
    };
    let members = membership::partition(&call.tools)?;
    Ok(members.contains(node).then(|| node.clone()))
}

/// All nodes' votes; of a node on the Perl agent its shared form.
fn votes(call: &Call) -> Result<BTreeMap<NodeName, Vote>, ToolError> {
    let resource = &call.request.resource;
    let shared = attributes::of_all_nodes(&call.tools, &Vote::shared_attribute(resource))?;
    let own = attributes::of_all_nodes(&call.tools, &Vote::attribute(resource))?;
    let mut votes = decoded(shared, "vote", |_, text| Vote::decode_shared(text));
    votes.extend(decoded(own, "vote", |_, text| Vote::decode(text)));
    Ok(votes)
}

fn floors(call: &Call) -> Result<BTreeSet<Floor>, ToolError> {
    let resource = &call.request.resource;
    let mut floors = BTreeSet::new();
    for name in [Floor::attribute(resource), Floor::copy_attribute(resource)] {
        let published = attributes::of_all_nodes(&call.tools, &name)?;
        floors.extend(decoded(published, "floor", |_, text| Floor::decode(text)).into_values());
    }
    Ok(floors)
}

/// The claims and reigns of all nodes, present or not.
pub fn reigns(call: &Call, permanent: &Permanent) -> Vec<Reign> {
    let resource = &call.request.resource;
    let names = [Reign::claim_attribute(resource), Reign::attribute(resource)];
    let read = |name: &String| {
        let reign = |node: &NodeName, text: &str| Reign::decode(node.clone(), text);
        decoded(permanent.values(name), "reign", reign).into_values()
    };
    names.iter().flat_map(read).collect()
}

/// The reign that the monitor of one node published last.
pub fn reign_of(call: &Call, permanent: &Permanent, node: &NodeName) -> Option<Reign> {
    let published = permanent.values(&Reign::attribute(&call.request.resource));
    Reign::decode(node.clone(), published.get(node)?).ok()
}

/// The rule by which a primary confirms commits. A setting that we cannot
/// read is one that the server could not either, so it is logged and none.
pub fn sync_rule(setting: &str) -> Option<SyncRule> {
    SyncRule::parse(setting).unwrap_or_else(|error| {
        log::warn!("synchronous_standby_names: {error}");
        None
    })
}

/// Attributes are written by others: one that cannot be read is named and
/// counts as none.
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
                    log::warn!("The {what} of {node} is unreadable and does not count: {error}");
                    None
                }
            });
    decoded.collect()
}

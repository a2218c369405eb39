//! What comes of an election where it is not known what a standby holds: it is not connected to the
//! primary. It holds at least what every standby of the branch holds, and at most what the primary
//! has written; whoever wins in either case may win.

use std::collections::{BTreeMap, BTreeSet};

use super::fate::{Fate, Positions};
use super::held::Held;
use super::seen::Seen;
use crate::ocf::NodeName;
use crate::wal::Position;

/// `least`: the outcome where each of them holds the least. `with` holds the election again on other
/// positions.
pub fn consider(
    seen: &Seen,
    least: Fate,
    (voters, held): Positions<'_>,
    with: impl Fn(&BTreeMap<NodeName, Held>) -> Fate,
) -> Fate {
    let local = seen.local.as_ref();
    let Some(most) = local.and_then(|local| local.position.as_ref()) else {
        return least;
    };
    let assumed = voters.iter().filter(|node| is_assumed(held, node));
    let assumed: Vec<_> = assumed.collect();
    let raised = assumed.iter().map(|node| {
        let fate = with(&raised(held, node, most));
        ((*node).clone(), fate)
    });
    raised.fold(least, |fate, (node, other)| merged(fate, &node, other))
}

/// Two that are not connected: what they are taken for is the same, and says nothing of which
/// holds more.
pub fn undecided(fate: &Fate, (voters, held): Positions<'_>) -> Option<Fate> {
    let Fate::Promotes { node, .. } = fate else {
        return None;
    };
    let mut others = voters.iter().filter(|other| *other != node);
    let other = others.find(|other| is_assumed(held, other) && is_assumed(held, node))?;
    Some(Fate::Unknown(format!(
        "neither {node} nor {other} is connected to the primary: which of them holds more is not \
         known here"
    )))
}

fn is_assumed(held: &BTreeMap<NodeName, Held>, node: &NodeName) -> bool {
    held.get(node).is_some_and(|held| held.is_assumed)
}

/// As if the node held all that the primary has written.
fn raised(
    held: &BTreeMap<NodeName, Held>,
    node: &NodeName,
    most: &Position,
) -> BTreeMap<NodeName, Held> {
    let mut held = held.clone();
    let most = Held {
        position: most.clone(),
        is_assumed: true,
    };
    held.insert(node.clone(), most);
    held
}

/// What is known of the outcome, if `fate` is what it is with the least, and `other` with the most.
fn merged(mut fate: Fate, node: &NodeName, other: Fate) -> Fate {
    match (&mut fate, other) {
        (Fate::Promotes { node, instead, .. }, Fate::Promotes { node: other, .. }) => {
            instead.extend(Some(other).filter(|other| other != node));
            fate
        }
        (Fate::Nobody { .. }, Fate::Nobody { .. }) | (Fate::Stays(_) | Fate::Unknown(_), _) => fate,
        _ => Fate::Unknown(format!(
            "{node} is not connected to the primary, and whether somebody is promoted depends on \
             what it holds"
        )),
    }
}

/// In words, after who is promoted.
pub fn words(instead: &BTreeSet<NodeName>) -> String {
    let names: Vec<_> = instead.iter().map(|node| node.as_str()).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(
            ", or {one} if that holds as much or more (it is not connected: what it holds is not \
             known here)"
        ),
        many => format!(
            ", or whichever of {} holds more (they are not connected: what they hold is not known \
             here)",
            many.join(" and ")
        ),
    }
}

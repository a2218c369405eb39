//! What Pacemaker is doing right now: while it is, the cure for what is not well is to wait, and a
//! cleanup comes too early.

use super::cib::Away;
use super::seen::Seen;

/// It, in a sentence without its end; `None`: nothing that would change the resource.
pub fn underway(seen: &Seen) -> Option<String> {
    if !seen.cib.has_state || seen.silence.is_some() {
        return None;
    }
    if let Some(action) = pending(seen).next() {
        return Some(action);
    }
    let mut nodes = seen.cib.nodes.iter();
    let lost = nodes.find(|(_, facts)| facts.away == Some(Away::Lost));
    let lost = lost.filter(|_| seen.cib.has_fencing());
    lost.map(|(node, _)| format!("{node} is lost, and has to be fenced first"))
}

/// The actions that have not ended, each in such a sentence.
pub fn pending(seen: &Seen) -> impl Iterator<Item = String> {
    let nodes = seen.cib.nodes.iter();
    nodes.filter_map(|(node, facts)| {
        let action = facts.pending.as_ref()?;
        Some(format!("Pacemaker has not ended a {action} on {node}"))
    })
}

/// A cure for later, or for now where nothing is under way.
pub fn after_that(seen: &Seen, cure: String) -> String {
    match underway(seen) {
        Some(what) => format!("wait: {what}; then: {cure}"),
        None => cure,
    }
}

//! What Pacemaker is doing right now: while it is, the cure for what is not well is to wait, and a
//! cleanup comes too early.

use super::cib::Away;
use super::seen::Seen;

/// It, in a sentence without its end; `None`: nothing that would change the resource.
pub fn underway(seen: &Seen) -> Option<String> {
    if !seen.cib.has_state || seen.silence.is_some() {
        return None;
    }
    let mut nodes = seen.cib.nodes.iter();
    let pending = nodes.find_map(|(node, facts)| Some((node, facts.pending.as_ref()?)));
    if let Some((node, action)) = pending {
        return Some(format!("Pacemaker has not ended a {action} on {node}"));
    }
    let mut nodes = seen.cib.nodes.iter();
    let lost = nodes.find(|(_, facts)| facts.away == Some(Away::Lost));
    let lost = lost.filter(|_| seen.cib.has_fencing());
    lost.map(|(node, _)| format!("{node} is lost, and has to be fenced first"))
}

/// A cure for later, or for now where nothing is under way.
pub fn after_that(seen: &Seen, cure: String) -> String {
    match underway(seen) {
        Some(what) => format!("wait: {what}; then: {cure}"),
        None => cure,
    }
}

//! Whether what was elected may be forgotten now: nothing of the resource runs, and nothing can
//! begin to.

use super::checked::{Checked, worst_checked};
use super::cib::{Node, Running};
use super::problem::Health;
use super::seen::Seen;
use super::underway::pending;
use crate::ocf::NodeName;

/// All that is checked. A look that could not be made is no answer.
pub fn before_forget(seen: &Seen) -> Vec<Checked> {
    if let Some(why) = &seen.silence {
        let text = format!("Pacemaker does not answer here: {why}");
        return vec![Checked::unknown("pacemaker-down", text)];
    }
    let nodes = seen.cib.nodes.iter();
    let nodes = nodes.filter_map(|(node, facts)| node_of(seen, node, facts));
    let all = cluster(seen).chain(here(seen)).chain(nodes);
    let mut all: Vec<_> = all.chain(pending(seen).map(in_flight)).collect();
    if worst_checked(&all) == Health::Well {
        all.push(Checked::ok(
            "stopped",
            "nothing of the resource runs anywhere",
        ));
    }
    all.sort_by_key(|one| one.health);
    all
}

fn in_flight(text: String) -> Checked {
    Checked::fail("in-flight", text).cure("try again once crm_mon shows no action pending")
}

fn cluster(seen: &Seen) -> impl Iterator<Item = Checked> {
    let cib = &seen.cib;
    let state = (!cib.has_state).then(|| {
        let text = "this configuration tells nothing of what runs";
        Checked::unknown("no-state", text)
    });
    let quorum = (!cib.quorate)
        .then(|| Checked::fail("no-quorum", "this part of the cluster has no quorum"));
    let unmanaged = cib.is_unmanaged().then(|| {
        let text = "under maintenance Pacemaker does not know what runs";
        Checked::fail("unmanaged", text).cure("end the maintenance, with the resource disabled")
    });
    let checked = [state, quorum, enabled(seen), unmanaged];
    checked.into_iter().flatten()
}

fn enabled(seen: &Seen) -> Option<Checked> {
    let name = seen.cib.resource.name();
    (!seen.cib.resource.is_disabled()).then(|| {
        let text = format!("{name} is not disabled: Pacemaker may start it at any time");
        Checked::fail("not-disabled", text).cure(disable(seen))
    })
}

fn disable(seen: &Seen) -> String {
    format!("pcs resource disable {} --wait", seen.cib.resource.name())
}

/// The database that takes the place is that of this node.
fn here(seen: &Seen) -> impl Iterator<Item = Checked> {
    let (Some(here), Some(local)) = (&seen.here, &seen.local) else {
        let text = "which node of the cluster this is, is not known";
        return [Some(Checked::unknown("nowhere", text)), None]
            .into_iter()
            .flatten();
    };
    let runs = (!local.is_stopped).then(|| {
        let why = local.trouble.as_deref().unwrap_or("it answers");
        let text = format!("PostgreSQL on {here} is not known to be stopped: {why}");
        Checked::fail("runs", text)
    });
    let half = local.is_half_rewound.then(|| {
        let text = format!("a rewind of {here} has begun and was not seen to end");
        Checked::fail("half-rewound", text)
    });
    let unread = local.unread_mark.as_ref().map(|why| {
        let text = format!("whether a rewind of {here} has ended cannot be told: {why}");
        Checked::unknown("half-rewound", text)
    });
    [runs, half.or(unread)].into_iter().flatten()
}

fn node_of(seen: &Seen, node: &NodeName, facts: &Node) -> Option<Checked> {
    if facts.online && facts.maintenance {
        let text = format!("{node} is under maintenance: what runs on it is not known");
        return Some(Checked::unknown("unseen", text));
    }
    match facts.running {
        Running::Standby | Running::Primary => {
            let text = format!("it runs on {node}");
            Some(Checked::fail("runs", text).cure(disable(seen)))
        }
        Running::Stopped if facts.online => None,
        Running::Stopped | Running::Unknown => unseen(seen, node, facts),
    }
}

/// Where it may not run, nobody has to look; but of a node that is away it is not known whether it
/// ran there before it was banned, and goes on.
fn unseen(seen: &Seen, node: &NodeName, facts: &Node) -> Option<Checked> {
    let mut locations = seen.cib.locations.iter();
    if facts.online && locations.any(|one| one.keeps_off(node)) {
        return None;
    }
    let (why, cure) = if facts.online {
        let cure = format!("pcs resource refresh {}", seen.cib.resource.name());
        (String::new(), cure)
    } else {
        let cure = "start the cluster on it, or remove it from the cluster";
        (format!("{node} is away: "), cure.to_owned())
    };
    let what = if facts.online { node.as_str() } else { "it" };
    let text = format!("{why}what runs on {what} is not known");
    Some(Checked::unknown("unseen", text).cure(cure))
}

//! What is wrong with the cluster as a whole.

use crate::ocf::NodeName;
use crate::record::{Force, SyncRule};
use crate::view::cib::{Location, Running};
use crate::view::fencing;
use crate::view::problem::{Health, Problem};
use crate::view::prospect::{Fate, Prospect};
use crate::view::seen::Seen;
use crate::view::synchronous::Synchronous;
use crate::view::underway::after_that;

/// All that is.
pub fn problems(seen: &Seen, prospect: Option<&Prospect>) -> Vec<Problem> {
    let single = [
        silent(seen),
        no_quorum(seen),
        primaries(seen),
        not_elected(seen),
        prospect.and_then(|prospect| nobody_ready(seen, prospect)),
        commits_wait(seen),
        unmanaged(seen),
    ];
    let mut all: Vec<_> = single.into_iter().flatten().collect();
    all.extend(fencing::problems(seen));
    all.extend(unreadable(seen));
    all.extend(constraints(seen));
    all.extend(forces(seen));
    all
}

fn silent(seen: &Seen) -> Option<Problem> {
    let words = seen.silence.as_ref()?;
    let text = format!(
        "Pacemaker does not answer on this node ({words}): what runs on the others is not known"
    );
    Some(Problem::new("pacemaker-down", Health::Unknown, text).cure("pcs cluster start"))
}

fn no_quorum(seen: &Seen) -> Option<Problem> {
    let is_lost = seen.cib.has_state && !seen.cib.quorate;
    let text = "these nodes have no quorum: Pacemaker starts and promotes nothing";
    let problem = || Problem::new("no-quorum", Health::Critical, text);
    is_lost.then(|| problem().cure("bring back the nodes that are offline"))
}

fn primaries(seen: &Seen) -> Option<Problem> {
    let primaries = seen.with(Running::Primary);
    if primaries.len() > 1 {
        let names: Vec<_> = primaries.iter().map(|node| node.as_str()).collect();
        let text = format!("{} are primaries at once", names.join(" and "));
        let cure =
            "stop the one that was not elected last: pcs resource ban, then compare their data";
        return Some(Problem::new("several-primaries", Health::Critical, text).cure(cure));
    }
    let is_known = seen.cib.has_state && seen.silence.is_none();
    let name = seen.cib.resource.name();
    if let Some(role) = seen.cib.resource.role_without_a_primary() {
        let text = format!("target-role of {name} is {role}: Pacemaker promotes nobody");
        // Where it is stopped as a whole, that is what somebody wanted.
        let problem = if seen.cib.resource.is_disabled() {
            Problem::new("disabled", Health::Attention, text)
        } else {
            Problem::new("no-primary", Health::Critical, text)
        };
        return Some(problem.cure(format!("pcs resource enable {name}")));
    }
    (primaries.is_empty() && is_known).then(|| {
        let text = format!("no node is the primary of {name}");
        Problem::new("no-primary", Health::Critical, text)
            .cure("pgsqlms explain")
            .cure(after_that(seen, format!("pcs resource cleanup {name}")))
    })
}

/// The primary is one by no election: somebody promoted it by hand.
fn not_elected(seen: &Seen) -> Option<Problem> {
    let (primary, last) = (seen.primary()?, seen.last_reign()?);
    let text = format!(
        "{primary} is the primary, but {} was elected last: was {primary} promoted by hand?",
        last.primary
    );
    let problem = || Problem::new("not-elected", Health::Attention, text).of(primary);
    (last.primary != *primary).then(problem)
}

fn nobody_ready(seen: &Seen, prospect: &Prospect) -> Option<Problem> {
    let Fate::Nobody { reason, cures } = &prospect.fate else {
        return None;
    };
    // That is an admin's will, and said beside.
    if seen.cib.is_unmanaged() {
        return None;
    }
    let primary = seen.primary()?;
    let text = format!("if {primary} is lost now, nobody is promoted: {reason}");
    let mut problem = Problem::new("nobody-ready", Health::Critical, text);
    problem.cures.clone_from(cures);
    Some(problem)
}

fn commits_wait(seen: &Seen) -> Option<Problem> {
    let sync = Synchronous::of(seen);
    let (rule, confirming) = (sync.rule.as_ref()?, sync.confirming?);
    let text = format!(
        "synchronous commits wait: {confirming} of the {} standbys that {rule} needs confirm",
        sync.needed()
    );
    let problem = || Problem::new("commits-wait", Health::Critical, text);
    (confirming < sync.needed()).then(|| problem().cure(missing(seen, rule)))
}

/// Whose word is missing: a name that no node has is a setting to be repaired.
fn missing(seen: &Seen, rule: &SyncRule) -> String {
    let is_node = |name: &String| {
        let mut nodes = seen.cib.nodes.keys();
        nodes.any(|node| node.as_str().eq_ignore_ascii_case(name))
    };
    let unknown: Vec<_> = rule.names.iter().filter(|name| !is_node(name)).collect();
    match unknown.first() {
        Some(name) if !rule.is_open() => format!(
            "synchronous_standby_names has {name}, which is no node: ALTER SYSTEM SET \
             synchronous_standby_names = …"
        ),
        _ => "bring back one of its standbys".to_owned(),
    }
}

fn unmanaged(seen: &Seen) -> Option<Problem> {
    let name = seen.cib.resource.name();
    let text = format!("Pacemaker leaves {name} alone (maintenance): nothing fails over");
    let cure = if seen.cib.resource.managed {
        "pcs property set maintenance-mode=false".to_owned()
    } else {
        format!("pcs resource manage {name}")
    };
    let problem = || Problem::new("maintenance", Health::Attention, text).cure(cure);
    seen.cib.is_unmanaged().then(problem)
}

fn unreadable(seen: &Seen) -> impl Iterator<Item = Problem> {
    seen.known.unreadable.iter().map(|one| {
        let text = format!(
            "the {} of {} cannot be read (damaged, or of a later version): elections are refused",
            one.what, one.node
        );
        Problem::new("evidence-unreadable", Health::Critical, text)
            .of(&one.node)
            .cure("docs/troubleshooting.md: cannot be read: damaged, or of a later version")
    })
}

/// During a move it is not left yet.
fn constraints(seen: &Seen) -> impl Iterator<Item = Problem> {
    let left = seen.cib.locations.iter().filter(|one| one.is_left());
    left.map(|one| {
        let id = &one.id;
        let text = format!(
            "the constraint {id} is left of a move or a ban{}",
            effect(one)
        );
        Problem::new("constraint-left", Health::Attention, text).cure(after_that(seen, one.clear()))
    })
}

fn effect(location: &Location) -> String {
    let Some(node) = &location.node else {
        return String::new();
    };
    match (location.forbids, location.is_of_role) {
        (true, true) => format!(": {node} may not be the primary"),
        (true, false) => format!(": nothing of it may run on {node}"),
        (false, _) => format!(": the role goes to {node} whenever it can"),
    }
}

fn forces(seen: &Seen) -> impl Iterator<Item = Problem> {
    let name = Force::NAME.of(&seen.cib.resource.id);
    let nodes: Vec<NodeName> = seen.forces.keys().cloned().collect();
    nodes.into_iter().map(move |node| {
        let text = format!("an admin forces the next promotion of {node}, whatever is lost");
        Problem::new("force-pending", Health::Attention, text)
            .of(&node)
            .cure(format!(
                "crm_attribute --node {node} --name {name} --delete"
            ))
    })
}

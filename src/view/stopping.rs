//! Whether a node can be stopped: cleanly, by an admin, for a while. Who would have the role then,
//! whether commits would go on, and whether there would be a majority.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::checked::{Checked, checked_json, checked_lines, worst_checked};
use super::cib::Running;
use super::held::{Held, divergence, held, receiver};
use super::problem::Health;
use super::prospect::{Fate, election_of, no_majority};
use super::replay::Late;
use super::seen::Seen;
use super::synchronous::{Synchronous, can_confirm};
use super::text::style;
use super::time::rfc3339;
use super::underway::underway;
use crate::ocf::{Line, NodeName};
use crate::record::{ShutdownCheckpoint, SyncRule};
use crate::wal::{Lsn, Position};

/// All that is checked before a node is stopped.
pub fn before_stop(seen: &Seen, node: &NodeName) -> Vec<Checked> {
    if seen.cib.is_unmanaged() {
        return vec![maintenance()];
    }
    let mut all = vec![majority(seen, node)];
    all.extend(
        underway(seen).map(|what| Checked::fail("in-flight", what).cure("wait until that is over")),
    );
    match seen.primary() {
        None => all.push(no_primary()),
        Some(primary) if primary == node => all.extend(of_primary(seen, node)),
        Some(primary) => all.extend(of_other(seen, node, primary)),
    }
    all.sort_by_key(|one| one.health);
    all
}

/// The exit code that follows: 0 it can be stopped, 1 it cannot, 3 that cannot be told from here.
pub fn may_stop(checked: &[Checked]) -> Health {
    let is_bad = checked.iter().any(|one| one.health == Health::Critical);
    match worst_checked(checked) {
        _ if is_bad => Health::Attention,
        Health::Unknown => Health::Unknown,
        _ => Health::Well,
    }
}

/// For people.
pub fn stop_lines(node: &NodeName, checked: &[Checked]) -> Vec<Line> {
    let begin = format!("If {node} were stopped now (pcs cluster stop {node}):");
    let end = match may_stop(checked) {
        Health::Well => format!("-> {node} can be stopped"),
        Health::Unknown => format!("-> whether {node} can be stopped is not known here"),
        _ => format!("-> {node} should not be stopped now"),
    };
    let mut all = vec![Line::plain(begin)];
    all.extend(checked_lines(checked));
    all.push(Line::of(style(may_stop(checked)), end));
    all
}

/// For programs.
pub fn stop_json(seen: &Seen, node: &NodeName, checked: &[Checked]) -> Value {
    let verdict = match may_stop(checked) {
        Health::Well => "safe",
        Health::Unknown => "unknown",
        _ => "unsafe",
    };
    json!({
        "schema": "pgsqlms.stop/1",
        "resource": seen.cib.resource.id,
        "checked_at": rfc3339(seen.at),
        "node": node.as_str(),
        "verdict": verdict,
        "checked": checked_json(checked),
    })
}

fn no_primary() -> Checked {
    let text = "no primary is known here: what stops now may be what is needed to promote one";
    Checked::unknown("no-primary", text).cure("pgsqlms status")
}

fn maintenance() -> Checked {
    let text = "the resource is in maintenance: Pacemaker would move nothing";
    Checked::fail("maintenance", text).cure("pgsqlms status")
}

/// Of two nodes, one goes on by a rule of its own, or by a quorum device.
fn majority(seen: &Seen, node: &NodeName) -> Checked {
    if seen.cib.nodes.len() == 2 {
        let text = "of two nodes one would be left: it goes on with two_node of corosync or a \
                    quorum device alone";
        return Checked::warn("quorum", text).cure("corosync-quorumtool");
    }
    match no_majority(seen, &BTreeSet::from([node.clone()])) {
        Some(why) => Checked::fail("quorum", format!("quorum would be lost: {why}"))
            .cure("bring back a node that is away"),
        None => Checked::ok("quorum", "a majority of the nodes would be left"),
    }
}

/// The role moves; and commits go on if enough standbys are left.
fn of_primary(seen: &Seen, primary: &NodeName) -> Vec<Checked> {
    let fate = match succession(seen, primary) {
        Ok(fate) => fate,
        Err(why) => return vec![Checked::unknown("succession", why)],
    };
    match fate {
        Fate::Promotes { node, late, .. } => {
            let moves = moves(&node, late);
            let gone = BTreeSet::from([primary.clone(), node.clone()]);
            let mut all = vec![moves, commits_after(seen, primary, &node)];
            all.extend(nobody_next(seen, &gone, &node));
            all
        }
        Fate::Nobody { reason, cures } => {
            let text = format!("nobody would take over: {reason}");
            let failed = Checked::fail("succession", text);
            vec![cures.into_iter().fold(failed, Checked::cure)]
        }
        Fate::Unknown(why) => vec![Checked::unknown("succession", why)],
        Fate::Stays(_) => Vec::new(),
    }
}

/// Clients would wait for a replay that stands still.
fn moves(node: &NodeName, late: Option<Late>) -> Checked {
    let text = format!("the role would move to {node}");
    let Some(late) = late else {
        return Checked::ok("succession", text);
    };
    let text = format!("{text}, late: it has {} to replay", late.amount());
    if late.is_still {
        let text = format!("{text}, and replays none of it");
        return Checked::fail("succession", text).cure(format!("on {node}: pgsqlms status"));
    }
    Checked::warn("succession", text).cure("wait until it has replayed that")
}

/// The election without the primary: it ends only once the standbys that are connected have all of
/// its WAL, and it leaves word of its end.
fn succession(seen: &Seen, primary: &NodeName) -> Result<Fate, String> {
    let Some(end) = own_position(seen).filter(|_| seen.writer().is_some()) else {
        return Err(format!(
            "what the standbys have received is known on {primary}: run it there"
        ));
    };
    let standbys = seen.with(Running::Standby).into_iter();
    let voters: BTreeSet<_> = standbys
        .filter(|node| divergence(seen, node).is_none())
        .cloned()
        .collect();
    let all: BTreeMap<_, _> = voters
        .iter()
        .filter_map(|node| Some((node.clone(), at_the_end(seen, node, &end)?)))
        .collect();
    let checkpoint = ShutdownCheckpoint {
        node: primary.clone(),
        term: seen
            .last_reign()
            .filter(|last| last.primary == *primary)
            .map(|last| last.term),
        system: end.system,
        timeline: end.timeline,
        lsn: end.lsn,
    };
    Ok(election_of(seen, (&voters, &all), Some(checkpoint)))
}

fn own_position(seen: &Seen) -> Option<Position> {
    seen.local.as_ref()?.position.clone()
}

/// The record of the shutdown comes after what is there now.
fn at_the_end(seen: &Seen, node: &NodeName, end: &Position) -> Option<Held> {
    if receiver(seen, node).is_none() {
        return held(seen).remove(node);
    }
    const RECORD: u64 = 128;
    let position = Position {
        lsn: Lsn::from(end.lsn.as_u64().saturating_add(RECORD)),
        ..end.clone()
    };
    Some(Held {
        position,
        is_assumed: false,
    })
}

fn commits_after(seen: &Seen, primary: &NodeName, next: &NodeName) -> Checked {
    let Some(rule) = Synchronous::of(seen).rule else {
        return Checked::ok("commits", "commits wait for no standby");
    };
    let left = seen.with(Running::Standby).into_iter();
    let left: Vec<_> = left
        .filter(|node| *node != next && receiver(seen, node).is_some())
        .collect();
    let counts = |node: &&&NodeName| rule.is_open() || rule.lists(node);
    let counted = left.iter().filter(counts).count();
    if counted >= rule.count {
        return Checked::ok(
            "commits",
            format!("{rule} could be met by {counted} standbys"),
        );
    }
    // Each node may have a rule that leaves itself out.
    if !rule.lists(primary) && left.len() >= rule.count {
        let text = format!(
            "{rule} is that of {primary}: whether {next} has one that can be met is not seen here"
        );
        let cure = format!("on {next}: SHOW synchronous_standby_names");
        return Checked::warn("commits", text).cure(cure);
    }
    stalled(&rule, counted)
}

fn stalled(rule: &SyncRule, left: usize) -> Checked {
    let text = format!(
        "commits would wait: {rule} needs {} standbys that confirm, and {left} would be left",
        rule.count
    );
    Checked::fail("commits", text).cure("bring back another of its standbys, or change it")
}

/// The role stays where it is.
fn of_other(seen: &Seen, node: &NodeName, primary: &NodeName) -> Vec<Checked> {
    let mut all = vec![Checked::ok(
        "succession",
        format!("{primary} would stay the primary"),
    )];
    if seen.running(node) != Running::Standby {
        all.push(Checked::ok("commits", format!("no standby runs on {node}")));
        return all;
    }
    all.push(commits_without(seen, node, primary));
    let gone = BTreeSet::from([node.clone(), primary.clone()]);
    all.extend(nobody_next(seen, &gone, primary));
    all
}

fn commits_without(seen: &Seen, node: &NodeName, primary: &NodeName) -> Checked {
    let Some(rule) = Synchronous::of(seen).rule else {
        return Checked::ok("commits", "commits wait for no standby");
    };
    let Some(writer) = seen.writer() else {
        let text = format!("who confirms commits is known on {primary}: run it there");
        return Checked::unknown("commits", text);
    };
    let others = writer.receivers.iter();
    let left: BTreeSet<_> = others
        .filter(|one| can_confirm(&one.sync) && one.flush.is_some())
        .map(|one| one.name.as_str())
        .filter(|name| *name != node.as_str())
        .collect();
    if left.len() < rule.count {
        return stalled(&rule, left.len());
    }
    Checked::ok(
        "commits",
        format!("{rule} could be met by {} standbys", left.len()),
    )
}

/// What is no obstacle, and good to know.
fn nobody_next(seen: &Seen, gone: &BTreeSet<NodeName>, next: &NodeName) -> Option<Checked> {
    let standbys = seen.with(Running::Standby).into_iter();
    let is_left = standbys.filter(|node| !gone.contains(*node)).count() > 0;
    let why = match no_majority(seen, gone) {
        _ if !is_left => "no standby would be left".to_owned(),
        why => why?,
    };
    let text = format!("meanwhile nobody could take over from {next}: {why}");
    Some(Checked::warn("next", text).cure("keep the time short"))
}

//! The view for Prometheus, in its text format.
//!
//! What one node knows of the whole cluster comes from the primary's node alone, so that
//! nothing is counted once for each node; the others tell of themselves.

use std::fmt::Write;

use super::cib::Running;
use super::fencing::PROBLEMS_OF_FENCING;
use super::problem::Health;
use super::prospect::Fate;
use super::report::{NodeView, View};

/// A family of series, in the order in which they are made.
struct Family {
    name: &'static str,
    help: &'static str,
    /// Labels and values.
    series: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// The document of what was seen.
pub fn metrics(view: &View) -> String {
    let mut families = vec![
        look(Some(&view.resource)),
        health(view),
        problems(view),
        role(view),
        slots(view),
    ];
    if view.knows_lags() {
        families.extend(of_cluster(view));
    }
    families.extend(actions(view));
    families
        .iter()
        .filter(|family| !family.series.is_empty())
        .map(text)
        .collect()
}

/// The document where nothing could be seen.
pub fn metrics_without_view(resource: Option<&str>) -> String {
    let mut failed = look(resource);
    for (_, value) in &mut failed.series {
        *value = 0.0;
    }
    text(&failed)
}

fn family(name: &'static str, help: &'static str) -> Family {
    Family {
        name,
        help,
        series: Vec::new(),
    }
}

impl Family {
    fn with(mut self, labels: &[(&'static str, &str)], value: f64) -> Self {
        let labels = labels
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        self.series.push((labels.collect(), value));
        self
    }

    /// One series for each node that has a value.
    fn of_nodes(self, view: &View, value: impl Fn(&NodeView) -> Option<f64>) -> Self {
        let known = view
            .nodes
            .iter()
            .filter_map(|node| Some((node, value(node)?)));
        known.fold(self, |family, (node, value)| {
            let labels = [
                ("resource", view.resource.as_str()),
                ("node", node.node.as_str()),
            ];
            family.with(&labels, value)
        })
    }

    fn of_resource(self, view: &View, value: f64) -> Self {
        self.with(&[("resource", &view.resource)], value)
    }
}

fn look(resource: Option<&str>) -> Family {
    let look = family(
        "pgsqlms_look_success",
        "1 if the cluster could be looked at",
    );
    let labels = [
        ("resource", resource.unwrap_or_default()),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    look.with(&labels, 1.0)
}

fn health(view: &View) -> Family {
    let help = "0 ok, 1 attention, 2 critical, 3 unknown, as seen from this node";
    family("pgsqlms_health", help).of_resource(view, f64::from(view.health.code()))
}

/// A problem that is over has no series: alerts end with it.
fn problems(view: &View) -> Family {
    let all = family(
        "pgsqlms_problem",
        "1 for each problem of pgsqlms status, by its id",
    );
    view.problems.iter().fold(all, |family, problem| {
        let node = problem.node.as_ref().map_or("", |node| node.as_str());
        let labels = [
            ("resource", view.resource.as_str()),
            ("id", problem.id),
            ("severity", problem.severity.word()),
            ("node", node),
        ];
        let is_there = |(labels_there, _): &(Vec<(&str, String)>, f64)| {
            labels_there
                .iter()
                .zip(labels)
                .all(|(one, other)| one.1 == other.1)
        };
        if family.series.iter().any(is_there) {
            return family;
        }
        family.with(&labels, 1.0)
    })
}

/// Of this node alone.
fn role(view: &View) -> Family {
    let role = family(
        "pgsqlms_primary",
        "1 if this node is the primary, 0 if it is a standby",
    );
    let is_here = |node: &NodeView| view.seen_from.as_ref() == Some(&node.node);
    role.of_nodes(view, |node| match node.running {
        Running::Primary if is_here(node) => Some(1.0),
        Running::Standby if is_here(node) => Some(0.0),
        _ => None,
    })
}

/// What this node keeps for each other one: its own disk is what that fills.
fn slots(view: &View) -> Family {
    let help = "WAL that this node keeps for another node by the agent's slot";
    let bytes = |node: &NodeView| {
        node.slot
            .as_ref()
            .map(|slot| slot.bytes.unwrap_or(0) as f64)
    };
    family("pgsqlms_slot_kept_bytes", help).of_nodes(view, bytes)
}

fn of_cluster(view: &View) -> Vec<Family> {
    let lag = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64);
    let flag = |fact: bool| Some(f64::from(u8::from(fact)));
    let mut all = prospects(view);
    all.extend(election(view));
    all.extend(view.cluster.is_known.then(|| fencing(view)));
    all.extend([
        family("pgsqlms_candidate", "1 if the standby could take over").of_nodes(view, |node| {
            flag(node.candidacy.is_candidate()).filter(|_| node.running != Running::Primary)
        }),
        family("pgsqlms_promotion_score", "Promotion score")
            .of_nodes(view, |node| node.score.map(f64::from)),
        family(
            "pgsqlms_standby_lag_bytes",
            "WAL that the standby has not on disk",
        )
        .of_nodes(view, |node| lag(node.wal.behind)),
        family(
            "pgsqlms_standby_replay_lag_bytes",
            "WAL that the standby has not replayed",
        )
        .of_nodes(view, |node| lag(node.wal.replay_behind)),
        family("pgsqlms_diverged", "1 if the node's data have diverged")
            .of_nodes(view, |node| flag(node.diverged.is_some())),
        family(
            "pgsqlms_failed_actions",
            "Failed actions that were not cleaned up",
        )
        .of_nodes(view, |node| Some(node.failed.len() as f64)),
    ]);
    all
}

fn fencing(view: &View) -> Family {
    let is_of_it = |id: &str| PROBLEMS_OF_FENCING.contains(&id);
    let is_well = !view.problems.iter().any(|one| is_of_it(one.id));
    let help = "1 if fencing is on, and all fence devices run and did not fail";
    family("pgsqlms_fencing", help).of_resource(view, f64::from(u8::from(is_well)))
}

/// What would happen without the primary.
fn prospects(view: &View) -> Vec<Family> {
    let prospect = view.if_primary_lost.as_ref();
    let loss = match prospect.map(|prospect| &prospect.fate) {
        Some(Fate::Promotes { loss, .. }) => Some(*loss),
        _ => None,
    };
    let is_ready = prospect.map(|prospect| match prospect.health() {
        Health::Unknown => None,
        _ => Some(f64::from(u8::from(loss.is_some()))),
    });
    let mut ready = family(
        "pgsqlms_failover_ready",
        "1 if a standby would be promoted were the primary lost now",
    );
    if let Some(is_ready) = is_ready.flatten() {
        ready = ready.of_resource(view, is_ready);
    }
    let mut bytes = family(
        "pgsqlms_failover_loss_bytes",
        "WAL at stake if the primary were lost now; 0 where synchronous commits are guarded",
    );
    if let Some(most) = loss.and_then(|loss| loss.bytes_max()) {
        bytes = bytes.of_resource(view, most as f64);
    }
    vec![ready, bytes]
}

fn election(view: &View) -> Vec<Family> {
    let mut term = family("pgsqlms_election_term", "Number of the last election");
    let mut timeline = family("pgsqlms_timeline", "Timeline of the primary");
    let mut since = family(
        "pgsqlms_last_election_timestamp_seconds",
        "When the last election was held",
    );
    if let Some(primary) = &view.primary {
        let facts = [
            (&mut term, primary.election.map(|term| term as f64)),
            (
                &mut timeline,
                primary
                    .timeline
                    .map(|timeline| f64::from(timeline.as_u32())),
            ),
            (&mut since, primary.since.map(|since| since.as_secs_f64())),
        ];
        for (family, value) in facts {
            let labels = vec![("resource", view.resource.clone())];
            family.series.extend(value.map(|value| (labels, value)));
        }
    }
    let sync = &view.synchronous;
    let needed = family(
        "pgsqlms_sync_standbys_needed",
        "Standbys that a commit waits for",
    )
    .of_resource(view, sync.needed() as f64);
    let mut confirming = family(
        "pgsqlms_sync_standbys_confirming",
        "Standbys that can confirm commits",
    );
    if let Some(count) = sync.confirming {
        confirming = confirming.of_resource(view, count as f64);
    }
    vec![term, timeline, since, needed, confirming]
}

/// How long each action took on this node, as Pacemaker measured it.
fn actions(view: &View) -> Option<Family> {
    let here = view
        .nodes
        .iter()
        .find(|node| view.seen_from.as_ref() == Some(&node.node))?;
    let all = family(
        "pgsqlms_action_seconds",
        "How long the last action of each kind took here",
    );
    Some(here.actions.iter().fold(all, |family, action| {
        let labels = [
            ("resource", view.resource.as_str()),
            ("action", action.name.as_str()),
        ];
        family.with(&labels, action.took.as_millis() as f64 / 1000.0)
    }))
}

fn text(family: &Family) -> String {
    let Family { name, help, series } = family;
    let mut text = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
    for (labels, value) in series {
        let labels = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels: Vec<_> = labels.collect();
        let _ = writeln!(text, "{name}{{{}}} {value}", labels.join(","));
    }
    text
}

/// As the format demands of the value of a label.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

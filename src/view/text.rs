//! The view for people: one screen.

use super::bytes::amount;
use super::candidacy::Candidacy;
use super::cib::Running;
use super::problem::{Health, Problem};
use super::report::{NodeView, Primary, View};
use super::table::table;
use super::time::in_words;
use crate::ocf::{Line, Style};
use crate::record::score;

/// All of it.
pub fn lines(view: &View) -> Vec<Line> {
    let mut all = vec![head(view), primary(view), Line::default()];
    all.extend(table(&rows(view)));
    all.push(Line::default());
    all.extend(outlook(view));
    all.extend(view.problems.iter().flat_map(problem));
    all.extend(where_to_ask(view));
    all
}

/// The style of a state of health.
pub fn style(health: Health) -> Style {
    match health {
        Health::Well => Style::Good,
        Health::Attention | Health::Unknown => Style::Warn,
        Health::Critical => Style::Bad,
    }
}

fn head(view: &View) -> Line {
    let version = view.postgresql.as_ref();
    let version = version.map(|version| format!("PostgreSQL {version}, "));
    let system = view.system.map(|system| format!("system {system}"));
    let what = version.unwrap_or_default() + &system.unwrap_or_default();
    Line::of(Style::Strong, format!("{:<9} ", view.resource))
        .and(Style::Plain, format!("{what:<60} "))
        .and(style(view.health), health(view))
}

/// What was not seen is not called well.
fn health(view: &View) -> String {
    let word = view.health.word().to_uppercase();
    match view.health {
        Health::Well if view.is_partial() => format!("{word} HERE"),
        _ => word,
    }
}

fn primary(view: &View) -> Line {
    let Some(primary) = &view.primary else {
        return Line::plain("primary   ").and(Style::Bad, "none is known");
    };
    Line::plain("primary   ")
        .and(Style::Strong, primary.node.to_string())
        .and(Style::Plain, since(primary))
}

fn since(primary: &Primary) -> String {
    let since = primary
        .since
        .map(|since| format!(" since {}", in_words(since)));
    let election = primary.election.map(|term| format!("election {term}"));
    let timeline = primary
        .timeline
        .map(|timeline| format!("timeline {timeline}"));
    let how = primary.how.clone();
    let facts: Vec<_> = election.into_iter().chain(timeline).chain(how).collect();
    match facts.as_slice() {
        [] => since.unwrap_or_default(),
        facts => format!("{} ({})", since.unwrap_or_default(), facts.join(", ")),
    }
}

/// Where the agent keeps slots.
const SLOT: &str = "slot keeps";

const HEADING: [&str; 9] = [
    "node",
    "role",
    "timeline",
    "received",
    "replayed",
    "behind",
    "sync",
    "score",
    "candidate",
];

fn rows(view: &View) -> Vec<Vec<(Style, String)>> {
    let has_slots = view.nodes.iter().any(|node| node.slot.is_some());
    let heading = HEADING.into_iter().chain(has_slots.then_some(SLOT));
    let heading = heading.map(|word| (Style::Faint, word.to_owned()));
    let nodes = view.nodes.iter().map(|node| {
        let mut row = row(node, view.cluster.is_known);
        row.extend(has_slots.then(|| slot(node)));
        row
    });
    std::iter::once(heading.collect()).chain(nodes).collect()
}

fn row(node: &NodeView, is_known: bool) -> Vec<(Style, String)> {
    let unknown = if node.is_unseen { "?" } else { "-" };
    let seen = |text: Option<String>| (Style::Plain, text.unwrap_or_else(|| unknown.to_owned()));
    let plain = |text: Option<String>| (Style::Plain, text.unwrap_or_else(|| "-".to_owned()));
    let is_primary = node.running == Running::Primary;
    let name = if is_primary {
        Style::Strong
    } else {
        Style::Plain
    };
    vec![
        (name, node.node.to_string()),
        role(node, is_known),
        seen(node.wal.timeline.map(|timeline| timeline.to_string())),
        seen(node.wal.received.map(|lsn| lsn.to_string())),
        seen(node.wal.replayed.map(|lsn| lsn.to_string())),
        seen(behind(node)),
        plain(node.sync.clone()),
        plain(node.score.map(score::encode)),
        (candidate_style(&node.candidacy), node.candidacy.to_string()),
    ]
}

/// What the server here keeps for it.
fn slot(node: &NodeView) -> (Style, String) {
    match &node.slot {
        None => (Style::Plain, "-".to_owned()),
        Some(slot) if slot.is_lost => (Style::Warn, "lost".to_owned()),
        Some(slot) => {
            let bytes = slot.bytes.map_or("nothing".to_owned(), amount);
            (Style::Plain, bytes)
        }
    }
}

/// What it has not received, and what of the rest its promotion would wait for.
fn behind(node: &NodeView) -> Option<String> {
    let behind = node.wal.behind.map(amount);
    let late = node.late.map(|late| format!("{} to replay", late.amount()));
    let both: Vec<_> = behind.into_iter().chain(late).collect();
    (!both.is_empty()).then(|| both.join(", "))
}

fn role(node: &NodeView, is_known: bool) -> (Style, String) {
    let (style, word) = match node.running {
        Running::Primary => (Style::Strong, "primary"),
        Running::Standby => (Style::Plain, "standby"),
        Running::Stopped => (Style::Warn, "stopped"),
        Running::Unknown if is_known && !node.online => (Style::Warn, "offline"),
        Running::Unknown => (Style::Warn, "unknown"),
    };
    (style, word.to_owned())
}

fn candidate_style(candidacy: &Candidacy) -> Style {
    match candidacy {
        Candidacy::Primary | Candidacy::ByScore | Candidacy::Unknown => Style::Plain,
        Candidacy::Yes => Style::Good,
        Candidacy::Late(_) | Candidacy::LastChoice(_) | Candidacy::No(_) => Style::Warn,
    }
}

/// What commits wait for, what would happen, and the cluster around it.
fn outlook(view: &View) -> Vec<Line> {
    let mut all = vec![commits(view)];
    if let Some(prospect) = &view.if_primary_lost {
        let (health, words) = (prospect.health(), prospect.sentence());
        let names = prospect.names_of_lost();
        let begin = Line::plain(format!("if {names} is lost now: "));
        all.push(begin.and(style(health), words));
    }
    all.push(cluster(view));
    all
}

fn commits(view: &View) -> Line {
    let Some(rule) = &view.synchronous.rule else {
        return Line::plain("commits   wait for no standby (asynchronous)");
    };
    let guard = if view.synchronous.guard { "on" } else { "off" };
    let confirming = view.synchronous.confirming;
    let confirming = confirming.map(|count| format!(", {count} can confirm"));
    let confirming = confirming.unwrap_or_default();
    Line::plain(format!(
        "commits   wait for {rule}{confirming}; sync_guard {guard}"
    ))
}

fn cluster(view: &View) -> Line {
    let cluster = &view.cluster;
    if !cluster.is_known {
        return Line::plain("cluster   its state is not known here");
    }
    let all = view.nodes.len();
    let quorum = if cluster.quorate {
        "quorum"
    } else {
        "no quorum"
    };
    let fencing = &cluster.fencing_words;
    let failed: usize = view.nodes.iter().map(|node| node.failed.len()).sum();
    let failed = match failed {
        0 => "no failed action".to_owned(),
        1 => "1 failed action".to_owned(),
        many => format!("{many} failed actions"),
    };
    let maintenance = if cluster.maintenance {
        ", maintenance"
    } else {
        ""
    };
    Line::plain(format!(
        "cluster   {} of {all} nodes online, {quorum}, fencing {fencing}, {failed}{maintenance}",
        cluster.online
    ))
}

fn problem(problem: &Problem) -> Vec<Line> {
    let text = Line::of(style(problem.severity), "! ").and(Style::Plain, problem.text.as_str());
    let cures = problem.cures.iter();
    let cures = cures.map(|cure| Line::of(Style::Faint, format!("    {cure}")));
    std::iter::once(text).chain(cures).collect()
}

fn where_to_ask(view: &View) -> Option<Line> {
    view.seen_from.as_ref().filter(|_| !view.knows_lags())?;
    let primary = view.primary.as_ref()?;
    let text = format!(
        "Positions of the other standbys are known on {}: run pgsqlms status there",
        primary.node
    );
    Some(Line::of(Style::Faint, text))
}

//! The view as a monitoring plugin prints it: one line with performance data, then the rest.

use super::problem::{Health, Problem, worst};
use super::prospect::Fate;
use super::report::{NodeView, View};
use super::threshold::{Measure, Threshold};

/// What is judged besides the problems, and which of these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What is no more well.
    pub warning: Vec<Threshold>,
    /// What is critical.
    pub critical: Vec<Threshold>,
    /// The ids of the problems that count; empty: all.
    pub only: Vec<String>,
    /// The ids of the problems that do not.
    pub ignore: Vec<String>,
}

/// A value that was measured.
struct Value {
    measure: Measure,
    /// The standby, where it is of one.
    of: Option<String>,
    value: u64,
}

/// The lines, and how bad it is.
pub fn plugin(view: &View, judgement: &Judgement) -> (Vec<String>, Health) {
    let values = values(view);
    let mut problems: Vec<_> = view
        .problems
        .iter()
        .filter(|one| judgement.counts(one))
        .cloned()
        .collect();
    problems.extend(judgement.exceeded(&values));
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    let health = worst(&problems);
    let what = match problems.first() {
        Some(problem) => problem.text.replace('|', "/"),
        None => summary(view),
    };
    let data: Vec<_> = values.iter().map(|value| judgement.datum(value)).collect();
    let data = match data.join(" ").as_str() {
        "" => String::new(),
        data => format!(" | {data}"),
    };
    let first = format!("PGSQLMS {} - {what}{data}", word(health));
    let more = problems.iter().skip(1).map(|problem| problem.text.clone());
    let cures = problems.iter().flat_map(|problem| problem.cures.iter());
    let cures = cures.map(|cure| format!("cure: {cure}"));
    let rest = more.chain(cures).map(|line| line.replace('|', "/"));
    (std::iter::once(first).chain(rest).collect(), health)
}

/// What a plugin prints that could not look.
pub fn plugin_without_view(reason: &str) -> String {
    format!("PGSQLMS UNKNOWN - {}", reason.replace('|', "/"))
}

fn word(health: Health) -> &'static str {
    match health {
        Health::Well => "OK",
        Health::Attention => "WARNING",
        Health::Critical => "CRITICAL",
        Health::Unknown => "UNKNOWN",
    }
}

fn summary(view: &View) -> String {
    let Some(primary) = &view.primary else {
        return "nothing is wrong".to_owned();
    };
    let timeline = primary
        .timeline
        .map(|timeline| format!(" (timeline {timeline})"));
    let timeline = timeline.unwrap_or_default();
    let begin = format!("{} is primary{timeline}", primary.node);
    if !view.knows_lags() {
        let elsewhere = format!("; the other standbys are judged on {}", primary.node);
        let is_elsewhere = view.seen_from.is_some() && view.is_partial();
        return begin + if is_elsewhere { &elsewhere } else { "" };
    }
    let ready = match view.if_primary_lost.as_ref().map(|prospect| &prospect.fate) {
        Some(Fate::Promotes { node, .. }) => format!("{node} would take over"),
        _ => "who would take over is not known".to_owned(),
    };
    let standbys = following(view).count();
    format!("{begin}, {standbys} standbys follow, {ready}")
}

/// The standbys whose lag is known where the primary is.
fn following(view: &View) -> impl Iterator<Item = &NodeView> {
    let is_primary = view.primary.as_ref().map(|primary| &primary.node);
    let others = view
        .nodes
        .iter()
        .filter(move |node| Some(&node.node) != is_primary);
    others.filter(|node| node.wal.behind.is_some())
}

fn values(view: &View) -> Vec<Value> {
    let mut all = Vec::new();
    if view.knows_lags() {
        let count = following(view).count() as u64;
        all.push(value(Measure::Standbys, None, count));
    }
    for node in following(view) {
        let name = Some(node.node.to_string());
        let lags = [
            (Measure::Lag, node.wal.behind),
            (Measure::ReplayLag, node.wal.replay_behind),
        ];
        let known = lags
            .into_iter()
            .filter_map(|(measure, lag)| Some((measure, lag?)));
        all.extend(known.map(|(measure, lag)| value(measure, name.clone(), lag)));
    }
    if let Some(Fate::Promotes { loss, .. }) = view.if_primary_lost.as_ref().map(|one| &one.fate) {
        all.extend(
            loss.bytes_max()
                .map(|bytes| value(Measure::Loss, None, bytes)),
        );
    }
    all
}

fn value(measure: Measure, of: Option<String>, value: u64) -> Value {
    Value { measure, of, value }
}

impl Judgement {
    fn counts(&self, problem: &Problem) -> bool {
        let is_in = |list: &[String]| list.iter().any(|id| id == problem.id);
        (self.only.is_empty() || is_in(&self.only)) && !is_in(&self.ignore)
    }

    /// A threshold counts for itself: `--only` is about problems.
    fn exceeded(&self, values: &[Value]) -> Vec<Problem> {
        let exceeds = |thresholds: &[Threshold], value: &Value| {
            let mut own = thresholds.iter().filter(|one| one.measure == value.measure);
            own.any(|one| !one.range.holds(value.value))
        };
        let judge = |value: &Value| {
            let severity = match () {
                () if exceeds(&self.critical, value) => Health::Critical,
                () if exceeds(&self.warning, value) => Health::Attention,
                () => return None,
            };
            let Value { measure, of, value } = value;
            let of = of
                .as_ref()
                .map(|of| format!(" of {of}"))
                .unwrap_or_default();
            let unit = if measure.unit().is_empty() {
                ""
            } else {
                " bytes"
            };
            let text = format!("{}{of} is {value}{unit}", measure.name());
            Some(Problem::new("threshold", severity, text))
        };
        values.iter().filter_map(judge).collect()
    }

    /// `lag_srv2=0B;16777216;67108864`.
    fn datum(&self, value: &Value) -> String {
        let range = |thresholds: &[Threshold]| {
            let mut own = thresholds.iter().filter(|one| one.measure == value.measure);
            own.next()
                .map(|one| one.range.to_string())
                .unwrap_or_default()
        };
        let Value { measure, of, value } = value;
        let of = of.as_ref().map(|of| format!("_{of}")).unwrap_or_default();
        let (warning, critical) = (range(&self.warning), range(&self.critical));
        format!(
            "{}{of}={value}{};{warning};{critical}",
            measure.name(),
            measure.unit()
        )
    }
}

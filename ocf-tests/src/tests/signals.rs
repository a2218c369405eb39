//! What the agent says before a failure and of one: readiness for promotion, alerts.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::promotions::{configure, paused, restart_by_hand};
use crate::cluster::PATIENCE;
use crate::host::paths;
use crate::host::prometheus::Prometheus;
use crate::machine::node::Node;
use crate::run::scene::Scene;

const LOG: &str = "/var/log/pacemaker/pacemaker.log";
/// Each monitor of a standby comes every 16 s.
const SOME_MONITORS: Duration = Duration::from_secs(60);

/// How many lines of the log have this text.
fn lines(node: &Node, text: &str) -> Result<usize> {
    let log = node.run(&["cat", LOG])?;
    Ok(log.lines().filter(|line| line.contains(text)).count())
}

/// A sentence that a node is to say once from now on.
struct Wanted<'a> {
    node: &'a Node,
    text: String,
    before: usize,
}

impl<'a> Wanted<'a> {
    fn of(node: &'a Node, text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let before = lines(node, &text)?;
        Ok(Self { node, text, before })
    }

    fn is_said_once(&self) -> Result<()> {
        let count = lines(self.node, &self.text)? - self.before;
        ensure!(
            count == 1,
            "{}: {:?} {count} times",
            self.node.name,
            self.text
        );
        Ok(())
    }

    fn wait(&self, scene: &Scene) -> Result<()> {
        let what = format!("{} to say {:?}", self.node.name, self.text);
        scene
            .steps
            .wait(&what, SOME_MONITORS, || self.is_said_once())
    }
}

/// A standby whose replay is paused, and one that is barred: each is said once when it begins and
/// once when it ends.
pub fn a_standby_that_is_not_ready_is_said_once(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let standby = scene.a_standby()?;
    let name = &standby.name;
    let late = "This standby would be promoted late: its replay is paused";
    let late = Wanted::of(&standby, late)?;
    standby.sql("SELECT pg_wal_replay_pause()")?;
    late.wait(scene)?;
    let barred =
        format!("{name} could not be promoted now: it is barred by the constraint cli-ban");
    let barred = Wanted::of(&primary, barred)?;
    scene.pcs(&format!("resource ban pgsqld-clone {name} --promoted"))?;
    barred.wait(scene)?;
    let over = Wanted::of(&primary, format!("{name} could be promoted now"))?;
    scene.pcs("resource clear pgsqld-clone")?;
    over.wait(scene)?;
    late.is_said_once()?;
    let resumed = Wanted::of(&standby, "This standby could be promoted now")?;
    standby.sql("SELECT pg_wal_replay_resume()")?;
    resumed.wait(scene)?;
    barred.is_said_once()?;
    let by_id = ["journalctl", "--no-pager", "PGSQLMS_ID=not-ready"];
    let journal = primary.run(&by_id)?;
    ensure!(
        journal.contains(&barred.text),
        "not in the journal by its id: {journal}"
    );
    scene.undisturbed()
}

/// The primary has larger settings than its standbys: it says of each that it would be the last
/// choice, and once it is over that it could be promoted.
pub fn standbys_with_smaller_settings_are_said_once(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let rest = scene.cluster.others(&primary.name);
    configure(scene, &primary, "max_connections = 200")?;
    let worse = each(&primary, &rest, last_choice)?;
    restart_by_hand(scene, &primary)?;
    primary.sql("CREATE TABLE grown(i int)")?;
    for node in &rest {
        let pausing = || paused(node);
        scene
            .steps
            .wait("PostgreSQL to pause the replay", PATIENCE, pausing)?;
    }
    worse.iter().try_for_each(|one| one.wait(scene))?;
    let well = each(&primary, &rest, |node| {
        format!("{} could be promoted now", node.name)
    })?;
    for node in &rest {
        configure(scene, node, "max_connections = 200")?;
        scene.pcs(&format!("node standby {} --wait=60", node.name))?;
        scene.pcs(&format!("node unstandby {} --wait=60", node.name))?;
    }
    scene.cluster.wait_whole()?;
    well.iter().try_for_each(|one| one.wait(scene))?;
    worse.iter().try_for_each(Wanted::is_said_once)?;
    scene.nobody_fenced()
}

fn each<'a>(by: &'a Node, of: &[Node], text: impl Fn(&Node) -> String) -> Result<Vec<Wanted<'a>>> {
    of.iter().map(|node| Wanted::of(by, text(node))).collect()
}

fn last_choice(node: &Node) -> String {
    let name = &node.name;
    format!("{name} would be promoted only where no other standby is sound: max_connections=60")
}

/// As the packages install it.
const ALERT: &str = "/usr/share/pacemaker/alerts/alert_pgsqlms";
const SCRIPT: &str = include_str!("../../../packaging/monitoring/alert_pgsqlms");
/// Pacemaker calls it as hacluster, who may write here.
const EVENTS: &str = "/var/log/pacemaker/pgsqlms.events";

/// The events that a node was told of, by their names.
fn events(node: &Node, name: &str) -> Result<Vec<Value>> {
    let text = node.output(&["cat", EVENTS])?.stdout;
    let lines = text.lines().map(|line| {
        serde_json::from_str::<Value>(line).with_context(|| format!("{}: {line}", node.name))
    });
    let mut events = lines.collect::<Result<Vec<_>>>()?;
    events.retain(|event| event["event"] == name);
    Ok(events)
}

/// What a power cut of the primary came to.
struct Failover {
    old: Node,
    new: Node,
    /// Those that were standbys before.
    rest: Vec<Node>,
}

fn fail_over(scene: &Scene) -> Result<Failover> {
    let old = scene.cluster.primary()?;
    let rest = scene.cluster.others(&old.name);
    scene.cut_power(&old)?;
    let limit = Duration::from_secs(60);
    let new = scene.cluster.wait_promoted_among(&rest, limit)?;
    Ok(Failover { old, new, rest })
}

/// The power of the primary is cut, with Pacemaker's alert agent on all nodes: the promotion is told
/// by the node on which it was, with what it followed from, and the fencing by one node alone.
pub fn alerts_tell_of_a_failover(scene: &mut Scene) -> Result<()> {
    for node in &scene.cluster.nodes {
        node.write(ALERT, SCRIPT, "root:root", "0755")?;
    }
    scene.pcs(&format!("alert create path={ALERT} id=pgsqlms"))?;
    scene.pcs(&format!("alert recipient add pgsqlms value=file:{EVENTS}"))?;
    let Failover { old, new, rest } = fail_over(scene)?;
    scene.steps.wait("the promotion to be told", PATIENCE, || {
        let promoted = events(&new, "promoted")?;
        let [event] = promoted.as_slice() else {
            anyhow::bail!("{promoted:?}");
        };
        let told = ["resource", "node", "previous", "action", "code"].map(|key| &event[key]);
        let told = told
            .map(|value| value.to_string().replace('"', ""))
            .join(" ");
        let wanted = format!("pgsqld {} {} promote 0", new.name, old.name);
        ensure!(told == wanted && event["election"].is_u64(), "{event}");
        Ok(())
    })?;
    scene
        .steps
        .wait("the fencing to be told once", PATIENCE, || {
            let mut fenced = Vec::new();
            for node in &rest {
                fenced.extend(events(node, "fenced")?);
            }
            ensure!(
                fenced.len() == 1 && fenced[0]["node"] == old.name,
                "{fenced:?}"
            );
            Ok(())
        })?;
    scene.writes_go_on()?;
    scene.cluster.rejoin(&old)?;
    scene.only_fenced(&old.name)
}

/// A real Prometheus reads the metrics of all nodes and judges by the packaged rules: nothing is
/// wrong with a whole cluster, and nobody could take over once both standbys are stopped.
pub fn prometheus_judges_the_metrics(scene: &mut Scene) -> Result<()> {
    let rules = paths::workspace().join("packaging/monitoring/pgsqlms-alerts.yml");
    let names: Vec<_> = scene
        .cluster
        .nodes
        .iter()
        .map(|node| node.name.clone())
        .collect();
    let prometheus = Prometheus::start(&names, &rules)?;
    let primary = scene.cluster.primary()?;
    let rest = scene.cluster.others(&primary.name);
    let asks = |query: &str, is_right: &dyn Fn(&str) -> bool| {
        scene.steps.wait(query, PATIENCE, || {
            for node in &scene.cluster.nodes {
                let text = node.run(&["pgsqlms", "metrics"])?;
                // What a node prints comes here without its last line break.
                prometheus.hand(&node.name, &(text + "\n"))?;
            }
            let answer = prometheus.query(query)?;
            ensure!(is_right(&answer), "{answer:?}");
            Ok(())
        })
    };
    let not_ready = "ALERTS{alertname=\"PostgreSQLNotFailoverReady\"}";
    asks("sum(pgsqlms_look_success)", &|answer| {
        answer.contains("=> 3 @")
    })?;
    asks("sum(pgsqlms_primary)", &|answer| answer.contains("=> 1 @"))?;
    asks("min(pgsqlms_failover_ready)", &|answer| {
        answer.contains("=> 1 @")
    })?;
    asks(not_ready, &str::is_empty)?;
    for node in &rest {
        scene.pcs(&format!("node standby {} --wait=60", node.name))?;
    }
    asks(not_ready, &|answer| answer.contains("alertstate"))?;
    for node in &rest {
        scene.pcs(&format!("node unstandby {} --wait=60", node.name))?;
    }
    scene.cluster.wait_whole()?;
    asks(not_ready, &str::is_empty)?;
    scene.nobody_fenced()
}

/// After a power cut of the primary, the node that was promoted shows the course of it, and the
/// third one what it has of it.
pub fn history_shows_the_course_of_a_failover(scene: &mut Scene) -> Result<()> {
    let Failover { old, new, rest } = fail_over(scene)?;
    let third = rest.iter().find(|node| **node != new).context("third")?;
    let course = |node: &Node| -> Result<Value> {
        let words = ["pgsqlms", "history", "--last", "--format", "json"];
        Ok(serde_json::from_str(&node.run(&words)?)?)
    };
    scene.steps.wait("its end in the log", PATIENCE, || {
        let told = course(&new)?;
        let steps = told["steps"].as_array().context("no steps")?;
        let names: Vec<_> = steps
            .iter()
            .filter_map(|step| step["step"].as_str())
            .collect();
        for wanted in ["detected", "fenced", "elected", "writable"] {
            ensure!(names.contains(&wanted), "{wanted}: {told}");
        }
        let text = |step: &Value| step["text"].as_str().unwrap_or_default().to_owned();
        ensure!(text(&steps[0]).contains(&old.name), "{told}");
        ensure!(names.last() == Some(&"writable"), "{told}");
        Ok(())
    })?;
    let of_third = course(third)?;
    let missing = of_third["not_in_this_log"].to_string();
    ensure!(missing.contains("elected"), "{of_third}");
    scene.writes_go_on()?;
    scene.cluster.rejoin(&old)?;
    scene.only_fenced(&old.name)
}

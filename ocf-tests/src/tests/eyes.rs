//! What `status` and `explain` say: against what SQL and Pacemaker say at the same time, and
//! against what comes of it when the primary is lost.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::cluster::state::Role;
use crate::machine::node::Node;
use crate::run::fault;
use crate::run::scene::Scene;
use crate::run::staging::Stage;

/// What a command printed, and its exit code.
struct Said {
    code: i32,
    document: Value,
}

impl Said {
    fn by(node: &Node, words: &[&str]) -> Result<Self> {
        let line = [&["pgsqlms"], words, &["--format", "json"]].concat();
        let output = node.output(&line)?;
        let document = serde_json::from_str(&output.stdout);
        let document = document.with_context(|| output.stdout.clone() + &output.stderr)?;
        Ok(Self {
            code: output.code,
            document,
        })
    }

    fn status(node: &Node) -> Result<Self> {
        Self::by(node, &["status"])
    }

    /// A value as text, without quotes.
    fn at(&self, pointer: &str) -> String {
        match self.document.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            other => other.map(Value::to_string).unwrap_or_default(),
        }
    }

    fn problems(&self) -> Vec<String> {
        let problems = self.document["problems"].as_array();
        let problems = problems.into_iter().flatten();
        let named = problems.map(|one| format!("{} {}", one["id"], one["node"]));
        named.map(|one| one.replace('"', "")).collect()
    }

    fn node(&self, name: &str) -> Result<&Value> {
        let nodes = self.document["nodes"].as_array().context("no nodes")?;
        let mut nodes = nodes.iter();
        nodes
            .find(|one| one["node"] == name)
            .context("no such node")
    }

    fn ends_with(&self, code: i32, problems: &[&str]) -> Result<()> {
        let found = self.problems();
        ensure!(
            self.code == code && found == problems,
            "exit code {}, problems {found:?}",
            self.code
        );
        Ok(())
    }
}

/// Every node's view of a whole cluster is that of SQL on each node and of crm_mon.
pub fn status_is_what_sql_and_pacemaker_say(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    scene.steps.wait("nothing to be wrong", PATIENCE, || {
        Said::status(&primary)?.ends_with(0, &[])
    })?;
    for seen_from in &scene.cluster.nodes {
        let said = Said::status(seen_from)?;
        ensure!(
            said.at("/primary/node") == primary.name,
            "{}",
            said.document
        );
        ensure!(said.at("/seen_from") == seen_from.name, "{}", said.document);
        roles_and_scores(scene, &said)?;
        positions_of(&said, seen_from)?;
    }
    let said = Said::status(&primary)?;
    for node in &scene.cluster.nodes {
        positions_of(&said, node)?;
    }
    scene.undisturbed()
}

fn roles_and_scores(scene: &Scene, said: &Said) -> Result<()> {
    let state = scene.cluster.state()?;
    for node in &scene.cluster.nodes {
        let shown = said.node(&node.name)?;
        let is_primary = state
            .on(MAIN.resource, &Role::Promoted)
            .contains(&node.name);
        let role = if is_primary { "primary" } else { "standby" };
        let score = state.score(MAIN.resource, &node.name).unwrap_or("null");
        let wanted = format!("{role} {score} true");
        let told = format!("{} {} {}", shown["role"], shown["score"], shown["online"]);
        ensure!(
            told.replace('"', "") == wanted,
            "{}: {shown}, not {wanted}",
            node.name
        );
    }
    Ok(())
}

/// Nobody writes: what was asked before is still so.
fn positions_of(said: &Said, node: &Node) -> Result<()> {
    let shown = said.node(&node.name)?;
    let held = node.sql(
        "SELECT CASE WHEN pg_is_in_recovery() \
         THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) \
         ELSE pg_current_wal_lsn() END",
    )?;
    let timeline = node.sql(
        "SELECT greatest(timeline_id, (SELECT max(received_tli) FROM pg_stat_wal_receiver)) \
         FROM pg_control_checkpoint()",
    )?;
    let told = format!("{} {}", shown["received"]["lsn"], shown["timeline"]);
    let wanted = format!("{held} {timeline}");
    ensure!(
        told.replace('"', "") == wanted,
        "{}: {shown}, not {wanted}",
        node.name
    );
    Ok(())
}

/// Each thing that is wrong is said, with its id and on its node, and no more once it is over.
pub fn status_says_what_is_wrong(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    let says = |node: &Node, code, problem: &str| {
        let problems: Vec<_> = Some(problem)
            .filter(|text| !text.is_empty())
            .into_iter()
            .collect();
        let what = format!("{} to say {problem:?}", node.name);
        scene.steps.wait(&what, PATIENCE, || {
            Said::status(node)?.ends_with(code, &problems)
        })
    };
    let of_standby = |id: &str| format!("{id} {}", standby.name);
    says(&primary, 0, "")?;
    standby.sql("SELECT pg_wal_replay_pause()")?;
    says(&standby, 1, &of_standby("replay-paused"))?;
    standby.sql("SELECT pg_wal_replay_resume()")?;
    says(&standby, 0, "")?;
    fault::signal_postmaster(&scene.cluster, &standby, "KILL")?;
    says(&primary, 1, &of_standby("failed-action"))?;
    scene.clean_up()?;
    says(&primary, 0, "")?;
    scene.pcs(&format!("node standby {} --wait=60", standby.name))?;
    says(&primary, 1, &of_standby("node-standby"))?;
    scene.pcs(&format!("node unstandby {} --wait=60", standby.name))?;
    says(&primary, 0, "")?;
    scene.pcs("property set maintenance-mode=true")?;
    says(&primary, 1, "maintenance null")?;
    scene.pcs("property set maintenance-mode=false")?;
    standby.run(&["systemctl", "stop", "pacemaker"])?;
    let without = Said::status(&standby)?;
    ensure!(without.code == 3, "without Pacemaker: {}", without.document);
    ensure!(
        without.problems() == ["pacemaker-down null"],
        "{:?}",
        without.problems()
    );
    scene.cluster.bring_back(&standby)?;
    says(&primary, 0, "")?;
    scene.undisturbed()
}

/// The favourite is cut off, and holds less than the other: it is tried first, and gives way.
pub fn prediction_of_a_failover_comes_true(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    stage.disconnect(&[&stage.favourite])?;
    stage.write_rows(&stage.primary, 100)?;
    let rows = stage.rows(&stage.primary)?;
    stage.wait_rows(&stage.other, rows)?;
    let said = Said::by(
        &stage.primary,
        &["explain", "--if-lost", &stage.primary.name],
    )?;
    let wanted = format!("promote {}", stage.other.name);
    let told = format!("{} {}", said.at("/verdict"), said.at("/node"));
    ensure!(told == wanted && said.code == 1, "{}", said.document);
    stage.power_off(&stage.primary)?;
    let promoted = stage.nothing_lost(rows)?;
    ensure!(promoted == stage.other, "{} was promoted", promoted.name);
    scene.cluster.heal_network()
}

/// A ban on the only standby that holds the last 100 rows: the other one fetches them first.
pub fn prediction_of_a_fetch_comes_true(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    stage.forbid(&stage.favourite)?;
    stage.settle()?;
    stage.disconnect(&[&stage.other])?;
    stage.write_rows(&stage.primary, 100)?;
    let rows = stage.rows(&stage.primary)?;
    stage.wait_rows(&stage.favourite, rows)?;
    let said = Said::by(&stage.primary, &["explain"])?;
    let wanted = format!("promote {}", stage.other.name);
    let told = format!("{} {}", said.at("/verdict"), said.at("/node"));
    ensure!(told == wanted && said.code == 1, "{}", said.document);
    let from = format!("what only {} holds", stage.favourite.name);
    ensure!(said.at("/text").contains(&from), "{}", said.document);
    // The other reaches the favourite again, and the primary no more.
    scene.cluster.power.off(&stage.primary.name)?;
    scene.cluster.heal_network()?;
    let promoted = stage.nothing_lost(rows)?;
    ensure!(promoted == stage.other, "{} was promoted", promoted.name);
    stage.no_wish()
}

/// One standby alone cannot vouch for commits of two: nobody would be promoted, for the reason
/// that the refusal has later.
pub fn prediction_of_a_refusal_comes_true(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    scene.pcs(&format!("resource ban pgsqld-clone {}", stage.other.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&stage.other))?;
    stage.write_rows(&stage.primary, 100)?;
    let rows = stage.rows(&stage.primary)?;
    stage.wait_rows(&stage.favourite, rows)?;
    let said = Said::by(&stage.primary, &["explain"])?;
    let reason = "synchronous commits";
    ensure!(
        said.code == 2 && said.at("/verdict") == "nobody" && said.at("/text").contains(reason),
        "{}",
        said.document
    );
    let status = Said::status(&stage.primary)?;
    let is_said = status.problems().contains(&"nobody-ready null".to_owned());
    ensure!(status.code == 2 && is_said, "{}", status.document);
    stage.power_off(&stage.primary)?;
    stage.refused(rows, reason)
}

/// What a failover would wait for, or could not do, is seen where the primary is: a standby that
/// replays nothing, by every command, and a fence device that cannot be started, or is disabled.
pub fn what_holds_up_a_failover_is_said(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let (primary, standby) = (&stage.primary, &stage.favourite);
    let says = |code, problem: &str| {
        let wanted: Vec<_> = problem.split(", ").filter(|one| !one.is_empty()).collect();
        scene.steps.wait(&format!("{problem:?}"), PATIENCE, || {
            Said::status(primary)?.ends_with(code, &wanted)
        })
    };
    says(0, "")?;
    standby.sql("SELECT pg_wal_replay_pause()")?;
    stage.write_rows(primary, 100)?;
    let late = format!("replay-still {}", standby.name);
    says(1, &late)?;
    let said = Said::by(primary, &["explain"])?;
    ensure!(
        said.code == 1 && said.at("/text").contains("late: "),
        "{}",
        said.document
    );
    let check = primary.output(&["pgsqlms", "check"])?;
    ensure!(
        check.code == 1 && check.stdout.contains("replays none of it"),
        "{}",
        check.stdout
    );
    let metrics = primary.run(&["pgsqlms", "metrics"])?;
    ensure!(metrics.contains("id=\"replay-still\""), "{metrics}");
    ensure!(
        metrics.contains("pgsqlms_fencing{resource=\"pgsqld\"} 1"),
        "{metrics}"
    );
    standby.sql("SELECT pg_wal_replay_resume()")?;
    says(0, "")?;
    let device = format!("fence-{}", standby.name);
    scene.pcs(&format!("stonith disable {device}"))?;
    says(1, "fencing-failed null")?;
    let agents = |mode: &str| {
        let mut nodes = scene.cluster.nodes.iter();
        nodes.try_for_each(|node| node.run(&["chmod", mode, "/usr/sbin/fence_lab"]).map(drop))
    };
    agents("-x")?;
    scene.pcs(&format!("stonith enable {device}"))?;
    scene.steps.wait("it to fail", PATIENCE, || {
        let said = Said::status(primary)?;
        let text = said.at("/problems/0/text");
        ensure!(text.contains("runs on no node (start failed on"), "{text}");
        Ok(())
    })?;
    let metrics = primary.run(&["pgsqlms", "metrics"])?;
    ensure!(
        metrics.contains("pgsqlms_fencing{resource=\"pgsqld\"} 0"),
        "{metrics}"
    );
    agents("+x")?;
    scene.pcs("stonith cleanup")?;
    says(0, "")?;
    scene.undisturbed()
}

/// A node that is lost, one that was fenced and one that left by itself have each their own way
/// back; and an old primary does not take its own promotion for the last.
pub fn nodes_that_are_away_have_each_their_cure(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let others = scene.cluster.others(&old.name);
    let (witness, other) = (&others[0], &others[1]);
    let told = |node: &Node, wanted: &[&str]| {
        scene.steps.wait(wanted[0], PATIENCE, || {
            let said = witness.output(&["pgsqlms", "status"])?.stdout;
            let is_there = wanted.iter().all(|text| said.contains(text));
            ensure!(is_there && said.contains(&node.name), "{said}");
            Ok(())
        })
    };
    scene.cluster.power.break_fencing(true)?;
    scene.cluster.power.off(&old.name)?;
    let lost = format!("{} is lost, and not fenced yet", old.name);
    let wait = format!("wait: {} is lost, and has to be fenced first", old.name);
    told(&old, &[&lost, &wait, "pcs stonith confirm"])?;
    scene.cluster.power.break_fencing(false)?;
    scene.pcs(&format!("stonith fence {}", old.name))?;
    let fenced = format!("{} was fenced, and is not back", old.name);
    told(&old, &[&fenced, "once it has power and has booted"])?;
    scene.cluster.wait_whole_on(&[&witness.name, &other.name])?;
    let new = scene.cluster.primary()?;
    scene.cluster.rejoin(&old)?;
    let log = old.output(&["pgsqlms", "history", "--last"])?.stdout;
    let elsewhere = format!("On {}: pgsqlms history --last", new.name);
    ensure!(log.contains(&elsewhere), "{log}");
    let own = new.output(&["pgsqlms", "history", "--last"])?.stdout;
    ensure!(!own.contains("does not have the last"), "{own}");
    let leaver = if new == *other { &old } else { other };
    leaver.run_within(PATIENCE, &["pcs", "cluster", "stop"])?;
    let left = format!("{} has left the cluster", leaver.name);
    told(
        leaver,
        &[&left, &format!("pcs cluster start {}", leaver.name)],
    )?;
    scene.cluster.start_stack(std::slice::from_ref(leaver))?;
    scene.cluster.wait_whole()
}

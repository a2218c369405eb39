//! Gives the cluster the state of a plan, and takes it back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::plan::{Fate, Plan, Written};
use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::{Node, on_each};
use crate::run::scene::Scene;
use crate::run::staging::Stage;

const RULE: &str = "ANY 1 (srv1,srv2,srv3)";

/// A cluster in the state of a plan.
pub struct Arranged<'a> {
    /// Its nodes by their parts.
    pub stage: &'a Stage<'a>,
    /// The plan.
    pub plan: &'a Plan,
    /// Rows that a client was told are safe.
    pub safe: u64,
    /// All rows.
    pub rows: u64,
}

impl<'a> Arranged<'a> {
    /// Arranges it.
    pub fn of(stage: &'a Stage<'a>, plan: &'a Plan) -> Result<Self> {
        let (scene, primary) = (stage.scene, &stage.primary);
        rule(scene, if plan.synchronous { RULE } else { "" })?;
        if plan.maxlag {
            scene.pcs("resource update pgsqld maxlag=1000000")?;
        }
        stage.settle()?;
        // The record has the rule by then, which the election goes by.
        scene
            .steps
            .wait("the record to have the rule", PATIENCE, || {
                let reign = recorded(primary)?;
                ensure!(reign.contains(";sync=") == plan.synchronous, "{reign}");
                Ok(())
            })?;
        stage.write_rows(primary, 50)?;
        let safe = stage.rows(primary)?;
        for (fate, node) in plan.fates.into_iter().zip(stage.standbys()) {
            arrange(stage, node, fate).with_context(|| format!("{fate:?} of {}", node.name))?;
        }
        write(stage, plan)?;
        let rows = stage.rows(primary)?;
        for (fate, node) in plan.fates.into_iter().zip(stage.standbys()) {
            if fate.receives() && !matches!(fate, Fate::Paused | Fate::Delayed) {
                stage.wait_rows(node, rows)?;
            }
        }
        let safe = if plan.confirms() { rows } else { safe };
        scene.let_pass(Duration::from_secs(plan.wait), "the state is as drawn");
        Ok(Self {
            stage,
            plan,
            safe,
            rows,
        })
    }

    /// The standbys with what became of them.
    pub fn standbys(&self) -> impl Iterator<Item = (&Node, Fate)> {
        self.stage.standbys().into_iter().zip(self.plan.fates)
    }

    /// The nodes with power.
    pub fn powered(&self) -> Vec<&Node> {
        let standbys = self.standbys().filter(|(_, fate)| *fate != Fate::Off);
        let mut all = vec![&self.stage.primary];
        all.extend(standbys.map(|(node, _)| node));
        all
    }
}

/// The rule of the last reign on record.
fn recorded(primary: &Node) -> Result<String> {
    let query = [
        "crm_attribute",
        "--query",
        "--quiet",
        "--node",
        &primary.name,
    ];
    primary.run(&[&query[..], &["--name", "reign-pgsqld"]].concat())
}

fn rule(scene: &Scene, rule: &str) -> Result<()> {
    let confdir = scene.cluster.options.release.confdir(MAIN.name);
    let path = format!("{confdir}/conf.d/synchronous.conf");
    let text = format!("synchronous_standby_names = '{rule}'\n");
    on_each(&scene.cluster.nodes, |node| {
        node.write(&path, &text, "postgres:postgres", "0644")?;
        node.sql("SELECT pg_reload_conf()").map(drop)
    })
}

fn write(stage: &Stage, plan: &Plan) -> Result<()> {
    if plan.written == Written::Nothing {
        return Ok(());
    }
    if plan.written == Written::Megabytes {
        let local = "SET synchronous_commit = local; SELECT count(pg_logical_emit_message(true, \
                     'lab', repeat('x', 1000000))) FROM generate_series(1, 3)";
        stage.primary.sql(local)?;
    }
    if plan.confirms() {
        stage.write_rows(&stage.primary, 100)
    } else {
        stage.write_local(&stage.primary, 100)
    }
}

fn arrange(stage: &Stage, node: &Node, fate: Fate) -> Result<()> {
    let scene = stage.scene;
    let ban = format!("resource ban pgsqld-clone {}", node.name);
    match fate {
        Fate::Follows => Ok(()),
        Fate::CutOff => stage.disconnect(&[node]),
        Fate::Silent => scene.cluster.cut_replication(node, &MAIN),
        Fate::NoReceiver => no_receiver(stage, node),
        Fate::Paused => node.sql("SELECT pg_wal_replay_pause()").map(drop),
        Fate::Delayed => {
            node.sql("ALTER SYSTEM SET recovery_min_apply_delay = '1h'")?;
            node.sql("SELECT pg_reload_conf()").map(drop)
        }
        Fate::Stopped => {
            scene.pcs(&ban)?;
            scene.wait_stopped(&MAIN, std::slice::from_ref(node))?;
            stage.settle()
        }
        Fate::Barred => {
            let flag = scene.cluster.options.release.promoted_flag();
            scene.pcs(&format!("{ban} {flag}"))?;
            stage.settle()
        }
        Fate::NodeStandby => {
            scene.pcs(&format!("node standby {}", node.name))?;
            scene.wait_stopped(&MAIN, std::slice::from_ref(node))?;
            stage.settle()
        }
        Fate::LowScore => score(node, Some("5")).and_then(|()| stage.settle()),
        Fate::NegativeScore => score(node, Some("-5")).and_then(|()| stage.settle()),
        Fate::Off => scene.cut_power(node),
    }
}

/// By an address of nobody.
fn no_receiver(stage: &Stage, node: &Node) -> Result<()> {
    node.sql(&format!(
        "ALTER SYSTEM SET primary_conninfo = 'host=10.99.0.66 application_name={} \
         connect_timeout=1'",
        node.name
    ))?;
    node.sql("SELECT pg_reload_conf()")?;
    let query = format!(
        "SELECT count(*) FROM pg_stat_replication WHERE application_name = '{}'",
        node.name
    );
    stage.scene.steps.wait("its end", PATIENCE, || {
        let connected = stage.primary.sql(&query)?;
        ensure!(connected == "0", "it is connected");
        Ok(())
    })
}

/// A promotion score until the next boot.
fn score(node: &Node, value: Option<&str>) -> Result<()> {
    let act = value.map_or("--delete".to_owned(), |value| format!("--update={value}"));
    let attribute = ["--lifetime", "reboot", "--name", "master-pgsqld", &act];
    let words = ["crm_attribute", "--node", &node.name];
    node.run(&[&words[..], &attribute].concat()).map(drop)
}

/// Makes the cluster whole again, whatever was arranged in it.
pub fn undo(scene: &Scene) -> Result<()> {
    scene.cluster.heal_network()?;
    let nodes = scene.cluster.nodes.iter();
    for node in nodes.filter(|node| node.stack_runs()) {
        // What was not arranged on it cannot be taken back.
        let _ = score(node, None);
        let _ = node.sql("SELECT pg_wal_replay_resume()");
        reset(scene, node);
    }
    for node in &scene.cluster.nodes {
        let _ = scene.pcs(&format!("resource clear pgsqld-clone {}", node.name));
        let _ = scene.pcs(&format!("node unstandby {}", node.name));
    }
    let _ = scene.pcs("resource update pgsqld maxlag=");
    scene.cluster.rejoin_all()?;
    for node in &scene.cluster.nodes {
        reset(scene, node);
    }
    rule(scene, "")?;
    scene.clean_up()
}

/// In the file: a server that was stopped for want of a quorum reads it when it starts.
fn reset(scene: &Scene, node: &Node) {
    let data = scene.cluster.options.release.datadir(MAIN.name);
    let file = format!("{data}/postgresql.auto.conf");
    let lines = "/^recovery_min_apply_delay\\|^primary_conninfo/d";
    let _ = node.as_postgres(&["sed", "-i", lines, &file]);
    let _ = node.sql("SELECT pg_reload_conf()");
}

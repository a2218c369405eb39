//! Plays a story on a cluster while a real Prometheus reads its metrics, and asks it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use super::record::{self, Act, Record};
use crate::cluster::postgresql::MAIN;
use crate::cluster::{Cluster, Options, PATIENCE};
use crate::host::paths;
use crate::host::progress::Steps;
use crate::host::prometheus::Prometheus;
use crate::machine::node::Node;
use crate::watch::client::Client;

/// Between two readings of a node's metrics; the packaged timer has 15 s.
const READING: Duration = Duration::from_secs(3);
/// A node whose metrics take longer is left out of the reading.
const PROMPT: Duration = Duration::from_secs(10);
/// Seconds between two samples of an answer.
const STEP: f64 = 2.0;

/// Plays the story on a cluster of its own and returns what Prometheus answers to `queries`.
pub fn play(queries: &[String], steps: &Steps) -> Result<Record> {
    let options = Options {
        synchronous: true,
        ..Options::new("pict")?
    };
    options.agent.build()?;
    let cluster = Cluster::start(options, steps)?;
    // Three nodes on one machine: Pacemaker would run one action at a time in the whole cluster.
    cluster.pcs(&["property", "set", "load-threshold=400%"])?;
    let names: Vec<_> = cluster.nodes.iter().map(|node| node.name.clone()).collect();
    let rules = paths::workspace().join("packaging/monitoring/pgsqlms-alerts.yml");
    let prometheus = Prometheus::start(&names, &rules)?;
    let client = Client::start(&cluster, &MAIN);
    client.wait_writing(steps, Duration::from_secs(30))?;
    let stage = Stage {
        cluster: &cluster,
        prometheus: &prometheus,
        over: AtomicBool::new(false),
        acts: Mutex::default(),
    };
    thread::scope(|scope| {
        scope.spawn(|| stage.feed());
        let played = stage.wait_fed().and_then(|()| stage.acts());
        stage.over.store(true, Ordering::Relaxed);
        played
    })?;
    let record = stage.ask(queries)?;
    let lost = client.finish(steps)?.lost;
    ensure!(lost.is_empty(), "acknowledged rows are lost: {lost:?}");
    cluster.shut_down()?;
    Ok(record)
}

struct Stage<'a> {
    cluster: &'a Cluster,
    prometheus: &'a Prometheus,
    over: AtomicBool,
    acts: Mutex<Vec<Act>>,
}

impl Stage<'_> {
    /// Hands the metrics of each node on until the story is over.
    fn feed(&self) {
        while !self.over.load(Ordering::Relaxed) {
            for node in &self.cluster.nodes {
                let words = ["pgsqlms", "metrics"];
                // A node without power, or one that boots, tells nothing: its series end.
                let text = node.run_within(PROMPT, &words).ok();
                self.prometheus.replace(&node.name, text.as_deref());
            }
            thread::sleep(READING);
        }
    }

    fn wait_fed(&self) -> Result<()> {
        let what = "Prometheus to have read all nodes";
        self.cluster.steps.wait(what, PATIENCE, || {
            let answer = self.prometheus.query("sum(pgsqlms_look_success)")?;
            ensure!(answer.contains("=> 3 @"), "{answer:?}");
            Ok(())
        })
    }

    fn acts(&self) -> Result<()> {
        self.act("quiet", 25)?;
        let standby = self.a_standby()?;
        self.standby_mode(&standby)?;
        let target = self.a_standby()?;
        self.switchover(&target)?;
        self.power_cut(&target)?;
        self.paused_replay()
    }

    fn standby_mode(&self, node: &Node) -> Result<()> {
        let name = &node.name;
        self.act(&format!("{name} in standby"), 0)?;
        self.cluster.pcs(&["node", "standby", name, "--wait=60"])?;
        pass(20);
        self.act("and back", 0)?;
        self.cluster
            .pcs(&["node", "unstandby", name, "--wait=60"])?;
        self.cluster.wait_whole()?;
        pass(20);
        Ok(())
    }

    fn switchover(&self, target: &Node) -> Result<()> {
        self.act(&format!("switchover to {}", target.name), 0)?;
        target.run(&["pgsqlms", "switchover", "--to", &target.name])?;
        self.cluster.wait_whole()?;
        pass(30);
        Ok(())
    }

    fn power_cut(&self, primary: &Node) -> Result<()> {
        let name = &primary.name;
        self.act(&format!("power of {name} cut"), 0)?;
        self.cluster.power.off(name)?;
        let rest = self.cluster.others(name);
        self.cluster.wait_promoted_among(&rest, PATIENCE)?;
        pass(30);
        self.act(&format!("{name} comes back"), 0)?;
        self.cluster.rejoin(primary)?;
        pass(20);
        Ok(())
    }

    fn paused_replay(&self) -> Result<()> {
        let standby = self.a_standby()?;
        standby.sql("SELECT pg_wal_replay_pause()")?;
        self.act(&format!("replay on {} paused", standby.name), 35)
    }

    fn a_standby(&self) -> Result<Node> {
        self.cluster.standbys()?.pop().context("no standby")
    }

    /// Begins an act and lets so many seconds pass.
    fn act(&self, what: &str, seconds: u64) -> Result<()> {
        self.cluster.steps.say(what);
        let act = Act {
            from: now()?,
            what: what.to_owned(),
        };
        self.acts
            .lock()
            .map_err(|_| anyhow::anyhow!("a thread died"))?
            .push(act);
        pass(seconds);
        Ok(())
    }

    fn ask(&self, queries: &[String]) -> Result<Record> {
        let acts = self
            .acts
            .lock()
            .map_err(|_| anyhow::anyhow!("a thread died"))?
            .clone();
        let begin = acts.first().context("nothing was played")?.from.ceil();
        // The last sample is of a moment that was scraped.
        let steps = ((now()? - begin) / STEP).floor() - 1.0;
        let end = begin + steps * STEP;
        let mut answers = BTreeMap::new();
        for query in queries {
            let said = self.prometheus.range(query, begin, end, STEP)?;
            let said = serde_json::from_str(&said).with_context(|| query.clone())?;
            answers.insert(query.clone(), record::lines(&said)?);
        }
        Ok(Record {
            begin,
            end,
            step: STEP,
            acts,
            answers,
        })
    }
}

fn pass(seconds: u64) {
    thread::sleep(Duration::from_secs(seconds));
}

/// Seconds since 1970.
fn now() -> Result<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64())
}

//! A soak: one random fault after the other for a long time, under writes that wait for a
//! standby. Watched all the time for a second writable primary; at the end the cluster must be
//! whole, and every acknowledged row there.
//!
//! What an operator does here is what the faults name: cables are plugged, processes and disks
//! let go on, a node that is down is booted and its cluster stack started, a node whose data has
//! diverged is rewound. No failure is cleaned up by hand, nothing is promoted by hand.

mod plan;
mod watch;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

pub use plan::{Blow, Target};
pub use watch::Watch;

use crate::cluster::Cluster;
use crate::machine::node::Node;
use crate::run::chance::Chance;
use crate::run::fault::Fault;
use crate::run::misled;
use crate::run::scene::Scene;
use crate::watch::timeline::{DAY, time_of_day};

/// Failures are forgotten after this time, so that nobody has to clean them up.
const FAILURE_TIMEOUT: &str = "60s";
/// Time of a repaired cluster before it is hit again.
const CALM: Duration = Duration::from_secs(5);

/// What came of it.
#[derive(Debug)]
pub struct Verdict {
    /// Blows dealt.
    pub blows: usize,
    /// Rows acknowledged.
    pub rows: usize,
    /// Longest time without one.
    pub downtime: Duration,
    /// Answers to the question who is a primary.
    pub answers: usize,
    /// Nodes fenced.
    pub fencings: usize,
    /// Actions that ran out of time, all of them explained by a fault.
    pub timed_out: Vec<String>,
}

/// A soak that is under way.
struct Soak<'a> {
    scene: &'a Scene,
    watch: Watch,
    /// Not repaired yet.
    open: Vec<(Fault, Node)>,
    /// Times in which an action may have run out of its own time.
    excuses: Vec<Excuse>,
}

/// Deals blows of `seed` for `length`; `tell` gets a line for each.
pub fn run(scene: &Scene, seed: u64, length: Duration, tell: impl Fn(&str)) -> Result<Verdict> {
    let expiry = format!("resource defaults update failure-timeout={FAILURE_TIMEOUT}");
    scene.pcs(&expiry)?;
    scene.pcs("property set cluster-recheck-interval=30s")?;
    misled::prepare_archive(&scene.cluster)?;
    scene.pcs("resource disable pgsqld-clone --wait=60")?;
    scene.pcs("resource enable pgsqld-clone --wait=60")?;
    scene.cluster.wait_whole()?;
    let mut soak = Soak {
        scene,
        watch: Watch::start(&scene.cluster),
        open: Vec::new(),
        excuses: Vec::new(),
    };
    let mut chance = Chance::new(seed);
    let (start, mut blows) = (Instant::now(), 0);
    while start.elapsed() < length {
        let blow = Blow::draw(&mut chance);
        blows += 1;
        let seconds = start.elapsed().as_secs();
        tell(&format!("{seconds:5} s, blow {blows}: {blow}"));
        soak.deal(&blow, &tell)
            .with_context(|| format!("blow {blows}: {blow}"))?;
    }
    soak.repair()?;
    soak.verdict(blows)
}

impl Soak<'_> {
    fn deal(&mut self, blow: &Blow, tell: &impl Fn(&str)) -> Result<()> {
        for (number, (fault, target)) in blow.faults.iter().enumerate() {
            if number > 0 {
                std::thread::sleep(blow.between);
            }
            match self.hit(*fault, *target) {
                Ok(node) => self.scene.steps.say(&format!("{fault} on {node}")),
                // Nobody has the role, the program does not run, the node has no power.
                Err(error) => tell(&format!("        {fault} is not possible now: {error:#}")),
            }
        }
        self.let_pass(blow.pause)?;
        if blow.healed {
            self.repair()?;
            self.let_pass(CALM)?;
        }
        Ok(())
    }

    fn hit(&mut self, fault: Fault, target: Target) -> Result<String> {
        let cluster = &self.scene.cluster;
        let node = match target {
            Target::Primary => cluster.primary()?,
            Target::Standby(number) => {
                let standbys = cluster.standbys()?;
                let found = standbys.get(number).or(standbys.last());
                found.context("no standby")?.clone()
            }
        };
        // On record before it begins: half a fault has to be repaired as well.
        self.open.push((fault, node.clone()));
        if fault.stops_programs() {
            self.excuses.push(Excuse::begin()?);
        }
        fault.inject(cluster, &node)?;
        Ok(node.name)
    }

    fn let_pass(&self, time: Duration) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < time {
            std::thread::sleep(Duration::from_millis(200));
            self.only_one_primary()?;
        }
        Ok(())
    }

    fn only_one_primary(&self) -> Result<()> {
        let twice = self.watch.twice();
        ensure!(twice.is_empty(), "two primaries: {}", twice.join("; "));
        Ok(())
    }

    /// Ends all faults and waits until the cluster is whole and written to.
    fn repair(&mut self) -> Result<()> {
        let cluster = &self.scene.cluster;
        for (fault, node) in self.open.drain(..) {
            if let Err(error) = fault.heal(cluster, &node) {
                let text = format!(
                    "{fault} on {}: nothing left to repair: {error:#}",
                    node.name
                );
                self.scene.steps.say(&text);
            }
        }
        cluster.rejoin_all()?;
        self.excuses.iter_mut().try_for_each(Excuse::end)?;
        self.only_one_primary()?;
        self.scene.writes_go_on()?;
        self.nothing_lost()
    }

    fn nothing_lost(&self) -> Result<()> {
        let client = self.scene.client.as_ref().context("no client")?;
        client.nothing_lost(&self.scene.steps)
    }

    fn verdict(&self, blows: usize) -> Result<Verdict> {
        let client = self.scene.client.as_ref().context("no client")?;
        let (excused, timed_out): (Vec<_>, Vec<_>) = timed_out(&self.scene.cluster)?
            .into_iter()
            .partition(|one| self.excuses.iter().any(|excuse| excuse.covers(one.at)));
        ensure!(
            timed_out.is_empty(),
            "actions ran out of time, and no fault explains it: {}",
            texts(timed_out).join("; ")
        );
        Ok(Verdict {
            blows,
            rows: client.acknowledged(),
            downtime: client.downtime(),
            answers: self.watch.answers(),
            fencings: self.scene.cluster.power.fencings()?.len(),
            timed_out: texts(excused),
        })
    }
}

/// Milliseconds since midnight, as logs have them.
fn now() -> Result<u128> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() % DAY)
}

/// From a fault that stops programs until the cluster was whole again.
#[derive(Debug)]
struct Excuse {
    from: u128,
    to: Option<u128>,
}

impl Excuse {
    fn begin() -> Result<Self> {
        Ok(Self {
            from: now()?,
            to: None,
        })
    }

    fn end(&mut self) -> Result<()> {
        if self.to.is_none() {
            self.to = Some(now()?);
        }
        Ok(())
    }

    fn covers(&self, at: u128) -> bool {
        let since = |from: u128, at: u128| (at + DAY - from) % DAY;
        self.to
            .is_none_or(|to| since(self.from, at) <= since(self.from, to))
    }
}

/// An action that did not end by itself.
#[derive(Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// Milliseconds since midnight.
    at: u128,
    text: String,
}

fn texts(actions: Vec<TimedOut>) -> Vec<String> {
    actions.into_iter().map(|one| one.text).collect()
}

/// Actions of the resource agent that Pacemaker had to kill because their time was over.
pub fn timed_out(cluster: &Cluster) -> Result<Vec<TimedOut>> {
    let mut found = Vec::new();
    for node in &cluster.nodes {
        let path = node.root().join("var/log/pacemaker/pacemaker.log");
        let log = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
        let of_it = log.lines().filter_map(timed_out_action);
        found.extend(of_it);
    }
    Ok(found)
}

fn timed_out_action(line: &str) -> Option<TimedOut> {
    let action = line.find("Result of ").map(|at| &line[at..])?;
    let of_it = action.contains(" for pgsqld on ") && action.contains(": Timed Out");
    let at = line.split_whitespace().find_map(time_of_day)?;
    of_it.then(|| TimedOut {
        at,
        text: action.to_owned(),
    })
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} blows, {} rows acknowledged and none lost, longest time without one {:.1} s, {} \
             looks at a node and never two primaries, {} orders to the power switch, {} actions \
             out of time",
            self.blows,
            self.rows,
            self.downtime.as_secs_f64(),
            self.answers,
            self.fencings,
            self.timed_out.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_that_ran_out_of_time_is_found_in_the_log() {
        let line = "Nov 24 19:03:03.412 srv2 pacemaker-controld  [64] (log_executor_event) error: \
                    Result of monitor operation for pgsqld on srv2: Timed Out after 10s (x)";
        let found = "Result of monitor operation for pgsqld on srv2: Timed Out after 10s (x)";
        assert_eq!(timed_out_action(line).unwrap().text, found);
        assert_eq!(timed_out_action(&line.replace("pgsqld", "ip")), None);
        let ok = "Result of monitor operation for pgsqld on srv2: ok";
        assert_eq!(timed_out_action(ok), None);
    }

    #[test]
    fn an_excuse_lasts_until_the_repair() {
        let at = |clock| time_of_day(clock).unwrap();
        let excuse = Excuse {
            from: at("23:59:30.000"),
            to: Some(at("00:00:30.000")),
        };
        assert!(excuse.covers(at("23:59:59.000")) && excuse.covers(at("00:00:20.000")));
        assert!(!excuse.covers(at("23:59:29.000")) && !excuse.covers(at("00:00:31.000")));
    }
}

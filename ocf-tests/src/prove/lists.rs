//! Random faults while clients append to lists and read them, under each level of
//! `synchronous_commit`, through the address and directly; both judges look at what they were told.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::judge::judged;
use super::operator::sleep_until;
use crate::cluster::postgresql::MAIN;
use crate::consistency::check::{Verdict, check};
use crate::consistency::{history, second};
use crate::host::paths;
use crate::machine::node::Node;
use crate::run::chance::Chance;
use crate::run::fault::Fault;
use crate::run::scene::Scene;
use crate::watch::lists::{LEVELS, Lists};

/// The second blow comes within this time of the first: its failover may be over by then, or not.
const LATEST_SECOND: Duration = Duration::from_secs(15);
/// Earliest repair after the second blow, and what may be added to it.
const EARLIEST_REPAIR: Duration = Duration::from_secs(5);
const LATEST_MORE: Duration = Duration::from_secs(15);
/// Appends before the first blow and after the last repair.
const SOME: usize = 100;

/// What happens to the primary, or to one of the standbys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// The primary moves to standby 0 or 1.
    Move(usize),
    /// Something breaks at the primary.
    AtPrimary(Fault),
    /// Something breaks at standby 0 or 1.
    AtStandby(usize, Fault),
}

const BLOWS: &[Blow] = &[
    Blow::Move(0),
    Blow::Move(1),
    Blow::AtPrimary(Fault::Power),
    Blow::AtPrimary(Fault::Power),
    Blow::AtPrimary(Fault::KilledPostmaster),
    Blow::AtPrimary(Fault::FrozenPostmaster),
    Blow::AtPrimary(Fault::Cable),
    Blow::AtStandby(0, Fault::Power),
    Blow::AtStandby(1, Fault::Power),
    Blow::AtStandby(0, Fault::KilledPostmaster),
    Blow::AtStandby(0, Fault::FrozenReplication),
    Blow::AtStandby(1, Fault::Cable),
    Blow::AtStandby(0, Fault::CutReplication),
    Blow::AtStandby(1, Fault::CutReplication),
];

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Move(number) => write!(f, "move to standby {}", number + 1),
            Self::AtPrimary(fault) => write!(f, "{fault} (primary)"),
            Self::AtStandby(number, fault) => write!(f, "{fault} (standby {})", number + 1),
        }
    }
}

/// Two blows, and when the operator repairs.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    blows: [Blow; 2],
    second_at: Duration,
    repair_after: Duration,
}

impl Plan {
    fn draw(chance: &mut Chance) -> Self {
        Self {
            blows: [chance.pick(BLOWS), chance.pick(BLOWS)],
            second_at: chance.moment(LATEST_SECOND),
            repair_after: EARLIEST_REPAIR + chance.moment(LATEST_MORE),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.blows;
        let (at, after) = (
            self.second_at.as_secs_f64(),
            self.repair_after.as_secs_f64(),
        );
        write!(
            f,
            "{first}, {at:.1} s later {second}, repaired after {after:.1} s"
        )
    }
}

/// The round of `seed`.
pub fn round(scene: &Scene, seed: u64) -> Result<String> {
    let plan = Plan::draw(&mut Chance::new(seed));
    let lists = Lists::start(&scene.cluster, &MAIN, LEVELS)?;
    lists.wait_appending(&scene.steps, SOME)?;
    let rows = judged(scene, &plan.to_string(), || play(scene, &plan))?;
    lists.wait_appending(&scene.steps, SOME)?;
    let verdict = judge(scene, lists)?;
    ensure!(verdict.unread == 0, "not all was read back: {verdict}");
    Ok(format!("{rows}; lists: {verdict}"))
}

/// Ends the clients; whatever either judge finds is an error, and the history is kept.
pub fn judge(scene: &Scene, lists: Lists) -> Result<Verdict> {
    let history = lists.finish(&scene.steps)?;
    let (verdict, opinion) = (check(&history), second::opinion(&history));
    scene.steps.say(&format!("lists: {verdict}"));
    if verdict.findings.is_empty() && opinion.is_empty() {
        return Ok(verdict);
    }
    let millis = scene.steps.elapsed().as_millis();
    let path = paths::logs().join(format!("history-{}-{millis}.txt", std::process::id()));
    std::fs::write(&path, history::write(&history)).context("history")?;
    let opinion = opinion.join("; ");
    anyhow::bail!(
        "{verdict}; the second judge: {opinion}; history: {}",
        path.display()
    )
}

/// Deals the blows and repairs what the operator has to repair; nodes are booted by the caller.
fn play(scene: &Scene, plan: &Plan) -> Result<()> {
    let start = Instant::now();
    let mut broken = Vec::new();
    std::thread::scope(|scope| {
        for (blow, moment) in plan.blows.iter().zip([Duration::ZERO, plan.second_at]) {
            sleep_until(start, moment);
            let dealt = match *blow {
                Blow::Move(number) => standby(scene, number).map(|node| {
                    scope.spawn(move || moved(scene, &node));
                }),
                Blow::AtPrimary(fault) => {
                    let primary = scene.cluster.primary();
                    primary.and_then(|node| broken_at(scene, fault, node, &mut broken))
                }
                Blow::AtStandby(number, fault) => standby(scene, number)
                    .and_then(|node| broken_at(scene, fault, node, &mut broken)),
            };
            if let Err(error) = dealt {
                // Nobody has the role at this moment.
                scene
                    .steps
                    .say(&format!("{blow} is not possible now: {error:#}"));
            }
        }
        sleep_until(start, plan.second_at + plan.repair_after);
        for (fault, node) in &broken {
            if let Err(error) = fault.heal(&scene.cluster, node) {
                let name = &node.name;
                scene
                    .steps
                    .say(&format!("{fault} on {name}: nothing to repair: {error:#}"));
            }
        }
    });
    let cleared = scene.pcs("resource clear pgsqld-clone");
    cleared.map(drop).or_else(|error| {
        scene.steps.say(&format!("nothing to clear: {error:#}"));
        Ok(())
    })
}

fn moved(scene: &Scene, node: &Node) {
    scene
        .steps
        .say(&format!("moving the primary to {}", node.name));
    if let Err(error) = scene.cluster.move_primary(&node.name) {
        scene.steps.say(&format!("the move: {error:#}"));
    }
}

fn standby(scene: &Scene, number: usize) -> Result<Node> {
    let standbys = scene.cluster.standbys()?;
    let found = standbys.get(number).or(standbys.last());
    found.cloned().context("no standby")
}

fn broken_at(
    scene: &Scene,
    fault: Fault,
    node: Node,
    broken: &mut Vec<(Fault, Node)>,
) -> Result<()> {
    scene.steps.say(&format!("{fault} on {}", node.name));
    broken.push((fault, node.clone()));
    fault.inject(&scene.cluster, &node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_drawn_again_from_its_seed() {
        crate::run::chance::assert_drawn_from_seed(Plan::draw);
    }

    #[test]
    fn every_blow_is_drawn() {
        let drawn = crate::run::chance::drawn(300, Plan::draw);
        for blow in BLOWS {
            assert!(drawn.iter().any(|plan| plan.blows.contains(blow)), "{blow}");
        }
    }
}

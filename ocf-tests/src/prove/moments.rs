//! Something ends well (a switchover, a failover, the return of a standby), and within 30 s
//! the primary fails: scores and votes of that moment must still find a candidate.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::operator::{by_role, primary_among, wait_with};
use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::chance::Chance;
use crate::run::scene::Scene;

/// Two intervals of the monitors.
const LATEST: Duration = Duration::from_secs(30);

/// What happens before the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The primary moves to a standby on request.
    Switchover,
    /// The primary's node loses power and a standby takes over.
    Failover,
    /// A standby's node lost power and comes back.
    Return,
}

/// How the primary fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    PowerCut,
    KilledPostmaster,
}

/// What happens, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What happens before.
    pub event: Event,
    standby: usize,
    after: Duration,
    failure: Failure,
}

impl Plan {
    /// Draws a plan.
    pub fn draw(chance: &mut Chance) -> Self {
        use Failure::{KilledPostmaster, PowerCut};
        Self {
            event: chance.pick(&[Event::Switchover, Event::Failover, Event::Return]),
            standby: chance.pick(&[1, 2]),
            after: chance.moment(LATEST),
            failure: chance.pick(&[PowerCut, PowerCut, PowerCut, KilledPostmaster]),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = match self.failure {
            Failure::PowerCut => "power cut of the primary",
            Failure::KilledPostmaster => "kill -9 of the primary's postmaster",
        };
        let event = match self.event {
            Event::Switchover => format!("the switchover to standby {}", self.standby),
            Event::Failover => "a failover".to_owned(),
            Event::Return => format!("the return of standby {}", self.standby),
        };
        let after = self.after.as_secs_f64();
        write!(f, "{failure} {after:.1} s after {event}")
    }
}

/// Plays the plan until there is a primary again.
pub fn run(scene: &Scene, plan: &Plan) -> Result<()> {
    match plan.event {
        Event::Switchover => after_switchover(scene, plan),
        Event::Failover => after_failover(scene, plan),
        Event::Return => after_return(scene, plan),
    }
}

fn after_switchover(scene: &Scene, plan: &Plan) -> Result<()> {
    let target = by_role(scene)?.swap_remove(plan.standby);
    // The command itself may be on the node that fails next.
    let failed = scene.move_during(&target.name, || {
        scene.cluster.wait_promoted(&target.name)?;
        std::thread::sleep(plan.after);
        fail(scene, plan)
    })?;
    recovers(scene, &failed)
}

fn after_failover(scene: &Scene, plan: &Plan) -> Result<()> {
    let old = scene.cluster.primary()?;
    scene.cut_power(&old)?;
    scene.steps.wait("a failover", PATIENCE, || {
        let new = scene.cluster.primary()?;
        ensure!(new != old, "{} is still promoted", old.name);
        Ok(())
    })?;
    std::thread::scope(|scope| {
        // It takes its time to boot; without it the next failure would cost the quorum.
        let back = scope.spawn(|| scene.cluster.bring_back(&old));
        std::thread::sleep(plan.after);
        let failed = fail(scene, plan)?;
        if let Ok(Err(error)) = back.join() {
            scene.steps.say(&format!("the return: {error:#}"));
        }
        let up = scene.cluster.others(&failed.down);
        // Where the old primary has diverged nobody can confirm a commit: a primary is all
        // that can be asked for.
        wait_with(scene, &up, "a candidate to be promoted", || {
            primary_among(scene, &up).map(drop)
        })
    })
}

fn after_return(scene: &Scene, plan: &Plan) -> Result<()> {
    let standby = by_role(scene)?.swap_remove(plan.standby);
    scene.cut_power(&standby)?;
    scene.cluster.bring_back(&standby)?;
    std::thread::sleep(plan.after);
    let failed = fail(scene, plan)?;
    recovers(scene, &failed)
}

/// The moment of the failure.
struct Failed {
    /// Node without power; empty if all have it.
    down: String,
    /// Rows acknowledged by then.
    rows: usize,
}

fn fail(scene: &Scene, plan: &Plan) -> Result<Failed> {
    let primary = scene.cluster.primary()?;
    let rows = |scene: &Scene| scene.client.as_ref().map(|client| client.acknowledged());
    let down = match plan.failure {
        Failure::PowerCut => {
            scene
                .steps
                .say(&format!("cutting the power of {}", primary.name));
            scene.cluster.power.off(&primary.name)?;
            primary.name
        }
        Failure::KilledPostmaster => {
            let postmaster = scene.cluster.postmaster(&primary, &MAIN)?.to_string();
            scene
                .steps
                .say(&format!("kill -9 of the postmaster on {}", primary.name));
            primary.run(&["kill", "-9", &postmaster])?;
            String::new()
        }
    };
    let rows = rows(scene).context("no client")?;
    Ok(Failed { down, rows })
}

fn recovers(scene: &Scene, failed: &Failed) -> Result<()> {
    let up: Vec<Node> = scene.cluster.others(&failed.down);
    wait_with(scene, &up, "a candidate to be promoted", || {
        primary_among(scene, &up)?;
        let client = scene.client.as_ref().context("no client")?;
        let rows = client.acknowledged() - failed.rows;
        ensure!(rows > 20, "{rows} rows written since");
        Ok(())
    })
}

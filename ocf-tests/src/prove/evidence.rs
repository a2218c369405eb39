//! Two faults, and between them something happens to the evidence of the last election: a dead
//! node is removed from the cluster, an old configuration is put back, attributes are deleted,
//! Pacemaker is restarted everywhere, or the rule of synchronous replication is changed. None of
//! them may lose an acknowledged row, or keep the nodes that hold them all from a primary.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::judge::logged;
use super::operator::{by_role, primary_among, wait_with};
use super::tamper::{self, Tampering};
use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::chance::Chance;
use crate::run::scene::Scene;

const LATEST_SECOND: Duration = Duration::from_secs(10);
/// Time in which a node that must not be promoted is watched: one round of monitors.
const TEMPTATION: Duration = Duration::from_secs(20);

/// Which two faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A standby that has all rows is put out of service, then the primary dies: whoever is left
    /// may lack some, and must wait for that standby.
    Both,
    /// The primary dies, and after the failover the new one.
    Chain,
}

/// What happens, and when; nodes are named by the role they begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    shape: Shape,
    tampering: Tampering,
    standby: usize,
    /// Whether one node receives nothing for some time before the faults.
    lags: bool,
    between: Duration,
    /// Whether the first one to die comes back, and not the second.
    first_back: bool,
}

impl Plan {
    /// Draws a plan.
    pub fn draw(chance: &mut Chance) -> Self {
        Self {
            shape: chance.pick(&[Shape::Both, Shape::Chain]),
            tampering: chance.pick(tamper::ALL),
            standby: chance.pick(&[1, 2]),
            lags: chance.pick(&[true, true, false]),
            between: chance.moment(LATEST_SECOND),
            first_back: chance.pick(&[true, false]),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = self.between.as_secs_f64();
        match self.shape {
            Shape::Both => write!(f, "standby {} out, then the primary dies", self.standby)?,
            Shape::Chain => write!(f, "the primary dies, then the new one")?,
        }
        write!(f, ", {between:.1} s between; {}", self.tampering)?;
        let lags = if self.lags {
            "; another standby lags"
        } else {
            ""
        };
        f.write_str(lags)
    }
}

/// Plays the plan until there is a primary again; returns the nodes that are left to the cluster.
pub fn run(scene: &Scene, plan: &Plan) -> Result<Vec<Node>> {
    let old = tamper::remember(scene)?;
    let left = match plan.shape {
        Shape::Both => both(scene, plan, &old),
        Shape::Chain => chain(scene, plan, &old),
    }?;
    scene.cluster.heal_network()?;
    Ok(left)
}

fn both(scene: &Scene, plan: &Plan, old: &str) -> Result<Vec<Node>> {
    let roles = by_role(scene)?;
    let (primary, full) = (&roles[0], &roles[plan.standby]);
    if plan.lags {
        lag(scene, &roles[3 - plan.standby])?;
    }
    if plan.tampering == Tampering::Rule {
        tamper::change_rule(scene, primary, &roles[3 - plan.standby])?;
    }
    scene.pcs(&format!("node standby {}", full.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(full))?;
    std::thread::sleep(plan.between);
    scene.cut_power(primary)?;
    scene.cluster.heal_network()?;
    let left = plan.tampering.happens(scene, primary, old)?;
    scene.let_pass(TEMPTATION, "whoever lacks rows may be tempted");
    // An old configuration may have done this already.
    scene.pcs(&format!("node unstandby {}", full.name))?;
    let up = scene.cluster.others(&primary.name);
    wait_with(scene, &up, "a primary, with the full standby back", || {
        primary_among(scene, &up).map(drop)
    })?;
    Ok(left)
}

fn chain(scene: &Scene, plan: &Plan, old: &str) -> Result<Vec<Node>> {
    let roles = by_role(scene)?;
    let first = &roles[0];
    if plan.lags {
        lag(scene, &roles[plan.standby])?;
    }
    if plan.tampering == Tampering::Rule {
        tamper::change_rule(scene, first, &roles[plan.standby])?;
    }
    scene.cut_power(first)?;
    let second = scene.steps.wait("a failover", PATIENCE, || {
        let new = scene.cluster.primary()?;
        ensure!(new != *first, "{} is still promoted", first.name);
        Ok(new)
    })?;
    scene.cluster.heal_network()?;
    let left = plan.tampering.happens(scene, first, old)?;
    std::thread::sleep(plan.between);
    // What was done to the evidence may have moved the role.
    let second = scene.cluster.primary().unwrap_or(second);
    scene
        .steps
        .say(&format!("cutting the power of {}", second.name));
    scene.cluster.power.off(&second.name)?;
    let returns = if plan.first_back && left.contains(first) {
        first
    } else {
        &second
    };
    scene.cluster.bring_back(returns)?;
    let dead = |node: &&Node| *node != first && **node != second;
    let mut up: Vec<Node> = scene.cluster.nodes.iter().filter(dead).cloned().collect();
    up.push(returns.clone());
    let kept_off = (*returns == *first).then_some(&second);
    let asked_before = asks_for(scene, &second);
    let start = Instant::now();
    wait_with(scene, &up, "a primary, with one node back", || {
        let is_asked_for = asks_for(scene, &second) > asked_before;
        if let Some(node) = kept_off.filter(|_| is_asked_for && start.elapsed() > TEMPTATION) {
            bring_back(scene, node)?;
        }
        primary_among(scene, &scene.cluster.nodes).map(drop)
    })?;
    Ok(left)
}

/// Brings a node back that the agent asks for. Pacemaker's restart stops the new primary cleanly:
/// if it dies before it is started again, nobody else holds its end. Whether clients were promised
/// any of that is another question: an orderly end is not given up unasked. Fencing has given the
/// node its power back, but Pacemaker does not start there by itself.
fn bring_back(scene: &Scene, node: &Node) -> Result<()> {
    if node.stack_runs() {
        return Ok(());
    }
    scene.cluster.bring_back(node)
}

fn asks_for(scene: &Scene, node: &Node) -> usize {
    logged(
        &scene.cluster,
        &format!("what to do: bring {} back", node.name),
    )
}

/// Cuts `node` off until the network is healed, and waits until rows are acknowledged without it.
fn lag(scene: &Scene, node: &Node) -> Result<()> {
    scene.steps.say(&format!("{} receives nothing", node.name));
    scene.cluster.cut_replication(node, &MAIN)?;
    let primary = scene.cluster.primary()?;
    primary.sql(&format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_replication \
         WHERE application_name = '{}'",
        node.name
    ))?;
    let client = scene.client.as_ref().context("no client")?;
    client.wait_writing(&scene.steps, Duration::from_secs(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_drawn_again_from_its_seed() {
        crate::run::chance::assert_drawn_from_seed(Plan::draw);
    }

    #[test]
    fn everything_happens_to_each_shape() {
        let drawn = crate::run::chance::drawn(200, Plan::draw);
        for tampering in tamper::ALL {
            for shape in [Shape::Both, Shape::Chain] {
                let such = |plan: &Plan| plan.shape == shape && plan.tampering == *tampering;
                assert!(drawn.iter().any(such), "{shape:?} {tampering}");
            }
        }
    }
}

//! All nodes lose power at once and come back one after the other: with the second one a
//! quorum is there, and a primary must come up with every acknowledged row.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::operator::{by_role, primary_among, wait_with};
use crate::machine::node::{Node, on_each};
use crate::run::chance::Chance;
use crate::run::scene::Scene;

const LATEST_RETURN: Duration = Duration::from_secs(12);

/// Every order of three nodes, by the role they had: 0 is the primary.
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

/// Who comes back when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    order: [usize; 3],
    cut_at: Duration,
    pauses: [Duration; 2],
}

impl Plan {
    /// The plan of `seed`: six seeds in a row make all orders.
    pub fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let number = usize::try_from(seed % ORDERS.len() as u64).unwrap_or(0);
        Self {
            order: ORDERS[number],
            cut_at: chance.moment(Duration::from_secs(5)),
            pauses: [chance.moment(LATEST_RETURN), chance.moment(LATEST_RETURN)],
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = |place: usize| match self.order[place] {
            0 => "primary".to_owned(),
            number => format!("standby {number}"),
        };
        write!(
            f,
            "all cut at {:.1} s, back: {}, after {:.1} s {}, after {:.1} s {}",
            self.cut_at.as_secs_f64(),
            role(0),
            self.pauses[0].as_secs_f64(),
            role(1),
            self.pauses[1].as_secs_f64(),
            role(2),
        )
    }
}

/// Plays the plan up to the return of the last node.
pub fn run(scene: &Scene, plan: &Plan) -> Result<()> {
    let roles = by_role(scene)?;
    ensure!(roles.len() == 3, "these rounds are for three nodes");
    let nodes: Vec<Node> = plan.order.iter().map(|role| roles[*role].clone()).collect();
    std::thread::sleep(plan.cut_at);
    scene.steps.say("cutting the power of all nodes");
    on_each(&nodes, |node| scene.cluster.power.off(&node.name))?;
    scene.cluster.bring_back(&nodes[0])?;
    std::thread::sleep(plan.pauses[0]);
    scene.cluster.bring_back(&nodes[1])?;
    std::thread::sleep(plan.pauses[1]);
    // The third node may be needed for nothing: it comes back when there is a primary.
    wait_with(scene, &nodes[..2], "a primary on two nodes", || {
        primary_among(scene, &nodes[..2]).map(drop)
    })?;
    scene.cluster.bring_back(&nodes[2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn six_seeds_make_all_orders() {
        let orders: BTreeSet<_> = (100..106).map(|seed| Plan::draw(seed).order).collect();
        assert_eq!(orders.len(), 6);
    }
}

//! The primary and one standby lose power at random moments, so that of three nodes the survivor is
//! without quorum; as soon as one of them is back, only one node is missing, which is always enough
//! to know every acknowledged row: a primary must come up without help.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::operator::{by_role, primary_among, sleep_until, wait_with};
use crate::run::chance::Chance;
use crate::run::scene::Scene;

/// Latest moment of a cut: the failover after the first one may be over by then, or not.
const LATEST_CUT: Duration = Duration::from_secs(10);
const LATEST_RETURN: Duration = Duration::from_secs(6);

/// What happens when; the nodes are named by the role they begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    standby: usize,
    primary_at: Duration,
    standby_at: Duration,
    primary_first: bool,
    back_after: Duration,
    other_after: Duration,
}

impl Plan {
    /// Draws a plan.
    pub fn draw(chance: &mut Chance) -> Self {
        Self {
            standby: chance.pick(&[1, 2]),
            primary_at: chance.moment(LATEST_CUT),
            standby_at: chance.moment(LATEST_CUT),
            primary_first: chance.pick(&[true, false]),
            back_after: chance.moment(LATEST_RETURN),
            other_after: chance.moment(LATEST_RETURN),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "primary cut at {:.1} s, standby {} at {:.1} s, the {} back {:.1} s later, the other \
             {:.1} s after that",
            self.primary_at.as_secs_f64(),
            self.standby,
            self.standby_at.as_secs_f64(),
            if self.primary_first {
                "primary"
            } else {
                "standby"
            },
            self.back_after.as_secs_f64(),
            self.other_after.as_secs_f64(),
        )
    }
}

/// Plays the plan up to the return of the last node.
pub fn run(scene: &Scene, plan: &Plan) -> Result<()> {
    let nodes = by_role(scene)?;
    let (primary, standby) = (&nodes[0], &nodes[plan.standby]);
    let survivors = nodes[1..].iter().filter(|node| *node != standby);
    let mut cuts = [(plan.primary_at, primary), (plan.standby_at, standby)];
    cuts.sort_by_key(|(moment, _)| *moment);
    let start = Instant::now();
    for (moment, node) in cuts {
        sleep_until(start, moment);
        let name = &node.name;
        scene.steps.say(&format!("cutting the power of {name}"));
        scene.cluster.power.off(name)?;
    }
    let (first, second) = if plan.primary_first {
        (primary, standby)
    } else {
        (standby, primary)
    };
    std::thread::sleep(plan.back_after);
    scene.cluster.bring_back(first)?;
    let up: Vec<_> = survivors.chain([first]).cloned().collect();
    wait_with(scene, &up, "a primary while one node is missing", || {
        primary_among(scene, &up).map(drop)
    })?;
    std::thread::sleep(plan.other_after);
    scene.cluster.bring_back(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_drawn_again_from_its_seed() {
        crate::run::chance::assert_drawn_from_seed(Plan::draw);
    }
}

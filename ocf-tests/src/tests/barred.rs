//! A node that holds most and that Pacemaker may not promote: nobody waits for it for ever.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::run::scene::Scene;
use crate::run::staging::Stage;
use crate::tests::paf_losses::only_the_other_holds;

/// A promotion must not take longer, the attempts of a candidate to catch up included.
const FAILOVER: Duration = Duration::from_secs(60);

/// A rule keeps the primary off one standby, as off one for reports, and it is the one that holds
/// most when the primary dies. The other one is promoted, and lacks nothing.
pub fn candidate_fetches_what_only_the_barred_node_holds(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    stage.forbid(&stage.other)?;
    let rows = only_the_other_holds(&stage, 50)?;
    stage.power_off(&stage.primary)?;
    scene.cluster.heal_network()?;
    stage.release()?;
    favourite_is_promoted(&stage)?;
    stage.nobody_lacks(rows)?;
    let both = [stage.favourite.name.as_str(), &stage.other.name];
    scene.cluster.wait_whole_on(&both)?;
    stage.no_wish()?;
    scene.cluster.rejoin(&stage.primary)?;
    scene.only_fenced(&stage.primary.name)
}

/// The same after a ban that an admin forgot, and the other standby cannot reach that node: it is
/// promoted all the same, since little is missing, and a warning says how much.
pub fn barred_node_that_is_a_little_ahead_is_passed_over(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    ban(&stage)?;
    only_the_other_holds(&stage, 50)?;
    stage.power_off(&stage.primary)?;
    stage.release()?;
    favourite_is_promoted(&stage)?;
    let log = stage
        .favourite
        .run(&["cat", "/var/log/pacemaker/pacemaker.log"])?;
    let counted = |line: &&str| {
        line.to_lowercase().contains("warn")
            && line.contains(&stage.other.name)
            && line.contains("bytes")
    };
    let warning = log.lines().find(counted);
    let warning = warning.context("no warning says how many bytes of which node are given up")?;
    scene.steps.say(warning);
    scene.cluster.heal_network()?;
    scene.only_fenced(&stage.primary.name)
}

/// The banned node is far ahead: the other one is refused with a reason that names it, until the
/// ban is cleared.
pub fn barred_node_that_is_far_ahead_is_not_passed_over(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    ban(&stage)?;
    only_the_other_holds(&stage, 50)?;
    stage.write_wal(&stage.primary, 40)?;
    stage.write_rows(&stage.primary, 10)?;
    let rows = stage.rows(&stage.primary)?;
    stage.wait_rows(&stage.other, rows)?;
    refused_until_the_ban_is_cleared(&stage, rows)
}

/// The banned node is a little ahead, by commits that it alone confirmed: nobody passes over them.
pub fn synchronous_commits_of_a_barred_node_are_not_passed_over(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    ban(&stage)?;
    let rows = only_the_other_holds(&stage, 50)?;
    refused_until_the_ban_is_cleared(&stage, rows)
}

/// The favourite stays cut off meanwhile, so it cannot fetch anything.
fn refused_until_the_ban_is_cleared(stage: &Stage, rows: u64) -> Result<()> {
    let scene = stage.scene;
    stage.power_off(&stage.primary)?;
    stage.release()?;
    stage.refused(rows, &stage.other.name)?;
    scene.pcs(&format!("resource clear pgsqld-clone {}", stage.other.name))?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == stage.other, "{} was promoted", primary.name);
    scene.cluster.heal_network()?;
    scene.only_fenced(&stage.primary.name)
}

/// As it is left by a move that nobody cleared.
fn ban(stage: &Stage) -> Result<()> {
    let scene = stage.scene;
    let flag = scene.cluster.options.release.promoted_flag();
    let line = format!("resource ban pgsqld-clone {} {flag}", stage.other.name);
    scene.pcs(&line).map(drop)
}

fn favourite_is_promoted(stage: &Stage) -> Result<()> {
    let only = std::slice::from_ref(&stage.favourite);
    let cluster = &stage.scene.cluster;
    cluster.wait_promoted_among(only, FAILOVER).map(drop)
}

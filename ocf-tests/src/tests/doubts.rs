//! Nobody who is left can know what came of an election: then nobody is promoted unasked.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::cluster::prepare;
use crate::machine::node::Node;
use crate::run::scene::Scene;
use crate::run::staging::Stage;

/// A promotion that is safe must not take longer.
const FAILOVER: Duration = Duration::from_secs(60);

/// The other standby receives nothing any more, votes, and is told who the candidate is. This one
/// becomes primary and writes; then both lose power, and the configuration that comes back, with the
/// old primary, is that of before. The standby remembers a candidate and no outcome: the old primary
/// is not promoted until the candidate is back, which has rows that were acknowledged.
pub fn candidate_stays_away_after_all_lost_power(scene: &mut Scene) -> Result<()> {
    let release = scene.cluster.options.release;
    // No monitor tells the standby what came of the election.
    scene.pcs(&format!(
        "resource update pgsqld op monitor interval=300s role={} timeout=10s",
        release.role_unpromoted
    ))?;
    scene.cluster.wait_whole()?;
    let stage = Stage::new(scene)?;
    let (old, new, third) = (&stage.primary, &stage.favourite, &stage.other);
    scene.cluster.cut_replication(third, &MAIN)?;
    stage.power_off(old)?;
    scene
        .cluster
        .wait_promoted_among(std::slice::from_ref(new), FAILOVER)?;
    stage.write_rows(new, 50)?;
    let rows = stage.rows(new)?;
    for node in [new, third] {
        scene.cluster.power.off(&node.name)?;
    }
    scene.cluster.heal_network()?;
    let back = [old, third].map(Node::clone);
    prepare::boot(&scene.cluster.power, &back, &scene.steps)?;
    third.run(&["sh", "-c", "rm -f /var/lib/pacemaker/cib/*"])?;
    scene.cluster.start_stack(&back)?;
    stage.refused(rows, &format!("{} may have won election", new.name))?;
    scene.cluster.bring_back(new)?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == *new, "{} was promoted", primary.name);
    Ok(())
}

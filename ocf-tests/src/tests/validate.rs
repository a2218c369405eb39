//! Configuration is judged before a start, and whether a primary can write at each monitor,
//! where that is asked for.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// A typo in postgresql.conf does not matter to the standby that runs, keeps it from starting
/// once it has crashed, with the line in the exit reason, and concerns nobody else.
pub fn typo_keeps_one_node_from_starting(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    let rest = scene.cluster.others(&standby.name);
    let confdir = scene.cluster.options.release.confdir(MAIN.name);
    let file = format!("{confdir}/conf.d/typo.conf");
    standby.write(&file, "work_mem == 4MB\n", "postgres:postgres", "0644")?;
    let postmaster = scene.cluster.postmaster(&standby, &MAIN)?;
    standby.run(&["kill", "-9", &postmaster.to_string()])?;
    let what = format!("the start on {} to fail", standby.name);
    scene.steps.wait(&what, PATIENCE, || {
        let state = standby.run(&["crm_mon", "-1"])?;
        let reason = "typo.conf\" line 1";
        ensure!(state.contains(reason), "no exit reason names the line");
        Ok(())
    })?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    ensure!(
        scene.downtime()? < Duration::from_secs(2),
        "down for {:?}",
        scene.downtime()?
    );
    standby.run(&["rm", &file])?;
    scene.nobody_fenced()?;
    scene.clean_up()
}

/// The monitor of the primary writes, and waits for no standby: with none to confirm a commit
/// the primary is well.
pub fn monitor_that_writes_waits_for_no_standby(scene: &mut Scene) -> Result<()> {
    let role = scene.cluster.options.release.role_promoted;
    scene.pcs(&format!(
        "resource update pgsqld op monitor role={role} interval=15s timeout=10s OCF_CHECK_LEVEL=10"
    ))?;
    scene.cluster.wait_whole()?;
    let primary = scene.cluster.primary()?;
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")?;
    primary.sql("SELECT pg_reload_conf()")?;
    let before = written(&primary)?;
    scene
        .steps
        .wait("a monitor to write", Duration::from_secs(40), || {
            let now = written(&primary)?;
            ensure!(now > before, "{now} transactions so far");
            Ok(())
        })?;
    scene.let_pass(Duration::from_secs(20), "one more round of monitors");
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.undisturbed()?;
    primary.sql("ALTER SYSTEM RESET synchronous_standby_names")?;
    primary.sql("SELECT pg_reload_conf()").map(drop)
}

/// Transactions that have ever begun to write: nobody else does on an idle server.
fn written(primary: &Node) -> Result<u64> {
    Ok(primary
        .sql("SELECT txid_snapshot_xmax(txid_current_snapshot())")?
        .parse()?)
}

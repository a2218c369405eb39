//! Two replicated instances in one cluster: what happens to one leaves the other alone.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::postgresql::{self, MAIN, SECOND};
use crate::cluster::{PATIENCE, pacemaker};
use crate::run::scene::Scene;
use crate::watch::client::Client;

/// A second instance is added to the running cluster; its switchover and its crash do not
/// touch the first one.
pub fn instances_in_one_cluster(scene: &mut Scene) -> Result<()> {
    let cluster = &scene.cluster;
    postgresql::prime(
        &cluster.nodes,
        cluster.options.release,
        &SECOND,
        &scene.steps,
    )?;
    // In one step: an address that is there before its constraint may be on another node, where no
    // standby finds the primary, and Pacemaker would move the role to it.
    scene.steps.say("adding the second resource to Pacemaker");
    let (node, draft) = (cluster.any()?, "/root/second.xml");
    node.run(&["pcs", "cluster", "cib", draft])?;
    pacemaker::add_instance(node, Some(draft), cluster.options.release, &SECOND)?;
    node.run(&["pcs", "cluster", "cib-push", draft, "--config"])?;
    wait_both(scene)?;
    let before = scene.postmasters()?;
    let first = cluster.primary()?;
    if let Some(client) = &scene.client {
        client.reset_downtime();
    }
    let second_client = Client::start(cluster, &SECOND);
    second_client.wait_writing(&scene.steps, Duration::from_secs(30))?;
    switch_over_second(scene)?;
    second_client.wait_writing(&scene.steps, Duration::from_secs(30))?;
    scene.undisturbed()?;
    crash_second(scene)?;
    second_client.wait_writing(&scene.steps, Duration::from_secs(60))?;
    ensure!(
        scene.postmasters()? == before,
        "the first instance was restarted"
    );
    ensure!(scene.cluster.primary()? == first, "the first primary moved");
    ensure!(
        scene.downtime()? < Duration::from_secs(2),
        "down for {:?}",
        scene.downtime()?
    );
    let report = second_client.finish(&scene.steps)?;
    ensure!(
        report.lost.is_empty(),
        "{} rows of the second are lost",
        report.lost.len()
    );
    scene.nobody_fenced()
}

fn wait_both(scene: &Scene) -> Result<()> {
    let names = scene.cluster.names();
    scene
        .steps
        .wait("both instances to be whole", PATIENCE, || {
            scene.cluster.whole(&MAIN, &names)?;
            scene.cluster.whole(&SECOND, &names)
        })
}

fn switch_over_second(scene: &Scene) -> Result<()> {
    let old = scene.cluster.primary_of(&SECOND)?;
    let target = &scene.cluster.others(&old.name)[0];
    let flag = scene.cluster.options.release.promoted_flag();
    let clone = format!("{}-clone", SECOND.resource);
    scene.pcs(&format!(
        "resource move {clone} {} {flag} --wait=90",
        target.name
    ))?;
    scene.pcs(&format!("resource clear {clone}"))?;
    wait_both(scene)?;
    ensure!(
        scene.cluster.primary_of(&SECOND)? == *target,
        "{} is not primary",
        target.name
    );
    Ok(())
}

fn crash_second(scene: &Scene) -> Result<()> {
    let victim = scene.cluster.primary_of(&SECOND)?;
    let postmaster = scene.cluster.postmaster(&victim, &SECOND)?;
    victim.run(&["kill", "-9", &postmaster.to_string()])?;
    scene
        .steps
        .wait("the crash to be noticed", Duration::from_secs(60), || {
            ensure!(
                !scene.cluster.state()?.failures.is_empty(),
                "no failure yet"
            );
            Ok(())
        })?;
    wait_both(scene)
}

//! Mistakes of people in the configuration cost a running cluster nothing.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::run::scene::Scene;

/// A `pgport` where nobody listens is said in the log, and restarts nothing.
pub fn wrong_port_restarts_nothing(scene: &mut Scene) -> Result<()> {
    let before = scene.postmasters()?;
    let primary = scene.cluster.primary()?;
    let port = MAIN.port;
    scene.pcs(&format!(
        "resource update {} pgport={}",
        MAIN.resource,
        port + 1000
    ))?;
    scene.let_pass(Duration::from_secs(35), "two rounds of monitors with it");
    ensure!(scene.postmasters()? == before, "PostgreSQL was restarted");
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    let said = format!(
        "grep -c 'correct it with pcs resource update {}' \
                        /var/log/pacemaker/pacemaker.log",
        MAIN.resource
    );
    primary.run(&["sh", "-c", &said])?;
    scene.pcs(&format!("resource update {} pgport={port}", MAIN.resource))?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// A typo in postgresql.conf does not keep a primary from being stopped: Debian's
/// configuration directory is none that pg_ctl could do without reading it.
pub fn typo_in_the_configuration_stops_no_stop(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let file = format!(
        "{}/postgresql.conf",
        scene.cluster.options.release.confdir(MAIN.name)
    );
    old.run(&["sed", "-i", "$a a typo here", &file])?;
    let rest = scene.cluster.others(&old.name);
    scene.pcs(&format!("node standby {} --wait=60", old.name))?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.undisturbed()?;
    old.run(&["sed", "-i", "/^a typo here$/d", &file])?;
    scene.pcs(&format!("node unstandby {}", old.name))?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

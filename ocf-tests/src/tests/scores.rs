//! Promotion scores that somebody else wrote.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::scene::Scene;
use crate::run::staging::Stage;

/// Somebody gives a standby a promotion score that lives until its reboot, as forums advise: it
/// adds to the agent's own. The primary's monitor names it with the command that removes it, and so
/// does validate-all; once it is removed the cluster is as before.
pub fn foreign_score_is_named_with_its_remedy(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let promotion = format!("--promotion={}", MAIN.resource);
    let words = ["crm_attribute", &promotion, "--node", &stage.other.name];
    stage
        .other
        .run(&[&words[..], &["--update=2000"]].concat())?;
    let named = |log: &str| log.lines().any(|line| is_remedy(line, &stage.other));
    scene
        .steps
        .wait("a warning of a primary", Duration::from_secs(60), || {
            let primary = scene.cluster.primary()?;
            let log = primary.run(&["cat", "/var/log/pacemaker/pacemaker.log"])?;
            ensure!(
                named(&log),
                "nothing names the score of {}",
                stage.other.name
            );
            Ok(())
        })?;
    let primary = scene.cluster.primary()?;
    let log = "/root/validate.log";
    let logged = ["env", "HA_LOGFILE=/root/validate.log"];
    let valid = ["crm_resource", "--validate", "-r", MAIN.resource];
    primary.run(&[&logged[..], &valid].concat())?;
    let said = primary
        .run(&["cat", log])
        .context("validate-all is silent")?;
    ensure!(named(&said), "validate-all does not name it: {said}");
    primary.run(&[&words[..], &["--delete"]].concat())?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    scene.nobody_fenced()
}

/// One line, with what to paste.
fn is_remedy(line: &str, node: &Node) -> bool {
    let of_reboot = line.contains("--promotion") || line.contains("reboot");
    let words = ["crm_attribute", "--delete", &node.name];
    of_reboot && words.iter().all(|word| line.contains(word))
}

//! Nobody waits for what will not come: the node that holds most may not be promoted.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::addressless::name_each_other;
use super::paf_losses::only_the_other_holds;
use crate::cluster::PATIENCE;
use crate::machine::node::Node;
use crate::run::scene::Scene;
use crate::run::staging::Stage;

/// How long a promotion may take where nothing is to be waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// A rule forbids the role on the standby that is a little ahead when the primary dies. The other
/// one is promoted at the first try, and says what was given up, and how to lift the rule.
pub fn a_rule_on_the_best_blocks_nobody(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    only_the_other_holds(&stage, 100)?;
    stage.forbid(&stage.other)?;
    the_favourite_takes_over(&stage)?;
    let given_up = format!("{} holds ", stage.other.name);
    logged(&stage.favourite, &given_up)?;
    for words in [
        "bytes more, which are given up; barred by lab-wish",
        "pcs constraint remove lab-wish",
    ] {
        logged(&stage.favourite, words)?;
    }
    scene.undisturbed_but(&stage.primary)
}

/// The same by a ban that an old `move` left behind, on a standby that replays with a delay:
/// what it has received counts.
pub fn a_ban_on_a_delayed_standby_blocks_nobody(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let delay = "ALTER SYSTEM SET recovery_min_apply_delay = '15min'";
    stage.other.sql(delay)?;
    stage.other.sql("SELECT pg_reload_conf()")?;
    stage.disconnect(&[&stage.favourite])?;
    stage.write_rows(&stage.primary, 100)?;
    let end = stage.primary.sql("SELECT pg_current_wal_lsn()")?;
    received(&stage, &end)?;
    ban(&stage, &stage.other)?;
    the_favourite_takes_over(&stage)?;
    logged(&stage.favourite, "pcs resource clear pgsqld-clone")?;
    scene.undisturbed_but(&stage.primary)
}

/// The banned standby is too far ahead for that. Nobody is promoted, and the reason has the
/// command that heals the cluster without loss.
pub fn a_ban_on_one_far_ahead_is_named_with_its_remedy(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = far_ahead(&stage)?;
    ban(&stage, &stage.other)?;
    refused_until_the_ban_is_cleared(&stage, rows)
}

/// Synchronous: the banned standby alone confirmed commits. However few they are, nobody is
/// promoted without them.
pub fn a_ban_gives_up_no_synchronous_commit(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = only_the_other_holds(&stage, 10)?;
    ban(&stage, &stage.other)?;
    refused_until_the_ban_is_cleared(&stage, rows)
}

/// The banned standby, far ahead, can be reached. The favourite fetches what it lacks from it and is
/// promoted with all rows; nothing of that is left in its configuration.
pub fn what_only_a_banned_standby_holds_is_fetched(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = far_ahead(&stage)?;
    ban(&stage, &stage.other)?;
    fetches(&stage, rows)
}

/// The same where standbys find the primary by a list of hosts, which leads to no standby.
pub fn it_is_fetched_where_standbys_name_each_other(scene: &mut Scene) -> Result<()> {
    name_each_other(scene)?;
    what_only_a_banned_standby_holds_is_fetched(scene)
}

/// The same where the banned standby alone confirmed commits.
pub fn synchronous_commits_of_a_banned_standby_are_fetched(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = only_the_other_holds(&stage, 10)?;
    ban(&stage, &stage.other)?;
    fetches(&stage, rows)
}

/// A promotion score with the lifetime reboot counts in the place of the agent's own. The primary
/// and validate-all name it, with the command that removes it.
pub fn a_score_by_hand_is_named(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let node = stage.other.clone();
    let update = [
        "crm_attribute",
        "--promotion=pgsqld",
        "--node",
        &node.name,
        "--update=2000",
    ];
    scene.cluster.any()?.run(&update)?;
    scene
        .cluster
        .wait_promoted_among(std::slice::from_ref(&node), LIMIT)?;
    let remedy = format!(
        "crm_attribute --lifetime reboot --node {} --name master-pgsqld --delete",
        node.name
    );
    scene
        .steps
        .wait("the primary's word", PATIENCE, || logged(&node, &remedy))?;
    ensure!(
        validated(&node)?.contains(&remedy),
        "validate-all says nothing"
    );
    let words: Vec<_> = remedy.split(' ').collect();
    node.run(&words)?;
    stage.settle()?;
    ensure!(!validated(&node)?.contains(&remedy), "it is still said");
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// What validate-all warns of.
fn validated(node: &Node) -> Result<String> {
    let log = "/root/validate.log";
    node.write(log, "", "root:root", "0644")?;
    let logged = ["env", "HA_LOGFILE=/root/validate.log"];
    let valid = ["crm_resource", "--validate", "--resource", "pgsqld"];
    node.run(&[&logged[..], &valid[..]].concat())?;
    node.run(&["cat", log])
}

/// Rows and 20 MB of WAL that the favourite does not get.
fn far_ahead(stage: &Stage) -> Result<u64> {
    let rows = only_the_other_holds(stage, 100)?;
    stage.write_wal(&stage.primary, 20)?;
    let end = stage.primary.sql("SELECT pg_current_wal_lsn()")?;
    received(stage, &end)?;
    Ok(rows)
}

/// The primary dies, and the favourite is promoted at the first try, with all that the other
/// standby held.
fn fetches(stage: &Stage, rows: u64) -> Result<()> {
    let scene = stage.scene;
    stage.power_off(&stage.primary)?;
    scene.cluster.heal_network()?;
    scene.pcs("property set maintenance-mode=false")?;
    let favourite = &stage.favourite;
    scene
        .cluster
        .wait_promoted_among(std::slice::from_ref(favourite), LIMIT)?;
    stage.nothing_lost(rows)?;
    logged(
        favourite,
        &format!("Fetched from {} up to", stage.other.name),
    )?;
    let query = format!(
        "SELECT count(*) FROM pg_file_settings WHERE name = 'primary_conninfo' \
         AND setting LIKE '%host=''{}''%'",
        stage.other.name
    );
    ensure!(favourite.sql(&query)? == "0", "it is in the configuration");
    let both = [favourite.name.as_str(), stage.other.name.as_str()];
    scene.cluster.wait_whole_on(&both)?;
    scene.undisturbed_but(&stage.primary)?;
    scene.only_fenced(&stage.primary.name)
}

/// The primary dies. What the other standby holds more cannot be fetched, and the favourite, which
/// holds less, is promoted.
fn the_favourite_takes_over(stage: &Stage) -> Result<()> {
    let scene = stage.scene;
    stage.power_off(&stage.primary)?;
    scene.pcs("property set maintenance-mode=false")?;
    let favourite = std::slice::from_ref(&stage.favourite);
    scene.cluster.wait_promoted_among(favourite, LIMIT)?;
    scene.only_fenced(&stage.primary.name)
}

/// The primary dies. The favourite is refused, with the command that lifts the ban.
fn refused_until_the_ban_is_cleared(stage: &Stage, rows: u64) -> Result<()> {
    let scene = stage.scene;
    stage.power_off(&stage.primary)?;
    stage.release()?;
    ensure!(scene.cluster.primary().is_err(), "somebody is primary");
    let remedy = format!("pcs resource clear pgsqld-clone {}", stage.other.name);
    let id = format!("barred by cli-ban-pgsqld-clone-on-{}", stage.other.name);
    logged(&stage.favourite, &format!("{id}: {remedy}"))?;
    let restarts = logs_of(&stage.favourite, "Promotion refused")?;
    scene.steps.say(&format!("refused {restarts} times"));
    scene.cluster.heal_network()?;
    let words: Vec<_> = remedy.split(' ').collect();
    scene.cluster.any()?.run(&words)?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == stage.other, "{} was promoted", primary.name);
    scene.only_fenced(&stage.primary.name)
}

fn ban(stage: &Stage, node: &Node) -> Result<()> {
    let option = format!("--{}", stage.scene.cluster.options.release.promoted);
    let line = format!("resource ban pgsqld-clone {} {option}", node.name);
    stage.scene.pcs(&line).map(drop)
}

/// Waits until the other standby has received all up to this LSN.
fn received(stage: &Stage, end: &str) -> Result<()> {
    let query = format!("SELECT pg_last_wal_receive_lsn() >= '{end}'");
    stage.scene.steps.wait("the last record", PATIENCE, || {
        ensure!(stage.other.sql(&query)? == "t", "not received");
        Ok(())
    })
}

fn logged(node: &Node, words: &str) -> Result<()> {
    ensure!(
        logs_of(node, words)? > 0,
        "no {words:?} in the log of {}",
        node.name
    );
    Ok(())
}

fn logs_of(node: &Node, words: &str) -> Result<usize> {
    let log = node.run(&["cat", "/var/log/syslog"])?;
    let lines = log.lines().filter(|line| line.contains(words));
    Ok(lines.count())
}

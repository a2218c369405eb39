//! Rules of synchronous replication: which commits one covers, and who is among its standbys.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::machine::node::Node;
use crate::run::fault::signal_postmaster;
use crate::run::foreign::Receiver;
use crate::run::scene::Scene;
use crate::run::staging::Stage;
use crate::tests::paf_losses::only_the_other_holds;

/// A promotion that is safe must not take longer.
const FAILOVER: Duration = Duration::from_secs(60);
/// In it each node has a monitor.
const ROUND: Duration = Duration::from_secs(20);

/// The rule is changed to another standby, after commits that only the first one holds: they are
/// guarded all the same, long after the new rule is known.
pub fn commits_of_an_earlier_rule_stay_guarded(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let rows = only_the_other_holds(&stage, 50)?;
    set_rule(&stage, &stage.favourite.name)?;
    lose_the_holders(&stage, rows)
}

/// The rule is taken away, so that writes go on: commits from before stay guarded.
pub fn commits_stay_guarded_after_the_end_of_all_rules(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let rows = only_the_other_holds(&stage, 50)?;
    set_rule(&stage, "")?;
    lose_the_holders(&stage, rows)
}

/// The same change of the rule while no monitor runs.
pub fn rule_is_changed_under_maintenance(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = only_the_other_holds(&stage, 50)?;
    set_rule(&stage, &stage.favourite.name)?;
    stage.release()?;
    lose_the_holders(&stage, rows)
}

/// The rule is changed, and the same node is elected once more, after a crash: commits of its
/// earlier reign stay guarded.
pub fn commits_of_an_earlier_reign_of_the_same_node_stay_guarded(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let rows = only_the_other_holds(&stage, 50)?;
    scene.pcs(&format!("node standby {} --wait=60", stage.other.name))?;
    set_rule(&stage, &stage.favourite.name)?;
    let started = "SELECT pg_postmaster_start_time()";
    let before = stage.primary.sql(started)?;
    signal_postmaster(&scene.cluster, &stage.primary, "KILL")?;
    scene.steps.wait("it to be restarted", FAILOVER, || {
        ensure!(stage.primary.sql(started)? != before, "it is not");
        Ok(())
    })?;
    let only = std::slice::from_ref(&stage.primary);
    scene.cluster.wait_promoted_among(only, FAILOVER)?;
    lose_the_holders(&stage, rows)
}

/// The rule is changed, and its new standby catches up: it may be promoted, whatever happens to
/// the one of the earlier rule.
pub fn new_rule_is_enough_once_its_standby_holds_all(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let rows = only_the_other_holds(&stage, 50)?;
    set_rule(&stage, &stage.favourite.name)?;
    scene.cluster.heal_network()?;
    stage.wait_rows(&stage.favourite, rows)?;
    scene.let_pass(ROUND, "one round of monitors");
    scene.pcs(&format!("node standby {} --wait=60", stage.other.name))?;
    scene.cut_power(&stage.primary)?;
    let only = std::slice::from_ref(&stage.favourite);
    scene.cluster.wait_promoted_among(only, FAILOVER)?;
    stage.nobody_lacks(rows)?;
    scene.pcs(&format!("node unstandby {}", stage.other.name))?;
    scene.cluster.rejoin_all()?;
    scene.only_fenced(&stage.primary.name)
}

/// The only standby that could prove the favourite does not answer when the primary is lost, and is
/// sound again a while later, without anything that Pacemaker sees. The promotion is tried again.
pub fn voter_that_answers_again_is_asked_again(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    stage.write_rows(&stage.primary, 50)?;
    let rows = stage.rows(&stage.primary)?;
    stage.wait_rows(&stage.favourite, rows)?;
    stage.wait_rows(&stage.other, rows)?;
    stage.forbid(&stage.other)?;
    signal_postmaster(&scene.cluster, &stage.other, "STOP")?;
    stage.power_off(&stage.primary)?;
    stage.refused(rows, &stage.primary.name)?;
    signal_postmaster(&scene.cluster, &stage.other, "CONT")?;
    let only = std::slice::from_ref(&stage.favourite);
    scene.cluster.wait_promoted_among(only, FAILOVER)?;
    stage.nobody_lacks(rows)?;
    scene.only_fenced(&stage.primary.name)
}

/// On the primary only, as an admin does it in need.
fn set_rule(stage: &Stage, rule: &str) -> Result<()> {
    let statement = format!("ALTER SYSTEM SET synchronous_standby_names = '{rule}'");
    stage.scene.steps.say(&statement);
    stage.primary.sql(&statement)?;
    stage.primary.sql("SELECT pg_reload_conf()").map(drop)
}

/// The monitor has seen the new rule; then the other standby and the primary are lost. The
/// favourite is refused until the other one is back. All within the time in which a standby that is
/// cut off is still a candidate.
fn lose_the_holders(stage: &Stage, rows: u64) -> Result<()> {
    let scene = stage.scene;
    scene.let_pass(ROUND, "one round of monitors");
    scene.pcs(&format!("node standby {} --wait=60", stage.other.name))?;
    stage.power_off(&stage.primary)?;
    scene.cluster.heal_network()?;
    stage.refused(rows, &stage.primary.name)?;
    scene.pcs(&format!("node unstandby {}", stage.other.name))?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == stage.other, "{} was promoted", primary.name);
    scene.only_fenced(&stage.primary.name)
}

/// All standbys are synchronous (`*`), and a node without a database is in the cluster. It can
/// have confirmed nothing: the only standby is promoted.
pub fn node_without_a_database_is_no_standby(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let (first, second) = (&stage.primary, &stage.favourite);
    without_database(scene, &stage.other)?;
    for node in [first, second] {
        stage.configure(node, "synchronous_standby_names = '*'")?;
    }
    // A reign in which the third node never was a standby.
    scene.cluster.move_primary(&second.name)?;
    scene.let_pass(ROUND, "one round of monitors");
    stage.write_rows(second, 50)?;
    let rows = stage.rows(second)?;
    scene.cut_power(second)?;
    let only = std::slice::from_ref(first);
    scene.cluster.wait_promoted_among(only, FAILOVER)?;
    stage.nobody_lacks(rows)?;
    scene.cluster.bring_back(second)?;
    stage.runs_as_standby(second)?;
    scene.only_fenced(&second.name)
}

/// As the cookbook makes a node that is there for the quorum.
fn without_database(scene: &Scene, node: &Node) -> Result<()> {
    let name = &node.name;
    scene.pcs(&format!("node standby {name} --wait=60"))?;
    let never = "pgsqld-clone";
    scene.pcs(&format!(
        "constraint location add no-pgsql-on-{name} {never} {name} -INFINITY \
         resource-discovery=never"
    ))?;
    scene
        .pcs(&format!("node unstandby {name} --wait=60"))
        .map(drop)
}

/// All standbys are synchronous (`*`), and a receiver of WAL that is no node of the cluster
/// confirmed what no node has: the nodes are refused until the primary is back.
pub fn foreign_receiver_confirmed_alone(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    for node in &scene.cluster.nodes {
        stage.configure(node, "synchronous_standby_names = '*'")?;
    }
    confirmed_elsewhere(&stage, "archive")
}

/// The same, and the rule names its standbys: the receiver has the name of one of them.
pub fn foreign_receiver_with_the_name_of_a_member(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    confirmed_elsewhere(&stage, &stage.other.name)
}

fn confirmed_elsewhere(stage: &Stage, name: &str) -> Result<()> {
    let scene = stage.scene;
    let release = scene.cluster.options.release;
    let receiver = Receiver::start(&stage.other, &stage.primary, name, release)?;
    scene
        .steps
        .wait("the receiver to be synchronous", FAILOVER, || {
            receiver.is_synchronous(&stage.primary)
        })?;
    scene.let_pass(ROUND, "one round of monitors");
    scene.pcs("property set maintenance-mode=true")?;
    stage.settle()?;
    stage.disconnect(&[&stage.favourite, &stage.other])?;
    stage.write_rows(&stage.primary, 50)?;
    let rows = stage.rows(&stage.primary)?;
    stage.power_off(&stage.primary)?;
    receiver.stop()?;
    scene.cluster.heal_network()?;
    stage.release()?;
    stage.refused(rows, &stage.primary.name)?;
    scene.cluster.bring_back(&stage.primary)?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == stage.primary, "{} was promoted", primary.name);
    scene.cluster.wait_whole()?;
    scene.only_fenced(&stage.primary.name)
}

/// Both standbys were away for longer than a minute, and commits waited for them. So whatever was
/// acknowledged they hold: when the primary dies one of them is promoted.
pub fn standbys_that_commits_waited_for_are_candidates(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let rest = [stage.favourite.clone(), stage.other.clone()];
    stage.disconnect(&[&rest[0], &rest[1]])?;
    scene.let_pass(Duration::from_secs(100), "nobody streams");
    let hung = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    ensure!(stage.primary.sql(hung)? == "t", "no commit waits");
    let old = stage.primary.clone();
    scene.cluster.power.off(&old.name)?;
    scene.cluster.heal_network()?;
    scene.cluster.wait_promoted_among(&rest, FAILOVER)?;
    scene.writes_go_on()?;
    scene.cluster.rejoin_all()?;
    scene.only_fenced(&old.name)
}

/// The same configuration on all nodes names one standby, and that one is the primary: nobody can
/// have confirmed anything to it, so nobody is refused for its sake.
pub fn primary_that_is_its_own_only_standby(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let only = &stage.favourite;
    let line = format!("synchronous_standby_names = '{}'", only.name);
    for node in &scene.cluster.nodes {
        stage.configure(node, &line)?;
    }
    stage.write_rows(&stage.primary, 50)?;
    let rows = stage.rows(&stage.primary)?;
    stage.wait_rows(&stage.other, rows)?;
    scene.cluster.move_primary(&only.name)?;
    scene.cluster.wait_whole()?;
    scene.let_pass(ROUND, "one round of monitors");
    scene.cut_power(only)?;
    let rest = [stage.primary.clone(), stage.other.clone()];
    scene.cluster.wait_promoted_among(&rest, FAILOVER)?;
    stage.nobody_lacks(rows)?;
    scene.cluster.rejoin(only)?;
    ensure!(scene.cluster.primary()? != *only, "the primary moved back");
    scene.only_fenced(&only.name)
}

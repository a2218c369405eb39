//! The evidence of elections is taken away, or an old one is put back: the next election is the same.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::{self, MAIN};
use crate::cluster::prepare;
use crate::machine::node::Node;
use crate::run::scene::Scene;
use crate::run::staging::Stage;
use crate::tests::paf_losses::{lose_primary_and_synchronous_standby, only_the_other_holds};

/// The configuration of the cluster, as an admin saves it to work on it.
const OLD: &str = "/root/old.xml";
/// In it each node has two monitors.
const TWO_ROUNDS: Duration = Duration::from_secs(40);
/// A promotion that is safe must not take longer.
const FAILOVER: Duration = Duration::from_secs(60);

/// The primary and the synchronous standby are lost, the last node is refused. Then the dead
/// primary's node is removed from the cluster, as hardware that will not come back: the refusal
/// stands until the standby is back that has the commits.
pub fn dead_primary_is_removed_from_the_cluster(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = lose_primary_and_synchronous_standby(&stage)?;
    let dead = &stage.primary.name;
    stage.refused(rows, dead)?;
    for node in [&stage.favourite, &stage.other] {
        node.start_pcsd()?;
    }
    scene.pcs(&format!(
        "cluster node remove {dead} --skip-offline --force"
    ))?;
    scene.pcs("resource cleanup")?;
    stage.refused(rows, dead)?;
    the_other_returns(&stage, rows)
}

/// The same, and somebody erases all permanent attributes of the nodes instead.
pub fn attributes_of_all_nodes_are_erased(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = lose_primary_and_synchronous_standby(&stage)?;
    stage.refused(rows, &stage.primary.name)?;
    scene.steps.say("erasing the attributes of all nodes");
    let attributes = "//nodes/node/instance_attributes/nvpair";
    let erase = ["cibadmin", "--delete-all", "--force", "--xpath", attributes];
    scene.cluster.any()?.run(&erase)?;
    // As the two survivors had them: without one Pacemaker tries nobody.
    for node in [&stage.favourite, &stage.other] {
        let score = format!("--name=master-pgsqld --node={} --update=1000", node.name);
        let mut words = vec!["crm_attribute"];
        words.extend(score.split(' '));
        node.run(&words)?;
    }
    scene.pcs("resource cleanup")?;
    stage.refused(rows, &stage.primary.name)?;
    the_other_returns(&stage, rows)
}

fn the_other_returns(stage: &Stage, rows: u64) -> Result<()> {
    let scene = stage.scene;
    scene.pcs(&format!("resource clear pgsqld-clone {}", stage.other.name))?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == stage.other, "{} was promoted", primary.name);
    scene.only_fenced(&stage.primary.name)
}

/// After a failover a configuration from before it is put back, with its reigns and scores, by the
/// command that the manual of pcs recommends. The branch that was elected stays elected.
pub fn old_configuration_is_pushed(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    fail_over_to_the_other(&stage, 0)?;
    scene.cluster.rejoin(&stage.primary)?;
    stage.write_rows(&stage.other, 50)?;
    let rows = stage.rows(&stage.other)?;
    for node in [&stage.primary, &stage.favourite] {
        stage.wait_rows(node, rows)?;
    }
    push(&stage)?;
    stage.nothing_lost(rows)?;
    scene.cluster.wait_whole()?;
    stage.nobody_lacks(rows)?;
    scene.only_fenced(&stage.primary.name)
}

/// The same, and the old primary came back with WAL that nobody else has: commits of the new
/// primary that clients were promised are not given up for it.
pub fn old_configuration_and_a_diverged_primary(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    fail_over_to_the_other(&stage, 20)?;
    scene.cluster.bring_back(&stage.primary)?;
    stage.runs_as_standby(&stage.primary)?;
    stage.write_rows(&stage.other, 50)?;
    let rows = stage.rows(&stage.other)?;
    stage.wait_rows(&stage.favourite, rows)?;
    push(&stage)?;
    stage.nothing_lost(rows)?;
    let rest = [stage.favourite.name.as_str(), &stage.other.name];
    scene
        .steps
        .wait("the new branch to be served", PATIENCE, || {
            stage.nobody_lacks(rows)?;
            let primary = scene.cluster.primary()?;
            ensure!(rest.contains(&primary.name.as_str()), "{}", primary.name);
            Ok(())
        })?;
    scene.only_fenced(&stage.primary.name)
}

/// The same, put back before the new primary's monitor has come again, while the standby's has;
/// then the new primary is lost, and the old one returns. The standby has rows of both.
pub fn old_configuration_before_the_new_primary_is_lost(scene: &mut Scene) -> Result<()> {
    let release = scene.cluster.options.release;
    let monitor = |role: &str, interval: &str| {
        scene.pcs(&format!(
            "resource update pgsqld op monitor interval={interval} role={role} timeout=10s"
        ))
    };
    monitor(release.role_promoted, "300s")?;
    monitor(release.role_unpromoted, "200s")?;
    scene.cluster.wait_whole()?;
    let stage = Stage::new(scene)?;
    let rest = [stage.favourite.clone(), stage.other.clone()];
    rest.iter().try_for_each(save)?;
    stage.power_off(&stage.primary)?;
    let new = scene.cluster.wait_promoted_among(&rest, FAILOVER)?;
    let third = &rest[usize::from(rest[0] == new)];
    scene
        .steps
        .wait("the record of the new primary", PATIENCE, || {
            let reign = format!("reign-{}", MAIN.resource);
            let attributes = scene.cluster.state()?.attributes;
            let is_its =
                |(node, name, _): &(String, String, String)| *node == new.name && *name == reign;
            ensure!(attributes.iter().any(is_its), "there is none yet");
            Ok(())
        })?;
    third.run(&["pcs", "cluster", "cib-push", OLD, "--config"])?;
    scene.cluster.wait_whole_on(&[&new.name, &third.name])?;
    stage.write_rows(&new, 50)?;
    let rows = stage.rows(&new)?;
    monitor(release.role_unpromoted, "10s")?;
    scene.let_pass(Duration::from_secs(15), "monitors of the standby");
    stage.power_off(&new)?;
    scene.cluster.bring_back(&stage.primary)?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == *third, "{} was promoted", primary.name);
    Ok(())
}

/// Saves the configuration; then the primary is lost, with `only` rows that no other node has, and
/// the standby with the lowest score is elected, since it holds most.
fn fail_over_to_the_other(stage: &Stage, only: u32) -> Result<()> {
    let scene = stage.scene;
    save(&stage.other)?;
    scene.pcs("property set maintenance-mode=true")?;
    stage.settle()?;
    let rows = only_the_other_holds(stage, 50)?;
    if only > 0 {
        stage.disconnect(&[&stage.other])?;
        stage.write_local(&stage.primary, only)?;
    }
    stage.power_off(&stage.primary)?;
    scene.cluster.heal_network()?;
    stage.release()?;
    let new = stage.nothing_lost(rows)?;
    ensure!(new == stage.other, "{} was promoted", new.name);
    let rest = [stage.favourite.name.as_str(), &stage.other.name];
    scene.cluster.wait_whole_on(&rest)
}

fn save(node: &Node) -> Result<()> {
    node.run(&["pcs", "cluster", "cib", OLD]).map(drop)
}

/// Puts the saved configuration back, and gives Pacemaker and the monitors their time with it.
fn push(stage: &Stage) -> Result<()> {
    let words = ["pcs", "cluster", "cib-push", OLD, "--config"];
    stage.scene.steps.say(&words.join(" "));
    stage.other.run(&words)?;
    stage
        .scene
        .let_pass(Duration::from_secs(20), "one round of monitors");
    stage.settle_or_say();
    Ok(())
}

/// The role is moved while clients write, without stickiness; then the configuration from before
/// the move is put back. Clients go on, with every commit that they were promised.
pub fn old_configuration_after_a_move(scene: &mut Scene) -> Result<()> {
    scene.pcs("resource defaults update resource-stickiness=0")?;
    let stage = Stage::new(scene)?;
    save(&stage.other)?;
    scene.cluster.move_primary(&stage.other.name)?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    push(&stage)?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    scene.nobody_fenced()
}

/// A planned stop of the primary's node is refused to the others, who lack its last commits. A
/// restart of the cluster stack on these, without the first one, changes nothing about it.
pub fn stack_is_restarted_after_a_refusal(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let (old, rest) = (&stage.primary, [&stage.favourite, &stage.other]);
    stage.disconnect(&rest)?;
    stage.write_rows(old, 50)?;
    let rows = stage.rows(old)?;
    stage.release()?;
    stop_stack(scene, old)?;
    scene.cluster.heal_network()?;
    stage.refused(rows, &old.name)?;
    for node in rest {
        stop_stack(scene, node)?;
    }
    scene.cluster.start_stack(&rest.map(Node::clone))?;
    stage.refused(rows, &old.name)?;
    scene.cluster.bring_back(old)?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == *old, "{} was promoted", primary.name);
    scene.cluster.wait_whole()
}

/// After a failover all lose power, and the configuration that comes back is that of before. The
/// new primary stays away, and PostgreSQL does not start on the standby that followed it: the
/// ledger of that one alone tells that the old primary was followed by another.
pub fn node_without_postgresql_tells_of_an_election(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let (old, rest) = (&stage.primary, [&stage.favourite, &stage.other]);
    stage.power_off(old)?;
    let rest = rest.map(Node::clone);
    let new = scene.cluster.wait_promoted_among(&rest, FAILOVER)?;
    let third = &rest[usize::from(rest[0] == new)];
    scene.cluster.wait_whole_on(&[&new.name, &third.name])?;
    stage.write_rows(&new, 50)?;
    let rows = stage.rows(&new)?;
    let spoilt = format!(
        "{}/conf.d/spoilt.conf",
        scene.cluster.options.release.confdir(MAIN.name)
    );
    third.write(&spoilt, "shared_buffers = none\n", "root:root", "0644")?;
    for node in [&new, third] {
        scene.cluster.power.off(&node.name)?;
    }
    let back = [old.clone(), third.clone()];
    prepare::boot(&scene.cluster.power, &back, &scene.steps)?;
    third.run(&["sh", "-c", "rm -f /var/lib/pacemaker/cib/*"])?;
    scene.cluster.start_stack(&back)?;
    stage.refused(rows, &new.name)?;
    third.run(&["rm", &spoilt])?;
    scene.cluster.bring_back(&new)?;
    scene.pcs("resource cleanup")?;
    stage.nothing_lost(rows).map(drop)
}

fn stop_stack(scene: &Scene, node: &Node) -> Result<()> {
    let words = ["pcs", "cluster", "stop", "--force"];
    scene
        .steps
        .say(&format!("{} on {}", words.join(" "), node.name));
    node.run_within(PATIENCE, &words).map(drop)
}

/// The one standby that confirmed commits is rebuilt from the one that lags, and cannot stream;
/// then the primary is lost. The two that are left do not prove to each other that nothing was
/// confirmed.
pub fn rebuilt_standby_vouches_for_nothing(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let rows = only_the_other_holds(&stage, 50)?;
    rebuild_from_the_favourite(&stage)?;
    stage.disconnect(&[&stage.other])?;
    start_the_other(&stage)?;
    stage.power_off(&stage.primary)?;
    scene.cluster.heal_network()?;
    stage.refused(rows, &stage.primary.name)?;
    scene.cluster.bring_back(&stage.primary)?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == stage.primary, "{} was promoted", primary.name);
    scene.only_fenced(&stage.primary.name)
}

/// The same, but it can stream, and has caught up before the primary is lost: it is as good as any
/// other standby.
pub fn rebuilt_standby_is_promoted_once_it_caught_up(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    let rows = only_the_other_holds(&stage, 50)?;
    rebuild_from_the_favourite(&stage)?;
    start_the_other(&stage)?;
    stage.wait_rows(&stage.other, rows)?;
    scene.let_pass(TWO_ROUNDS, "two rounds of monitors");
    stage.power_off(&stage.primary)?;
    let only = std::slice::from_ref(&stage.other);
    scene.cluster.wait_promoted_among(only, FAILOVER)?;
    stage.nobody_lacks(rows)?;
    scene.cluster.heal_network()?;
    scene.cluster.rejoin(&stage.primary)?;
    scene.only_fenced(&stage.primary.name)
}

fn rebuild_from_the_favourite(stage: &Stage) -> Result<()> {
    let (scene, node) = (stage.scene, &stage.other);
    scene.pcs(&format!("node standby {} --wait=60", node.name))?;
    let from = &stage.favourite;
    scene
        .steps
        .say(&format!("rebuilding {} from {}", node.name, from.name));
    let data = scene.cluster.options.release.datadir(MAIN.name);
    postgresql::base_backup(node, &from.address().to_string(), &MAIN, &data)
}

fn start_the_other(stage: &Stage) -> Result<()> {
    let back = format!("node unstandby {} --wait=60", stage.other.name);
    stage.scene.pcs(&back).map(drop)
}

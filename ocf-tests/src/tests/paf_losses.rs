//! The ways in which the Perl agent loses what a surviving node holds, one test each. With
//! `PGSQLMS_UNDER_TEST=paf` they show the loss, and so they fail; docs/proof.md keeps what was
//! seen.

use anyhow::{Result, ensure};

use crate::cluster::postgresql::{self, MAIN};
use crate::cluster::state::Role;
use crate::cluster::{PATIENCE, prepare};
use crate::machine::node::Node;
use crate::run::scene::Scene;
use crate::run::staging::Stage;

/// A1: a standby that has not streamed since its start tells the start of a WAL segment
/// instead of what it holds. Both standbys restart while the primary is dead; the favourite,
/// which holds less, must not win the tie.
pub fn restarted_standbys_vote_what_they_hold(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = only_the_other_holds(&stage, 1000)?;
    stage.power_off(&stage.primary)?;
    stage.restart(&stage.favourite)?;
    stage.restart(&stage.other)?;
    promotes_the_other(&stage, rows)
}

/// A2: a shutdown checkpoint from an earlier restart of the primary proves nothing about the
/// one of this switchover.
pub fn older_shutdown_checkpoint_proves_nothing(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    stage.restart(&stage.primary)?;
    let names = scene.cluster.names();
    scene.steps.wait("standbys to stream again", PATIENCE, || {
        scene.cluster.serving(&MAIN, &names)
    })?;
    let rows = only_the_primary_holds(&stage, 100)?;
    stage.prefer(&stage.favourite)?;
    stage.release()?;
    stage.no_wish()?;
    primary_comes_back(&stage, rows)
}

/// A3: after a switchover that was rightly refused, the old primary votes what it holds and
/// gets the role back.
pub fn refused_switchover_returns_the_role(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = only_the_primary_holds(&stage, 50)?;
    stage.prefer(&stage.favourite)?;
    stage.release()?;
    stage.no_wish()?;
    primary_comes_back(&stage, rows)
}

/// A3: the role is banned from the only node that holds all rows. It is refused to the others
/// as often as Pacemaker tries, and returns once the ban is cleared.
pub fn banned_role_goes_to_nobody_who_lacks_rows(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = only_the_primary_holds(&stage, 50)?;
    stage.forbid(&stage.primary)?;
    stage.release()?;
    stage.no_wish()?;
    primary_comes_back(&stage, rows)
}

/// A4: right after a failover the standby that followed it still shows the old timeline in its
/// last checkpoint. The old primary, back with unsent WAL on that timeline, must not beat it.
pub fn old_primary_does_not_beat_the_new_timeline(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let (old, rest) = (&stage.primary, [&stage.favourite, &stage.other]);
    // Many dirty pages keep the checkpoint of the coming promotion busy for minutes.
    stage.write_rows(old, 100_000)?;
    for standby in rest {
        stage.wait_rows(standby, 100_000)?;
    }
    stage.disconnect(&rest)?;
    stage.write_wal(old, 40)?;
    stage.power_off(old)?;
    scene.cluster.heal_network()?;
    stage.release()?;
    let names = rest.map(|node| node.name.as_str());
    let new = scene.steps.wait("a failover", PATIENCE, || {
        scene.cluster.serving(&MAIN, &names)?;
        scene.cluster.primary()
    })?;
    let follower = if new == *rest[0] { rest[1] } else { rest[0] };
    stage.write_rows(&new, 100)?;
    stage.wait_rows(follower, 100_100)?;
    // The original makes the follower a candidate only some monitors later.
    scene.cluster.wait_whole_on(&names)?;
    // PostgreSQL would not start again once it has seen the history of the new timeline.
    scene.cluster.cut_replication(old, &MAIN)?;
    return_by_hand(&stage, old)?;
    stage.power_off(&new)?;
    scene.cluster.heal_network()?;
    stage.settle()?;
    let primary = stage.nothing_lost(100_100)?;
    ensure!(primary == *follower, "{} was promoted", primary.name);
    Ok(())
}

/// A5: a node that just lost the election is tried again, because the admin once moved the
/// role there and never cleared it. The election must be held again.
pub fn lost_election_is_held_again(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = only_the_other_holds(&stage, 100)?;
    stage.prefer(&stage.favourite)?;
    stage.power_off(&stage.primary)?;
    // The constraint moves the role to the favourite as soon as that has got the rows from the other,
    // the only one that holds them: which of the two is primary now says nothing.
    heals(&stage, rows).map(drop)
}

/// A6: a standby beyond `maxlag` is not promoted when its primary dies, even if an admin's
/// constraint outweighs its score; the primary comes back with all rows.
pub fn maxlag_holds_in_the_election(scene: &mut Scene) -> Result<()> {
    let stage = Stage::new(scene)?;
    scene.pcs("resource update pgsqld maxlag=1000000")?;
    stage.settle()?;
    // Only packets are lost: the primary sees standbys that lag, not standbys that left.
    scene.cluster.cut_replication(&stage.favourite, &MAIN)?;
    scene.cluster.cut_replication(&stage.other, &MAIN)?;
    stage.write_wal(&stage.primary, 20)?;
    stage.write_rows(&stage.primary, 100)?;
    let rows = stage.rows(&stage.primary)?;
    scene
        .steps
        .wait("both standbys to be beyond maxlag", PATIENCE, || {
            let state = scene.cluster.state()?;
            for node in [&stage.favourite, &stage.other] {
                let score = state.score(MAIN.resource, &node.name).unwrap_or("none");
                ensure!(score.starts_with('-'), "{} has {score}", node.name);
            }
            Ok(())
        })?;
    stage.power_off(&stage.primary)?;
    stage.settle()?;
    scene.cluster.heal_network()?;
    stage.prefer(&stage.favourite)?;
    stage.settle()?;
    stage.no_wish()?;
    scene.cluster.bring_back(&stage.primary)?;
    primary_comes_back(&stage, rows)
}

/// A7: the check of a switchover is for every planned change of the primary: its node goes to
/// standby while no standby receives anything.
pub fn node_standby_is_checked_like_a_move(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = only_the_primary_holds(&stage, 50)?;
    scene.pcs(&format!("node standby {}", stage.primary.name))?;
    stage.release()?;
    scene.pcs(&format!("node unstandby {}", stage.primary.name))?;
    primary_comes_back(&stage, rows)
}

/// A8: commits were acknowledged by one synchronous standby, and then neither it nor the
/// primary is there. The one that is left is refused until one of them is back.
pub fn synchronous_commits_outlive_a_double_fault(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = lose_primary_and_synchronous_standby(&stage)?;
    scene.pcs(&format!("resource clear pgsqld-clone {}", stage.other.name))?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == stage.other, "{} was promoted", primary.name);
    scene.only_fenced(&stage.primary.name)
}

/// A9: a higher timeline is not a better one: it may be the fork of a stale node, which
/// somebody promoted by hand and made a standby again.
pub fn fork_of_a_stale_node_does_not_win(scene: &mut Scene) -> Result<()> {
    let stage = Stage::under_maintenance(scene)?;
    let rows = only_the_other_holds(&stage, 200)?;
    let (fork, release) = (&stage.favourite, scene.cluster.options.release);
    scene.steps.say(&format!("promoting {} by hand", fork.name));
    postgresql::control(fork, release, &MAIN, "promote")?;
    scene.steps.wait("the fork", PATIENCE, || {
        let answer = fork.sql("SELECT pg_is_in_recovery()")?;
        ensure!(answer == "f", "still in recovery");
        fork.sql("CHECKPOINT").map(drop)
    })?;
    postgresql::control(fork, release, &MAIN, "stop")?;
    postgresql::mark_standby(fork, release, &MAIN)?;
    postgresql::control(fork, release, &MAIN, "start")?;
    stage.power_off(&stage.primary)?;
    promotes_the_other(&stage, rows)
}

/// Cuts both standbys off and writes `count` rows that only the primary gets; returns how many
/// there are in all.
fn only_the_primary_holds(stage: &Stage, count: u32) -> Result<u64> {
    stage.disconnect(&[&stage.favourite, &stage.other])?;
    stage.write_rows(&stage.primary, count)?;
    stage.rows(&stage.primary)
}

/// Cuts the favourite off and writes `count` rows that the other standby gets.
pub(super) fn only_the_other_holds(stage: &Stage, count: u32) -> Result<u64> {
    stage.disconnect(&[&stage.favourite])?;
    stage.write_rows(&stage.primary, count)?;
    let rows = stage.rows(&stage.primary)?;
    stage.wait_rows(&stage.other, rows)?;
    let behind = stage.rows(&stage.favourite)?;
    ensure!(behind < rows, "the favourite was to lag, but has all rows");
    Ok(rows)
}

/// After the death of the primary the other standby is promoted, as only it has all rows.
fn promotes_the_other(stage: &Stage, rows: u64) -> Result<()> {
    let primary = heals(stage, rows)?;
    ensure!(primary == stage.other, "{} was promoted", primary.name);
    Ok(())
}

/// The new primary after the death of the old one, with all rows.
fn heals(stage: &Stage, rows: u64) -> Result<Node> {
    stage.scene.cluster.heal_network()?;
    stage.release()?;
    let primary = stage.nothing_lost(rows)?;
    stage.scene.only_fenced(&stage.primary.name)?;
    Ok(primary)
}

/// The old primary, which alone holds all rows, is primary again and the others follow.
fn primary_comes_back(stage: &Stage, rows: u64) -> Result<()> {
    let scene = stage.scene;
    scene.cluster.heal_network()?;
    scene.pcs("resource cleanup")?;
    let primary = stage.nothing_lost(rows)?;
    ensure!(primary == stage.primary, "{} was promoted", primary.name);
    scene.cluster.wait_whole()
}

/// Rows that the other standby acknowledged; then the primary is dead and the other standby's
/// instance is banned. Pacemaker is done when this returns.
pub(super) fn lose_primary_and_synchronous_standby(stage: &Stage) -> Result<u64> {
    let scene = stage.scene;
    let rows = only_the_other_holds(stage, 100)?;
    scene.pcs(&format!("resource ban pgsqld-clone {}", stage.other.name))?;
    stage.power_off(&stage.primary)?;
    scene.cluster.heal_network()?;
    stage.release()?;
    if let Ok(primary) = scene.cluster.primary() {
        let there = stage.rows(&primary)?;
        ensure!(
            there == rows,
            "{} was promoted with {there} of {rows} acknowledged rows",
            primary.name
        );
    }
    Ok(rows)
}

/// What an admin does whose agent does not bring back a crashed primary: recovery by hand.
fn return_by_hand(stage: &Stage, node: &Node) -> Result<()> {
    let scene = stage.scene;
    let release = scene.cluster.options.release;
    prepare::boot(
        &scene.cluster.power,
        std::slice::from_ref(node),
        &scene.steps,
    )?;
    postgresql::mark_standby(node, release, &MAIN)?;
    postgresql::control(node, release, &MAIN, "start")?;
    postgresql::control(node, release, &MAIN, "stop")?;
    scene.cluster.start_stack(std::slice::from_ref(node))?;
    let what = format!("{} to run as a standby", node.name);
    scene.steps.wait(&what, PATIENCE, || {
        let standbys = scene.cluster.state()?.on(MAIN.resource, &Role::Unpromoted);
        ensure!(standbys.contains(&node.name), "standbys are {standbys:?}");
        Ok(())
    })
}

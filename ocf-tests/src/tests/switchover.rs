//! `pgsqlms switchover` and `pgsqlms role`: what they do to a cluster, and what they leave alone.

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::host::shell::{Output, ends_with};
use crate::machine::node::{Node, on_each};
use crate::run::scene::Scene;

/// The clients' own measure has the address in it, and their retries.
const CLOSE_ENOUGH: f64 = 2.5;
const CONSTRAINTS: &str = "cibadmin --query --scope constraints";

pub(super) fn switchover(node: &Node, words: &[&str]) -> Result<Output> {
    node.output(&[&["pgsqlms", "switchover"], words].concat())
}

fn constraints(node: &Node) -> Result<String> {
    node.run(&["sh", "-c", CONSTRAINTS])
}

fn no_constraint_is_left(node: &Node) -> Result<()> {
    let left = constraints(node)?;
    ensure!(!left.contains("cli-"), "a constraint is left:\n{left}");
    Ok(())
}

/// To each standby in turn, from the primary's node and from the node that is to be the primary:
/// it says so, nothing is left, and the time that it tells is that of the clients.
pub fn moves_and_reports(scene: &mut Scene) -> Result<()> {
    for from_target in [false, true] {
        let (primary, target) = (scene.cluster.primary()?, scene.a_standby()?);
        let caller = if from_target { &target } else { &primary };
        let said = switchover(caller, &["--to", &target.name])?;
        let wanted = [
            &format!(
                "{} is the primary, {} is a standby",
                target.name, primary.name
            ),
            "the constraint is gone",
        ];
        ends_with(&said, 0, &wanted)?;
        no_constraint_is_left(&target)?;
        scene.cluster.wait_whole()?;
        ensure!(scene.cluster.primary()? == target, "the role is elsewhere");
        scene.writes_go_on()?;
        let (told, seen) = (blocked(&said.stdout)?, scene.downtime()?.as_secs_f64());
        ensure!(
            told > 0.0 && told < seen + CLOSE_ENOUGH && seen < told + CLOSE_ENOUGH,
            "it told of {told} s, clients of {seen:.1} s"
        );
    }
    let primary = scene.cluster.primary()?;
    let again = switchover(&primary, &["--to", &primary.name])?;
    ends_with(&again, 0, &["is the primary already"])?;
    scene.undisturbed()
}

/// `… clients were blocked for 1.3 s; …`
fn blocked(said: &str) -> Result<f64> {
    let rest = said.split("clients were blocked for ").nth(1);
    let number = rest.and_then(|rest| rest.split(' ').next());
    Ok(number.with_context(|| said.to_owned())?.parse()?)
}

/// A standby whose replay is paused would hold up clients: that is seen before anything is
/// touched, at the primary and on its own node, with and without `--dry-run`.
pub fn refuses_a_paused_replay(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    let before = (constraints(&primary)?, scene.postmasters()?);
    standby.sql("SELECT pg_wal_replay_pause()")?;
    let lag = format!(
        "SELECT flush_lsn > replay_lsn FROM pg_stat_replication WHERE application_name = '{}'",
        standby.name
    );
    scene.steps.wait("something to replay", PATIENCE, || {
        let is_behind = primary.sql(&lag)?;
        ensure!(is_behind == "t", "{is_behind}");
        Ok(())
    })?;
    let to = ["--to", standby.name.as_str()];
    let dry = ["--to", standby.name.as_str(), "--dry-run"];
    for words in [&to[..], &dry[..]] {
        let at_primary = switchover(&primary, words)?;
        ends_with(
            &at_primary,
            2,
            &["FAIL", "replays none of it", "nothing was touched"],
        )?;
        let at_standby = switchover(&standby, words)?;
        ends_with(
            &at_standby,
            2,
            &["is paused", "SELECT pg_wal_replay_resume()"],
        )?;
    }
    standby.sql("SELECT pg_wal_replay_resume()")?;
    scene.steps.wait("nothing to be in the way", PATIENCE, || {
        ends_with(&switchover(&primary, &dry)?, 0, &["Nothing was touched"])
    })?;
    let after = (constraints(&primary)?, scene.postmasters()?);
    ensure!(before == after, "touched: {before:?}, now {after:?}");
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.undisturbed()
}

/// Packets to the target are lost, and nobody has noticed that yet: nothing is in the way, the promotion
/// is refused since the target lacks the end, and the role goes back. It says so, and why, with exit
/// code 1; the constraint is gone, and so is no row.
pub fn says_that_the_role_went_back(scene: &mut Scene) -> Result<()> {
    let (primary, target) = (scene.cluster.primary()?, scene.a_standby()?);
    scene.cluster.cut_replication(&target, &MAIN)?;
    let line = ["pgsqlms", "switchover", "--to", &target.name];
    let said = primary.output_within(PATIENCE, &line)?;
    let back = format!("the role went back: {} is the primary", primary.name);
    ends_with(&said, 1, &[&back, "the constraint is gone"])?;
    no_constraint_is_left(&primary)?;
    scene.cluster.heal_network()?;
    scene.clean_up()?;
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.writes_go_on()?;
    scene.nobody_fenced()
}

/// Ctrl-C as soon as the constraint is there, when nothing and when something has moved: it is
/// gone before the command has ended, and the cluster finds to one primary.
pub fn interrupted_leaves_no_constraint(scene: &mut Scene) -> Result<()> {
    for signal in ["INT", "HUP"] {
        let (primary, target) = (scene.cluster.primary()?, scene.a_standby()?);
        let script = format!(
            "pgsqlms switchover --to {} & \
             until {CONSTRAINTS} | grep -q cli-prefer; do kill -0 $! || exit 99; sleep 0.05; done; \
             kill -{signal} $!; wait $!",
            target.name
        );
        let said = primary.output(&["bash", "-c", &script])?;
        no_constraint_is_left(&primary)?;
        let interrupted = format!("Interrupted (SIG{signal})");
        ensure!(
            said.stdout.contains(&interrupted) && [0, 1, 3].contains(&said.code),
            "exit code {}:\n{}{}",
            said.code,
            said.stdout,
            said.stderr
        );
        scene.cluster.wait_whole()?;
        scene.writes_go_on()?;
    }
    scene.undisturbed()
}

const SOCKET: &str = include_str!("../../../packaging/systemd/pgsqlms-role.socket");
const SERVICE: &str = include_str!("../../../packaging/systemd/pgsqlms-role@.service");

/// Each node tells its role to whoever connects, by the packaged units.
pub(super) fn tell_roles(scene: &Scene) -> Result<()> {
    on_each(&scene.cluster.nodes, |node| {
        let units = "/etc/systemd/system/pgsqlms-role";
        node.write(&format!("{units}.socket"), SOCKET, "root:root", "0644")?;
        node.write(&format!("{units}@.service"), SERVICE, "root:root", "0644")?;
        node.run(&["systemctl", "daemon-reload"])?;
        node.run(&["systemctl", "start", "pgsqlms-role.socket"])
            .map(drop)
    })
}

/// By the socket each node tells its role, before and after a switchover; who may not ask
/// Pacemaker calls no node a primary.
pub fn role_is_told_to_load_balancers(scene: &mut Scene) -> Result<()> {
    tell_roles(scene)?;

    roles_are_told(scene)?;
    let (primary, target) = (scene.cluster.primary()?, scene.a_standby()?);
    ends_with(&switchover(&primary, &["--to", &target.name])?, 0, &[])?;
    scene.cluster.wait_whole()?;
    roles_are_told(scene)?;
    role_takes_no_time(scene, &target)?;
    for (words, code, said) in [
        ("pgsqlms role", 3, "unknown"),
        ("pgsqlms role --sql-only", 0, "primary"),
        ("pgsqlms role --sql-only --haproxy", 0, "up ready"),
    ] {
        let said_there = target.output(&["runuser", "-u", "postgres", "--", "sh", "-c", words])?;
        ends_with(&said_there, code, &[said])?;
    }
    scene.undisturbed()
}

/// A load balancer asks each second. 50 ms on an idle machine; others may be at work beside the
/// lab.
fn role_takes_no_time(scene: &Scene, node: &Node) -> Result<()> {
    let script = "t=$(date +%s%N); for i in $(seq 20); do pgsqlms role > /dev/null; done; \
                  echo $((($(date +%s%N) - t) / 20000000))";
    let took: u64 = node.run(&["bash", "-c", script])?.trim().parse()?;
    scene.steps.say(&format!("pgsqlms role: {took} ms"));
    ensure!(took < 300, "pgsqlms role took {took} ms");
    Ok(())
}

fn roles_are_told(scene: &Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    for node in &scene.cluster.nodes {
        let wanted = if *node == primary {
            "primary"
        } else {
            "standby"
        };
        let told = node.run(&["bash", "-c", "cat < /dev/tcp/127.0.0.1/5431"])?;
        ensure!(told.trim() == wanted, "{} says {told:?}", node.name);
    }
    Ok(())
}

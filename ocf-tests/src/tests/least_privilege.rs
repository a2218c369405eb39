//! The agent logs in as a role that is no superuser (`db_role`).

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::postgresql::MAIN;
use crate::host::release::Release;
use crate::machine::node::{Node, on_each};
use crate::run::scene::Scene;

const PASSWORD: &str = r"not:a\secret";
/// In it each node has two monitors.
const MONITORS: Duration = Duration::from_secs(40);

fn major(release: &Release) -> Result<u32> {
    Ok(release.postgresql.parse()?)
}

/// What the documents say for this version, with replication slots.
fn grants(release: &Release) -> Result<String> {
    let checkpoint = if major(release)? >= 15 {
        "GRANT pg_checkpoint TO pgsqlms; "
    } else {
        ""
    };
    Ok(format!(
        "SET password_encryption = 'scram-sha-256'; \
         CREATE ROLE pgsqlms LOGIN REPLICATION PASSWORD '{PASSWORD}'; \
         GRANT pg_read_all_stats, pg_signal_backend TO pgsqlms; {checkpoint}\
         GRANT EXECUTE ON FUNCTION pg_catalog.pg_wal_replay_resume() TO pgsqlms"
    ))
}

/// Superusers log in no more but under the name of the test, so that the agent cannot do either.
fn set_up(scene: &Scene) -> Result<()> {
    let release = scene.cluster.options.release;
    let primary = scene.cluster.primary()?;
    primary.sql(&grants(release)?)?;
    scene.cluster.wait_whole()?;
    let escaped = PASSWORD.replace('\\', r"\\").replace(':', r"\:");
    let line = format!("localhost:*:*:pgsqlms:{escaped}\n");
    let hba = format!("{}/pg_hba.conf", release.confdir(MAIN.name));
    on_each(&scene.cluster.nodes, |node| {
        node.write(
            "/var/lib/postgresql/.pgpass",
            &line,
            "postgres:postgres",
            "0600",
        )?;
        node.run(&["sed", "-i", "1i local all pgsqlms scram-sha-256", &hba])?;
        node.sql("SELECT pg_reload_conf()").map(drop)
    })?;
    scene.pcs("resource update pgsqld db_role=pgsqlms")?;
    on_each(&scene.cluster.nodes, |node| validates(node, true).map(drop))
}

/// What validate-all says.
fn validates(node: &Node, is_well: bool) -> Result<String> {
    let said = node.output(&["crm_resource", "--validate", "--resource", MAIN.resource])?;
    let text = format!("{}{}", said.stdout, said.stderr);
    ensure!(said.success() == is_well, "{}: {text}", node.name);
    Ok(text)
}

/// Whoever asks the server under the name of the agent is the role.
fn only_the_role_asks(scene: &Scene) -> Result<()> {
    let log = "/var/log/postgresql/postgresql-main.log";
    let script = format!("grep -c 'connection authorized: user=postgres .*pgsqlms' {log} || true");
    for node in &scene.cluster.nodes {
        let count = node.run(&["sh", "-c", &script])?;
        ensure!(count.trim() == "0", "{}: the superuser asked", node.name);
    }
    Ok(())
}

/// Monitors, a switchover, a failover by a power cut, and the return of the node.
pub fn a_cluster_runs_without_a_superuser(scene: &mut Scene) -> Result<()> {
    set_up(scene)?;
    let primary = scene.cluster.primary()?;
    primary.sql("ALTER SYSTEM SET log_connections = on")?;
    primary.sql("SELECT pg_reload_conf()")?;
    scene.let_pass(MONITORS, "two rounds of monitors");
    let next = scene.a_standby()?;
    scene.cluster.move_primary(&next.name)?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    scene.undisturbed()?;
    only_the_role_asks(scene)?;
    scene.cut_power(&next)?;
    let rest = scene.cluster.others(&next.name);
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()?;
    scene.cluster.rejoin(&next)?;
    scene.cluster.wait_whole()?;
    scene.only_fenced(&next.name)
}

/// The role loses its right to see statistics, and then its login: nothing is stopped and nobody
/// is fenced, validate-all names what gives it back, and then all is as before.
pub fn a_revoked_right_stops_nothing(scene: &mut Scene) -> Result<()> {
    set_up(scene)?;
    let (primary, before) = (scene.cluster.primary()?, scene.postmasters()?);
    let give = "GRANT pg_read_all_stats TO pgsqlms";
    for (take, give) in [
        ("REVOKE pg_read_all_stats FROM pgsqlms", give),
        ("ALTER ROLE pgsqlms NOLOGIN", "ALTER ROLE pgsqlms LOGIN"),
    ] {
        primary.sql(take)?;
        scene.let_pass(MONITORS, "two rounds of monitors");
        let said = validates(&primary, false)?;
        let names_it = said.contains("cannot log in") || said.contains(give);
        ensure!(names_it, "{take}: {said}");
        ensure!(scene.postmasters()? == before, "a server was restarted");
        ensure!(scene.cluster.primary()? == primary, "the primary moved");
        scene.undisturbed()?;
        primary.sql(give)?;
        validates(&primary, true)?;
    }
    let other = scene.a_standby()?;
    scene.cluster.wait_whole()?;
    scene.cluster.move_primary(&other.name)?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// All connections are taken, and those that are kept for superusers are not for the role: the
/// server counts as busy.
pub fn no_connection_left_for_the_role(scene: &mut Scene) -> Result<()> {
    set_up(scene)?;
    let (primary, before) = (scene.cluster.primary()?, scene.postmasters()?);
    let mut takers = take_all(&primary)?;
    scene.let_pass(MONITORS, "two rounds of monitors");
    let said = primary.output(&[
        "sh",
        "-c",
        "grep -c 'all connections are taken' /var/log/pacemaker/pacemaker.log",
    ])?;
    takers.kill()?;
    takers.wait()?;
    primary.run(&["sh", "-c", "pkill -x psql || true"])?;
    ensure!(said.stdout.trim() != "0", "the agent was let in");
    ensure!(scene.postmasters()? == before, "a server was restarted");
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    scene.writes_go_on()?;
    scene.undisturbed()
}

/// By a role without rights, up to the places of superusers.
fn take_all(node: &Node) -> Result<std::process::Child> {
    node.sql("CREATE ROLE crowd LOGIN")?;
    let script = "for i in $(seq 1 70); do psql -XAtq -U crowd -d postgres -c \
                  'SELECT pg_sleep(300)' >/dev/null 2>&1 & done; wait";
    Ok(node
        .command(&["runuser", "-u", "postgres", "--", "sh", "-c", script])?
        .spawn()?)
}

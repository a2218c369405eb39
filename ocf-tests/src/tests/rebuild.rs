//! `pgsqlms rebuild`: a node's data are made anew, whatever interrupts that, and nothing is thrown
//! away that the cluster may need.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::host::shell::{Output, ends_with};
use crate::machine::node::Node;
use crate::run::chance::Chance;
use crate::run::scene::Scene;
use crate::tests::rejoin::{diverge, logged, settings_are_its_own, tail_is_gone};
use crate::watch::client::Client;

/// How long a rebuild of a small database may take.
const LONGEST: Duration = Duration::from_secs(120);
const REBUILD: [&str; 3] = ["pgsqlms", "rebuild", "--yes"];
/// How often it is killed.
const KILLS: usize = 6;

fn rebuild(node: &Node, words: &[&str]) -> Result<Output> {
    node.output_within(LONGEST, &[&REBUILD, words].concat())
}

/// What is beside the data directory, and whether the agent has a mark.
fn left(scene: &Scene, node: &Node) -> Result<String> {
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    let script = format!("ls -d {datadir}?* /var/lib/pgsqlms/*.rebuild 2>/dev/null || true");
    node.run(&["sh", "-c", &script])
}

fn nothing_is_left(scene: &Scene, node: &Node) -> Result<()> {
    let left = left(scene, node)?;
    ensure!(left.is_empty(), "left behind: {left}");
    Ok(())
}

/// The control file's inode and birth: other data have another one.
fn identity(scene: &Scene, node: &Node) -> Result<String> {
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    node.run(&[
        "stat",
        "-c",
        "%i.%W",
        &format!("{datadir}/global/pg_control"),
    ])
}

fn standby(scene: &Scene, node: &Node) -> Result<()> {
    scene.pcs(&format!("node standby {} --wait=90", node.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(node))
}

fn unstandby(scene: &Scene, node: &Node) -> Result<()> {
    scene
        .pcs(&format!("node unstandby {}", node.name))
        .map(drop)
}

/// A former primary that has diverged is rebuilt while a client writes: it has its own settings,
/// vouches for nothing until it has caught up, and can be the primary again.
pub fn diverged_node_is_rebuilt_under_writes(scene: &mut Scene) -> Result<()> {
    let old = diverge(scene)?;
    scene.client = Some(Client::start(&scene.cluster, &MAIN));
    scene.cluster.bring_back(&old)?;
    scene.steps.wait("the node to say so", PATIENCE, || {
        logged(&old, "This standby has diverged: it holds timeline ")
    })?;
    let before = identity(scene, &old)?;
    ends_with(
        &rebuild(&old, &[])?,
        2,
        &["PostgreSQL runs here", "nothing was touched"],
    )?;
    standby(scene, &old)?;
    ends_with(&rebuild(&old, &["--dry-run"])?, 0, &["Nothing was touched"])?;
    ensure!(identity(scene, &old)? == before, "the data are others");
    let said = rebuild(&old, &["--max-rate", "32M"])?;
    ends_with(&said, 0, &["copying …", "is rebuilt"])?;
    nothing_is_left(scene, &old)?;
    ensure!(identity(scene, &old)? != before, "the data are the same");
    let ledger = old.run(&["cat", "/var/lib/pgsqlms/pgsqld.ledger"])?;
    ensure!(ledger.contains("fresh="), "the new data inherit: {ledger}");
    unstandby(scene, &old)?;
    scene.cluster.wait_whole()?;
    tail_is_gone(&old)?;
    settings_are_its_own(&old)?;
    scene.steps.wait("it to vouch again", PATIENCE, || {
        let ledger = old.run(&["cat", "/var/lib/pgsqlms/pgsqld.ledger"])?;
        ensure!(!ledger.contains("fresh="), "it does not: {ledger}");
        Ok(())
    })?;
    scene.cluster.move_primary(&old.name)?;
    scene.cluster.wait_promoted(&old.name)?;
    scene.cluster.wait_whole()?;
    scene.writes_go_on()?;
    scene.only_fenced(&old.name)
}

/// kill -9 at random moments, and a power cut: what is in the data directory is whole at each of
/// them, the next call goes on, and nothing is left behind.
pub fn killed_at_any_moment_it_is_finished_by_the_next_call(scene: &mut Scene) -> Result<()> {
    let seed = Chance::fresh_seed();
    scene
        .steps
        .say(&format!("the moments are those of seed {seed}"));
    let mut chance = Chance::new(seed);
    scene
        .cluster
        .primary()?
        .sql("CREATE TABLE big AS SELECT g, repeat('x', 500) FROM generate_series(1, 150000) g")?;
    scene.cluster.wait_whole()?;
    let node = scene.a_standby()?;
    standby(scene, &node)?;
    let before = identity(scene, &node)?;
    for _ in 0..KILLS {
        let moment = chance.moment(Duration::from_secs(7));
        let script = format!(
            "pgsqlms rebuild --yes --max-rate 20M >/root/rebuild.log 2>&1 & sleep {}; kill -9 $!; \
             wait $! || true",
            moment.as_secs_f64()
        );
        node.run_within(LONGEST, &["sh", "-c", &script])?;
        scene.steps.note(&node.run(&["cat", "/root/rebuild.log"])?);
        is_whole(scene, &node)?;
    }
    let is_old = identity(scene, &node)? == before;
    scene.steps.say(&format!(
        "killed {KILLS} times; the old data are there: {is_old}"
    ));
    // With it in the data directory, what there is may be started.
    unstandby(scene, &node)?;
    scene.cluster.wait_whole()?;
    standby(scene, &node)?;
    ends_with(&rebuild(&node, &[])?, 0, &["is rebuilt"])?;
    nothing_is_left(scene, &node)?;
    ensure!(identity(scene, &node)? != before, "the data are the same");
    unstandby(scene, &node)?;
    scene.cluster.wait_whole()?;
    ensure!(
        node.sql("SELECT count(*) FROM big")? == "150000",
        "rows are missing"
    );
    settings_are_its_own(&node)?;
    scene.nobody_fenced()
}

fn is_whole(scene: &Scene, node: &Node) -> Result<()> {
    let release = scene.cluster.options.release;
    let datadir = release.datadir(MAIN.name);
    let program = format!("{}/pg_controldata", release.bindir());
    let files = node.run(&["ls", &datadir])?;
    for name in ["PG_VERSION", "base", "pg_wal", "standby.signal"] {
        ensure!(files.contains(name), "{name} is not among:\n{files}");
    }
    node.as_postgres(&[&program, &datadir]).map(drop)
}

/// While a rebuild goes on nothing is started, and no second one begins; Ctrl-C ends it with all
/// that it has started, and `--give-up` takes it back.
pub fn nothing_is_started_while_it_goes_on(scene: &mut Scene) -> Result<()> {
    scene
        .cluster
        .primary()?
        .sql("CREATE TABLE big AS SELECT g, repeat('x', 500) FROM generate_series(1, 100000) g")?;
    let node = scene.a_standby()?;
    standby(scene, &node)?;
    let before = identity(scene, &node)?;
    let script = "setsid pgsqlms rebuild --yes --max-rate 500k >/root/rebuild.log 2>&1 & \
                  echo $! >/root/rebuild.pid";
    node.run(&["sh", "-c", script])?;
    scene.steps.wait("the copy to go on", PATIENCE, || {
        node.run(&["grep", "-q", "copying", "/root/rebuild.log"])
            .map(drop)
    })?;
    ends_with(&rebuild(&node, &[])?, 3, &[])?;
    unstandby(scene, &node)?;
    scene.wait_failure(&node, "pgsqld_start")?;
    logged(
        &node,
        "Not started: an admin rebuilds this node at this moment",
    )?;
    standby(scene, &node)?;
    node.run(&["sh", "-c", "kill -INT $(cat /root/rebuild.pid)"])?;
    scene.steps.wait("it to end", PATIENCE, || {
        let runs = node.output(&["pgrep", "-x", "pg_basebackup|pgsqlms"])?;
        ensure!(!runs.success(), "it goes on: {}", runs.stdout);
        Ok(())
    })?;
    let said = node.run(&["cat", "/root/rebuild.log"])?;
    ensure!(said.contains("interrupted (SIGINT)"), "it says: {said}");
    ends_with(&rebuild(&node, &["--give-up"])?, 0, &["Given up"])?;
    nothing_is_left(scene, &node)?;
    ensure!(identity(scene, &node)? == before, "the data are others");
    scene.pcs("resource cleanup pgsqld-clone")?;
    unstandby(scene, &node)?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

/// What is refused is refused before anything is touched.
pub fn refusals_touch_nothing(scene: &mut Scene) -> Result<()> {
    let (primary, node) = (scene.cluster.primary()?, scene.a_standby()?);
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    ends_with(
        &rebuild(&primary, &[])?,
        2,
        &["PostgreSQL runs here", "was elected last"],
    )?;
    ends_with(
        &rebuild(&node, &[])?,
        2,
        &["PostgreSQL runs here: pcs node standby"],
    )?;
    let as_postgres = node.output(&[
        "runuser", "-u", "postgres", "--", "pgsqlms", "rebuild", "--yes",
    ])?;
    ensure!(
        !as_postgres.success(),
        "postgres may: {}",
        as_postgres.stdout
    );
    standby(scene, &node)?;
    let before = identity(scene, &node)?;
    ends_with(
        &rebuild(&node, &["--conninfo", "host=10.99.0.99 user=postgres"])?,
        2,
        &["does not answer"],
    )?;
    ends_with(
        &rebuild(&node, &["--command", "exit 3"])?,
        1,
        &["those of before"],
    )?;
    ends_with(
        &rebuild(&node, &["--command", "echo x > $PGDATA/x"])?,
        3,
        &[],
    )?;
    rebuild(&node, &["--give-up"])?;
    nothing_is_left(scene, &node)?;
    node.run(&["mv", &datadir, "/var/lib/postgresql/elsewhere"])?;
    node.run(&["ln", "-s", "/var/lib/postgresql/elsewhere", &datadir])?;
    ends_with(&rebuild(&node, &[])?, 2, &["the data directory is a link"])?;
    node.run(&["rm", &datadir])?;
    node.run(&["mv", "/var/lib/postgresql/elsewhere", &datadir])?;
    too_little_room(scene, &node)?;
    ensure!(identity(scene, &node)? == before, "the data are others");
    unstandby(scene, &node)?;
    scene.cluster.wait_whole()?;
    last_primary(scene)?;
    scene.undisturbed()
}

/// The disk of the data is nearly full.
fn too_little_room(scene: &Scene, node: &Node) -> Result<()> {
    let datadir = scene.cluster.options.release.datadir(MAIN.name);
    let parent = datadir.rsplit_once('/').map_or("/", |(parent, _)| parent);
    let script = format!(
        "mkdir /small && size=$(($(du -sm {datadir} | cut -f 1) + 22)) && \
         mount -t tmpfs -o size=${{size}}m none /small && cp -a {datadir} /small/main && \
         mount --bind /small {parent} && chown postgres: {parent}"
    );
    node.run(&["sh", "-c", &script])?;
    // Slow enough that it says how much there is before the disk is full.
    let said = rebuild(node, &["--max-rate", "2M"])?;
    rebuild(node, &["--give-up"])?;
    node.run(&["umount", parent])?;
    node.run(&["sh", "-c", "umount /small && rmdir /small"])?;
    ends_with(&said, 1, &["are free on this disk", "those of before"])
}

/// All are stopped: what the last primary holds is not thrown away but by the word of an admin.
fn last_primary(scene: &Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    scene.pcs("resource disable pgsqld-clone --wait=90")?;
    scene.wait_stopped(&MAIN, &scene.cluster.nodes)?;
    ends_with(
        &rebuild(&primary, &[])?,
        2,
        &["was elected last", "--discard"],
    )?;
    for other in scene.cluster.others(&primary.name) {
        ends_with(&rebuild(&other, &[])?, 2, &["no primary runs", "--discard"])?;
    }
    scene.pcs("resource enable pgsqld-clone")?;
    scene.cluster.wait_whole()
}

/// By a command of the admin, as a backup tool is one: as the user of PostgreSQL, and for longer than
/// all looks before it may take.
pub fn a_command_of_the_admin_fills_it(scene: &mut Scene) -> Result<()> {
    let node = scene.a_standby()?;
    standby(scene, &node)?;
    let command = format!(
        "test $(id -un) = postgres && echo restoring && sleep 62 && pg_basebackup -h {} -p {} -U postgres -c fast \
         -D $PGDATA",
        MAIN.vip, MAIN.port
    );
    let said = rebuild(&node, &["--command", &command])?;
    ends_with(&said, 0, &["restoring", "is rebuilt"])?;
    nothing_is_left(scene, &node)?;
    unstandby(scene, &node)?;
    scene.cluster.wait_whole()?;
    settings_are_its_own(&node)?;
    if !scene.cluster.standbys()?.contains(&node) {
        bail!("{} is no standby", node.name);
    }
    scene.undisturbed()
}

/// Rows that are written one by one where no standby sees them.
const ROWS: usize = 23;

/// What a rewind of the agent throws away is kept, with the number of commits that were lost.
pub fn what_a_rewind_throws_away_is_kept_and_counted(scene: &mut Scene) -> Result<()> {
    let (old, written) = lose(scene)?;
    scene.pcs("resource update pgsqld rejoin=rewind")?;
    scene.cluster.bring_back(&old)?;
    scene.cluster.wait_whole()?;
    is_kept(scene, &old, ("rewind", &written))?;
    let kept = old.run(&["pgsqlms", "lost"])?;
    ensure!(kept.contains("thrown away by a rewind"), "it says: {kept}");
    old.run(&["pgsqlms", "lost", "--save", "/root/lost"])?;
    let files = old.run(&["ls", "/root/lost"])?;
    ensure!(
        files.contains("about") && files.lines().count() > 1,
        "saved: {files}"
    );
    let own = old.output(&["runuser", "-u", "postgres", "--", "pgsqlms", "lost"])?;
    ensure!(own.code == 3, "postgres sees it: {}", own.stdout);
    for node in scene.cluster.others(&old.name) {
        let kept = node.run(&["pgsqlms", "lost"])?;
        ensure!(
            kept.contains("Nothing that was thrown away"),
            "{}: {kept}",
            node.name
        );
    }
    scene.only_fenced(&old.name)
}

/// The same of a rebuild, which is killed twice on its way: it is shown once.
pub fn what_a_rebuild_throws_away_is_kept_and_counted(scene: &mut Scene) -> Result<()> {
    let (old, written) = lose(scene)?;
    scene.pcs(&format!("node standby {}", old.name))?;
    scene.cluster.bring_back(&old)?;
    // Its lock file is that of before the power cut.
    scene.settle_pacemaker()?;
    for seconds in ["1", "3"] {
        let script =
            format!("pgsqlms rebuild --yes & sleep {seconds}; kill -9 $!; wait $! || true");
        old.run_within(LONGEST, &["sh", "-c", &script])?;
    }
    ends_with(&rebuild(&old, &[])?, 0, &["is rebuilt"])?;
    is_kept(scene, &old, ("rebuild", &written))?;
    unstandby(scene, &old)?;
    scene.cluster.wait_whole()?;
    is_kept(scene, &old, ("rebuild", &written))?;
    scene.only_fenced(&old.name)
}

/// Has the primary commit so many rows that nobody else has, and cuts its power. Returns it, and
/// up to where it wrote.
fn lose(scene: &mut Scene) -> Result<(Node, String)> {
    let old = scene.cluster.primary()?;
    let client = scene.client.take().context("no client")?;
    let report = client.finish(&scene.steps)?;
    ensure!(report.lost.is_empty(), "lost before anything happened");
    // It would commit as well.
    old.sql("ALTER SYSTEM SET autovacuum = off")?;
    old.sql("SELECT pg_reload_conf()")?;
    old.sql("CREATE TABLE tail (id int)")?;
    scene.let_pass(Duration::from_secs(3), "what autovacuum had begun");
    scene.cluster.wait_whole()?;
    let rest = scene.cluster.others(&old.name);
    for standby in &rest {
        scene.cluster.cut_replication(standby, &MAIN)?;
    }
    for row in 0..ROWS {
        old.sql(&format!("INSERT INTO tail VALUES ({row})"))?;
    }
    let written = old.sql("SELECT pg_current_wal_lsn()")?;
    scene.cut_power(&old)?;
    scene.cluster.heal_network()?;
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    Ok((old, written))
}

fn is_kept(scene: &Scene, old: &Node, (by, written): (&str, &str)) -> Result<()> {
    let text = old.run(&["pgsqlms", "lost", "--format", "json"])?;
    scene.steps.note(&text);
    let document: serde_json::Value = serde_json::from_str(&text)?;
    let all = document["lost"].as_array().context("no list")?;
    ensure!(all.len() == 1, "not one loss: {text}");
    let one = &all[0];
    ensure!(one["by"] == by && one["whole"] == true, "{text}");
    ensure!(one["commits"] == ROWS, "not {ROWS} commits: {text}");
    let (from, to) = (&one["from"], &one["to"]);
    let bytes = format!(
        "SELECT pg_wal_lsn_diff({to}, {from}) = {bytes} AND pg_lsn {to} >= '{written}' AND \
         pg_wal_lsn_diff({to}, '{written}') < 100000",
        to = sql_text(to),
        from = sql_text(from),
        bytes = one["bytes"]
    );
    ensure!(
        scene.cluster.primary()?.sql(&bytes)? == "t",
        "the bytes are wrong: {text}"
    );
    Ok(())
}

fn sql_text(value: &serde_json::Value) -> String {
    format!("'{}'", value.as_str().unwrap_or_default())
}

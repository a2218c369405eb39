//! What is around the server: its environment, the kernel's killer, table spaces, systemd.

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::{self, MAIN};
use crate::machine::node::{Node, on_each};
use crate::run::scene::Scene;

/// What a server finds in its environment, in the order of the alphabet, besides what pg_ctl and
/// its shell add.
const VARIABLES: &str = "HOME=/var/lib/postgresql
LAB_PROOF=as 'written'
LOGNAME=postgres
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj
USER=postgres";
const SPACE: &str = "/srv/lab-space";

/// Whoever starts the server, Pacemaker or an admin in a shell of root's, it has the environment
/// of its user and what Debian's file adds; its postmaster is protected from the kernel's killer,
/// its backends are not.
pub fn environment_and_oom_score(scene: &mut Scene) -> Result<()> {
    let standby = scene.a_standby()?;
    let conf = scene.cluster.options.release.confdir(MAIN.name);
    let text = "# Written by the lab.\nLAB_PROOF = 'as ''written'''\n= nothing\n";
    let path = format!("{conf}/environment");
    standby.write(&path, text, "postgres:postgres", "0644")?;
    scene.pcs(&format!("node standby {} --wait=60", standby.name))?;
    scene.pcs(&format!("node unstandby {} --wait=60", standby.name))?;
    scene.cluster.wait_whole()?;
    surrounded(scene, &standby)?;
    scene.undisturbed()?;
    scene.pcs("property set maintenance-mode=true")?;
    postgresql::control(&standby, scene.cluster.options.release, &MAIN, "stop")?;
    let by_hand = ["env", "HOME=/root", "PGOPTIONS=-c work_mem=1MB", "PGTZ=UTC"];
    let start = ["crm_resource", "--force-start", "-r", MAIN.resource];
    standby.run_within(PATIENCE, &[&by_hand[..], &start].concat())?;
    surrounded(scene, &standby)?;
    scene.pcs("property set maintenance-mode=false")?;
    scene.cluster.wait_whole()?;
    scene.nobody_fenced()
}

fn surrounded(scene: &Scene, node: &Node) -> Result<()> {
    let postmaster = scene.cluster.postmaster(node, &MAIN)?;
    let list = format!(
        "tr '\\0' '\\n' < /proc/{postmaster}/environ | grep -vE '^(LANG|PWD|PG_GRANDPARENT_PID|PGDATA|PGLOCALEDIR|PGSYSCONFDIR)=' \
         | LC_ALL=C sort"
    );
    let list = node.run(&["sh", "-c", &list])?;
    ensure!(
        list.trim() == VARIABLES,
        "environment of the server:\n{list}"
    );
    let score = |pid: &str| node.run(&["cat", &format!("/proc/{pid}/oom_score_adj")]);
    let of_postmaster = score(&postmaster.to_string())?;
    let allowed = lowest_score(node)?;
    ensure!(
        of_postmaster == allowed,
        "postmaster: {of_postmaster}, root can have {allowed}"
    );
    let child = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
    let of_child = score(node.sql(child)?.trim())?;
    ensure!(of_child.trim() == "0", "checkpointer: {of_child}");
    Ok(())
}

/// What Debian's unit would set, as far as this machine lets root lower the score: where the lab
/// itself runs in a container that may not, it stays.
fn lowest_score(node: &Node) -> Result<String> {
    let lower = "echo -900 2>/dev/null > /proc/self/oom_score_adj; cat /proc/self/oom_score_adj";
    node.run(&["sh", "-c", lower])
}

/// A standby whose table space is not mounted is not started, with the path in the reason. Once
/// it is there the node is back.
pub fn table_space_that_is_not_mounted(scene: &mut Scene) -> Result<()> {
    let (primary, standby) = (scene.cluster.primary()?, scene.a_standby()?);
    make_table_space(scene, &primary)?;
    scene.pcs(&format!("node standby {} --wait=60", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    unmount(&standby)?;
    scene.pcs(&format!("node unstandby {}", standby.name))?;
    scene.wait_failure(&standby, "pgsqld_start")?;
    let failures = scene.cluster.state()?.failures.join("\n");
    ensure!(failures.contains(SPACE), "without the path: {failures}");
    ensure!(scene.cluster.primary()? == primary, "the primary moved");
    mount(&standby)?;
    scene.pcs("resource cleanup")?;
    scene.cluster.wait_whole()?;
    let rows = standby.sql("SELECT count(*) FROM in_space")?;
    ensure!(rows == "1000", "{rows} rows");
    scene.nobody_fenced()
}

/// The table space of a standby that runs is gone when the primary dies: the other standby is
/// promoted, also where it is the one that Pacemaker would have chosen.
pub fn standby_without_its_table_space_is_the_last_choice(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    make_table_space(scene, &old)?;
    let best = best_standby(scene)?;
    unmount(&best)?;
    scene
        .steps
        .wait("the score of the last choice", PATIENCE, || {
            let state = scene.cluster.state()?;
            let score = state.score(MAIN.resource, &best.name).unwrap_or("none");
            ensure!(score == "1", "{}: {score}", best.name);
            Ok(())
        })?;
    scene.cut_power(&old)?;
    let rest = scene.cluster.others(&old.name);
    let new = scene.cluster.wait_promoted_among(&rest, PATIENCE)?;
    ensure!(new != best, "{} was promoted without its tables", best.name);
    mount(&best)?;
    scene.cluster.rejoin(&old)?;
    scene.only_fenced(&old.name)
}

fn best_standby(scene: &Scene) -> Result<Node> {
    let state = scene.cluster.state()?;
    let score = |node: &Node| -> i32 {
        let score = state.score(MAIN.resource, &node.name);
        score
            .and_then(|score| score.parse().ok())
            .unwrap_or(i32::MIN)
    };
    let standbys = scene.cluster.standbys()?;
    standbys.into_iter().max_by_key(score).context("no standby")
}

fn make_table_space(scene: &Scene, primary: &Node) -> Result<()> {
    on_each(&scene.cluster.nodes, |node| {
        let words = ["install", "-d", "-o", "postgres", "-m", "0700", SPACE];
        node.run(&words).map(drop)
    })?;
    primary.sql(&format!("CREATE TABLESPACE lab LOCATION '{SPACE}'"))?;
    let table = "CREATE TABLE in_space TABLESPACE lab AS SELECT generate_series(1, 1000)";
    primary.sql(table)?;
    scene.steps.wait("the standbys to have it", PATIENCE, || {
        let standbys = scene.cluster.standbys()?;
        let has_it = |node: &Node| node.sql("SELECT count(*) FROM in_space").map(drop);
        standbys.iter().try_for_each(has_it)
    })
}

/// An empty mount point stays.
fn unmount(node: &Node) -> Result<()> {
    let away = format!("mv {SPACE} {SPACE}.away && install -d -o postgres -m 0700 {SPACE}");
    node.run(&["sh", "-c", &away]).map(drop)
}

fn mount(node: &Node) -> Result<()> {
    let back = format!("rmdir {SPACE} && mv {SPACE}.away {SPACE}");
    node.run(&["sh", "-c", &back]).map(drop)
}

/// systemd opens the old primary at boot, before Pacemaker is there. validate-all warns before;
/// afterwards the node is made a standby again, and never has the address.
pub fn systemd_starts_the_old_primary(scene: &mut Scene) -> Result<()> {
    let old = scene.cluster.primary()?;
    let release = scene.cluster.options.release;
    let start = format!("{}/start.conf", release.confdir(MAIN.name));
    old.write(&start, "auto\n", "postgres:postgres", "0644")?;
    old.run(&["systemctl", "unmask", "postgresql"])?;
    old.run(&["systemctl", "enable", "postgresql"])?;
    // As on a terminal: what it warns of is not among what crm_resource prints.
    let (log, warned) = ("/root/validate.log", "start.conf has the system start");
    let valid = ["crm_resource", "--validate", "-r", MAIN.resource];
    let logged = ["env", "HA_LOGFILE=/root/validate.log"];
    old.run(&[&logged[..], &valid].concat())?;
    old.run(&["grep", "-q", warned, log])
        .context("validate-all does not warn")?;
    scene.cut_power(&old)?;
    let rest = scene.cluster.others(&old.name);
    let new = scene.cluster.wait_promoted_among(&rest, PATIENCE)?;
    scene.cluster.power.on(&old.name)?;
    scene.steps.wait("the boot", PATIENCE, || old.booted())?;
    scene
        .steps
        .wait("systemd to start PostgreSQL", PATIENCE, || {
            let recovery = old.sql("SELECT pg_is_in_recovery()")?;
            ensure!(recovery == "f", "it is a standby");
            old.sql("SET synchronous_commit = local; CREATE TABLE written_at_boot()")
                .map(drop)
        })?;
    scene.cluster.start_stack(std::slice::from_ref(&old))?;
    scene.wait_standby(&old)?;
    ensure!(scene.cluster.primary()? == new, "the primary moved");
    scene.writes_go_on()?;
    old.write(&start, "manual\n", "postgres:postgres", "0644")?;
    scene.cluster.rejoin(&old).context("rejoin")?;
    scene.only_fenced(&old.name)
}

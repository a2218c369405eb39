//! Every setting that a role, a database or the configuration can have is set to a hostile value.
//!
//! Which settings there are is asked of the server itself, so that a release that has more of them
//! is tested with more of them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// What is done in the test's own sessions is done with the settings that were there before.
const OWN: [&str; 3] = [
    "CREATE ROLE lab SUPERUSER LOGIN",
    "CREATE DATABASE lab OWNER lab",
    "DO $$ DECLARE it record; BEGIN \
     FOR it IN SELECT name, reset_val FROM pg_settings WHERE context IN ('user', 'superuser') \
     AND name !~ 'preload_libraries|search_path' LOOP BEGIN EXECUTE format('ALTER ROLE lab SET %I = %L', it.name, it.reset_val); \
     EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$",
];

/// Lists, of which a role cannot have an empty one.
const OWN_LISTS: &str = "PGOPTIONS=-c session_preload_libraries= -c local_preload_libraries= \
     -c search_path=public";

/// A function of the server's own name, and a role that may do nothing.
const TRAP: [&str; 3] = [
    "CREATE TABLE trapped (at timestamptz)",
    "CREATE FUNCTION public.pg_is_in_recovery() RETURNS bool LANGUAGE plpgsql AS \
     'BEGIN INSERT INTO public.trapped VALUES (now()); RETURN true; END'",
    "CREATE ROLE nobody",
];

/// A trigger that no login survives on a standby, since it writes.
const LOGIN_TRIGGER: [&str; 3] = [
    "CREATE FUNCTION public.at_login() RETURNS event_trigger LANGUAGE plpgsql AS \
     'BEGIN INSERT INTO public.trapped VALUES (now()); END'",
    "CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION public.at_login()",
    "ALTER EVENT TRIGGER at_login DISABLE",
];

/// All settings of a session with a value each that is far from the usual one: the other one of
/// two, the lowest or highest number, the first or last word of a list, and of texts those that
/// mean something.
const SETTINGS: &str = "SELECT name, CASE vartype \
     WHEN 'bool' THEN CASE reset_val WHEN 'on' THEN 'off' ELSE 'on' END \
     WHEN 'enum' THEN enumvals[CASE WHEN enumvals[1] = reset_val OR :high \
                               THEN array_length(enumvals, 1) ELSE 1 END] \
     WHEN 'string' THEN CASE name \
         WHEN 'role' THEN 'nobody' WHEN 'search_path' THEN 'public, pg_catalog' \
         WHEN 'session_preload_libraries' THEN 'no_such_library' \
         WHEN 'local_preload_libraries' THEN 'no_such_library' \
         WHEN 'client_encoding' THEN 'LATIN1' WHEN 'DateStyle' THEN 'German, DMY' \
         WHEN 'TimeZone' THEN 'Pacific/Kiritimati' WHEN 'default_tablespace' THEN 'no_such' \
         WHEN 'temp_tablespaces' THEN 'no_such' \
         WHEN 'restrict_nonsystem_relation_kind' THEN 'view, foreign-table' END \
     ELSE CASE WHEN :high THEN max_val ELSE min_val END END AS value \
     FROM pg_settings WHERE context IN ('user', 'superuser', 'backend', 'superuser-backend')";

/// In a configuration file these reach the server's own processes, and what they do there is no
/// matter of sessions: logs without end, and a pause of half an hour before each login.
const NOT_IN_FILES: &str = "name !~ '^(log_|debug_|trace_|wal_consistency|post_auth_delay)'";
const FILE: &str = "conf.d/zz-hostile.conf";

/// Who is given the hostile settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Role,
    Databases,
    Configuration,
}

/// With every setting of a session at a hostile value, for the role, for the databases, and in the
/// configuration, the cluster does all that it does otherwise, and no code of others is run.
pub fn settings_of_every_kind(scene: &mut Scene) -> Result<()> {
    prepare(scene)?;
    for (holder, high) in [
        (Holder::Role, false),
        (Holder::Databases, true),
        (Holder::Configuration, false),
        (Holder::Configuration, true),
    ] {
        impose(scene, holder, high)?;
        all_verbs(scene).with_context(|| format!("hostile settings of {holder:?}, {high}"))?;
        withdraw(scene, holder)?;
        scene.cluster.wait_whole()?;
    }
    impose(scene, Holder::Role, true)?;
    let old = scene.cluster.primary()?;
    scene.cut_power(&old)?;
    let promoted = "another primary";
    scene.steps.wait(promoted, PATIENCE, || {
        let primary = scene.cluster.primary()?;
        ensure!(primary != old, "still {}", old.name);
        own(&primary, "CREATE TABLE written_after()").map(drop)
    })?;
    withdraw(scene, Holder::Role)?;
    nothing_was_run(scene)?;
    scene.cluster.rejoin(&old)?;
    scene.only_fenced(&old.name)
}

fn prepare(scene: &Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    for statement in OWN.iter().chain(&TRAP) {
        primary.sql(statement)?;
    }
    if has_login_triggers(scene)? {
        primary.sql(&LOGIN_TRIGGER.join("; "))?;
    }
    scene.let_pass(Duration::from_secs(2), "the standbys replay");
    Ok(())
}

/// As of PostgreSQL 17.
fn has_login_triggers(scene: &Scene) -> Result<bool> {
    let major: u32 = scene.cluster.options.release.postgresql.parse()?;
    Ok(major >= 17)
}

/// In the test's own session.
fn own(node: &Node, statement: &str) -> Result<String> {
    own_in("lab", OWN_LISTS, node, statement)
}

fn own_in(database: &str, options: &str, node: &Node, statement: &str) -> Result<String> {
    let program = ["env", options, "psql", "-XAtq", "-v", "ON_ERROR_STOP=1"];
    let what = ["-U", "lab", "-d", database, "-c", statement];
    node.as_postgres(&[&program[..], &what].concat())
}

/// In a session that no trigger runs in, in the database of the agent.
fn beside_the_agent(scene: &Scene, statement: &str) -> Result<String> {
    let mut options = OWN_LISTS.to_owned();
    if has_login_triggers(scene)? {
        options.push_str(" -c event_triggers=off");
    }
    own_in("postgres", &options, &scene.cluster.primary()?, statement)
}

fn set_trigger(scene: &Scene, state: &str) -> Result<()> {
    if has_login_triggers(scene)? {
        beside_the_agent(scene, &format!("ALTER EVENT TRIGGER at_login {state}"))?;
    }
    Ok(())
}

fn settings(high: bool) -> String {
    let all = SETTINGS.replace(":high", if high { "true" } else { "false" });
    format!("SELECT * FROM ({all}) AS it WHERE value IS NOT NULL")
}

fn impose(scene: &Scene, holder: Holder, high: bool) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let count = match holder {
        Holder::Role => alter(&primary, "ROLE postgres", high)?,
        Holder::Databases => {
            alter(&primary, "DATABASE template1", high)?;
            alter(&primary, "DATABASE postgres", high)?
        }
        Holder::Configuration => write_files(scene, &primary, high)?,
    };
    set_trigger(scene, "ENABLE ALWAYS")?;
    let what = format!("{count} hostile settings of {holder:?}");
    scene.steps.say(&what);
    ensure!(count > 90, "only {what}: the test would prove little");
    Ok(())
}

/// How many settings the server took.
fn alter(primary: &Node, whose: &str, high: bool) -> Result<usize> {
    let settings = settings(high);
    let block = format!(
        "DO $$ DECLARE it record; BEGIN FOR it IN {settings} LOOP \
         BEGIN EXECUTE format(CASE it.name WHEN 'search_path' THEN 'ALTER {whose} SET %I = %s' \
         ELSE 'ALTER {whose} SET %I = %L' END, it.name, it.value); \
         EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$"
    );
    own(primary, &block)?;
    let taken = "SELECT max(cardinality(setconfig)) FROM pg_db_role_setting \
                 WHERE setrole <> 'lab'::regrole";
    Ok(own(primary, taken)?.parse()?)
}

/// A line that the server would not take keeps it from reading any of them.
fn write_files(scene: &Scene, primary: &Node, high: bool) -> Result<usize> {
    let path = scene.cluster.options.release.confdir(MAIN.name) + "/" + FILE;
    let lines = format!(
        "SELECT format('%s = %L', name, value) FROM ({}) AS it WHERE {NOT_IN_FILES}",
        settings(high)
    );
    let mut lines: Vec<_> = own(primary, &lines)?.lines().map(str::to_owned).collect();
    for node in &scene.cluster.nodes {
        loop {
            let text = lines.join("\n") + "\n";
            node.write(&path, &text, "postgres:postgres", "0644")?;
            let faulty = "SELECT DISTINCT sourceline FROM pg_file_settings \
                          WHERE sourcefile LIKE '%zz-hostile.conf' AND error IS NOT NULL \
                          ORDER BY 1 DESC";
            let faulty = own(node, faulty)?;
            if faulty.is_empty() {
                break;
            }
            for line in faulty.lines() {
                lines.remove(line.parse::<usize>()? - 1);
            }
        }
        own(node, "SELECT pg_reload_conf()")?;
    }
    Ok(lines.len())
}

fn withdraw(scene: &Scene, holder: Holder) -> Result<()> {
    set_trigger(scene, "DISABLE")?;
    let primary = scene.cluster.primary()?;
    match holder {
        Holder::Role => own(&primary, "ALTER ROLE postgres RESET ALL").map(drop),
        Holder::Databases => ["postgres", "template1"].iter().try_for_each(|name| {
            own(&primary, &format!("ALTER DATABASE {name} RESET ALL")).map(drop)
        }),
        Holder::Configuration => scene.cluster.nodes.iter().try_for_each(|node| {
            let path = scene.cluster.options.release.confdir(MAIN.name) + "/" + FILE;
            node.run(&["rm", &path])?;
            own(node, "SELECT pg_reload_conf()").map(drop)
        }),
    }
}

/// Monitors, a switchover (demote, promote, notify), a stop, a start, and validate-all.
fn all_verbs(scene: &Scene) -> Result<()> {
    scene.let_pass(Duration::from_secs(35), "two rounds of monitors");
    scene.undisturbed()?;
    let new = scene.a_standby()?;
    scene.cluster.move_primary(&new.name)?;
    scene.cluster.wait_promoted(&new.name)?;
    let open = own(&new, "SELECT pg_is_in_recovery()")?;
    ensure!(open == "f", "{} is not open for writing", new.name);
    let standby = scene.a_standby()?;
    scene.pcs(&format!("node standby {} --wait=60", standby.name))?;
    scene.wait_stopped(&MAIN, std::slice::from_ref(&standby))?;
    scene.pcs(&format!("node unstandby {} --wait=60", standby.name))?;
    scene
        .steps
        .wait("the standby", Duration::from_secs(60), || {
            own(&standby, "SELECT 1").map(drop)
        })?;
    let valid = ["crm_resource", "--validate", "--resource", MAIN.resource];
    new.run(&valid)?;
    scene.undisturbed()
}

fn nothing_was_run(scene: &Scene) -> Result<()> {
    let count = beside_the_agent(scene, "SELECT count(*) FROM public.trapped")?;
    ensure!(count == "0", "code of others was run {count} times");
    Ok(())
}

//! The server: its files, its configuration, who starts it, whom it lets in.

use super::seen::Database;
use crate::instance::configuration::Finding;
use crate::view::checked::Checked;

/// All of it.
pub fn check(database: &Database) -> Vec<Checked> {
    let mut all = vec![place(database), boot_start(database)];
    all.extend(database.findings.iter().map(finding));
    if database.findings.is_empty() && database.broken.is_none() {
        let text = "nothing that is looked at is wrong in its configuration";
        all.push(Checked::ok("configuration", text));
    }
    all.extend(listens_to_itself(database));
    all.extend(lets_nobody_in(database));
    all.extend(database.grants.as_ref().map(rights));
    all
}

fn rights(grants: &Result<Vec<String>, String>) -> Checked {
    let grants = match grants {
        Ok(grants) if grants.is_empty() => {
            return Checked::ok(
                "rights",
                "the role of db_role may do all that the agent does",
            );
        }
        Ok(grants) => grants.iter(),
        Err(why) => return unknown_rights(why),
    };
    let failed = Checked::fail("rights", "the role of db_role lacks rights");
    let cures = grants.map(|grant| format!("in the database postgres, on the primary: {grant}"));
    cures.fold(failed, Checked::cure)
}

fn unknown_rights(why: &str) -> Checked {
    let text = format!("what the role of db_role may do cannot be told: {why}");
    Checked::warn("rights", text).cure("docs/reference.md: db_role")
}

fn place(database: &Database) -> Checked {
    match &database.broken {
        None => Checked::ok("postgresql", &*database.what),
        Some(why) => Checked::fail("postgresql", why).cure("docs/troubleshooting.md: the message"),
    }
}

fn boot_start(database: &Database) -> Checked {
    let Some(file) = &database.boot_start else {
        return Checked::ok("boot-start", "the system does not start PostgreSQL at boot");
    };
    let text = format!("by {file} the system starts PostgreSQL at boot, a former primary as one");
    let cure = if file.ends_with("start.conf") {
        format!("echo manual > {file}; systemctl disable --now postgresql")
    } else {
        "systemctl disable --now postgresql (or postgresql-VERSION)".to_owned()
    };
    Checked::fail("boot-start", text).cure(cure)
}

fn finding(finding: &Finding) -> Checked {
    let cure = "docs/troubleshooting.md: the message";
    match finding {
        Finding::Error(text) => Checked::fail("configuration", text).cure(cure),
        Finding::Warning(text) => Checked::warn("configuration", text).cure(cure),
    }
}

fn listens_to_itself(database: &Database) -> Option<Checked> {
    let listen = database.listen.as_ref()?;
    let is_own = |one: &str| {
        let one = one.trim();
        one.is_empty() || one == "localhost" || one.starts_with("127.") || one == "::1"
    };
    let text = format!("listen_addresses is '{listen}': no standby and no client can connect");
    let cure = "listen_addresses = '*' in postgresql.conf on each node";
    listen
        .split(',')
        .all(is_own)
        .then(|| Checked::fail("listen", text).cure(cure))
}

/// What it includes is not looked at.
fn lets_nobody_in(database: &Database) -> Option<Checked> {
    let hba = database.hba.as_ref()?;
    let lines: Vec<Vec<&str>> = hba.lines().map(words).collect();
    let is_open = |line: &Vec<&str>| {
        let begins = |word: &str| line.first().is_some_and(|first| first.starts_with(word));
        let of_replication = line
            .get(1)
            .is_some_and(|databases| databases.split(',').any(|name| name == "replication"));
        let is_local = line
            .get(3)
            .is_some_and(|address| address.starts_with("127.") || *address == "::1/128");
        let lets_in = of_replication && !is_local && !line.contains(&"reject");
        begins("include") || (begins("host") && lets_in)
    };
    let text = "pg_hba.conf lets no other node in for replication";
    let cure = "pg_hba.conf on each node: host replication USER NETWORK scram-sha-256";
    (!lines.iter().any(is_open)).then(|| Checked::fail("pg-hba", text).cure(cure))
}

fn words(line: &str) -> Vec<&str> {
    let line = line.split('#').next().unwrap_or_default();
    line.split_whitespace().collect()
}

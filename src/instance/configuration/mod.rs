//! Whether the server is configured so that it can do its part. Judged before a
//! start and by validate-all, never by a monitor.
//!
//! What makes a start pointless is an error. What is only doubtful, or wrong
//! for one role, is a warning: a node that is no candidate still serves reads.

pub mod conninfo;
pub mod environment;
mod hosts;
pub mod password_file;
pub mod slots;
pub mod words;

use std::collections::BTreeMap;
use std::path::Path;

use self::conninfo::ConninfoError;
use super::capacity::{self, Capacity, TooSmall};
use crate::ocf::Rejoin;

pub use conninfo::Conninfo;

/// The settings that are looked at.
pub const SETTINGS: [&str; 21] = [
    "data_directory",
    "port",
    "unix_socket_directories",
    "wal_level",
    "hot_standby",
    "recovery_target_timeline",
    "recovery_target",
    "recovery_target_lsn",
    "recovery_target_name",
    "recovery_target_time",
    "recovery_target_xid",
    "primary_conninfo",
    "cluster_name",
    "fsync",
    "full_page_writes",
    "hba_file",
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
];
const TARGETS: [&str; 5] = [
    "recovery_target",
    "recovery_target_lsn",
    "recovery_target_name",
    "recovery_target_time",
    "recovery_target_xid",
];

/// All that is judged.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Values by name. One that could not be read is missing, and not judged.
    pub settings: &'a BTreeMap<&'static str, String>,
    /// This node, if that is known.
    pub node: Option<&'a str>,
    /// Parameter `pghost`.
    pub pghost: &'a str,
    /// Parameter `pgport`.
    pub pgport: u16,
    /// Parameter `rejoin`.
    pub rejoin: Rejoin,
    /// Whether parameter `datadir` is the directory of the setting.
    pub is_datadir: bool,
    /// `wal_log_hints` or checksums, by the control file.
    pub hints_logged: Option<bool>,
    /// What the WAL demands of a standby, by the control file.
    pub needed: Option<Capacity>,
    /// The text of `pg_hba.conf`.
    pub hba: Option<&'a str>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A start would be pointless.
    Error(String),
    /// It works, but not as one may expect.
    Warning(String),
}

/// Everything that is wrong.
pub fn judge(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(place(facts).map(Finding::Error));
    findings.extend(replication(facts).map(Finding::Error));
    findings.extend(target(facts).map(Finding::Error));
    let warnings = [
        conninfo(facts),
        durability(facts),
        rewind(facts),
        streams_from_itself(facts),
    ];
    findings.extend(warnings.into_iter().flatten().map(Finding::Warning));
    let leads_to = facts.get("primary_conninfo").unwrap_or_default();
    let more = hosts::doubtful(leads_to, facts.node);
    let more = more.into_iter().chain(too_small(facts));
    findings.extend(more.map(Finding::Warning));
    findings
}

impl Facts<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    fn is_off(&self, name: &str) -> bool {
        self.get(name) == Some("off")
    }
}

/// The agent and the server must mean the same instance.
fn place(facts: &Facts<'_>) -> Option<String> {
    if let Some(path) = facts.get("data_directory").filter(|_| !facts.is_datadir) {
        return Some(format!(
            "data_directory is {path}, but parameter datadir is another directory"
        ));
    }
    if let Some(port) = facts
        .get("port")
        .filter(|port| *port != facts.pgport.to_string())
    {
        return Some(format!(
            "port is {port}, but parameter pgport is {}",
            facts.pgport
        ));
    }
    let sockets = facts.get("unix_socket_directories")?;
    let same = |one: &str| Path::new(one.trim().trim_matches('"')) == Path::new(facts.pghost);
    let is_socket = facts.pghost.starts_with('/');
    (is_socket && !resolves_elsewhere(facts.pghost) && !sockets.split(',').any(same)).then(|| {
        format!(
            "unix_socket_directories lacks {}, which is parameter pghost",
            facts.pghost
        )
    })
}

/// `/var/run` is a link to `/run` nearly everywhere: such names are not judged.
fn resolves_elsewhere(path: &str) -> bool {
    path.starts_with("/var/run") || path.starts_with("/run")
}

fn replication(facts: &Facts<'_>) -> Option<String> {
    if facts.get("wal_level") == Some("minimal") {
        return Some("wal_level=minimal: replication needs replica or logical".to_owned());
    }
    if facts.is_off("hot_standby") {
        return Some("hot_standby=off: the agent could not query a standby".to_owned());
    }
    match facts.get("recovery_target_timeline") {
        None | Some("latest") => None,
        Some(other) => Some(format!(
            "recovery_target_timeline is {other}: set it to latest"
        )),
    }
}

/// A target ends recovery: the instance would open itself for writing.
fn target(facts: &Facts<'_>) -> Option<String> {
    let set = |name: &&&str| facts.get(name).is_some_and(|value| !value.is_empty());
    let name = TARGETS.iter().find(set)?;
    Some(format!(
        "{name} is set, which would end recovery: remove it"
    ))
}

/// A standby is known to the primary by its application_name. Without one
/// PostgreSQL takes cluster_name.
fn conninfo(facts: &Facts<'_>) -> Option<String> {
    let text = facts.get("primary_conninfo")?;
    if text.is_empty() {
        return Some("primary_conninfo is empty: this node cannot follow a primary".to_owned());
    }
    let parsed = match Conninfo::parse(text) {
        Ok(parsed) => parsed,
        Err(ConninfoError::Uri) => return None,
        Err(error) => return Some(format!("primary_conninfo: {error}")),
    };
    let fallback = facts.get("cluster_name").filter(|name| !name.is_empty());
    let name = parsed.get("application_name").or(fallback);
    let (name, node) = (name.unwrap_or("walreceiver"), facts.node?);
    (name != node).then(|| {
        format!(
            "primary_conninfo has application_name {name}, this node is {node}: it will not \
             be a candidate for promotion"
        )
    })
}

fn durability(facts: &Facts<'_>) -> Option<String> {
    facts
        .is_off("fsync")
        .then(|| "fsync=off: a power cut may destroy the data of this node".to_owned())
}

fn rewind(facts: &Facts<'_>) -> Option<String> {
    if facts.rejoin != Rejoin::Rewind {
        return None;
    }
    if facts.hints_logged == Some(false) {
        return Some("rejoin=rewind needs wal_log_hints=on or data checksums".to_owned());
    }
    facts
        .is_off("full_page_writes")
        .then(|| "rejoin=rewind needs full_page_writes=on".to_owned())
}

/// PostgreSQL would not start so. The agent gives it as much as it needs.
fn too_small(facts: &Facts<'_>) -> Vec<String> {
    let Some(needed) = facts.needed else {
        return Vec::new();
    };
    let number = |name| facts.get(name).and_then(|text| text.parse().ok());
    let configured = Capacity(capacity::SETTINGS.map(|name| number(name).unwrap_or(u32::MAX)));
    let lacking = configured.lacks(&needed);
    let text = |TooSmall { name, own, needed }: &TooSmall| {
        format!(
            "{name} is {own}, but as a standby of the primary's WAL this node needs {needed}: set it \
             here; until then the agent starts PostgreSQL with {needed}"
        )
    };
    lacking.iter().map(text).collect()
}

/// Through the address of the primary a node may reach itself, and a standby
/// that streams from itself never learns anything.
fn streams_from_itself(facts: &Facts<'_>) -> Option<String> {
    let leads_to = facts.get("primary_conninfo").unwrap_or_default();
    if !hosts::may_lead_to_itself(leads_to) {
        return None;
    }
    let lines = || facts.hba.unwrap_or_default().lines().map(words);
    let includes = |line: &Vec<&str>| {
        let first = line.first().copied().unwrap_or_default();
        first.starts_with("include") || line.iter().any(|word| word.starts_with('@'))
    };
    let rejects = |line: &Vec<&str>| {
        let is_host = line.first().is_some_and(|kind| kind.starts_with("host"));
        let databases = line.get(1).copied().unwrap_or_default();
        let is_replication = databases.split(',').any(|name| name == "replication");
        is_host && is_replication && line.contains(&"reject")
    };
    (facts.hba.is_some() && !lines().any(|line| includes(&line) || rejects(&line))).then(|| {
        "pg_hba.conf does not reject replication from this node: reject its own address and that \
         of the primary"
            .to_owned()
    })
}

fn words(line: &str) -> Vec<&str> {
    let line = line.split('#').next().unwrap_or_default();
    line.split_whitespace().collect()
}

/// The major version in what `postgres --version` prints, and in `PG_VERSION`.
pub fn major(text: &str) -> Option<u32> {
    let text = text.trim();
    let number = text
        .rsplit_once("(PostgreSQL) ")
        .map_or(text, |(_, rest)| rest);
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

//! What SQL on each node, crm_mon and the control files say at one time.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::arrange::Arranged;
use super::plan::Fate;
use crate::cluster::postgresql::MAIN;
use crate::cluster::state::State;
use crate::machine::node::Node;

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Whether it is in recovery.
    pub is_standby: bool,
    /// Up to where it has written or received.
    pub held: String,
    /// Up to where it has replayed.
    pub replayed: String,
    /// Its timeline.
    pub timeline: String,
    /// Up to where its receiver was told that the primary has written.
    pub told: String,
    /// `synchronous_standby_names`.
    pub rule: String,
    /// `server_version`.
    pub version: String,
}

/// A row of `pg_stat_replication`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// `flush_lsn`.
    pub flushed: String,
    /// `replay_lsn`.
    pub replayed: String,
    /// `sync_state`.
    pub sync: String,
}

/// All of it.
#[derive(Debug)]
pub struct Facts {
    /// By Pacemaker.
    pub state: State,
    /// By SQL.
    pub servers: BTreeMap<String, Server>,
    /// By the primary's SQL.
    pub senders: BTreeMap<String, Sender>,
    /// The identifier of the database, by the control file of each node with power.
    pub systems: BTreeMap<String, String>,
    /// Where each fence device runs.
    pub devices: BTreeMap<String, String>,
}

const OF_ITSELF: &str = "SELECT pg_is_in_recovery(), \
     CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), \
     pg_last_wal_replay_lsn()) ELSE pg_current_wal_lsn() END, pg_last_wal_replay_lsn(), \
     greatest(c.timeline_id, r.min_recovery_end_timeline, (SELECT max(received_tli) FROM \
     pg_stat_wal_receiver), (SELECT max(('x' || left(name, 8))::bit(32)::int) FROM pg_ls_waldir() \
     WHERE name ~ '^[0-9A-F]{24}$')), (SELECT max(latest_end_lsn) FROM pg_stat_wal_receiver), \
     current_setting('synchronous_standby_names'), current_setting('server_version') \
     FROM pg_control_checkpoint() AS c, pg_control_recovery() AS r";
const SENDERS: &str = "SELECT application_name, flush_lsn, replay_lsn, sync_state \
     FROM pg_stat_replication WHERE state IN ('streaming', 'catchup')";

impl Facts {
    /// Asks all nodes with power.
    pub fn of(arranged: &Arranged) -> Result<Self> {
        let stage = arranged.stage;
        let state = stage.primary.cluster_state()?;
        let mut facts = Self {
            servers: BTreeMap::new(),
            senders: senders(&stage.primary)?,
            systems: BTreeMap::new(),
            devices: devices(&state),
            state,
        };
        for node in arranged.powered() {
            facts
                .systems
                .insert(node.name.clone(), system(arranged, node)?);
        }
        let running = arranged.standbys().filter(|(_, fate)| fate.votes());
        let mut running: Vec<_> = running.map(|(node, _)| node).collect();
        running.push(&stage.primary);
        for node in running {
            facts.servers.insert(node.name.clone(), server(node)?);
        }
        Ok(facts)
    }

    /// What is compared in bytes.
    pub fn bytes(lsn: &str) -> Option<u64> {
        let (high, low) = lsn.split_once('/')?;
        let part = |text| u64::from_str_radix(text, 16).ok();
        Some((part(high)? << 32) + part(low)?)
    }

    /// The bytes from `lsn` to `end`; `null` where one is not known.
    pub fn distance(end: &str, lsn: &str) -> String {
        match (Self::bytes(end), Self::bytes(lsn)) {
            (Some(end), Some(lsn)) => end.saturating_sub(lsn).to_string(),
            _ => "null".to_owned(),
        }
    }
}

fn server(node: &Node) -> Result<Server> {
    let answer = node.sql(OF_ITSELF)?;
    let words: Vec<_> = answer.split('|').map(str::to_owned).collect();
    let [recovery, held, replayed, timeline, told, rule, version] =
        <[String; 7]>::try_from(words).map_err(|words| anyhow::anyhow!("{words:?}"))?;
    Ok(Server {
        is_standby: recovery == "t",
        held,
        replayed,
        timeline,
        told,
        rule,
        version,
    })
}

fn senders(primary: &Node) -> Result<BTreeMap<String, Sender>> {
    let answer = primary.sql(SENDERS)?;
    let rows = answer.lines().map(|line| {
        let words: Vec<_> = line.split('|').map(str::to_owned).collect();
        let [name, flushed, replayed, sync] = <[String; 4]>::try_from(words).ok()?;
        let sender = Sender {
            flushed,
            replayed,
            sync,
        };
        Some((name, sender))
    });
    rows.collect::<Option<_>>().context(answer)
}

fn system(arranged: &Arranged, node: &Node) -> Result<String> {
    let release = arranged.stage.scene.cluster.options.release;
    let program = format!("{}/pg_controldata", release.bindir());
    let said = node.as_postgres(&[&program, "-D", &release.datadir(MAIN.name)])?;
    let mut lines = said.lines();
    let line = lines.find_map(|line| line.strip_prefix("Database system identifier:"));
    line.map(|text| text.trim().to_owned())
        .context(said.clone())
}

fn devices(state: &State) -> BTreeMap<String, String> {
    let all = state.instances.iter();
    let all = all.filter(|one| one.resource.starts_with("fence-"));
    all.map(|one| (one.resource.clone(), one.node.clone()))
        .collect()
}

/// Whether the node's own word is what the primary was told last.
pub fn is_fresh(fate: Option<Fate>) -> bool {
    fate != Some(Fate::Silent)
}

//! Faults that a program can put into a node and take away again.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cluster::Cluster;
use crate::cluster::postgresql::{self, MAIN};
use crate::machine::node::Node;
use crate::run::misled;

/// Daemons of the cluster stack, by the names of their programs.
pub const DAEMONS: &[&str] = &[
    "pacemaker-attrd",
    "pacemaker-based",
    "pacemaker-controld",
    "pacemaker-execd",
    "pacemaker-fenced",
    "pacemaker-schedulerd",
    "pacemakerd",
    "corosync",
];

/// Something that breaks on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// kill -9 of the postmaster.
    KilledPostmaster,
    /// SIGSTOP to the postmaster.
    FrozenPostmaster,
    /// kill -9 of one backend, or of the walreceiver.
    KilledBackend,
    /// SIGSTOP to walsenders or the walreceiver.
    FrozenReplication,
    /// `pg_ctl stop` behind Pacemaker's back.
    StoppedByHand,
    /// Every connection is taken by clients.
    Crowd,
    /// PostgreSQL's packets are dropped, corosync's are not.
    CutReplication,
    /// The network cable is pulled.
    Cable,
    /// The power is cut.
    Power,
    /// kill -9 of a daemon of the cluster stack.
    Daemon(&'static str),
    /// No free block is left for PostgreSQL.
    FullDisk,
    /// The file system of PostgreSQL becomes read-only.
    ReadOnlyDisk,
    /// Writes to the disk of PostgreSQL hang.
    HungDisk,
    /// They hang for five seconds.
    ShortHang,
    /// Pacemaker may not look into processes of others.
    BlindAgent,
    /// Defaults of the agent's role and database that no session of it survives.
    HostileDefaults,
    /// The command that archives WAL does not end.
    HungArchiver,
    /// SIGSTOP to the postmaster, and clients fill the queue of its socket.
    FullQueue,
    /// A reader keeps a standby from replaying.
    BlockedReplay,
}

/// All of them, each as likely as the others.
pub const ALL: &[Fault] = &[
    Fault::KilledPostmaster,
    Fault::FrozenPostmaster,
    Fault::KilledBackend,
    Fault::FrozenReplication,
    Fault::StoppedByHand,
    Fault::Crowd,
    Fault::CutReplication,
    Fault::Cable,
    Fault::Power,
    Fault::Daemon("pacemaker-attrd"),
    Fault::Daemon("pacemaker-based"),
    Fault::Daemon("pacemaker-controld"),
    Fault::Daemon("pacemaker-execd"),
    Fault::Daemon("pacemaker-fenced"),
    Fault::Daemon("pacemaker-schedulerd"),
    Fault::Daemon("pacemakerd"),
    Fault::Daemon("corosync"),
    Fault::FullDisk,
    Fault::ReadOnlyDisk,
    Fault::HungDisk,
    Fault::ShortHang,
    Fault::BlindAgent,
    Fault::HostileDefaults,
    Fault::HungArchiver,
    Fault::FullQueue,
    Fault::BlockedReplay,
];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KilledPostmaster => "kill -9 of the postmaster",
            Self::FrozenPostmaster => "SIGSTOP to the postmaster",
            Self::KilledBackend => "kill -9 of a backend",
            Self::FrozenReplication => "SIGSTOP to walsender or walreceiver",
            Self::StoppedByHand => "pg_ctl stop by hand",
            Self::Crowd => "all connections taken",
            Self::CutReplication => "replication network cut",
            Self::Cable => "network cable pulled",
            Self::Power => "power cut",
            Self::Daemon(name) => return write!(f, "kill -9 of {name}"),
            Self::FullDisk => "disk full",
            Self::ReadOnlyDisk => "disk read-only",
            Self::HungDisk => "disk hung",
            Self::ShortHang => "disk hung for 5 s",
            Self::BlindAgent => "agent may not trace processes",
            Self::HostileDefaults => "hostile session defaults",
            Self::HungArchiver => "archiver hung",
            Self::FullQueue => "SIGSTOP to the postmaster, queue full",
            Self::BlockedReplay => "replay blocked by a reader",
        })
    }
}

impl Fault {
    /// Whether it may be the reason why an action of the resource agent ran out of time: the
    /// agent itself sleeps in a write that hangs, or the tools of Pacemaker that it calls do.
    pub fn stops_programs(self) -> bool {
        matches!(self, Self::HungDisk | Self::Daemon(_))
    }

    /// Breaks it on `node`.
    pub fn inject(self, cluster: &Cluster, node: &Node) -> Result<()> {
        match self {
            Self::KilledPostmaster => signal_postmaster(cluster, node, "KILL"),
            Self::FrozenPostmaster => signal_postmaster(cluster, node, "STOP"),
            Self::KilledBackend => signal_servants(node, "KILL", CLIENTS_AND_RECEIVER, 1),
            Self::FrozenReplication => signal_servants(node, "STOP", SENDERS_AND_RECEIVER, 9),
            Self::StoppedByHand => {
                postgresql::control(node, cluster.options.release, &MAIN, "stop")
            }
            Self::Crowd => crowd(node),
            Self::CutReplication => cluster.cut_replication(node, &MAIN),
            Self::Cable => node.plug(false),
            Self::Power => cluster.power.off(&node.name),
            Self::Daemon(name) => kill_program(node, name),
            Self::FullDisk => {
                node.fill_disk()?;
                use_up_wal(node, 40)
            }
            Self::ReadOnlyDisk => node.fail_disk(),
            Self::HungDisk => node.hang_disk(),
            Self::ShortHang => {
                node.hang_disk()?;
                std::thread::sleep(Duration::from_secs(5));
                node.thaw_disk()
            }
            Self::BlindAgent => misled::blind_agent(node),
            Self::HostileDefaults => misled::set_defaults(&cluster.primary()?),
            Self::HungArchiver => {
                misled::hang_archiver(cluster, node)?;
                use_up_wal(node, 2)
            }
            Self::FullQueue => {
                signal_postmaster(cluster, node, "STOP")?;
                misled::fill_queue(node)
            }
            Self::BlockedReplay => misled::block_replay(cluster, node),
        }
    }

    /// Ends it on `node`, which may have been fenced for it and then has nothing left to end.
    pub fn heal(self, cluster: &Cluster, node: &Node) -> Result<()> {
        match self {
            Self::CutReplication | Self::Cable => cluster.heal_network(),
            Self::FullDisk => node.free_disk(),
            Self::HungDisk => node.thaw_disk(),
            Self::FrozenPostmaster | Self::FrozenReplication | Self::FullQueue => {
                node.output(&["pkill", "-CONT", "-u", "postgres"]).map(drop)
            }
            Self::BlindAgent => misled::seeing_agent(node),
            Self::HostileDefaults => misled::reset_defaults(&cluster.primary()?),
            Self::HungArchiver => misled::free_archiver(cluster, node),
            Self::BlockedReplay => misled::unblock_replay(node),
            // Its repair is the check of the file system at a boot.
            Self::ReadOnlyDisk => cluster.power.off(&node.name),
            _ => Ok(()),
        }
    }
}

const CLIENTS_AND_RECEIVER: &str = "SELECT pid FROM pg_stat_activity WHERE application_name = \
                                    'lab_client' OR backend_type = 'walreceiver'";
const SENDERS_AND_RECEIVER: &str =
    "SELECT pid FROM pg_stat_activity WHERE backend_type IN ('walsender', 'walreceiver')";

/// Sends a signal to the postmaster of `node`.
pub fn signal_postmaster(cluster: &Cluster, node: &Node, signal: &str) -> Result<()> {
    let postmaster = cluster.postmaster(node, &MAIN)?.to_string();
    node.run(&["kill", "-s", signal, &postmaster]).map(drop)
}

/// Sends a signal to at most `most` of the server's processes that `query` finds.
pub fn signal_servants(node: &Node, signal: &str, query: &str, most: usize) -> Result<()> {
    let found = node.sql(query)?;
    let mut words = vec!["kill", "-s", signal];
    words.extend(found.lines().take(most));
    if words.len() == 3 {
        bail!("no such process on {}", node.name);
    }
    node.run(&words).map(drop)
}

/// kill -9 of all processes of a program.
pub fn kill_program(node: &Node, name: &str) -> Result<()> {
    let found = node.run(&["pidof", name])?;
    let mut words = vec!["kill", "-9"];
    words.extend(found.split_whitespace());
    node.run(&words).map(drop)
}

/// As many sessions as a role without privileges gets, for half a minute.
fn crowd(node: &Node) -> Result<()> {
    let script = "psql -XAtq -U postgres -d postgres -c 'CREATE ROLE crowd LOGIN' 2>/dev/null; \
                  for i in $(seq 60); do psql -XAtq -h 127.0.0.1 -U crowd -d postgres \
                  -c 'SELECT pg_sleep(30)' >/dev/null 2>&1 & done; wait";
    let mut command = node.command(&["sh", "-c", script])?;
    let mut child = command.spawn().context("crowd")?;
    // Ends by itself, with the node at the latest; a thread takes its exit code.
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// Makes at most `segments` new segments: those that are there already would last for minutes.
pub fn use_up_wal(node: &Node, segments: usize) -> Result<()> {
    // A record before each, or there would be nothing to switch.
    let statement = "SELECT pg_switch_wal() FROM (SELECT pg_logical_emit_message(false, 'lab', \
                     'x') WHERE NOT pg_is_in_recovery()) AS record";
    let script = format!(
        "for i in $(seq {segments}); do timeout 3 psql -XAtq -d postgres -c \"{statement}\" \
         || exit 0; done"
    );
    let words = ["runuser", "-u", "postgres", "--", "sh", "-c", &script];
    node.output(&words).map(drop)
}

//! Whether a node's data may be made anew now, from another server's, and why not.
//!
//! What this command throws away nobody gives back. So everything that speaks against it is said
//! at once, before anything is touched; and what may be lost of the cluster's own commits is lost
//! by an admin's word alone.

mod refusal;

use std::path::PathBuf;

use crate::instance::Offered;
use crate::ocf::NodeName;
use crate::record::Reign;

pub use refusal::Refusal;

/// What the data directory is on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// It is a link itself, and leads elsewhere.
    pub is_link: bool,
    /// A disk of its own is mounted on it: what lies beside it is on another one.
    pub is_mount: bool,
    /// Where its WAL is, if that is elsewhere.
    pub wal: Option<PathBuf>,
    /// The table spaces, which are elsewhere.
    pub spaces: Vec<PathBuf>,
}

/// What the admin wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// What only this node may hold is given up.
    pub discard: bool,
    /// Where the WAL of the new data goes, if not below them.
    pub waldir: Option<PathBuf>,
    /// The table spaces that get a new place.
    pub mapped: Vec<PathBuf>,
}

/// Where the new data come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A command of the admin knows.
    Command,
    /// Nothing says where.
    Unknown,
    /// It did not answer, for this reason.
    Silent(String),
    /// What it offers.
    Answers(Offered),
}

/// What is known of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// This node; `None` if that is not known.
    pub here: Option<NodeName>,
    /// The name by which people stop the resource.
    pub resource: String,
    /// Why Pacemaker does not answer.
    pub silence: Option<String>,
    /// Whether an admin has Pacemaker start nothing here.
    pub is_kept_off: bool,
    /// The node on which a primary runs.
    pub primary: Option<NodeName>,
    /// The election that is last on record.
    pub last: Option<Reign>,
    /// Whether there is something on record that cannot be read.
    pub is_unreadable: bool,
}

/// All that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether the command runs as root.
    pub is_root: bool,
    /// Whether a server runs on the data; an error if that could not be told.
    pub runs: Result<bool, String>,
    /// The cluster.
    pub cluster: Cluster,
    /// The data directory.
    pub place: Place,
    /// A program that is needed and cannot be run.
    pub missing_program: Option<PathBuf>,
    /// Where the new data come from.
    pub source: Source,
}

/// All that speaks against it; nothing: it may begin.
pub fn refusals(facts: &Facts, wish: &Wish) -> Vec<Refusal> {
    if !facts.is_root {
        return vec![Refusal::NotRoot];
    }
    let mut found = Vec::from_iter(of_server(facts));
    found.extend(of_cluster(
        &facts.cluster,
        facts.runs == Ok(true),
        wish.discard,
    ));
    found.extend(of_place(&facts.place, wish));
    let missing = facts.missing_program.clone();
    found.extend(missing.map(Refusal::NoProgram));
    found.extend(of_source(&facts.source, facts.cluster.last.as_ref()));
    found
}

/// What speaks against it once the new data are made, hours later perhaps, and before the old ones
/// go. That the server may be started here does not: while this goes on, it is not.
pub fn refusal_of_switch(cluster: &Cluster, wish: &Wish) -> Option<Refusal> {
    match node_of(cluster) {
        Err(refusal) => Some(refusal),
        Ok(here) if !wish.discard => of_what_is_lost(cluster, here),
        Ok(_) => None,
    }
}

fn of_server(facts: &Facts) -> Option<Refusal> {
    match &facts.runs {
        Ok(false) => None,
        Ok(true) => Some(Refusal::Runs(facts.cluster.stop())),
        Err(why) => Some(Refusal::CannotTell(why.clone())),
    }
}

fn of_cluster(cluster: &Cluster, runs: bool, discards: bool) -> Vec<Refusal> {
    let here = match node_of(cluster) {
        Ok(here) => here,
        Err(refusal) => return vec![refusal],
    };
    let mut found = Vec::new();
    // Whoever stops a server that runs has it kept off.
    if !cluster.is_kept_off && !runs {
        found.push(Refusal::MayStart(cluster.stop()));
    }
    if !discards {
        found.extend(of_what_is_lost(cluster, here));
    }
    found
}

/// This node, if the cluster tells.
fn node_of(cluster: &Cluster) -> Result<&NodeName, Refusal> {
    if let Some(why) = &cluster.silence {
        return Err(Refusal::NoCluster(why.clone()));
    }
    cluster.here.as_ref().ok_or(Refusal::NoName)
}

/// What the cluster may need of this node's data.
fn of_what_is_lost(cluster: &Cluster, here: &NodeName) -> Option<Refusal> {
    if cluster.is_unreadable {
        return Some(Refusal::Unreadable);
    }
    let is_elected = |last: &Reign| last.primary == *here;
    if cluster.last.as_ref().is_some_and(is_elected) {
        return Some(Refusal::Elected(here.clone()));
    }
    cluster.primary.is_none().then_some(Refusal::NoPrimary)
}

fn of_place(place: &Place, wish: &Wish) -> Vec<Refusal> {
    let mut found = Vec::new();
    if place.is_link {
        found.push(Refusal::Link);
    } else if place.is_mount {
        found.push(Refusal::Mount);
    }
    if wish.waldir.is_none() {
        found.extend(place.wal.clone().map(Refusal::WalElsewhere));
    }
    let unmapped = place.spaces.iter().filter(|one| !wish.mapped.contains(one));
    found.extend(unmapped.cloned().map(Refusal::TableSpace));
    found
}

fn of_source(source: &Source, last: Option<&Reign>) -> Option<Refusal> {
    let offered = match source {
        Source::Command => return None,
        Source::Unknown => return Some(Refusal::NoSource),
        Source::Silent(why) => return Some(Refusal::Silent(why.clone())),
        Source::Answers(offered) => offered,
    };
    let Reign {
        primary, branch, ..
    } = last.filter(|last| last.is_opened())?;
    if branch.system.is_some_and(|system| system != offered.system) {
        return Some(Refusal::OtherSystem(primary.clone()));
    }
    let found = offered.place.timeline;
    (found != branch.timeline).then(|| Refusal::OtherBranch {
        found,
        elected: branch.timeline,
        primary: primary.clone(),
    })
}

impl Cluster {
    /// The command by which Pacemaker stops the server here, and leaves it stopped.
    fn stop(&self) -> String {
        let here = self.here.as_ref().map_or("NODE", NodeName::as_str);
        format!(
            "pcs node standby {here} --wait=60, or: pcs resource ban {} {here} --wait=60",
            self.resource
        )
    }
}

//! What this node knows of elections, from the cluster's configuration and its own ledger,
//! and how it keeps that.

use std::collections::BTreeSet;

use crate::election::{self, Unreadable};
use crate::ocf::NodeName;
use crate::pacemaker::{Cluster, Permanent, ToolError};
use crate::postgres::Server;
use crate::record::reign::Stage;
use crate::record::{DataId, Evidence, FieldError, Fresh, Ledger, Reign, Vote, note};
use crate::system::{Notes, clock};
use crate::wal::Timeline;

/// How often (seconds) a standby looks at the configuration although it has not changed.
const LOOK_EVERY: u64 = 600;

/// What is unreadable where a node's ledger is.
pub const LEDGER: &str = "ledger";

/// What this node knows of elections.
pub struct Known {
    /// This node.
    pub node: NodeName,
    /// What the cluster's configuration has.
    pub published: Evidence,
    /// That, and what the ledger has.
    pub all: Evidence,
    /// What is there and could not be read.
    pub unreadable: BTreeSet<Unreadable>,
    /// The identity of this node's data; `None` where it could not be seen.
    pub data: Option<DataId>,
    /// Whether they took the place of others.
    pub fresh: Option<Fresh>,
    /// The ledger as it is on disk; `None` if it must stay as it is.
    on_disk: Option<String>,
}

impl Known {
    /// Reads both sources. What cannot be read is named, and left as it is.
    pub fn gather(
        server: &dyn Server,
        cluster: &dyn Cluster,
        permanent: &Permanent,
    ) -> Result<Self, ToolError> {
        let node = cluster.node()?;
        let (published, mut unreadable) = published(cluster.resource(), permanent);
        let (ledger, on_disk) = ledger(cluster, &node);
        if on_disk.is_none() {
            let (node, what) = (node.clone(), LEDGER);
            unreadable.insert(Unreadable { node, what });
        }
        let all = election::known(published.clone(), ledger.evidence);
        let (data, fresh) = identity(server, (ledger.data, ledger.fresh), all.last_term());
        Ok(Self {
            data,
            fresh,
            node,
            published,
            all,
            unreadable,
            on_disk,
        })
    }

    /// This node's claim, if it has one that did not come to an end, wherever that is on record.
    pub fn claim(&self) -> Option<&Reign> {
        let claim = self.all.of_node(&self.node, Stage::Claimed)?;
        let ended = self.all.ended(&self.node);
        let is_published = self.published.of_node(&self.node, Stage::Claimed).is_some();
        (is_published || ended.is_none_or(|term| term < claim.term)).then_some(claim)
    }

    /// Without candidacies that are over: this node has taken back its vote (`steps::aftermath`),
    /// and in the configuration is what came of it, or nothing did.
    ///
    /// One in doubt is over with the reign of a later election, or of its own alone: from whom this
    /// node streams proves nothing of a branch on which it is not.
    fn without_what_is_over(mut self, cluster: &dyn Cluster, streams_on: Option<Timeline>) -> Self {
        if !self.all.awaits_outcomes() {
            return self;
        }
        let votes = cluster.of_members(&Vote::NAME.of(cluster.resource()));
        if votes.is_ok_and(|votes| !votes.contains_key(&self.node)) {
            self.all.forget_promises(streams_on);
        }
        self
    }

    /// Writes the ledger, if there is anything new. That it cannot be written is said, and no
    /// more: the cluster's configuration has what was elected. `false`: it is worth another try.
    pub fn keep(&self, cluster: &dyn Cluster) -> bool {
        let Some(on_disk) = &self.on_disk else {
            return true;
        };
        let ledger = Ledger {
            node: self.node.clone(),
            data: self.data.clone(),
            boot: cluster.boot(),
            fresh: self.fresh,
            evidence: self.all.clone().pruned(),
        };
        let text = ledger.encode();
        if text == *on_disk {
            return true;
        }
        let kept = cluster.keep_ledger(&text);
        if let Err(error) = &kept {
            log::error!(
                "Cannot write this node's ledger of elections ({error}): if the cluster's \
                 configuration is lost as well, nobody knows what was elected"
            );
        }
        kept.is_ok()
    }
}

/// Notes that this node's data were rewound: they inherit nothing.
pub fn renew_data(server: &dyn Server, cluster: &dyn Cluster) -> Result<(), ToolError> {
    let node = cluster.node()?;
    let (ledger, on_disk) = ledger(cluster, &node);
    let term = ledger.evidence.last_term();
    let (data, fresh) = identity(server, (ledger.data, ledger.fresh), term);
    let known = Known {
        data: data.as_ref().map(DataId::rewound),
        fresh,
        published: Evidence::default(),
        all: ledger.evidence,
        unreadable: BTreeSet::new(),
        node,
        on_disk,
    };
    known.keep(cluster);
    Ok(())
}

/// Notes that other data are about to take the place of this node's: they inherit nothing, also
/// where nothing was known of the data before. `false`: that could not be written.
pub fn expect_other_data(
    server: &dyn Server,
    cluster: &dyn Cluster,
    permanent: &Permanent,
) -> Result<bool, ToolError> {
    let mut known = Known::gather(server, cluster, permanent)?;
    known.fresh = Some(Fresh::since(known.all.last_term()));
    Ok(known.on_disk.is_some() && known.keep(cluster))
}

/// What tells a configuration that was looked at from another one: its version, and for ten minutes
/// at most. `None`: it cannot be told, so it has to be looked at.
pub fn configuration(cluster: &dyn Cluster) -> Option<String> {
    let round = clock::since_epoch().as_secs() / LOOK_EVERY;
    let version = cluster.configuration_version()?;
    Some(format!("{version} {round}"))
}

/// Keeps what the cluster's configuration has, when that has changed since the last look. A
/// standby does so at its monitor: a primary that goes takes its own entry with it if its node
/// is removed.
///
/// After one failed write Pacemaker writes its configuration to no disk any more, and its file
/// stays as it was: so the standby looks from time to time in any case.
pub fn copy_if_changed(
    server: &dyn Server,
    cluster: &dyn Cluster,
    notes: &Notes,
    streams_on: Option<Timeline>,
) {
    let Some(version) = configuration(cluster).filter(|version| !notes.is(&note::COPIED, version))
    else {
        return;
    };
    let permanent = cluster.permanent();
    let known = permanent.and_then(|permanent| Known::gather(server, cluster, &permanent));
    match known.map(|known| known.without_what_is_over(cluster, streams_on)) {
        // Until this node has taken its vote back it looks again. A doubt ends with a later reign,
        // which changes the configuration.
        Ok(known) if known.keep(cluster) && !known.all.awaits_outcomes() => {
            notes.write(&note::COPIED, &version);
        }
        Ok(_) => {}
        Err(error) => log::warn!("Cannot copy what is on record of elections: {error}"),
    }
}

/// The claims and reigns of all nodes, present or not, as the cluster's configuration has
/// them.
pub fn published(resource: &str, permanent: &Permanent) -> (Evidence, BTreeSet<Unreadable>) {
    let (mut evidence, mut unreadable) = (Evidence::default(), BTreeSet::new());
    let kinds: [(_, _, Reader); 3] = [
        (Reign::CLAIM_NAME, "claim", read_reign),
        (Reign::NAME, "reign", read_reign),
        (Reign::ENDED_NAME, "end of claims", read_end),
    ];
    for (name, what, read) in kinds {
        for (node, text) in permanent.values(&name.of(resource)) {
            if let Err(error) = read(&mut evidence, &node, text) {
                let name = name.of(resource);
                log::error!("The attribute {name} of {node} cannot be read: {error}");
                unreadable.insert(Unreadable { node, what });
            }
        }
    }
    (evidence, unreadable)
}

type Reader = fn(&mut Evidence, &NodeName, &str) -> Result<(), FieldError>;

fn read_reign(into: &mut Evidence, node: &NodeName, text: &str) -> Result<(), FieldError> {
    into.add(Reign::decode(node.clone(), text)?);
    Ok(())
}

fn read_end(into: &mut Evidence, node: &NodeName, text: &str) -> Result<(), FieldError> {
    into.end_claims(node, Reign::decode_ended(text)?);
    Ok(())
}

/// What this node's ledger says of elections; nothing where it cannot be read.
pub fn of_ledger(cluster: &dyn Cluster, node: &NodeName) -> Evidence {
    ledger(cluster, node).0.evidence
}

/// The ledger, and its text; no text if it must stay as it is.
fn ledger(cluster: &dyn Cluster, node: &NodeName) -> (Ledger, Option<String>) {
    let begun = Ledger {
        node: node.clone(),
        data: None,
        boot: None,
        fresh: None,
        evidence: Evidence::default(),
    };
    let text = match cluster.ledger() {
        Ok(Some(text)) => text,
        Ok(None) => return (begun, Some(String::new())),
        Err(error) => {
            log::error!("Cannot read this node's ledger of elections: {error}");
            return (begun, None);
        }
    };
    match Ledger::decode(&text) {
        Ok(ledger) if ledger.node == *node => (since_boot(ledger, cluster), Some(text)),
        // A cloned machine: what its model saw of elections is true all the same.
        Ok(ledger) => {
            log::warn!("The ledger of elections is that of {}", ledger.node);
            let (evidence, fresh) = (ledger.evidence, Some(Fresh::since(0)));
            let own = Ledger {
                evidence,
                fresh,
                ..begun
            };
            (own, Some(text))
        }
        Err(error) => {
            log::error!("Cannot read this node's ledger of elections: {error}");
            (begun, None)
        }
    }
}

/// What was promised before the machine lost power may have come true without a trace.
fn since_boot(mut ledger: Ledger, cluster: &dyn Cluster) -> Ledger {
    let boots = (&ledger.boot, cluster.boot());
    if matches!(boots, (Some(then), Some(now)) if *then != now) {
        ledger.evidence.doubt_promises();
    }
    ledger
}

/// Whether this node's data took the place of others, by its ledger.
pub fn is_fresh(cluster: &dyn Cluster, node: &NodeName) -> bool {
    ledger(cluster, node).0.fresh.is_some()
}

type Identity = (Option<DataId>, Option<Fresh>);

/// The identity of the data that are there now, and whether they took the place of others after
/// this election. What cannot be seen has the last one known.
///
/// Data of which nothing is known took nobody's place: they are those of a node on an earlier
/// version of the agent, or of one that is new. A foreign ledger says nothing of them, but its
/// machine is a copy, and so they are.
fn identity(server: &dyn Server, (data, fresh): Identity, term: u64) -> Identity {
    let control = match server.control_identity() {
        Ok(control) => control,
        Err(error) => {
            log::debug!("Cannot tell which data these are: {error}");
            return (data, fresh);
        }
    };
    match data {
        Some(data) if data.is_of(&control) => (Some(data), fresh),
        None if fresh.is_none() => (Some(DataId::of(&control)), None),
        _ => {
            log::info!(
                "The data of this node are new: it does not vouch for synchronous commits up to \
                 election {term} before it has all that the primary has"
            );
            (Some(DataId::of(&control)), Some(Fresh::since(term)))
        }
    }
}

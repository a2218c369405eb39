//! Has the database of this node take the place of all that is on record of elections: after
//! `pg_upgrade` or `initdb`, or when the whole cluster was restored.
//!
//! To delete is not enough. The ledger of a node that is away, or an old configuration that
//! somebody pushes, would bring back what was deleted here, and nobody would be promoted. So the
//! database is put on record as the one that was elected last: what is older binds nobody then,
//! wherever it is kept, and each node's ledger drops what it has of another database.

use std::io;

use crate::election::Unreadable;
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, Permanent, ToolError};
use crate::postgres::Server;
use crate::record::reign::last_of;
use crate::record::{DataId, Evidence, Ledger, PERMANENT, Reign, Testimony, Vote};
use crate::system::clock;
use crate::wal::Position;

use super::evidence::Known;
use super::position;

/// What there is to forget, and what is put in its place.
pub struct Forgetting {
    /// This node.
    pub node: NodeName,
    /// What it holds.
    pub held: Position,
    /// Who was elected last, of what is to be forgotten.
    pub before: Option<Reign>,
    /// The attributes that are to go, and what they say.
    pub attributes: Vec<(NodeName, String, String)>,
    /// What is there and cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// The election that stands for the database of this node.
    pub anew: Reign,
    /// Whether the cluster's configuration has that.
    is_published: bool,
    /// This node's ledger as it is to be.
    ledger: String,
    /// Whether it is so.
    is_kept: bool,
}

impl Forgetting {
    /// Looks at all that is on record, and at the database of this node, which is stopped.
    pub fn look(
        server: &dyn Server,
        cluster: &dyn Cluster,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        let permanent = cluster.permanent()?;
        let known = Known::gather(server, cluster, &permanent)?;
        let mut unreadable = known.unreadable;
        let all = with_what_others_tell(cluster, known.all, &mut unreadable)?;
        let control = server.control_data(deadline)?;
        let held = position::of_control(server, &control);
        let data = identity(server, known.data)?;
        let now = clock::since_epoch().as_secs();
        let anew = Reign::anew(known.node, (&held, &data), &all, now);
        let found = Self::of(cluster, &permanent, (held, anew, data));
        Ok(Self {
            before: elected_before(&all, &found.anew),
            unreadable: unreadable.into_iter().collect(),
            ..found
        })
    }

    /// With what there is of it already, and what is there besides.
    fn of(
        cluster: &dyn Cluster,
        permanent: &Permanent,
        (held, anew, data): (Position, Reign, DataId),
    ) -> Self {
        let resource = cluster.resource();
        let ledger = ledger_of(cluster, &anew, data);
        let on_disk = cluster.ledger();
        let own = (
            anew.primary.clone(),
            Reign::NAME.of(resource),
            anew.encode(),
        );
        let mut attributes = attributes(resource, permanent);
        let is_published = attributes.contains(&own);
        attributes.retain(|one| *one != own);
        Self {
            node: anew.primary.clone(),
            is_kept: on_disk.is_ok_and(|text| text.as_ref() == Some(&ledger)),
            before: None,
            unreadable: Vec::new(),
            held,
            attributes,
            anew,
            is_published,
            ledger,
        }
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.is_published && self.is_kept && self.attributes.is_empty()
    }

    /// Does it. It may be cut off anywhere: the next look finds what was done. First what
    /// outweighs the rest, then the rest goes.
    pub fn carry_out(&self, cluster: &dyn Cluster) -> Result<(), Failure> {
        if !self.is_kept {
            let kept = cluster.keep_ledger(&self.ledger);
            kept.map_err(unwritten)?;
        }
        let own = Reign::NAME.of(cluster.resource());
        if !self.is_published {
            cluster.set_permanent(&self.node, &own, &self.anew.encode())?;
        }
        for (node, name, _) in &self.attributes {
            if (node, name) != (&self.node, &own) {
                cluster.delete_permanent(node, name)?;
            }
        }
        Ok(())
    }
}

fn unwritten(error: io::Error) -> Failure {
    Failure::soft(format!("Cannot write this node's ledger anew: {error}"))
}

fn elected_before(all: &Evidence, anew: &Reign) -> Option<Reign> {
    let reigns = all.reigns();
    last_of(reigns.iter().filter(|one| *one != anew)).cloned()
}

/// A ledger of another node may know of a later election than the configuration.
fn with_what_others_tell(
    cluster: &dyn Cluster,
    mut all: Evidence,
    unreadable: &mut impl Extend<Unreadable>,
) -> Result<Evidence, ToolError> {
    let resource = cluster.resource();
    for (node, text) in cluster.of_members(&Vote::NAME.of(resource))? {
        match seen_by(&text) {
            Ok(seen) => all.merge(seen),
            Err(what) => unreadable.extend([Unreadable { node, what }]),
        }
    }
    Ok(all)
}

/// What the node has seen of elections; or what of it cannot be read.
fn seen_by(text: &str) -> Result<Evidence, &'static str> {
    match Testimony::decode(text) {
        Some(Ok(told)) if told.ledger_is_unreadable => Err("ledger"),
        Some(Ok(told)) => Ok(told.seen),
        Some(Err(_)) => Err("testimony"),
        None => Vote::decode(text).map(|vote| vote.seen).map_err(|_| "vote"),
    }
}

/// Of the data that are there now, whether or not the ledger knows them.
fn identity(server: &dyn Server, known: Option<DataId>) -> Result<DataId, Failure> {
    let control = server
        .control_identity()
        .map_err(|error| Failure::soft(format!("Cannot tell which data this node has: {error}")))?;
    let known = known.filter(|data| data.is_of(&control));
    Ok(known.unwrap_or_else(|| DataId::of(&control)))
}

/// They are no fresh ones: they took nobody's place, whoever confirmed anything is forgotten.
fn ledger_of(cluster: &dyn Cluster, anew: &Reign, data: DataId) -> String {
    let mut evidence = Evidence::default();
    evidence.add(anew.clone());
    let ledger = Ledger {
        node: anew.primary.clone(),
        data: Some(data),
        boot: cluster.boot(),
        fresh: None,
        evidence,
    };
    ledger.encode()
}

/// All permanent ones of the resource, on whatever node.
fn attributes(resource: &str, permanent: &Permanent) -> Vec<(NodeName, String, String)> {
    let names = PERMANENT.iter().map(|name| name.of(resource));
    let of_name = |name: String| {
        let values = permanent.values(&name).into_iter();
        let values = values.map(|(node, value)| (node, name.clone(), value.to_owned()));
        values.collect::<Vec<_>>()
    };
    names.flat_map(of_name).collect()
}

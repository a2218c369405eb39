//! A monitor looks after the replication slots of its server, where parameter `slots` says so:
//! makes, moves and drops them (`instance::slots` says which), and as a primary tells the others how
//! far the standbys are.
//!
//! Nothing depends on it: whatever fails here is said, and the next monitor tries again. It never
//! comes before a promotion, nor before the scores.

mod complaint;
pub mod settings;

use std::time::Duration;

use self::complaint::Complaint;
use super::evidence::{self, published};
use crate::instance::replication::{Details, Primary};
use crate::instance::slots::{Action, Confirmed, Slots, Why, decide};
use crate::instance::{NoAnswer, Role};
use crate::ocf::{Deadline, NodeName};
use crate::pacemaker::{Cluster, ToolError};
use crate::postgres::Server;
use crate::record::slots::{Flushed, Hosts, NAME};
use crate::record::{last_reign, note};
use crate::system::Notes;

/// How long one call may take: a monitor has more to do.
const LONGEST: Duration = Duration::from_secs(3);

/// What a monitor looks after, and by when.
pub struct SlotCare<'a> {
    /// The server.
    pub server: &'a dyn Server,
    /// Its cluster.
    pub cluster: &'a dyn Cluster,
    /// What was seen and said last.
    pub notes: &'a Notes,
    /// By when the monitor must have answered.
    pub deadline: Deadline,
}

impl SlotCare<'_> {
    /// Does what is to be done about the slots that the server told of.
    pub fn take(&self, details: &Details) {
        let Some(slots) = details.slots() else { return };
        let unbounded = (!slots.bounded).then_some(Complaint::Unbounded);
        let mut complaints: Vec<_> = unbounded.into_iter().collect();
        match self.carry_out_all(details, slots) {
            Ok(failed) => complaints.extend(failed),
            Err(error) => complaints.push(error.into()),
        }
        self.say_once(&complaints);
    }

    /// Returns what could not be done.
    fn carry_out_all(&self, details: &Details, slots: &Slots) -> Result<Vec<Complaint>, ToolError> {
        let cluster = &*self.cluster.within(LONGEST);
        let own = cluster.node()?;
        let hosts = self.hosts(cluster)?;
        // A configuration without this node is not whole.
        if !hosts.nodes.contains_key(&own) {
            return Ok(Vec::new());
        }
        let confirmed = confirmed(cluster, details, slots, (&own, &hosts))?;
        let actions = decide(&own, &hosts.nodes, slots, confirmed.as_ref());
        let failed = actions.iter().filter_map(|action| {
            let error = self.carry_out(action, details.role()).err()?;
            let name = action.slot().to_owned();
            Some(Complaint::Slot { name, error })
        });
        let failed = failed.collect();
        if let Details::Primary(primary) = details {
            self.publish(cluster, primary, (slots, &hosts))?;
        }
        Ok(failed)
    }

    fn carry_out(&self, action: &Action, role: Role) -> Result<(), NoAnswer> {
        let (server, limit) = (self.server, self.deadline.within(LONGEST));
        match action {
            Action::Make(name) => {
                server.make_slot(name, limit)?;
                log::info!("Replication slot {name}: made");
            }
            Action::Advance(name, to) => {
                server.advance_slot(name, *to, limit)?;
                log::debug!("Replication slot {name}: advanced to {to}");
            }
            Action::Drop(name, why) => {
                server.drop_slot(name, limit)?;
                log::info!("Replication slot {name}: dropped, since {why}");
            }
            Action::Renew(name, why) => {
                server.drop_slot(name, limit)?;
                server.make_slot(name, limit)?;
                say_renewed(name, *why, role);
            }
        }
        Ok(())
    }

    /// The nodes, and who was elected last: from the configuration where that has changed, or from
    /// the note of the last look.
    fn hosts(&self, cluster: &dyn Cluster) -> Result<Hosts, ToolError> {
        let version = evidence::configuration(cluster);
        let noted = self.notes.read(&note::HOSTS);
        let noted = noted.as_deref().and_then(|note| note.split_once('\n'));
        let same = noted.filter(|(of, _)| version.as_deref() == Some(*of));
        if let Some(hosts) = same.and_then(|(_, text)| Hosts::decode(text)) {
            return Ok(hosts);
        }
        let hosts = look_for_hosts(cluster)?;
        if let Some(version) = version {
            let note = format!("{version}\n{}", hosts.encode());
            self.notes.write(&note::HOSTS, &note);
        }
        Ok(hosts)
    }

    /// Tells how far the standbys are that stream by their slots, where that is news.
    fn publish(
        &self,
        cluster: &dyn Cluster,
        primary: &Primary,
        (slots, hosts): (&Slots, &Hosts),
    ) -> Result<(), ToolError> {
        let Some(timeline) = primary.timeline else {
            return Ok(());
        };
        let standbys = slots.confirmed(&hosts.nodes);
        let flushed = Flushed { timeline, standbys };
        let last = self.notes.read(&note::CONFIRMED);
        let last = last.and_then(|line| Flushed::decode(&line));
        if !flushed.is_news_after(last.as_ref(), slots.segment) {
            return Ok(());
        }
        let line = flushed.encode();
        cluster.set_private(&NAME.of(cluster.resource()), &line)?;
        self.notes.write(&note::CONFIRMED, &line);
        Ok(())
    }

    fn say_once(&self, complaints: &[Complaint]) {
        if complaints.is_empty() {
            return self.notes.forget(&note::SLOTS);
        }
        let each: Vec<_> = complaints.iter().map(Complaint::to_string).collect();
        let text = each.join("\n");
        if self.notes.is(&note::SLOTS, &text) {
            return;
        }
        for complaint in complaints {
            log::warn!("{complaint}");
        }
        self.notes.write(&note::SLOTS, &text);
    }
}

fn look_for_hosts(cluster: &dyn Cluster) -> Result<Hosts, ToolError> {
    let permanent = cluster.permanent()?;
    let may_run = cluster.hosts()?;
    let nodes = permanent.nodes().into_iter();
    let reigns = published(cluster.resource(), &permanent).0.reigns();
    let last = last_reign(&reigns).filter(|last| last.is_opened());
    Ok(Hosts {
        nodes: nodes
            .map(|node| (node.clone(), may_run.contains(&node)))
            .collect(),
        primary: last.map(|last| (last.primary.clone(), last.branch.timeline)),
    })
}

/// On a standby that streams on the timeline that was elected last, and where a slot keeps much: how
/// far the others are, by what that primary says. On another timeline the record is an old one, and
/// whom it names may lack what is streamed now.
fn confirmed(
    cluster: &dyn Cluster,
    details: &Details,
    slots: &Slots,
    (own, hosts): (&NodeName, &Hosts),
) -> Result<Option<Confirmed>, ToolError> {
    let Details::Standby { timeline, .. } = details else {
        return Ok(None);
    };
    let primary = hosts
        .primary
        .as_ref()
        .filter(|(node, elected)| node != own && *timeline == Some(*elected) && slots.keep_much());
    let Some((primary, timeline)) = primary else {
        return Ok(None);
    };
    let lines = cluster.of_members(&NAME.of(cluster.resource()))?;
    let said = lines.get(primary).and_then(|line| Flushed::decode(line));
    let said = said.filter(|said| said.timeline == *timeline);
    Ok(Some(Confirmed {
        primary: primary.clone(),
        standbys: said.map(|said| said.standbys).unwrap_or_default(),
    }))
}

/// A standby's own slot may be lost without harm: the primary has another one.
fn say_renewed(name: &str, why: Why, role: Role) {
    if why == Why::Lost && role == Role::Primary {
        log::warn!(
            "Replication slot {name} has lost WAL (max_slot_wal_keep_size) and was made again: its \
             node needs the archive, or to be rebuilt, unless it has that WAL"
        );
        return;
    }
    log::info!("Replication slot {name}: made again, since {why}");
}

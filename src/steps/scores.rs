//! The primary's monitor keeps the promotion scores of all members and the record of
//! its reign right. A failure here is logged and never fails the monitor: the primary
//! is well.
//!
//! While nothing changes it costs no process: what was seen is noted beside the version
//! of the CIB it was settled with. Every ten minutes it looks all the same: a promotion
//! score by hand changes no file.

use std::collections::BTreeSet;
use std::time::Duration;

use super::rejoin::report;
use super::{ballot, foreign_scores, readiness, reign};
use crate::election::scores::{GRACE, Ranking, Reach, Roster, rank};
use crate::instance::replication::{Primary, Sender};
use crate::ocf::{Deadline, Failure, NodeName};
use crate::pacemaker::{Cluster, Permanent, ToolError};
use crate::postgres::Server;
use crate::record::confirmers::Names;
use crate::record::{Confirmers, impairment, missing, note, score, unknown_error};
use crate::system::{Notes, clock};

/// Lags closer than this (bytes) look the same to the note.
const LAG_STEP: u64 = 16 * 1024 * 1024;
/// What leaves no trace in the configuration is looked for so often, in seconds.
const LOOK_EVERY: u64 = 600;

/// What the primary's monitor looks after, and by when.
pub struct Care<'a> {
    /// The primary.
    pub server: &'a dyn Server,
    /// Its cluster.
    pub cluster: &'a dyn Cluster,
    /// What it settled last.
    pub notes: &'a Notes,
    /// By when it must have answered.
    pub deadline: Deadline,
}

/// Makes the next monitor look at everything: a node came or went.
pub fn look_again(notes: &Notes) {
    notes.forget(&note::SETTLED);
}

/// Writes the scores that follow a verdict, in their order, within `limit`.
pub fn write_all(
    cluster: &dyn Cluster,
    scores: &[(NodeName, i32)],
    limit: Duration,
) -> Result<(), ToolError> {
    let cluster = cluster.within(limit);
    for (node, score) in scores {
        log::info!("Promotion score of {node}: {}", score::encode(*score));
        cluster.set_score(node, *score)?;
    }
    Ok(())
}

impl Care<'_> {
    /// Writes the scores that changed, and the reign if it did.
    pub fn take(&self, primary: &Primary) {
        let seen = self.seen(primary);
        if seen.is_some() && seen == self.notes.read(&note::SETTLED) {
            return;
        }
        // What was settled may look the same again after this change, and would be skipped
        // then: a standby that comes back would stay on record as missing.
        self.notes.forget(&note::SETTLED);
        match (self.update(primary), seen) {
            (Ok(true), Some(seen)) => drop(self.notes.write(&note::SETTLED, &seen)),
            (Ok(_), _) => {}
            (Err(failure), _) => log::warn!("Cannot update promotion scores: {failure}"),
        }
    }

    fn maxlag(&self) -> u64 {
        self.server.parameters().maxlag
    }

    /// All that scores depend on, in one line; `None` if the CIB cannot be watched.
    fn seen(&self, primary: &Primary) -> Option<String> {
        let lags = primary.senders.iter().map(|sender| {
            let reach = Reach::of(self.maxlag(), sender.lag);
            let step = sender.lag.map(|lag| lag / LAG_STEP);
            let Sender { name, state, .. } = sender;
            format!("{name:?} {state:?} {step:?} {reach:?} {}", sender.confirms)
        });
        let slot = clock::since_epoch().as_secs() / LOOK_EVERY;
        Some(format!(
            "{slot} {} {} {} {:?} {} {:?}",
            self.cluster.configuration_version()?,
            self.maxlag(),
            self.server.parameters().sync_guard,
            primary.timeline,
            primary.synchronous_standby_names,
            lags.collect::<Vec<_>>()
        ))
    }

    /// `true` if nothing was to be done, and nothing is pending.
    fn update(&self, primary: &Primary) -> Result<bool, Failure> {
        let (server, cluster) = (self.server, self.cluster);
        let node = cluster.node()?;
        let stored = cluster.permanent()?;
        let reigned = reign::refresh(server, cluster, (&node, primary, &stored), self.deadline)?;
        let roster = self.roster(node, primary, &stored)?;
        foreign_scores::say_once(cluster, self.notes)?;
        let ranking = rank(&roster);
        self.write(&roster, &ranking)?;
        if !ranking.missing_since.is_empty() {
            let missing = ranking.missing_since.keys();
            report::say(
                server,
                cluster,
                self.notes,
                (&roster.primary, missing.cloned().collect()),
            );
        }
        let is_told = readiness::tell(cluster, self.notes, (&roster, &ranking));
        Ok(!reigned && ranking.is_settled() && is_told)
    }

    /// Who must confirm this primary's commits, if the guard counts that.
    fn listed(&self, node: &NodeName, primary: &Primary, members: &BTreeSet<NodeName>) -> Names {
        let rule = ballot::sync_rule(&primary.synchronous_standby_names);
        let rule = rule.filter(|_| self.server.parameters().sync_guard);
        let any = members.iter().map(NodeName::to_string).collect();
        rule.map_or_else(Names::new, |rule| Confirmers::of(&rule, node, &any).names)
    }

    fn roster(
        &self,
        node: NodeName,
        primary: &Primary,
        stored: &Permanent,
    ) -> Result<Roster, ToolError> {
        let members = self.cluster.members()?;
        let resource = self.cluster.resource();
        let scores = stored.scores(resource);
        let offline = scores.keys().filter(|node| !members.contains(*node));
        let unknown_error = self.cluster.of_members(&unknown_error::NAME.of(resource))?;
        let impaired = self.cluster.of_members(&impairment::NAME.of(resource))?;
        let remembered = self.cluster.of_members(&missing::NAME.of(resource))?;
        let missing_since = remembered.get(&node).map(|value| missing::decode(value));
        Ok(Roster {
            listed: self.listed(&node, primary, &members),
            offline: offline.cloned().collect(),
            primary: node,
            senders: primary.senders.clone(),
            members,
            scores,
            unknown_error: unknown_error.into_keys().collect(),
            impaired: impaired.into_keys().collect(),
            missing_since: missing_since.unwrap_or_default(),
            now: clock::since_epoch(),
            maxlag: self.maxlag(),
            grace: GRACE,
        })
    }

    fn write(&self, roster: &Roster, ranking: &Ranking) -> Result<(), ToolError> {
        for notice in &ranking.notices {
            log::info!("{notice}");
        }
        for change in &ranking.changes {
            let (node, shown) = (&change.node, score::encode(change.score));
            log::info!("Promotion score of {node}: {shown}, {}", change.reason);
            self.cluster.set_score(node, change.score)?;
        }
        if ranking.missing_since == roster.missing_since {
            return Ok(());
        }
        let name = missing::NAME.of(self.cluster.resource());
        if ranking.missing_since.is_empty() {
            return self.cluster.delete_private(&name);
        }
        let value = missing::encode(&ranking.missing_since);
        self.cluster.set_private(&name, &value)
    }
}

//! The primary's monitor: the real reign and the real scores.

use std::collections::BTreeMap;
use std::time::Duration;

use super::observe::published;
use super::scenario::Scenario;
use super::world::{Id, World, name};
use crate::election::scores::{GRACE, Roster, rank};
use crate::instance::replication::{Sender, SenderState};
use crate::record::Reign;
use crate::testing::node;

const NOW: Duration = Duration::from_secs(1_000_000);

impl World {
    /// `late`: whoever is not connected has been so for longer than the grace
    /// time.
    pub(super) fn monitor(&mut self, scenario: &Scenario, late: bool) {
        let primary = self.primary().unwrap();
        let position = self.held_by(primary);
        let rule = scenario.rule_of(primary);
        let own = node(name(primary));
        let reign = Reign::refresh(&own, (&position, None), rule, &self.reigns());
        if self.nodes[primary].reign.as_deref() != Some(&reign) {
            self.nodes[primary].reign = Some(published(primary, &reign));
        }
        for change in rank(&self.roster(scenario, primary, late)).changes {
            let id = (0..self.nodes.len())
                .find(|id| change.node.as_str() == name(*id))
                .unwrap();
            self.nodes[id].score = Some(change.score);
        }
    }

    fn roster(&self, scenario: &Scenario, primary: Id, late: bool) -> Roster {
        let end = self.nodes[primary].wal.lsn;
        let sender = |id: Id| Sender {
            name: name(id).to_owned(),
            state: SenderState::Following,
            lag: Some(u64::from(end - self.nodes[id].wal.lsn)),
        };
        let ids = || 0..self.nodes.len();
        let scores = ids().filter_map(|id| Some((node(name(id)), self.nodes[id].score?)));
        let since = if late { NOW - GRACE } else { NOW };
        Roster {
            primary: node(name(primary)),
            senders: self.followers().into_iter().map(sender).collect(),
            members: self.members().map(|id| node(name(id))).collect(),
            offline: ids()
                .filter(|id| !self.nodes[*id].up)
                .map(|id| node(name(id)))
                .collect(),
            unknown_error: std::collections::BTreeSet::new(),
            impaired: std::collections::BTreeSet::new(),
            scores: scores.collect::<BTreeMap<_, _>>(),
            missing_since: ids().map(|id| (node(name(id)), since)).collect(),
            now: NOW,
            maxlag: scenario.maxlag,
            grace: GRACE,
        }
    }
}

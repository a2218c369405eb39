//! The primary's monitor: the real reign and the real scores.

use std::collections::BTreeMap;
use std::time::Duration;

use super::observe::published;
use super::scenario::Scenario;
use super::world::{Id, World, data_id, name};
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
        let rule = scenario.rule_of(primary, self.rule_changed);
        let own = node(name(primary));
        let data = data_id(primary, self.nodes[primary].data);
        let mut known = self.known(primary);
        let reign = Reign::refresh(&own, (&position, Some(&data)), rule, &known.reigns());
        known.add(reign.clone());
        self.keep(primary, &known);
        let entry = &mut self.cib[primary];
        if entry.reign.as_deref() != Some(&reign) {
            entry.reign = Some(published(primary, &reign));
        }
        entry.claim = None;
        for change in rank(&self.roster(scenario, primary, late)).changes {
            let id = (0..self.nodes.len())
                .find(|id| change.node.as_str() == name(*id))
                .unwrap();
            self.cib[id].score = Some(change.score);
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
        let scores = ids().filter_map(|id| Some((node(name(id)), self.cib[id].score?)));
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
            listed: std::collections::BTreeSet::new(),
            scores: scores.collect::<BTreeMap<_, _>>(),
            missing_since: ids().map(|id| (node(name(id)), since)).collect(),
            now: NOW,
            maxlag: scenario.maxlag,
            grace: GRACE,
        }
    }
}

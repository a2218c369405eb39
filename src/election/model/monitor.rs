//! The primary's monitor: the real reign and the real scores.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::observe::published;
use super::scenario::Scenario;
use super::world::{Id, World, data_id, name};
use crate::election::Confirming;
use crate::election::scores::{GRACE, Roster, rank};
use crate::ocf::NodeName;
use crate::record::reign::last_of;
use crate::record::{Evidence, Reign};
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
        let mut known = Evidence::clone(&self.known(primary));
        let senders = scenario.senders(self, primary);
        let confirming = Confirming {
            rule,
            senders: &senders,
            nodes: self.nodes_on_record(),
        };
        let held = (&position, Some(&data));
        let reign = Reign::refresh(&own, held, confirming, &known.reigns());
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

    /// pre-start on the primary: a node that is going to confirm counts from now on.
    pub(super) fn expect(&mut self, starting: Id) {
        let Some(primary) = self.primary() else {
            return;
        };
        let mut known = Evidence::clone(&self.known(primary));
        let reigns = known.reigns();
        let own = node(name(primary));
        let own = last_of(reigns.iter().filter(|reign| reign.primary == own));
        let starting = [node(name(starting))].into();
        let Some(reign) = own.and_then(|own| own.with_confirmers(&starting)) else {
            return;
        };
        known.add(reign.clone());
        self.keep(primary, &known);
        let entry = &mut self.cib[primary];
        let public = Some(published(primary, &reign));
        if reign.is_opened() {
            entry.reign = public;
        } else {
            entry.claim = public;
        }
    }

    /// The nodes that the cluster's configuration has.
    fn nodes_on_record(&self) -> BTreeSet<NodeName> {
        let there = (0..self.nodes.len()).filter(|id| !self.cib[*id].gone);
        there.map(|id| node(name(id))).collect()
    }

    fn roster(&self, scenario: &Scenario, primary: Id, late: bool) -> Roster {
        let ids = || 0..self.nodes.len();
        let scores = ids().filter_map(|id| Some((node(name(id)), self.cib[id].score?)));
        let since = if late { NOW - GRACE } else { NOW };
        Roster {
            primary: node(name(primary)),
            senders: scenario.senders(self, primary),
            members: self.members().map(|id| node(name(id))).collect(),
            offline: ids()
                .filter(|id| !self.nodes[*id].up)
                .map(|id| node(name(id)))
                .collect(),
            unknown_error: BTreeSet::new(),
            impaired: BTreeSet::new(),
            listed: BTreeSet::new(),
            scores: scores.collect::<BTreeMap<_, _>>(),
            missing_since: ids().map(|id| (node(name(id)), since)).collect(),
            now: NOW,
            maxlag: scenario.maxlag,
            grace: GRACE,
        }
    }
}

//! What nodes know of elections, and keep: as `steps::evidence` does.

use super::cache;
use super::made::{Made, fingerprint};
use super::observe::published;
use super::world::{Id, World, data_id, name};
use crate::election::{EndOfClaim, known};
use crate::record::reign::Stage;
use crate::record::{Evidence, Fresh, Ledger, Reign};
use crate::testing::node;
use crate::wal::Place;

impl World {
    /// What the cluster's configuration has.
    pub(super) fn published(&self) -> Made<Evidence> {
        cache::evidence(self.told(), || self.read_published())
    }

    /// What stands for that.
    fn told(&self) -> u64 {
        let entries = self.cib.iter();
        let told = entries.map(|entry| (&entry.claim, &entry.reign, entry.ended, entry.unreadable));
        fingerprint(&("published", told.collect::<Vec<_>>()))
    }

    fn read_published(&self) -> Evidence {
        let entries = self.cib.iter().filter(|entry| !entry.unreadable);
        let reigns = entries.flat_map(|entry| [entry.claim.as_ref(), entry.reign.as_ref()]);
        let reigns = reigns.flatten().map(|reign| Reign::clone(reign));
        let mut published = Evidence::of(reigns);
        for (id, entry) in self.cib.iter().enumerate() {
            if entry.ended > 0 {
                published.end_claims(&node(name(id)), entry.ended);
            }
        }
        published
    }

    /// The last term that anybody has on record.
    pub(super) fn last_term(&self) -> u64 {
        let whole = self.nodes.iter().filter(|node| !node.torn);
        let ledgers = whole.map(|node| cache::last_term(&node.ledger));
        ledgers.fold(cache::last_term(&self.published()), u64::max)
    }

    /// That, and what the node's ledger has.
    pub(super) fn known(&self, id: Id) -> Made<Evidence> {
        if self.nodes[id].old || self.nodes[id].torn {
            return self.published();
        }
        let ledger = &self.nodes[id].ledger;
        let key = fingerprint(&("known", self.told(), ledger));
        cache::evidence(key, || {
            let published = Evidence::clone(&self.published());
            known(published, Evidence::clone(ledger))
        })
    }

    /// The node writes its ledger, if there is anything new.
    pub(super) fn keep(&mut self, id: Id, known: &Evidence) {
        if self.nodes[id].old || self.nodes[id].torn {
            return;
        }
        let fresh = self.nodes[id].fresh;
        let data = data_id(id, self.nodes[id].data);
        let key = fingerprint(&("kept", id, self.nodes[id].data, fresh, known));
        let kept = cache::evidence(key, || {
            let ledger = Ledger {
                node: node(name(id)),
                data: Some(data),
                boot: None,
                fresh,
                evidence: known.clone().pruned(),
            };
            Ledger::decode(&ledger.encode()).unwrap().evidence
        });
        self.nodes[id].ledger = kept;
    }

    /// The monitors of the standbys that stream, as `steps::fresh`.
    pub(super) fn make_up(&mut self) {
        let Some(primary) = self.primary() else {
            return;
        };
        let owes = Place::from(&self.held_by(primary));
        for id in self.followers() {
            let held = self.held_by(id);
            let fresh = self.nodes[id].fresh.take();
            let fresh = fresh.map(|fresh| Fresh {
                owes: Some(owes),
                ..fresh
            });
            self.nodes[id].fresh = fresh.filter(|fresh| !fresh.is_made_up_by(&held));
            let known = self.known(id);
            self.keep(id, &known);
        }
    }

    /// Before a start: as `steps::claim::end_before_start`.
    pub(super) fn end_claim(&mut self, id: Id) {
        let own = node(name(id));
        let mut all = Evidence::clone(&self.known(id));
        let Some(claim) = self.claim_of(id, &all) else {
            return self.keep(id, &all);
        };
        let (held, data) = (self.held_by(id), data_id(id, self.nodes[id].data));
        let (term, reign) = (claim.term, all.of_node(&own, Stage::Opened));
        match EndOfClaim::of(claim, &held, Some(&data), reign) {
            EndOfClaim::CameTrue(reign) => {
                self.cib[id].reign = Some(published(id, &reign));
                all.add(*reign);
            }
            EndOfClaim::NothingNew => {}
            EndOfClaim::OfOtherData => return self.keep(id, &all),
        }
        all.end_claims(&own, term);
        self.keep(id, &all);
        self.cib[id].ended = term;
        self.cib[id].claim = None;
    }

    /// As `Known::claim`.
    fn claim_of(&self, id: Id, all: &Evidence) -> Option<Reign> {
        let own = node(name(id));
        let claim = all.of_node(&own, Stage::Claimed)?;
        let is_open = all.ended(&own).is_none_or(|term| term < claim.term);
        (self.cib[id].claim.is_some() || is_open).then(|| claim.clone())
    }
}

//! Clients and replication: commits on the primary, what standbys receive of them, and which
//! of them the primary confirms by its `synchronous_standby_names`.

use std::cell::RefMut;

use super::fleet::NAMES;
use super::schedule::Id;
use super::state::Simulation;
use crate::instance::Role;
use crate::instance::replication::{Sender, SenderState};
use crate::ocf::Rejoin;
use crate::postgres::fake_data::FakeData;
use crate::postgres::fake_instance::{FakeInstance, Processes};
use crate::record::SyncRule;
use crate::record::sync_rule::SyncMethod;
use crate::wal::Lsn;

/// What a commit takes in the WAL.
const COMMIT: u64 = 100;

/// What comes of a standby that asks a primary for WAL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// It streams.
    Follows,
    /// It is told that its WAL is not of the primary's history, after it got that.
    Aside,
    /// Nothing.
    None,
}

/// PostgreSQL's rule: the numbers of timelines and their histories decide. The standby streams
/// its own timeline up to where the primary's history left it, then the next.
fn link(primary: &FakeData, standby: &FakeData) -> Link {
    if primary.control.system != standby.control.system || primary.timeline < standby.timeline {
        return Link::None;
    }
    if primary.timeline == standby.timeline {
        let is_ahead = standby.end > primary.end;
        return if is_ahead { Link::None } else { Link::Follows };
    }
    let history = primary.history(primary.timeline);
    match history.switch_point_of(standby.timeline) {
        Some(at) if standby.end <= at => Link::Follows,
        _ => Link::Aside,
    }
}

/// The standby receives WAL up to `end`.
fn receive(primary: &FakeData, standby: &mut FakeData, end: Lsn) {
    let history = primary.history(primary.timeline);
    let mut switches = history.switches().iter();
    let before = switches.find(|switch| switch.at >= end);
    standby.timeline = before
        .map_or(primary.timeline, |switch| switch.timeline)
        .max(standby.timeline);
    standby.histories.extend(primary.histories.clone());
    standby.end = end;
    standby.trail = primary.trail.until(end);
    standby.strays.clear();
    standby.control.recovery_timeline = Some(standby.timeline);
    standby.control.recovery_end = end;
}

impl Simulation {
    fn instance(&self, id: Id) -> RefMut<'_, FakeInstance> {
        self.fleet.instance(NAMES[id])
    }

    fn is_on(&self, id: Id) -> bool {
        let pacemaker = self.pacemaker.try_borrow();
        pacemaker.is_ok_and(|pacemaker| pacemaker.nodes[id].power)
    }

    fn reaches(&self, primary: Id, standby: Id) -> bool {
        let (cut, apart) = (self.cut.get(), self.apart.get());
        let is_standby = self.fleet.processes(NAMES[standby]) == Processes::Alive(Role::Standby);
        let is_cut = [primary, standby].iter().any(|id| cut[*id] || apart[*id]);
        self.is_on(standby) && is_standby && !is_cut
    }

    /// Whether a standby would receive WAL now.
    pub fn may_stream(&self, id: Id) -> bool {
        let primary = self.primary().filter(|primary| *primary != id);
        primary.is_some_and(|primary| self.is_linked(primary, id))
    }

    fn is_linked(&self, primary: Id, standby: Id) -> bool {
        let reaches = self.reaches(primary, standby);
        reaches && link(&self.instance(primary).data, &self.instance(standby).data) == Link::Follows
    }

    /// Clients commit on the primary.
    pub fn write(&self, commits: u8) {
        let Some(primary) = self.primary() else {
            return;
        };
        for _ in 0..commits {
            let mut instance = self.instance(primary);
            instance.data.end = Lsn::from(instance.data.end.as_u64() + COMMIT);
            self.truth.borrow_mut().commits.push(instance.data.end);
        }
        self.confirm();
    }

    /// A standby receives all that there is, or half of it.
    pub fn stream(&self, id: Id, whole: bool) {
        let Some(primary) = self.primary().filter(|_| self.may_stream(id)) else {
            return;
        };
        let from = self.instance(primary);
        let mut to = self.instance(id);
        let left = from.data.end.bytes_since(to.data.end).unwrap_or_default();
        let left = if whole { left } else { left / 2 };
        let end = Lsn::from(to.data.end.as_u64() + left);
        self.truth
            .borrow_mut()
            .check_mixed(id, &from.data, &to.data);
        receive(&from.data, &mut to.data, end);
        drop((from, to));
        self.confirm();
    }

    /// The last words of a primary that stops cleanly go to all that are connected.
    pub fn send_rest(&self, primary: Id) {
        for id in 0..self.setting.nodes {
            let receives = self.instance(id).receives;
            if id != primary && receives && self.is_linked(primary, id) {
                let from = self.instance(primary);
                let mut to = self.instance(id);
                let end = from.data.end;
                self.truth
                    .borrow_mut()
                    .check_mixed(id, &from.data, &to.data);
                receive(&from.data, &mut to.data, end);
            }
        }
    }

    /// Standbys connect, or lose their connections, and the primary knows.
    pub fn link_up(&self) {
        let primary = self.primary();
        let mut senders = Vec::new();
        for (id, name) in NAMES.iter().enumerate().take(self.setting.nodes) {
            let linked = primary.filter(|primary| *primary != id && self.reaches(*primary, id));
            let Some(primary) = linked else {
                self.instance(id).receives = false;
                continue;
            };
            let from = self.instance(primary);
            let mut to = self.instance(id);
            let link = link(&from.data, &to.data);
            to.receives = link == Link::Follows;
            if link == Link::Aside {
                to.data.histories.extend(from.data.histories.clone());
            }
            if to.receives {
                senders.push(Sender {
                    name: (*name).to_owned(),
                    state: SenderState::Following,
                    lag: from.data.end.bytes_since(to.data.end),
                    confirms: true,
                });
            }
        }
        if let Some(primary) = primary {
            self.instance(primary).senders = senders;
        }
        if self.setting.rejoin == Rejoin::Rewind {
            self.show_source(primary);
        }
    }

    /// Whom pg_rewind would reach.
    fn show_source(&self, primary: Option<Id>) {
        for id in (0..self.setting.nodes).filter(|id| Some(*id) != primary) {
            let mut to = self.instance(id);
            let reached = primary.filter(|primary| !self.apart.get()[*primary]);
            to.data.no_source = reached.is_none();
            if let Some(primary) = reached {
                let from = self.instance(primary);
                to.data.take_source(&from.data);
            }
        }
    }

    /// The primary confirms the commits that enough of the connected standbys have.
    fn confirm(&self) {
        let Some(primary) = self.primary() else {
            return;
        };
        let setting = self.instance(primary).synchronous_standby_names.clone();
        let Ok(Some(rule)) = SyncRule::parse(&setting) else {
            return;
        };
        let has = |name: &String| {
            let id = NAMES.iter().position(|node| node == name)?;
            let may = id != primary && id < self.setting.nodes && self.is_linked(primary, id);
            may.then(|| self.instance(id).data.end)
        };
        let mut ends: Vec<_> = rule.names.iter().filter_map(has).collect();
        if rule.method == SyncMethod::First {
            ends.truncate(rule.count);
        }
        ends.sort_unstable();
        let Some(place) = ends.len().checked_sub(rule.count) else {
            return;
        };
        let trail = self.instance(primary).data.trail.clone();
        self.truth.borrow_mut().confirm(&trail, ends[place]);
    }

    /// Sometimes a primary writes a checkpoint, and its control file learns its timeline.
    pub fn checkpoint(&self) {
        if let Some(primary) = self.primary() {
            self.instance(primary).checkpoint();
            if self.setting.archive {
                self.archive(primary);
            }
        }
    }

    /// What the primary has written goes to the archive, where standbys find it.
    fn archive(&self, primary: Id) {
        let (trail, end) = {
            let from = self.instance(primary);
            (from.data.trail.clone(), from.data.end)
        };
        for id in (0..self.setting.nodes).filter(|id| *id != primary) {
            self.instance(id).data.archive = Some((trail.clone(), end));
        }
    }
}

//! The course of a simulation: a cluster comes up, the steps of the schedule are taken and
//! Pacemaker works after each, and once the faults are over a primary must be there.

use std::cell::{Cell, RefCell};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::time::Duration;

use super::count::{Counts, kind_of};
use super::fleet::{Fleet, NAMES};
use super::pacemaker::{self, Node, Pacemaker, Plan};
use super::schedule::{Happening, Id, Known, Schedule, Step};
use super::state::Simulation;
use super::truth::{Truth, Violation};
use crate::ocf::NodeName;
use crate::ocf::time::in_tests as time;
use crate::postgres::fake_instance::Obeys;
use crate::postgres::fake_trail::Trail;
use crate::record::score;
use crate::wal::{Lsn, SystemId};

/// Where all begin.
const HELD: &str = "1@0/3000000";
/// Transitions after which Pacemaker must have nothing more to do by itself.
const MOST_TRANSITIONS: usize = 8;
/// Rounds of monitors after the faults, within which a primary must be there.
const ROUNDS: usize = 14;
/// The first round with the node that opened last, where what has to come at once does.
const LAST_BACK: usize = 4;

/// How a simulation ended.
pub struct Ending {
    pub violation: Option<Violation>,
    pub story: Vec<String>,
}

impl Simulation {
    /// The cluster of a schedule, at its beginning: all nodes are up, and nothing runs.
    pub fn new(schedule: &Schedule, tell: bool) -> Rc<Self> {
        let setting = schedule.setting;
        Trail::number_anew(1);
        time::begin(Duration::from_millis(setting.oversleep));
        Rc::new_cyclic(|this| {
            let mut fleet = Fleet::holding(HELD);
            for name in NAMES {
                let parameters = &mut fleet.server(name).parameters;
                parameters.rejoin = setting.rejoin;
                parameters.maxlag = setting.maxlag;
                parameters.sync_guard = setting.sync_guard;
            }
            let watcher = this.clone();
            fleet.journal.watch(Rc::new(move |begin| {
                let simulation: Rc<Self> = std::rc::Weak::upgrade(&watcher)?;
                simulation.see(begin)
            }));
            Self {
                fleet,
                setting,
                pacemaker: RefCell::new(Pacemaker::new(setting.nodes, setting.quorum)),
                truth: RefCell::new(Truth::new()),
                counts: RefCell::default(),
                armed: RefCell::default(),
                actor: Cell::new(None),
                beside: Cell::new(false),
                is_new: Cell::new(false),
                held_up: Cell::new(false),
                cut: Cell::new([false; 3]),
                apart: Cell::new([false; 3]),
                last_reason: RefCell::default(),
                story: RefCell::new(tell.then(Vec::new)),
                told: Cell::new(0),
            }
        })
    }

    /// Plays a schedule to its end, or until a promise is broken, and adds to the counts.
    pub fn play(schedule: &Schedule, counts: &mut Counts, tell: bool) -> Ending {
        let simulation = Self::new(schedule, tell);
        simulation.prepare();
        simulation.settle();
        simulation.rebuild_stranger();
        for step in &schedule.steps {
            if simulation.is_broken() {
                break;
            }
            simulation.say(|| format!("* {step}"));
            simulation.take(*step);
            simulation.settle();
            simulation.note_state();
        }
        if !simulation.is_broken() {
            simulation.calm();
        }
        time::end();
        counts.add(simulation.counts.take());
        Ending {
            violation: simulation.truth.borrow().violation.clone(),
            story: simulation.story.take().unwrap_or_default(),
        }
    }

    pub fn prepare(&self) {
        let ids = 0..self.setting.nodes;
        self.fleet.cluster().kept().last_at_once = Some(false);
        if self.setting.nodes == 2 {
            let mut kept = self.fleet.cluster().kept();
            kept.leave(NAMES[2]);
            kept.permanent.retain(|node, _| node.as_str() != NAMES[2]);
        }
        for id in ids {
            let mut instance = self.fleet.instance(NAMES[id]);
            instance.synchronous_standby_names = self.setting.sync[id].to_owned();
            instance.data.half_open = self.setting.half_open;
            instance.data.hides_half_open = self.setting.known == Some(Known::HalfOpen);
            instance.manners.promotion = match id % 2 {
                _ if self.setting.hasty => Obeys::AtOnce,
                0 => Obeys::AfterLooks(2),
                _ => Obeys::AfterLooks(12),
            };
        }
    }

    /// Somebody puts another database on the third node, once the cluster has a primary.
    fn rebuild_stranger(&self) {
        if !self.setting.foreign {
            return;
        }
        self.lose(2);
        self.settle();
        let mut instance = self.fleet.instance(NAMES[2]);
        instance.data.control.system = SystemId::from(8);
        instance.data.trail = Trail::root(1);
        instance.data.end = Lsn::from(instance.data.end.as_u64() + 1000);
    }

    pub fn take(&self, step: Step) {
        let (kind, possible) = self.describe(step);
        self.counts.borrow_mut().event(kind, possible);
        if !possible {
            return;
        }
        match step {
            Step::Tick => self.tick(),
            Step::Happen(what) => self.happen(what),
            Step::Arm(after, ambush) => self.armed.borrow_mut().push((after, ambush)),
            Step::Move(id) => self.wish(Some(id)),
            Step::Clear => self.wish(None),
            Step::Aside(id) => self.pacemaker.borrow_mut().nodes[id].aside = true,
            Step::Back(id) => self.pacemaker.borrow_mut().nodes[id].aside = false,
            Step::Leave(id) => {
                let mut pacemaker = self.pacemaker.borrow_mut();
                (pacemaker.nodes[id].aside, pacemaker.nodes[id].leaving) = (true, true);
            }
            Step::Return(id) => self.bring_back(id),
            Step::Cleanup => self.clean_up(),
        }
    }

    fn wish(&self, id: Option<Id>) {
        self.pacemaker.borrow_mut().wish = id;
        self.fleet.cluster().kept().preferred = id.and_then(|id| NodeName::new(NAMES[id]));
    }

    /// Pacemaker works until it has nothing more to do.
    pub fn settle(&self) {
        for _ in 0..MOST_TRANSITIONS {
            self.finish_leaving();
            self.observe();
            let plan = self.pacemaker.borrow().plan(&self.scores());
            if self.is_broken() || plan == Plan::default() {
                break;
            }
            self.carry_out(&plan);
        }
        self.observe();
    }

    fn scores(&self) -> Vec<Option<i32>> {
        let score = |name: &&str| self.fleet.cluster().permanent_of(name, "master-pgsqld");
        let scores = NAMES[..self.setting.nodes].iter().map(score);
        scores.map(|text| score::decode(&text?)).collect()
    }

    /// A node on which nothing runs any more leaves the cluster as it was told.
    fn finish_leaving(&self) {
        let mut pacemaker = self.pacemaker.borrow_mut();
        for id in pacemaker.which(|node| node.leaving && node.member && !node.runs()) {
            self.fleet.cluster().kept().leave(NAMES[id]);
            pacemaker.nodes[id].forget();
            pacemaker.nodes[id].aside = false;
        }
    }

    fn bring_back(&self, id: Id) {
        let mut pacemaker = self.pacemaker.borrow_mut();
        let aside = pacemaker.nodes[id].aside;
        pacemaker.nodes[id] = Node::new();
        pacemaker.nodes[id].aside = aside;
        let name = NodeName::new(NAMES[id]);
        self.fleet.cluster().kept().members.extend(name);
        self.set_apart(id, false);
    }

    fn clean_up(&self) {
        for node in &mut self.pacemaker.borrow_mut().nodes {
            if node.member && !node.unclean && (node.fails > 0 || node.banned) {
                (node.fails, node.banned, node.failed, node.capped) = (0, false, false, false);
                (node.known, node.monitored) = (pacemaker::Known::Unknown, false);
            }
        }
    }

    fn tick(&self) {
        time::pass(Duration::from_secs(15));
        self.checkpoint();
        let members = self
            .pacemaker
            .borrow()
            .which(|node| node.member && node.monitored);
        for id in members {
            self.monitor(id);
        }
    }

    fn note_state(&self) {
        let mut hasher = DefaultHasher::new();
        self.pacemaker.borrow().hash(&mut hasher);
        (self.cut.get(), self.apart.get()).hash(&mut hasher);
        for name in &NAMES[..self.setting.nodes] {
            let instance = self.fleet.instance(name);
            let data = &instance.data;
            let role = format!("{:?}", instance.processes);
            (role, data.timeline, data.end, &data.trail).hash(&mut hasher);
            let kept = self.fleet.cluster().kept();
            let node = NodeName::new(name).unwrap();
            (kept.permanent.get(&node), kept.of_members.get(&node)).hash(&mut hasher);
        }
        self.counts.borrow_mut().states.insert(hasher.finish());
    }

    /// The faults are over and all nodes come back: a primary must be there soon.
    fn calm(&self) {
        self.say(|| "* the faults are over, and all nodes come back".to_owned());
        self.armed.borrow_mut().clear();
        self.cut.set([false; 3]);
        for round in 0..ROUNDS {
            self.come_back(round);
            self.settle();
            self.tick();
            self.settle();
            for id in 0..self.setting.nodes {
                if self.may_stream(id) {
                    self.happen(Happening::Stream(id, true));
                }
            }
            if self.is_broken() || (round > 0 && self.has_primary()) {
                return;
            }
        }
        self.without_primary();
    }

    fn come_back(&self, round: usize) {
        let lost = {
            let pacemaker = self.pacemaker.borrow();
            let has_quorum = pacemaker.which(|node| node.member).len() >= pacemaker.quorum;
            pacemaker.which(|node| node.unclean && !has_quorum)
        };
        // An admin switches off what nobody can fence.
        lost.into_iter().for_each(|id| self.fence(id));
        for id in 0..self.setting.nodes {
            let is_away = {
                let mut pacemaker = self.pacemaker.borrow_mut();
                let node = &mut pacemaker.nodes[id];
                if !node.leaving {
                    node.aside = false;
                }
                !node.member && !node.unclean
            };
            let is_late = self.setting.hasty && self.truth.borrow().opener == Some(id);
            if is_away && !self.apart.get()[id] && !(is_late && round < LAST_BACK) {
                self.bring_back(id);
            }
        }
        if round % 4 == 0 {
            self.clean_up();
        }
    }

    pub fn has_primary(&self) -> bool {
        let pacemaker = self.pacemaker.borrow();
        let reigning =
            pacemaker.which(|node| node.member && node.known == pacemaker::Known::Primary);
        reigning.len() == 1 && self.primary() == Some(reigning[0])
    }

    fn without_primary(&self) {
        let reason = self.last_reason.borrow().clone();
        if reason.starts_with("Promotion refused") {
            let kind = kind_of(&reason);
            let mut counts = self.counts.borrow_mut();
            *counts.without_primary.entry(kind).or_default() += 1;
            return;
        }
        self.truth
            .borrow_mut()
            .broken(Violation::NoPrimary { reason });
    }
}

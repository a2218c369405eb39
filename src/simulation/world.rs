//! A simulation: the servers and the cluster in memory, what Pacemaker knows of them, and what
//! is true whatever anybody knows.

use std::cell::{Cell, RefCell};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::time::Duration;

use super::count::Counts;
use super::fleet::{Fleet, NAMES};
use super::invariant::{Truth, Violation};
use super::pacemaker::{Known, Pacemaker};
use super::schedule::{Ambush, Happening, Id, Schedule, Setting, Step};
use crate::instance::Role;
use crate::ocf::time::in_tests as time;
use crate::postgres::fake_instance::{Obeys, Processes};
use crate::postgres::fake_trail::Trail;
use crate::wal::{Lsn, SystemId};

/// Where all begin.
const HELD: &str = "1@0/3000000";
/// Transitions after which Pacemaker must have nothing more to do by itself.
const MOST_TRANSITIONS: usize = 8;
/// Rounds of monitors after the faults, within which a primary must be there.
const ROUNDS: usize = 14;

/// Who works, and since when.
#[derive(Debug, Clone, Copy)]
pub struct Actor {
    pub id: Id,
    pub since: Duration,
    pub limit: Duration,
    /// Of a promotion that comes ("pre") or has been ("post"), if that is what it is told.
    pub told: Option<&'static str>,
}

impl Actor {
    /// Whether it is this node, and is told that of a promotion.
    pub fn is_told(self, id: Id, when: &str) -> bool {
        self.id == id && self.told == Some(when)
    }
}

/// A simulation.
pub struct Simulation {
    pub fleet: Fleet,
    pub setting: Setting,
    pub pacemaker: RefCell<Pacemaker>,
    pub truth: RefCell<Truth>,
    pub counts: RefCell<Counts>,
    pub armed: RefCell<Vec<(u8, Ambush)>>,
    pub actor: Cell<Option<Actor>>,
    /// Whether a verb runs beside another one: nothing lies in wait for it.
    pub beside: Cell<bool>,
    /// Whether an action was held up.
    pub held_up: Cell<bool>,
    /// Whose replication does not work.
    pub cut: Cell<[bool; 3]>,
    /// Who is cut off from the cluster.
    pub apart: Cell<[bool; 3]>,
    /// Why the last promotion did not come true.
    pub last_reason: RefCell<String>,
    /// The story so far, if somebody wants to read it, and how many effects are in it.
    pub story: RefCell<Option<Vec<String>>>,
    told: Cell<usize>,
}

/// How a simulation ended.
pub struct Ending {
    pub violation: Option<Violation>,
    pub story: Vec<String>,
}

impl Simulation {
    /// The cluster of a schedule, at its beginning: all nodes are up, and nothing runs.
    fn new(schedule: &Schedule, tell: bool) -> Rc<Self> {
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
                pacemaker: RefCell::new(Pacemaker::new(setting.nodes)),
                truth: RefCell::new(Truth::new()),
                counts: RefCell::default(),
                armed: RefCell::default(),
                actor: Cell::new(None),
                beside: Cell::new(false),
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

    fn prepare(&self) {
        let ids = 0..self.setting.nodes;
        if self.setting.nodes == 2 {
            let mut kept = self.fleet.cluster().kept();
            kept.leave(NAMES[2]);
            kept.permanent.retain(|node, _| node.as_str() != NAMES[2]);
        }
        for id in ids {
            let mut instance = self.fleet.instance(NAMES[id]);
            instance.synchronous_standby_names = self.setting.sync[id].to_owned();
            instance.manners.promotion = Obeys::AfterLooks(2);
            instance.data.half_open = self.setting.half_open;
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

    fn is_broken(&self) -> bool {
        self.truth.borrow().violation.is_some()
    }

    /// Writes a line of the story.
    pub fn say(&self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut *self.story.borrow_mut() {
            let effects = self.fleet.journal.effects();
            let new = effects.iter().skip(self.told.get());
            story.extend(new.map(|effect| format!("        {effect}")));
            self.told.set(effects.len());
            story.push(line());
        }
    }

    fn take(&self, step: Step) {
        let (kind, possible) = self.describe(step);
        self.counts.borrow_mut().event(kind, possible);
        if !possible {
            return;
        }
        match step {
            Step::Tick => self.tick(),
            Step::Happen(what) => self.happen(what),
            Step::Arm(after, ambush) => self.armed.borrow_mut().push((after, ambush)),
            Step::Move(id) => self.pacemaker.borrow_mut().wish = Some(id),
            Step::Clear => self.pacemaker.borrow_mut().wish = None,
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

    /// The kind of a step, and whether it is possible now.
    fn describe(&self, step: Step) -> (&'static str, bool) {
        let pacemaker = self.pacemaker.borrow();
        let node = |id: Id| &pacemaker.nodes[id];
        let is_member = |id: Id| node(id).member && !node(id).unclean;
        match step {
            Step::Tick => ("tick", true),
            Step::Happen(what) => {
                drop(pacemaker);
                self.describe_happening(what)
            }
            Step::Arm(..) => ("arm", self.armed.borrow().len() < 3),
            Step::Move(id) => ("move", is_member(id) && node(id).known == Known::Standby),
            Step::Clear => ("clear", pacemaker.wish.is_some()),
            Step::Aside(id) => ("node standby", is_member(id) && !node(id).aside),
            Step::Back(id) => ("node unstandby", node(id).aside && !node(id).leaving),
            Step::Leave(id) => ("cluster stop", is_member(id) && !node(id).leaving),
            Step::Return(id) => {
                let is_away = !node(id).member && (!node(id).unclean || !node(id).power);
                ("return", is_away)
            }
            Step::Cleanup => (
                "cleanup",
                pacemaker
                    .nodes
                    .iter()
                    .any(|node| node.member && node.fails > 0),
            ),
        }
    }

    /// The same of a happening.
    pub fn describe_happening(&self, what: Happening) -> (&'static str, bool) {
        let pacemaker = self.pacemaker.borrow();
        let is_on = |id: Id| pacemaker.nodes.get(id).is_some_and(|node| node.power);
        let runs = |id: Id| is_on(id) && self.fleet.processes(NAMES[id]) != Processes::Nothing;
        let (cut, apart) = (self.cut.get(), self.apart.get());
        match what {
            Happening::Power(id) => ("power", is_on(id)),
            Happening::AllPower => ("all power", (0..pacemaker.nodes.len()).any(is_on)),
            Happening::InstanceCrash(id) => ("instance crash", runs(id)),
            Happening::Partition(id) => (
                "partition",
                is_on(id) && !apart[id] && pacemaker.nodes[id].member,
            ),
            Happening::Cut(id) => ("cut", is_on(id) && !cut[id]),
            Happening::Heal(id) => ("heal", cut[id]),
            Happening::Write(_) => ("write", self.primary().is_some()),
            Happening::Stream(id, true) => ("stream", self.may_stream(id)),
            Happening::Stream(id, false) => ("stream half", self.may_stream(id)),
            Happening::Monitor(id) => (
                "monitor beside",
                pacemaker
                    .nodes
                    .get(id)
                    .is_some_and(|node| node.monitored && node.power),
            ),
            Happening::Delay(_) => ("delay", self.actor.get().is_some()),
        }
    }

    /// The node on which clients can write: the address follows Pacemaker's primary, but one
    /// that is cut off still has its sessions.
    pub fn primary(&self) -> Option<Id> {
        (0..self.setting.nodes).find(|id| {
            let on = self
                .pacemaker
                .try_borrow()
                .is_ok_and(|p| p.nodes[*id].power);
            on && self.fleet.processes(NAMES[*id]) == Processes::Alive(Role::Primary)
        })
    }

    /// Pacemaker works until it has nothing more to do.
    pub fn settle(&self) {
        for _ in 0..MOST_TRANSITIONS {
            self.finish_leaving();
            self.observe();
            let plan = self.pacemaker.borrow().plan(&self.scores());
            if self.is_broken() || plan == super::pacemaker::Plan::default() {
                break;
            }
            self.carry_out(&plan);
        }
        self.observe();
    }

    fn scores(&self) -> Vec<Option<i32>> {
        let score = |name: &&str| self.fleet.cluster().permanent_of(name, "master-pgsqld");
        let scores = NAMES[..self.setting.nodes].iter().map(score);
        scores
            .map(|text| crate::record::score::decode(&text?))
            .collect()
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
        pacemaker.nodes[id] = super::pacemaker::Node::new();
        pacemaker.nodes[id].aside = aside;
        let name = crate::ocf::NodeName::new(NAMES[id]);
        self.fleet.cluster().kept().members.extend(name);
        self.set_apart(id, false);
    }

    fn clean_up(&self) {
        for node in &mut self.pacemaker.borrow_mut().nodes {
            if node.member && !node.unclean && (node.fails > 0 || node.banned) {
                (node.fails, node.banned, node.failed, node.capped) = (0, false, false, false);
                (node.known, node.monitored) = (Known::Unknown, false);
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
            let node = crate::ocf::NodeName::new(name).unwrap();
            (kept.permanent.get(&node), kept.of_members.get(&node)).hash(&mut hasher);
        }
        self.counts.borrow_mut().states.insert(hasher.finish());
    }

    /// The faults are over and all nodes come back: a primary must be there soon.
    fn calm(&self) {
        self.say(|| "* the faults are over, and all nodes come back".to_owned());
        self.armed.borrow_mut().clear();
        self.cut.set([false; 3]);
        self.pacemaker.borrow_mut().wish = None;
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
            if is_away && !self.apart.get()[id] {
                self.bring_back(id);
            }
        }
        if round % 4 == 0 {
            self.clean_up();
        }
    }

    fn has_primary(&self) -> bool {
        let pacemaker = self.pacemaker.borrow();
        let reigning = pacemaker.which(|node| node.member && node.known == Known::Primary);
        reigning.len() == 1 && self.primary() == Some(reigning[0])
    }

    fn without_primary(&self) {
        let reason = self.last_reason.borrow().clone();
        if reason.starts_with("Promotion refused") {
            let kind = super::count::kind_of(&reason);
            let mut counts = self.counts.borrow_mut();
            *counts.without_primary.entry(kind).or_default() += 1;
            return;
        }
        self.truth
            .borrow_mut()
            .broken(Violation::NoPrimary { reason });
    }
}

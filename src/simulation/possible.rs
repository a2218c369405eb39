//! Which steps are possible now, and what they are counted as.

use super::fleet::NAMES;
use super::pacemaker::Known;
use super::schedule::{Happening, Id, Step};
use super::state::Simulation;
use crate::postgres::fake_instance::Processes;

impl Simulation {
    /// What may lie in wait at once.
    fn most_armed(&self) -> usize {
        if self.setting.hasty { 8 } else { 3 }
    }

    /// The kind of a step, and whether it is possible now.
    pub fn describe(&self, step: Step) -> (&'static str, bool) {
        let pacemaker = self.pacemaker.borrow();
        let node = |id: Id| &pacemaker.nodes[id];
        let is_member = |id: Id| node(id).member && !node(id).unclean;
        match step {
            Step::Tick => ("tick", true),
            Step::Happen(what) => {
                drop(pacemaker);
                self.describe_happening(what)
            }
            Step::Arm(..) => ("arm", self.armed.borrow().len() < self.most_armed()),
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
}

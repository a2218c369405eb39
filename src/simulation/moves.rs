//! A move of the role to a node that lacks WAL, and whose constraint nobody removes.

use std::rc::Rc;

use super::fleet::NAMES;
use super::schedule::{Happening, Id, Schedule, Setting, Step};
use super::state::Simulation;
use crate::ocf::Rejoin;
use crate::ocf::time::in_tests as time;
use crate::postgres::fake_instance::HalfOpen;

const SETTING: Setting = Setting {
    sync: [""; 3],
    sync_guard: true,
    rejoin: Rejoin::Follow,
    maxlag: 0,
    nodes: 3,
    quorum: 2,
    foreign: false,
    oversleep: 0,
    half_open: HalfOpen::Nothing,
    archive: false,
    hasty: false,
    known: None,
};
const TARGET: Id = 2;

fn play(simulation: &Simulation, steps: &[Step]) {
    for step in steps {
        simulation.take(*step);
        simulation.settle();
    }
}

/// All are up, both standbys have received everything, and then the target is cut off.
fn cut_off(setting: Setting) -> Rc<Simulation> {
    let schedule = Schedule {
        setting,
        steps: Vec::new(),
    };
    let simulation = Simulation::new(&schedule, false);
    simulation.prepare();
    simulation.settle();
    play(&simulation, &[Step::Tick, Step::Tick]);
    assert_eq!(simulation.primary(), Some(0));
    let cut = [Happening::Cut(TARGET), Happening::Write(3)];
    play(&simulation, &cut.map(Step::Happen));
    simulation
}

fn fails(simulation: &Simulation) -> usize {
    usize::from(simulation.pacemaker.borrow().nodes[TARGET].fails)
}

fn score(simulation: &Simulation) -> Option<String> {
    let cluster = simulation.fleet.cluster();
    cluster.permanent_of(NAMES[TARGET], "master-pgsqld")
}

#[test]
fn it_is_refused_once_and_comes_true_when_the_node_has_caught_up() {
    let simulation = cut_off(SETTING);
    play(&simulation, &[Step::Move(TARGET), Step::Tick, Step::Tick]);
    assert_eq!(simulation.primary(), Some(0));
    assert_eq!(fails(&simulation), 1);
    assert_eq!(score(&simulation).as_deref(), Some("-1000001"));

    let heal = Step::Happen(Happening::Heal(TARGET));
    play(&simulation, &[heal, Step::Tick, Step::Tick]);
    assert_eq!(simulation.primary(), Some(TARGET));
    time::end();
}

/// Its place is kept for it for a minute only.
#[test]
fn it_costs_nothing_where_the_node_has_been_away_for_long() {
    let simulation = cut_off(SETTING);
    play(&simulation, &[Step::Tick; 6]);
    assert_eq!(score(&simulation).as_deref(), Some("-INFINITY"));
    play(&simulation, &[Step::Move(TARGET), Step::Tick]);
    assert_eq!(simulation.primary(), Some(0));
    assert_eq!(fails(&simulation), 0);
    time::end();
}

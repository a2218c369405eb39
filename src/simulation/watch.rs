//! What lies in wait for the calls of the agent: before each one the world may change, and the
//! call may fail, lose its answer, or be the agent's last.

use std::time::Duration;

use super::fleet::NAMES;
use super::schedule::{Ambush, Happening, Id};
use super::state::{Actor, Simulation};
use crate::ocf::time::in_tests as time;
use crate::testing::journal::{Begin, Trouble};

/// How long each call takes.
const CALL: Duration = Duration::from_millis(2);
/// The calls that need the rest of the cluster.
const OF_CLUSTER: [&str; 10] = [
    "configuration_version",
    "delete_permanent",
    "delete_private",
    "delete_transient",
    "has_fencing",
    "members",
    "node",
    "of_members",
    "permanent",
    "set_permanent",
];

impl Simulation {
    /// A call begins.
    pub fn see(&self, begin: &Begin<'_>) -> Option<Trouble> {
        let actor = self.actor.get()?;
        time::pass(CALL);
        self.observe();
        let due = if self.beside.get() {
            Vec::new()
        } else {
            self.due(actor, begin.effect.is_some())
        };
        let mut trouble = None;
        for ambush in due {
            self.say(|| format!("        -- before {}: {ambush:?}", begin.method));
            trouble = self.spring(ambush, actor).or(trouble);
        }
        if self.is_over(actor) {
            return Some(Trouble::KilledBefore);
        }
        let is_of_cluster = OF_CLUSTER.contains(&begin.method) || begin.method.starts_with("set_");
        if self.apart.get()[actor.id] && is_of_cluster {
            return Some(Trouble::Fails);
        }
        trouble
    }

    /// The machine is off, or Pacemaker's time-out is over.
    fn is_over(&self, actor: Actor) -> bool {
        let pacemaker = self.pacemaker.try_borrow();
        let is_off = pacemaker.is_ok_and(|pacemaker| !pacemaker.nodes[actor.id].power);
        is_off || time::passed() > actor.since + actor.limit
    }

    /// What has been waited for long enough. What is for an effect counts effects, the rest
    /// counts calls.
    fn due(&self, actor: Actor, is_effect: bool) -> Vec<Ambush> {
        let mut due = Vec::new();
        self.armed.borrow_mut().retain_mut(|(after, ambush)| {
            let is_due = match ambush {
                Ambush::Happen(_) => true,
                Ambush::Opened(_) => self.is_new.get(),
                Ambush::Mute(id) => is_effect && actor.is_told(*id, "pre"),
                Ambush::Late(_) => is_effect && actor.told == Some("pre"),
                _ => is_effect,
            };
            if !is_due {
                return true;
            }
            if *after > 0 {
                *after -= 1;
                return true;
            }
            due.push(*ambush);
            false
        });
        due
    }

    fn spring(&self, ambush: Ambush, actor: Actor) -> Option<Trouble> {
        match ambush {
            Ambush::Trouble(trouble) => {
                self.counts.borrow_mut().event(kind(trouble), true);
                return Some(trouble);
            }
            Ambush::Mute(_) => {
                self.counts.borrow_mut().event("mute voter", true);
                return Some(Trouble::KilledBefore);
            }
            Ambush::PowerHere => {
                self.counts.borrow_mut().event("power in an action", true);
                self.happen(Happening::Power(actor.id));
            }
            Ambush::Late(looks) => {
                self.counts.borrow_mut().event("late attribute", true);
                // A vote has two forms.
                self.fleet.cluster().kept().late = (usize::from(looks), 2);
            }
            Ambush::Happen(what) | Ambush::Opened(what) => {
                let (kind, possible) = self.describe_happening(what);
                self.counts.borrow_mut().event(kind, possible);
                if possible {
                    self.happen(what);
                }
            }
        }
        None
    }

    /// Something happens now.
    pub fn happen(&self, what: Happening) {
        match what {
            Happening::Power(id) => self.lose(id),
            Happening::AllPower => self.lose_all(),
            Happening::InstanceCrash(id) => self.fleet.instance(NAMES[id]).crash(),
            Happening::Partition(id) => self.part(id),
            Happening::Cut(id) => self.set_cut(id, true),
            Happening::Heal(id) => self.set_cut(id, false),
            Happening::Write(count) => self.write(count),
            Happening::Stream(id, whole) => self.stream(id, whole),
            Happening::Monitor(id) => self.monitor_beside(id),
            Happening::Delay(seconds) => {
                time::pass(Duration::from_secs(seconds.into()));
                self.held_up.set(true);
            }
        }
        self.observe();
        self.link_up();
    }

    fn monitor_beside(&self, id: Id) {
        if self.actor.get().is_some_and(|actor| actor.id == id) {
            return;
        }
        self.beside.set(true);
        self.monitor(id);
        self.beside.set(false);
    }
}

fn kind(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Fails => "failure",
        Trouble::AnswerLost => "lost answer",
        Trouble::KilledBefore => "killed before",
        Trouble::KilledAfter => "killed after",
    }
}

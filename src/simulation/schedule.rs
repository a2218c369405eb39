//! What happens in a simulation: a cluster, and a list of steps, both from a seed. A step that
//! is not possible when its turn comes does nothing, so that a list stays one when steps are
//! taken out of it.

use std::fmt;

use super::chance::Chance;
use super::fleet::NAMES;
use crate::election::rule::Rule;
use crate::ocf::Rejoin;
use crate::postgres::fake_instance::HalfOpen;
use crate::testing::journal::Trouble;

/// A node, by its place in `NAMES`.
pub type Id = usize;

/// The cluster, and how the world is.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// `synchronous_standby_names` of each node.
    pub sync: [&'static str; 3],
    pub sync_guard: bool,
    pub rejoin: Rejoin,
    /// Parameter `maxlag`, in bytes.
    pub maxlag: u64,
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them Pacemaker needs to act: two of three, or one alone (two nodes,
    /// `last_man_standing`, a quorum device).
    pub quorum: usize,
    /// The third node holds another database.
    pub foreign: bool,
    /// How long a pause takes at least, in milliseconds.
    pub oversleep: u64,
    /// How far a promotion comes that dies before its end.
    pub half_open: HalfOpen,
    /// The archive has what the primary wrote up to the last monitor.
    pub archive: bool,
    /// All aims at the moment after an opening: what lies in wait does so for a branch that has just
    /// been opened, promotions open at once, and who opened last comes back last.
    pub hasty: bool,
    /// A fault that the agent had once.
    pub known: Option<Known>,
}

/// A fault that the agent had between two effects, and that a test can put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// A promotion that dies between PostgreSQL's new WAL file and its control file is told by
    /// the control file alone.
    HalfOpen,
    /// A claim ends at the LSN of its vote, although a promotion replays what the archive has.
    Archive,
    /// A claim is nowhere but in the CIB, whose last write is lost when all nodes lose power.
    LostCib,
}

/// All of them.
pub const KNOWN: [Known; 3] = [Known::HalfOpen, Known::Archive, Known::LostCib];

impl Known {
    /// The rule of the election that is in the way of the fault.
    pub fn rule(self) -> Option<Rule> {
        match self {
            Self::HalfOpen => None,
            Self::Archive => Some(Rule::Opens),
            Self::LostCib => Some(Rule::Ledgers),
        }
    }
}

/// What happens to servers, machines and networks, at any moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A node loses power.
    Power(Id),
    /// All do.
    AllPower,
    /// All processes of PostgreSQL end by SIGKILL.
    InstanceCrash(Id),
    /// The node hears nothing of the others and they nothing of it; its server goes on.
    Partition(Id),
    /// Its replication stops.
    Cut(Id),
    /// Its replication goes on.
    Heal(Id),
    /// Clients of the primary commit so many transactions.
    Write(u8),
    /// The standby receives all that there is, or half of it.
    Stream(Id, bool),
    /// Its monitor runs, beside whatever else runs.
    Monitor(Id),
    /// Whoever works is held up for so many seconds.
    Delay(u8),
}

/// What lies in wait for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambush {
    /// For an effect.
    Trouble(Trouble),
    /// The node that works loses power before an effect.
    PowerHere,
    /// A vote arrives late.
    Late(u8),
    /// The agent of the node is killed before it votes.
    Mute(Id),
    /// Something happens before a call, whether it acts or looks.
    Happen(Happening),
    /// The same where a branch was opened, and the monitor of its primary has not come yet.
    Opened(Happening),
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Fifteen seconds pass, and all monitors run.
    Tick,
    Happen(Happening),
    /// So many effects (or calls) later.
    Arm(u8, Ambush),
    /// `pcs resource move --promoted`.
    Move(Id),
    /// `pcs resource clear`.
    Clear,
    /// `pcs node standby`.
    Aside(Id),
    /// `pcs node unstandby`.
    Back(Id),
    /// `pcs cluster stop`.
    Leave(Id),
    /// Pacemaker starts on the node, after a boot if it was off.
    Return(Id),
    /// `pcs resource cleanup`.
    Cleanup,
}

/// A simulation to be played.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub setting: Setting,
    pub steps: Vec<Step>,
}

const RULES: [&str; 6] = [
    "",
    "ANY 1 (n1, n2, n3)",
    "ANY 1 (n1, n2, n3)",
    "FIRST 1 (n1, n2, n3)",
    "ANY 2 (n1, n2, n3)",
    "FIRST 1 (n3, n2, n1)",
];
const DIFFERENT: [&str; 3] = ["ANY 1 (n2, n3)", "ANY 2 (n1, n3)", "ANY 1 (n1, n2)"];

impl Schedule {
    /// The schedule of a seed, of which `change` may change the setting.
    pub fn of(seed: u64, change: impl Fn(&mut Setting)) -> Self {
        let mut chance = Chance::from(seed);
        let mut setting = setting(&mut chance);
        change(&mut setting);
        let length = 4 + chance.below(24);
        // Some schedules are all moves, others all crashes: what comes one in ten times each
        // would never come thrice in a row.
        let weights: Vec<_> = USUAL
            .iter()
            .map(|weight| weight * chance.one(&[0, 1, 1, 2, 4]) + weight / 4)
            .collect();
        let steps = (0..length).map(|_| step(&mut chance, &weights, setting));
        Self {
            setting,
            steps: steps.collect(),
        }
    }
}

fn setting(chance: &mut Chance) -> Setting {
    let sync = if chance.percent(12) {
        DIFFERENT
    } else {
        [chance.one(&RULES); 3]
    };
    let nodes = if chance.percent(25) { 2 } else { 3 };
    Setting {
        sync: if nodes == 2 {
            [chance.one(&["", "ANY 1 (n1, n2)"]); 3]
        } else {
            sync
        },
        sync_guard: !chance.percent(5),
        rejoin: chance.one(&[Rejoin::Follow, Rejoin::Rewind]),
        maxlag: chance.one(&[0, 0, 0, 150]),
        nodes,
        quorum: if nodes == 2 || chance.percent(40) {
            1
        } else {
            2
        },
        foreign: nodes == 3 && chance.percent(4),
        oversleep: chance.one(&[1000, 700, 2000]),
        half_open: chance.one(&[HalfOpen::WalFile, HalfOpen::Signal, HalfOpen::History]),
        archive: chance.percent(40),
        hasty: false,
        known: None,
    }
}

/// Tick, Write, Stream, crash, move and the like, return, arm, and what is rare.
const USUAL: [usize; 8] = [16, 16, 20, 8, 8, 12, 24, 8];

fn step(chance: &mut Chance, weights: &[usize], setting: Setting) -> Step {
    let id = chance.below(setting.nodes);
    match chance.weighted(weights) {
        0 => Step::Tick,
        1 => Step::Happen(Happening::Write(1 + chance.below(3) as u8)),
        2 => Step::Happen(Happening::Stream(id, chance.percent(75))),
        3 => Step::Happen(fault(chance, id)),
        4 => planned(chance, id),
        5 => chance.one(&[
            Step::Return(id),
            Step::Back(id),
            Step::Cleanup,
            Step::Return(id),
        ]),
        6 if setting.hasty => arm_opening(chance, id),
        6 => arm(chance, id),
        _ => chance.one(&[
            Step::Happen(Happening::Cut(id)),
            Step::Happen(Happening::Heal(id)),
            Step::Happen(Happening::Monitor(id)),
            Step::Clear,
        ]),
    }
}

fn planned(chance: &mut Chance, id: Id) -> Step {
    chance.one(&[
        Step::Move(id),
        Step::Move(id),
        Step::Aside(id),
        Step::Leave(id),
    ])
}

fn fault(chance: &mut Chance, id: Id) -> Happening {
    chance.one(&[
        Happening::Power(id),
        Happening::Power(id),
        Happening::InstanceCrash(id),
        Happening::InstanceCrash(id),
        Happening::Partition(id),
        Happening::AllPower,
    ])
}

fn arm(chance: &mut Chance, id: Id) -> Step {
    let trouble = [
        Trouble::Fails,
        Trouble::AnswerLost,
        Trouble::KilledBefore,
        Trouble::KilledAfter,
    ];
    let effects = chance.below(14) as u8;
    let calls = chance.below(120) as u8;
    match chance.below(10) {
        0..3 => Step::Arm(effects, Ambush::Trouble(chance.one(&trouble))),
        3 => Step::Arm(0, Ambush::Mute(id)),
        4 => Step::Arm(effects, Ambush::PowerHere),
        5 => Step::Arm(
            chance.below(4) as u8,
            Ambush::Late(1 + chance.below(8) as u8),
        ),
        6 => Step::Arm(calls, Ambush::Happen(fault(chance, id))),
        7 => Step::Arm(calls, Ambush::Happen(Happening::Monitor(id))),
        8 => {
            let seconds = chance.one(&[1, 4, 12, 40, 130]);
            Step::Arm(calls, Ambush::Happen(Happening::Delay(seconds)))
        }
        _ => {
            let what = chance.one(&[
                Happening::Write(1),
                Happening::Stream(id, true),
                Happening::Cut(id),
            ]);
            Step::Arm(calls, Ambush::Happen(what))
        }
    }
}

/// What has to come at once to be felt: commits that a standby confirms, and then the power.
fn arm_opening(chance: &mut Chance, id: Id) -> Step {
    let what = chance.one(&[
        Happening::Write(1),
        Happening::Stream(id, true),
        Happening::Power(id),
        Happening::AllPower,
    ]);
    Step::Arm(chance.below(8) as u8, Ambush::Opened(what))
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Power(id) => write!(f, "{} loses power", NAMES[*id]),
            Self::AllPower => f.write_str("all nodes lose power"),
            Self::InstanceCrash(id) => write!(f, "PostgreSQL on {} is killed", NAMES[*id]),
            Self::Partition(id) => write!(f, "{} is cut off from the cluster", NAMES[*id]),
            Self::Cut(id) => write!(f, "the replication of {} stops", NAMES[*id]),
            Self::Heal(id) => write!(f, "the replication of {} goes on", NAMES[*id]),
            Self::Write(count) => write!(f, "clients commit {count} transactions"),
            Self::Stream(id, true) => write!(f, "{} receives all", NAMES[*id]),
            Self::Stream(id, false) => write!(f, "{} receives half", NAMES[*id]),
            Self::Monitor(id) => write!(f, "the monitor of {} runs beside it", NAMES[*id]),
            Self::Delay(seconds) => write!(f, "{seconds} s pass for nothing"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tick => f.write_str("15 s pass, and the monitors run"),
            Self::Happen(what) => what.fmt(f),
            Self::Arm(after, Ambush::Happen(what)) => write!(f, "{after} calls from now: {what}"),
            Self::Arm(after, Ambush::Opened(what)) => {
                write!(f, "{after} calls after an opening: {what}")
            }
            Self::Arm(after, Ambush::Trouble(what)) => {
                write!(f, "{after} effects from now: {what:?}")
            }
            Self::Arm(after, Ambush::PowerHere) => {
                write!(f, "{after} effects from now: its node loses power")
            }
            Self::Arm(_, Ambush::Mute(id)) => write!(f, "{} will not vote", NAMES[*id]),
            Self::Arm(after, Ambush::Late(looks)) => {
                write!(
                    f,
                    "{after} effects of voters from now: the vote is {looks} looks late"
                )
            }
            Self::Move(id) => write!(f, "the role is to move to {}", NAMES[*id]),
            Self::Clear => f.write_str("the role may be anywhere"),
            Self::Aside(id) => write!(f, "{} is put on standby", NAMES[*id]),
            Self::Back(id) => write!(f, "{} is no longer on standby", NAMES[*id]),
            Self::Leave(id) => write!(f, "Pacemaker stops on {}", NAMES[*id]),
            Self::Return(id) => write!(f, "{} comes back", NAMES[*id]),
            Self::Cleanup => f.write_str("an admin cleans up"),
        }
    }
}

//! The state that a seed draws.

use std::fmt;

use crate::run::chance::Chance;

/// What becomes of a standby before the primary is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It follows.
    Follows,
    /// Its connection is cut, and the primary sees that.
    CutOff,
    /// Its packets are lost, and the primary does not see that yet.
    Silent,
    /// Its receiver can connect to nobody.
    NoReceiver,
    /// Its replay is paused.
    Paused,
    /// It replays what is an hour old.
    Delayed,
    /// A ban keeps the resource off its node.
    Stopped,
    /// A ban keeps the role of the primary off it.
    Barred,
    /// Its node is in standby.
    NodeStandby,
    /// Somebody gave it a score that comes after all others.
    LowScore,
    /// Somebody gave it a negative score.
    NegativeScore,
    /// Its node has no power.
    Off,
}

const FATES: &[Fate] = &[
    Fate::Follows,
    Fate::Follows,
    Fate::Follows,
    Fate::CutOff,
    Fate::CutOff,
    Fate::Silent,
    Fate::NoReceiver,
    Fate::Paused,
    Fate::Delayed,
    Fate::Stopped,
    Fate::Barred,
    Fate::Barred,
    Fate::NodeStandby,
    Fate::LowScore,
    Fate::NegativeScore,
    Fate::Off,
];

impl Fate {
    /// Whether the node votes when the primary is lost.
    pub fn votes(self) -> bool {
        !matches!(self, Self::Stopped | Self::NodeStandby | Self::Off)
    }

    /// Whether it receives what the primary writes.
    pub fn receives(self) -> bool {
        self.votes() && !matches!(self, Self::CutOff | Self::Silent | Self::NoReceiver)
    }

    /// Whether the primary knows that it does not follow.
    pub fn is_away(self) -> bool {
        matches!(self, Self::CutOff | Self::NoReceiver)
    }

    /// The problem that `status` names on the primary because of it.
    pub fn problem(self) -> Option<&'static str> {
        match self {
            Self::Follows | Self::Silent | Self::Paused | Self::Delayed => None,
            Self::CutOff | Self::NoReceiver => Some("not-connected"),
            Self::Stopped | Self::Barred => Some("constraint-left"),
            Self::NodeStandby => Some("node-standby"),
            Self::LowScore | Self::NegativeScore => Some("foreign-score"),
            Self::Off => Some("offline"),
        }
    }
}

/// What is written once all is as it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Nothing.
    Nothing,
    /// 100 rows.
    Rows,
    /// Three megabytes of WAL and 100 rows: more than `maxlag` where that is set.
    Megabytes,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Of the favourite and the other standby.
    pub fates: [Fate; 2],
    /// Whether commits wait for one of the three nodes.
    pub synchronous: bool,
    /// Whether a standby may lag by no more than a megabyte.
    pub maxlag: bool,
    /// What is written.
    pub written: Written,
    /// Seconds until the prediction: nobody has noticed, monitors have, time for grace is over.
    pub wait: u64,
}

impl Plan {
    /// Draws a state.
    pub fn draw(chance: &mut Chance) -> Self {
        Self {
            fates: [chance.pick(FATES), chance.pick(FATES)],
            synchronous: chance.pick(&[false, true]),
            maxlag: chance.pick(&[false, false, true]),
            written: chance.pick(&[Written::Nothing, Written::Rows, Written::Megabytes]),
            wait: chance.pick(&[0, 0, 20, 20, 20, 70]),
        }
    }

    /// Whether a commit that waits for a standby is confirmed.
    pub fn confirms(&self) -> bool {
        !self.synchronous || self.fates.iter().any(|fate| fate.receives())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [favourite, other] = self.fates;
        let rule = if self.synchronous { "ANY 1" } else { "no rule" };
        let lag = if self.maxlag { ", maxlag 1 MB" } else { "" };
        let (written, wait) = (self.written, self.wait);
        write!(
            f,
            "favourite {favourite:?}, other {other:?}, {rule}{lag}, written {written:?}, {wait} s \
             later"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_drawn_again_from_its_seed() {
        crate::run::chance::assert_drawn_from_seed(Plan::draw);
    }

    #[test]
    fn every_fate_is_drawn() {
        let drawn = crate::run::chance::drawn(300, Plan::draw);
        for fate in FATES {
            assert!(
                drawn.iter().any(|plan| plan.fates.contains(fate)),
                "{fate:?}"
            );
        }
    }
}

//! Holds the election for this node, and does what it says: nothing but the promotion
//! itself, which follows a win.

use std::time::Duration;

use super::ballot::{self, Candidacy};
use super::evidence::Known;
use super::fetch::Fetch;
use super::replay::Rest;
use super::{bars, claim, position, scores, state};
use crate::election::{
    Ballot, Outvoted, Refusal, Verdict, asks_for_bars, asks_for_last_record, elect,
    elected_instead_of, explain, taken_timelines, to_be_fetched,
};
use crate::instance::{Role, State};
use crate::ocf::notify::Transition;
use crate::ocf::{Deadline, Failure, NodeName, OcfExit, Outcome};
use crate::pacemaker::Cluster;
use crate::postgres::Server;
use crate::system::Notes;
use crate::wal::{Lsn, Position, Timeline};

/// How often it is looked for votes that are still on their way: each look costs programs.
const POLL: Duration = Duration::from_millis(50);
/// How often it is looked whether PostgreSQL has left recovery: clients wait for it.
const CLOSE_POLL: Duration = Duration::from_millis(10);
/// How long votes are waited for: each node voted before this action began, so only the
/// attribute may still be on its way.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long the winner's scores may take: the look whether PostgreSQL has left recovery
/// comes after them, and must not run out of time.
const LONGEST_SCORES: Duration = Duration::from_secs(3);

/// The promotion of this node, if it wins its election.
pub struct Promotion<'a> {
    /// The standby.
    pub server: &'a dyn Server,
    /// Its cluster.
    pub cluster: &'a dyn Cluster,
    /// What earlier calls noted.
    pub notes: &'a Notes,
    /// The transition that wants it promoted.
    pub transition: &'a Transition,
    /// By when the action must have answered.
    pub deadline: Deadline,
}

/// An election that this node has won.
struct Won {
    ballot: Ballot,
    known: Known,
    /// The scores that follow from it.
    scores: Vec<(NodeName, i32)>,
}

impl Promotion<'_> {
    /// Holds the election, and opens the server for writing if this node wins.
    pub fn run(&self) -> Outcome {
        let (server, cluster, deadline) = (self.server, self.cluster, self.deadline);
        let Won {
            ballot,
            mut known,
            scores,
        } = self.win()?;
        // Replay is finished while the claim is on its way: clients wait for both.
        let mut replayed = Ok(());
        let mut replay = || replayed = self.replay(&ballot);
        claim::publish_during(
            server,
            cluster,
            (&ballot, &mut known),
            deadline,
            &mut replay,
        )?;
        if let Err(failure) = replayed.and_then(|()| self.reserve_timelines(&ballot)) {
            claim::withdraw(server, cluster, &ballot, deadline);
            return Err(failure);
        }
        // From here on the claim stays, whatever pg_ctl says: once the order is given,
        // PostgreSQL may leave recovery after our time is over. The next start or monitor of
        // this node settles it.
        server.promote(deadline)?;
        // PostgreSQL takes a while: time in which writing the scores costs nobody anything.
        if let Err(error) = scores::write_all(cluster, &scores, LONGEST_SCORES) {
            log::warn!("Promotion scores may be wrong until the next monitor: {error}");
        }
        let outcome = wait_until_primary(server, deadline)?;
        claim::note_opened(server, cluster, &mut known, deadline);
        Ok(outcome)
    }

    /// Finishes the replay of what this node voted with.
    fn replay(&self, ballot: &Ballot) -> Result<(), Failure> {
        let (server, deadline) = (self.server, self.deadline);
        let own = ballot.votes.get(&ballot.candidate);
        let target = own.map_or(Lsn::ZERO, |vote| vote.position.lsn);
        let rest = Rest {
            server,
            target,
            deadline,
        };
        rest.finish()
    }

    /// Returns how this node won, only if it may be promoted.
    fn win(&self) -> Result<Won, Failure> {
        ballot::ask_ahead(self.cluster);
        let mut held = self.held()?;
        let patience = self.deadline.within(LONGEST_WAIT);
        loop {
            let (mut ballot, known) = self.ballot(&held)?;
            ballot.wait_is_over = patience.passed();
            let verdict = self.verdict(&mut ballot);
            if matches!(verdict, Verdict::Wait { .. }) {
                patience.sleep(POLL);
                continue;
            }
            if self.fetch(&ballot)? {
                held = self.held()?;
                continue;
            }
            return self.follow((ballot, known), verdict);
        }
    }

    fn held(&self) -> Result<Position, Failure> {
        let held = position::of_standby(self.server, position::LONGEST_REPLAY, self.deadline)?;
        Ok(held.position)
    }

    fn ballot(&self, held: &Position) -> Result<(Ballot, Known), Failure> {
        let candidacy = Candidacy {
            server: self.server,
            cluster: self.cluster,
            held,
            transition: self.transition,
        };
        Ok(ballot::gather(&candidacy)?)
    }

    fn verdict(&self, ballot: &mut Ballot) -> Verdict {
        if asks_for_last_record(ballot) {
            self.look_at_last_record(ballot);
        }
        let verdict = elect(ballot);
        // Pacemaker is asked once, when all have voted who will.
        if matches!(verdict, Verdict::Wait { .. }) || !asks_for_bars(ballot) {
            return verdict;
        }
        bars::look(self.cluster, self.notes, ballot);
        elect(ballot)
    }

    /// What only a node holds that may not be promoted, this one had better fetch first.
    fn fetch(&self, ballot: &Ballot) -> Result<bool, Failure> {
        let Some((node, theirs)) = to_be_fetched(ballot) else {
            return Ok(false);
        };
        let fetch = Fetch {
            server: self.server,
            notes: self.notes,
            deadline: self.deadline,
            term: ballot.term(),
        };
        fetch.from(&node, &theirs)
    }

    fn follow(&self, (ballot, known): (Ballot, Known), verdict: Verdict) -> Result<Won, Failure> {
        self.log_decision(&ballot, &verdict);
        let scores = verdict.scores(&ballot, self.server.parameters().maxlag);
        match verdict {
            Verdict::Yield { to, reason } => {
                bars::note_yield(self.notes, &ballot, &to);
                Err(self.give_way(&scores, &to, &reason))
            }
            Verdict::Refuse { reason } => Err(refusal(&reason)),
            Verdict::Promote { .. } | Verdict::Wait { .. } => Ok(Won {
                ballot,
                known,
                scores,
            }),
        }
    }

    /// In doubt it is no shutdown checkpoint: the old primary has all commits and can have
    /// its role back.
    fn look_at_last_record(&self, ballot: &mut Ballot) {
        let Some(own) = ballot.votes.get_mut(&ballot.candidate) else {
            return;
        };
        let looked = self.server.ends_with_shutdown(&own.position, self.deadline);
        own.ends_with_shutdown = Some(looked.unwrap_or_else(|error| {
            log::warn!("Cannot read the last WAL record: {error}");
            false
        }));
    }

    fn log_decision(&self, ballot: &Ballot, verdict: &Verdict) {
        // Who counts as a voter follows from these lists, and Pacemaker logs them nowhere.
        log::info!("Pacemaker's transition: {}", self.transition);
        for line in explain(ballot, verdict, self.cluster.resource()) {
            log::info!("Election: {line}");
        }
        if let Verdict::Promote { warnings, .. } = verdict {
            for warning in warnings {
                log::warn!("Election: {warning}");
            }
        }
    }

    fn give_way(&self, scores: &[(NodeName, i32)], to: &NodeName, reason: &Outvoted) -> Failure {
        if let Err(error) = scores::write_all(self.cluster, scores, self.deadline.left()) {
            log::error!("Cannot give {to} the higher promotion score: {error}");
        }
        Failure::soft(format!("Promotion aborted: {reason}"))
    }

    /// Timelines that others may have opened while this node was not connected to them:
    /// PostgreSQL would take the same number again, and who streamed from the other one would
    /// stream across two branches.
    fn reserve_timelines(&self, ballot: &Ballot) -> Result<(), Failure> {
        let Some(own) = ballot.votes.get(&ballot.candidate) else {
            return Ok(());
        };
        let own = own.position.timeline;
        let taken = taken_timelines(own, &ballot.reigns).unwrap_or_else(|newest| {
            log::warn!("Not reserving timeline {newest}, which is on record: it is too far ahead");
            Vec::new()
        });
        taken
            .into_iter()
            .try_for_each(|timeline| self.reserve(own, timeline))
    }

    fn reserve(&self, own: Timeline, timeline: Timeline) -> Result<(), Failure> {
        log::info!("Not using timeline {timeline}: another node may have opened it");
        let reserved = self.server.reserve_timeline(own, timeline);
        reserved
            .map_err(|error| Failure::soft(format!("Cannot reserve timeline {timeline}: {error}")))
    }
}

fn refusal(reason: &Refusal) -> Failure {
    Failure::soft(format!("Promotion refused: {reason}"))
}

/// The role is verified: the server really is out of recovery.
pub fn wait_until_primary(server: &dyn Server, deadline: Deadline) -> Outcome {
    loop {
        let state = match state::now(server, deadline) {
            // The time was over in the middle of the look.
            Err(_) if deadline.passed() => return Err(still_in_recovery(server)),
            state => state?,
        };
        match state {
            State::Running(Role::Primary) => return Ok(OcfExit::Success),
            State::Stopped(_) | State::Crashed(_) | State::LeftBehind(_) => {
                return Err(Failure::soft(
                    "PostgreSQL exited during promotion; see its log",
                ));
            }
            _ if deadline.sleep(CLOSE_POLL) => {}
            _ => return Err(still_in_recovery(server)),
        }
    }
}

fn still_in_recovery(server: &dyn Server) -> Failure {
    let archive = state::restoring(server).map(|time| {
        format!(
            ": restore_command has been running for {} s",
            time.as_secs()
        )
    });
    let archive = archive.unwrap_or_default();
    Failure::soft(format!(
        "PostgreSQL is still in recovery after pg_ctl promote{archive}"
    ))
}

/// A promotion that is asked for again has come true. But one by hand was past all
/// elections: that node lacks what the elected primary wrote since.
pub fn confirm_elected(server: &dyn Server, cluster: &dyn Cluster) -> Outcome {
    let known = Known::gather(server, cluster, &cluster.permanent()?)?;
    match elected_instead_of(&known.node, &known.all.reigns()) {
        None => Ok(OcfExit::Success),
        Some(elected) => Err(Failure::soft(format!(
            "This primary was not elected (promoted by hand?); the last elected one is {elected}"
        ))),
    }
}

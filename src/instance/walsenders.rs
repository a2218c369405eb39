//! Which walsenders of a primary that stops are ended before their receivers are done.
//!
//! PostgreSQL writes the shutdown checkpoint when every walsender has sent all
//! (`WalSndWaitStopping`), and ends when every receiver has confirmed it. One frozen
//! receiver, anybody's, keeps it from either. SIGTERM for a walsender loses nothing: its
//! slot stays, and its receiver comes back to the next primary.
//!
//! A standby of the cluster that is cut off lacks the shutdown checkpoint, so the election
//! refuses it. That costs a planned change, and no row. So a standby has more time,
//! and the one that is behind goes first.

use std::time::Duration;

use super::activity::Process;
use super::control_data::ClusterState;

/// A walsender.
#[derive(Debug, Clone, Copy)]
pub struct Walsender<'a> {
    /// The process.
    pub process: &'a Process,
    /// Whether it is known to serve nobody of the cluster.
    pub is_foreign: bool,
    /// For how long it has done nothing in this part of the stop.
    pub idle: Duration,
}

/// How far the stop is.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The state in the control file.
    pub control: Option<ClusterState>,
    /// Whether anybody may still write WAL.
    pub has_sessions: bool,
    /// For how long it has been so.
    pub lasts: Duration,
    /// For how long the checkpointer has done nothing: before the shutdown checkpoint it may
    /// have another one to end.
    pub checkpointer_idle: Duration,
    /// Whether a standby is gone: once the checkpoint is written, that means that it has it.
    pub one_is_gone: bool,
}

/// How long the stop waits for whom.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a foreign walsender, once no standby of the cluster has received anything for
    /// as long.
    pub foreign: Duration,
    /// For a standby of the cluster that gets nothing, where another one has more.
    pub behind: Duration,
    /// For the standbys of the cluster, where none gets anything.
    pub own: Duration,
}

/// Those that are to be ended now.
pub fn to_end<'a>(
    moment: Moment,
    senders: &[Walsender<'a>],
    patience: Patience,
) -> Vec<&'a Process> {
    let waits_for_them = match moment.control {
        Some(ClusterState::InProduction) => !moment.has_sessions,
        Some(ClusterState::ShutDown) => true,
        _ => false,
    };
    if !waits_for_them {
        return Vec::new();
    }
    let over = senders.iter().filter(|sender| {
        if sender.is_foreign {
            own_idle(senders).min(moment.lasts) >= patience.foreign
        } else {
            let is_sent = moment.control == Some(ClusterState::ShutDown);
            let is_behind = (is_sent && moment.one_is_gone) || is_behind(sender, senders);
            let worked = moment.checkpointer_idle;
            own_idle(senders).min(worked) >= patience.own
                || (is_behind && sender.idle.min(worked) >= patience.behind)
        }
    });
    over.map(|sender| sender.process).collect()
}

/// For how long no standby of the cluster has received anything; without end if none is left.
fn own_idle(senders: &[Walsender<'_>]) -> Duration {
    let own = senders.iter().filter(|sender| !sender.is_foreign);
    own.map(|sender| sender.idle).min().unwrap_or(Duration::MAX)
}

/// Whether another standby of the cluster was sent more.
fn is_behind(sender: &Walsender<'_>, senders: &[Walsender<'_>]) -> bool {
    let own = senders.iter().filter(|other| !other.is_foreign);
    let foremost = own.filter_map(|other| other.process.sent()).max();
    sender
        .process
        .sent()
        .is_some_and(|sent| Some(sent) < foremost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::check_rows;

    const PATIENCE: Patience = Patience {
        foreign: Duration::from_secs(3),
        behind: Duration::from_secs(5),
        own: Duration::from_secs(10),
    };

    /// `own:4@100`: of the cluster, idle for 4 s, sent up to 0/100.
    fn sender(pid: i32, word: &str) -> (Process, bool, Duration) {
        let (whose, rest) = word.split_once(':').unwrap();
        let (idle, sent) = rest.split_once('@').unwrap();
        let process = Process {
            pid,
            started: 1,
            state: 'S',
            cpu_ticks: 0,
            io: None,
            title: format!("postgres: walsender u h(1) streaming 0/{sent}"),
        };
        (
            process,
            whose == "foreign",
            Duration::from_secs(idle.parse().unwrap()),
        )
    }

    fn moment(control: &str, words: &[&str]) -> Moment {
        let seconds = |name: &str| {
            let found = words.iter().find_map(|word| word.strip_prefix(name));
            Duration::from_secs(found.map_or(60, |text| text.parse().unwrap()))
        };
        Moment {
            control: ClusterState::named(&control.replace('-', " ")),
            has_sessions: words.contains(&"sessions"),
            lasts: seconds("lasts="),
            checkpointer_idle: seconds("checkpointer="),
            one_is_gone: words.contains(&"gone"),
        }
    }

    #[test]
    fn every_row_of_the_table_of_walsenders_holds() {
        check_rows(include_str!("testdata/walsenders.txt"), |words| {
            let senders = words.iter().filter(|word| word.contains('@'));
            let senders: Vec<_> = (1..)
                .zip(senders)
                .map(|(n, word)| sender(n, word))
                .collect();
            let senders: Vec<_> = senders
                .iter()
                .map(|(process, is_foreign, idle)| Walsender {
                    process,
                    is_foreign: *is_foreign,
                    idle: *idle,
                })
                .collect();
            let ended = to_end(moment(words[0], &words[1..]), &senders, PATIENCE);
            let ended: Vec<_> = ended.iter().map(|one| one.pid.to_string()).collect();
            if ended.is_empty() {
                "nobody".to_owned()
            } else {
                ended.join(" ")
            }
        });
    }
}

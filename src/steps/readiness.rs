//! Says which standbys could not be promoted if the primary were lost now: one line when that
//! begins, and one when it ends. The primary's monitor says it of all, where it has looked at
//! them anyway; a standby's of itself, with what only it knows.

use std::collections::BTreeMap;

use crate::election::scores::{Concerns, News, Outlook, Ranking, Roster, Unready};
use crate::instance::replication::Details;
use crate::instance::{NoAnswer, Role, State};
use crate::pacemaker::{Cluster, ToolError};
use crate::record::{Divergence, impairment, note};
use crate::system::Notes;

/// What is said of all standbys.
const OF_ALL: &str = "of all";
/// What a standby says of itself.
const OF_ITSELF: &str = "of itself";

/// Says it of all standbys, after a look at their scores; `false` if not all could be asked.
pub fn tell(cluster: &dyn Cluster, notes: &Notes, seen: (&Roster, &Ranking)) -> bool {
    match outlook(cluster, seen) {
        Ok(outlook) => say(notes, OF_ALL, &outlook.concerns()),
        Err(error) => {
            log::warn!("Cannot tell whether standbys could be promoted: {error}");
            return false;
        }
    }
    true
}

fn outlook<'a>(
    cluster: &dyn Cluster,
    (roster, ranking): (&'a Roster, &'a Ranking),
) -> Result<Outlook<'a>, ToolError> {
    let resource = cluster.resource();
    // Few are, and then only are they asked.
    let said = |name: String, some: bool| match some {
        true => cluster.of_members(&name),
        false => Ok(BTreeMap::new()),
    };
    let diverged = said(
        Divergence::NAME.of(resource),
        !ranking.missing_since.is_empty(),
    )?;
    let mut unsound = said(impairment::NAME.of(resource), !roster.impaired.is_empty())?;
    for node in &roster.unknown_error {
        unsound.insert(node.clone(), "it does not answer queries".to_owned());
    }
    Ok(Outlook {
        roster,
        ranking,
        unsound,
        diverged: diverged.into_keys().collect(),
        constraints: cluster.constraints()?,
    })
}

/// Says it of this server, if it is a standby. The next primary speaks anew of all.
pub fn tell_of_standby(notes: &Notes, state: &State, details: Option<&Details>) {
    let unready = match state {
        State::Running(Role::Standby) => of_running(notes, details),
        State::Busy(Role::Standby, why) => of_busy(notes, why),
        _ => return,
    };
    let this = "This standby";
    let concerns = unready.map(|unready| (this.to_owned(), unready.of(this)));
    say(notes, OF_ITSELF, &concerns.into_iter().collect());
}

fn of_running(notes: &Notes, details: Option<&Details>) -> Option<Unready> {
    if notes.read(&note::DIVERGED).is_some() {
        return Some(Unready::No("it has diverged".to_owned()));
    }
    if let Some(what) = notes.read(&note::IMPAIRED) {
        return Some(Unready::LastChoice(what));
    }
    match details {
        Some(Details::Standby {
            paused: Some(_), ..
        }) => {
            let why = "its replay is paused: SELECT pg_wal_replay_resume()";
            Some(Unready::Late(why.to_owned()))
        }
        _ => None,
    }
}

/// Right after a start it lets nobody in for moments.
fn of_busy(notes: &Notes, why: &NoAnswer) -> Option<Unready> {
    match (notes.read(&note::IMPAIRED), why) {
        (Some(what), _) => Some(Unready::LastChoice(what)),
        (None, NoAnswer::NotYet(_) | NoAnswer::NotAsked) => None,
        (None, NoAnswer::Unknown(said)) => Some(Unready::LastChoice(said.clone())),
        (None, why) => Some(Unready::No(format!("it cannot vote, {why}"))),
    }
}

fn say(notes: &Notes, scope: &str, now: &Concerns) {
    let said = notes.read(&note::UNREADY).unwrap_or_default();
    let news = News::between(&decode(scope, &said), now);
    for line in &news.begun {
        log::warn!("{line}");
    }
    for line in &news.over {
        log::info!("{line}");
    }
    let text = encode(scope, now);
    if text != said {
        notes.write(&note::UNREADY, &text);
    }
}

fn encode(scope: &str, concerns: &Concerns) -> String {
    let lines = concerns
        .iter()
        .map(|(who, what)| format!("{who}\t{what}\n"));
    format!("{scope}\n{}", lines.collect::<String>())
}

/// What was said of something else is over without a word.
fn decode(scope: &str, said: &str) -> Concerns {
    let Some((_, lines)) = said.split_once('\n').filter(|(first, _)| *first == scope) else {
        return Concerns::new();
    };
    let pairs = lines.lines().filter_map(|line| line.split_once('\t'));
    pairs
        .map(|(who, what)| (who.to_owned(), what.to_owned()))
        .collect()
}

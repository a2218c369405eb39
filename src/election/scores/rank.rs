//! From what the monitor gathered to the scores that must change.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::order::in_order;
use super::roster::{Change, Notice, Ranking, Reason, Roster};
use super::scale::{
    CLOSE, CONNECTING, EXCLUDED, FIRST_STANDBY, LAST_CHOICE, OUTVOTED, PRIMARY, STEP, is_excluded,
};
use crate::instance::replication::{Sender, SenderState};
use crate::ocf::NodeName;
use crate::record::missing::MissingSince;

/// The least score of a standby that follows, however many there are.
const LAST_PLACE: i32 = 2;

type Connections<'a> = BTreeMap<&'a NodeName, &'a Sender>;
type Wanted<'a> = (&'a NodeName, i32, Reason);

/// Decides the scores of all nodes.
pub fn rank(roster: &Roster) -> Ranking {
    let connected = connections(roster);
    let missing_since = missing_since(roster, &connected);
    let waiting: Vec<Wanted<'_>> = missing_since
        .iter()
        .map(|(node, since)| waiting_score(roster, &connected, node, *since))
        .collect();
    let mut wanted = vec![(&roster.primary, PRIMARY, Reason::Primary)];
    wanted.extend(follower_scores(roster, &connected, &waiting));
    wanted.extend(waiting);
    wanted.extend(
        roster
            .offline
            .iter()
            .filter_map(|node| offline_score(roster, node)),
    );
    Ranking {
        changes: changes(roster, wanted),
        notices: notices(roster, &connected),
        is_pending: !roster.unknown_error.is_empty()
            || !roster.impaired.is_empty()
            || missing_since.values().any(|since| roster.is_lately(*since)),
        missing_since,
    }
}

/// The best connection of each other member. Names are compared by equality.
fn connections(roster: &Roster) -> Connections<'_> {
    let mut connected = Connections::new();
    for sender in &roster.senders {
        let Some(node) = member_named(roster, &sender.name) else {
            continue;
        };
        let best = connected.entry(node).or_insert(sender);
        if quality(sender) > quality(best) {
            *best = sender;
        }
    }
    connected.remove(&roster.primary);
    connected
}

fn member_named<'a>(roster: &'a Roster, name: &str) -> Option<&'a NodeName> {
    roster.members.iter().find(|node| node.as_str() == name)
}

/// The better state, then the smaller lag.
fn quality(sender: &Sender) -> impl Ord + use<> {
    (sender.state, Reverse(sender.lag.unwrap_or(u64::MAX)))
}

fn follows(connected: &Connections<'_>, node: &NodeName) -> bool {
    let sender = connected.get(node);
    sender.is_some_and(|sender| sender.state == SenderState::Following)
}

/// Those within `maxlag` in order, then those beyond it. A candidate that is away for
/// a moment keeps its place; giving it away would cost two writes.
fn follower_scores<'a>(
    roster: &Roster,
    connected: &Connections<'a>,
    waiting: &[Wanted<'_>],
) -> Vec<Wanted<'a>> {
    let following = connected
        .iter()
        .filter(|(node, _)| follows(connected, node));
    let (lagging, near): (Vec<_>, Vec<_>) =
        following.partition(|(node, sender)| lags(roster, node, sender.lag));
    let near = near
        .into_iter()
        .map(|(node, sender)| (*node, sender.lag.unwrap_or(u64::MAX)));
    let near = in_order(roster, near.collect());
    let is_free =
        |score: &i32| *score <= LAST_PLACE || waiting.iter().all(|(_, held, _)| held != score);
    let free = (0..).map(score_of_place).filter(is_free);
    let places = 1..;
    let near: Vec<_> = near
        .into_iter()
        .zip(free.zip(places))
        .map(|((node, _), (score, place))| (node, score, Reason::Follows { place }))
        .map(|wanted| last_choice(roster, wanted))
        .collect();
    let lagging = lagging.into_iter().map(|(node, sender)| {
        (
            *node,
            exclusion(roster, node),
            Reason::Lags { lag: sender.lag },
        )
    });
    near.iter().copied().chain(lagging).collect()
}

/// A standby that cannot be asked cannot vote, and one that needs a restart first takes
/// longer: they are tried after all others.
fn last_choice<'a>(roster: &Roster, wanted: Wanted<'a>) -> Wanted<'a> {
    match wanted {
        (node, _, _) if roster.unknown_error.contains(node) => {
            (node, LAST_CHOICE, Reason::UnknownError)
        }
        (node, _, _) if roster.impaired.contains(node) => (node, LAST_CHOICE, Reason::Impaired),
        sound => sound,
    }
}

/// Whether a standby counts as beyond `maxlag`. One that is excluded already comes
/// back only when it is well within the limit, so that a lag at the limit does not
/// swing it.
fn lags(roster: &Roster, node: &NodeName, lag: Option<u64>) -> bool {
    let excluded = roster
        .scores
        .get(node)
        .is_some_and(|score| *score < CONNECTING);
    match Reach::of(limit(roster, node), lag) {
        Reach::Within => false,
        Reach::Near => excluded,
        Reach::Beyond => true,
    }
}

/// `maxlag`, and without one a limit all the same for a node to which a constraint will move the
/// role: the demotion waits until the node has received everything.
fn limit(roster: &Roster, node: &NodeName) -> u64 {
    if roster.maxlag == 0 && exclusion(roster, node) == OUTVOTED {
        CLOSE
    } else {
        roster.maxlag
    }
}

/// The score that excludes a node. What was outvoted stays so, until it is a candidate.
fn exclusion(roster: &Roster, node: &NodeName) -> i32 {
    let present = roster.scores.get(node).copied();
    present
        .filter(|score| *score == OUTVOTED)
        .unwrap_or(EXCLUDED)
}

/// How a lag stands to `maxlag`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// At most three quarters of it: an excluded standby is a candidate again.
    Within,
    /// Between that and `maxlag`: a standby stays what it is.
    Near,
    /// More than that, or not known: a candidate is excluded.
    Beyond,
}

impl Reach {
    /// Of a lag, `None` if it is not known. `maxlag` in bytes; 0: there is no limit.
    pub fn of(maxlag: u64, lag: Option<u64>) -> Self {
        match lag {
            _ if maxlag == 0 => Self::Within,
            Some(lag) if lag <= maxlag - maxlag / 4 => Self::Within,
            Some(lag) if lag <= maxlag => Self::Near,
            _ => Self::Beyond,
        }
    }
}

/// 1000, 990, … but never down to what excludes.
fn score_of_place(index: usize) -> i32 {
    let below = i32::try_from(index)
        .unwrap_or(i32::MAX)
        .saturating_mul(STEP);
    FIRST_STANDBY.saturating_sub(below).max(LAST_PLACE)
}

/// The members that do not follow, and since when.
fn missing_since(roster: &Roster, connected: &Connections<'_>) -> MissingSince {
    let others = roster
        .members
        .iter()
        .filter(|node| **node != roster.primary);
    let missing = others.filter(|node| !follows(connected, node));
    let since = |node| {
        roster
            .missing_since
            .get(node)
            .copied()
            .unwrap_or(roster.now)
    };
    missing.map(|node| (node.clone(), since(node))).collect()
}

/// The score of a member that does not follow: it is not connected, or has only begun
/// to be.
fn waiting_score<'a>(
    roster: &Roster,
    connected: &Connections<'_>,
    node: &'a NodeName,
    since: Duration,
) -> Wanted<'a> {
    let present = roster.scores.get(node).copied();
    let lately = roster.is_lately(since);
    let candidate = present.filter(|score| !is_excluded(*score) && lately);
    let state = connected.get(node).map(|sender| sender.state);
    match (state, candidate) {
        (Some(SenderState::Backup), _) => (node, CONNECTING, Reason::Connecting),
        (_, Some(score)) => (node, score.min(FIRST_STANDBY), Reason::Grace),
        (_, None) if is_cut_off(roster, node) => (node, LAST_CHOICE, Reason::NotConnected),
        (Some(_), None) if present == Some(OUTVOTED) => (node, OUTVOTED, Reason::Connecting),
        (Some(_), None) => (node, CONNECTING, Reason::Connecting),
        (None, None) => (node, exclusion(roster, node), Reason::NotConnected),
    }
}

/// A candidate that must confirm commits, and does not: while it and its like are away, commits
/// hang, so that it may hold all that was acknowledged. The guard of the election decides.
fn is_cut_off(roster: &Roster, node: &NodeName) -> bool {
    let score = roster.scores.get(node);
    let was_candidate = score.is_some_and(|score| !is_excluded(*score));
    was_candidate && roster.listed.contains(&node.as_str().to_ascii_lowercase())
}

/// An absent node keeps its score, unless it is that of a primary.
fn offline_score<'a>(roster: &Roster, node: &'a NodeName) -> Option<Wanted<'a>> {
    let present = roster.scores.get(node).copied()?;
    (*node != roster.primary).then(|| (node, present.min(FIRST_STANDBY), Reason::Offline))
}

fn changes(roster: &Roster, wanted: Vec<Wanted<'_>>) -> Vec<Change> {
    wanted
        .into_iter()
        .filter(|(node, score, _)| roster.scores.get(*node) != Some(score))
        .map(|(node, score, reason)| Change {
            node: node.clone(),
            score,
            reason,
        })
        .collect()
}

fn notices(roster: &Roster, connected: &Connections<'_>) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut seen = BTreeSet::new();
    let mut told = BTreeSet::new();
    for sender in &roster.senders {
        let again = !seen.insert(&sender.name);
        let notice = match member_named(roster, &sender.name) {
            None => Some(Notice::UnknownName(sender.name.clone())),
            Some(node) if *node == roster.primary => Some(Notice::OwnName(node.clone())),
            Some(node) if again => Some(Notice::Twice(node.clone())),
            Some(_) => None,
        };
        notices.extend(notice.filter(|notice| told.insert(notice.to_string())));
    }
    if !connected.keys().any(|node| follows(connected, node)) {
        notices.push(Notice::Alone);
    }
    notices
}

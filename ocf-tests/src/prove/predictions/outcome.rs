//! What happened, against what was predicted.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::arrange::Arranged;
use super::facts::Facts;
use super::said::Prediction;
use crate::machine::node::Node;
use crate::prove::judge::logged;

/// By then whoever can be promoted is.
const LIMIT: Duration = Duration::from_secs(90);
/// By then Pacemaker has had the lost node fenced, and has promoted whom it can.
const LONG_ENOUGH: Duration = Duration::from_secs(30);

/// In words, where it was as predicted. `before`: how often the logs had the reason before the cut.
pub fn judge(arranged: &Arranged, prediction: &Prediction, before: usize) -> Result<String> {
    match prediction.verdict.as_str() {
        "promote" if reason(prediction).is_some() => either(arranged, prediction, before),
        "promote" => promoted(arranged, prediction),
        "nobody" => nobody(arranged, prediction, before),
        "unknown" => unknown(arranged),
        other => bail!("verdict {other}"),
    }
}

/// How often the logs have the reason for which nobody is to be promoted: earlier rounds may have
/// had the same one.
pub fn refusals(arranged: &Arranged, prediction: &Prediction) -> usize {
    let reason = reason(prediction);
    reason.map_or(0, |reason| logged(&arranged.stage.scene.cluster, reason))
}

fn reason(prediction: &Prediction) -> Option<&str> {
    let otherwise = prediction.if_not_fetched.as_deref();
    let text = otherwise.unwrap_or(&prediction.text);
    text.strip_prefix("nobody is promoted: ")
}

fn voters<'a>(arranged: &'a Arranged) -> Vec<&'a Node> {
    let voters = arranged.standbys().filter(|(_, fate)| fate.votes());
    voters.map(|(node, _)| node).collect()
}

/// The standby that is open for writes.
fn open<'a>(arranged: &'a Arranged) -> Option<&'a Node> {
    let mut voters = voters(arranged).into_iter();
    voters.find(|node| {
        let answer = node.sql("SELECT NOT pg_is_in_recovery()");
        answer.is_ok_and(|answer| answer == "t")
    })
}

fn wait_open<'a>(arranged: &'a Arranged) -> Result<(&'a Node, f64)> {
    let start = Instant::now();
    let steps = &arranged.stage.scene.steps;
    let node = steps.wait("somebody to be promoted", LIMIT, || {
        open(arranged).context("nobody is")
    })?;
    Ok((node, start.elapsed().as_secs_f64()))
}

fn promoted(arranged: &Arranged, prediction: &Prediction) -> Result<String> {
    let (node, seconds) = wait_open(arranged)?;
    ensure!(prediction.names(&node.name), "{} was promoted", node.name);
    let rows = arranged.stage.rows(node)?;
    let lost = arranged.rows.saturating_sub(rows);
    if prediction.guaranteed {
        let safe = arranged.safe;
        ensure!(
            rows >= safe,
            "{rows} rows are there, {safe} were acknowledged"
        );
    }
    let fork = Facts::bytes(&fork(node)?).context("no fork")?;
    let gone = prediction.written.saturating_sub(fork);
    if let Some(behind) = prediction.behind {
        ensure!(
            gone <= behind,
            "{gone} bytes are lost, {behind} were at stake"
        );
        ensure!(
            behind > 0 || lost == 0,
            "{lost} rows are lost, 0 bytes were at stake"
        );
    }
    let name = &node.name;
    Ok(format!(
        "{name} after {seconds:.1} s, {lost} rows and {gone} bytes lost"
    ))
}

/// Somebody, or nobody: what the winner has to fetch first may be out of its reach.
fn either(arranged: &Arranged, prediction: &Prediction, before: usize) -> Result<String> {
    let steps = &arranged.stage.scene.steps;
    let is_refused = || refusals(arranged, prediction) > before;
    steps.wait("a promotion or the refusal", LIMIT, || {
        ensure!(open(arranged).is_some() || is_refused(), "neither");
        Ok(())
    })?;
    if open(arranged).is_some() {
        return promoted(arranged, prediction);
    }
    Ok("nobody was, since it could not fetch".to_owned())
}

/// Where the node's timeline begins.
fn fork(node: &Node) -> Result<String> {
    let timeline = node.sql("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)")?;
    let history = node.sql(&format!("SELECT pg_read_file('pg_wal/{timeline}.history')"))?;
    let mut lines = history.lines().rev().filter(|line| !line.is_empty());
    let fork = lines.next().and_then(|line| line.split('\t').nth(1));
    fork.map(str::to_owned).context(history.clone())
}

fn nobody(arranged: &Arranged, prediction: &Prediction, before: usize) -> Result<String> {
    let scene = arranged.stage.scene;
    let reason = reason(prediction).context("no reason")?;
    // One that is left alone has no quorum, and Pacemaker asks for no election.
    if prediction.held_an_election() {
        scene.steps.wait("the refusal", LIMIT, || {
            ensure!(open(arranged).is_none(), "somebody was promoted");
            let is_said = refusals(arranged, prediction) > before;
            ensure!(is_said, "no log has since then: {reason}");
            Ok(())
        })?;
    } else {
        scene.let_pass(LONG_ENOUGH, "for whoever is promoted all the same");
    }
    let opened = open(arranged).map(|node| node.name.as_str());
    ensure!(opened.is_none(), "{opened:?} was promoted");
    Ok("nobody was".to_owned())
}

/// That is an answer only where neither has told the primary what it holds.
fn unknown(arranged: &Arranged) -> Result<String> {
    let mut voters = arranged.standbys().filter(|(_, fate)| fate.votes());
    ensure!(
        voters.all(|(_, fate)| fate.is_away() || fate == super::plan::Fate::Silent),
        "it could have been told"
    );
    let (node, seconds) = wait_open(arranged)?;
    Ok(format!("{} after {seconds:.1} s", node.name))
}

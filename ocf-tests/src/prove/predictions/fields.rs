//! Every field of `status`, on each node with power, against the facts.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::arrange::Arranged;
use super::facts::{Facts, Sender, Server, is_fresh};
use super::plan::Fate;
use super::said::ask;
use crate::cluster::PATIENCE;
use crate::cluster::postgresql::MAIN;
use crate::cluster::state::Role;
use crate::machine::node::Node;

/// What was said, and what it ought to be.
struct Sheet {
    seen_from: String,
    compared: usize,
    wrong: Vec<String>,
}

impl Sheet {
    fn same(&mut self, what: &str, told: &Value, wanted: &str) {
        self.compared += 1;
        let told = match told {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if told != wanted {
            let from = &self.seen_from;
            self.wrong
                .push(format!("{from}: {what} is {told}, not {wanted}"));
        }
    }

    /// What is not known there may be left out.
    fn same_or_unknown(&mut self, what: &str, told: &Value, wanted: &str) {
        if !told.is_null() {
            self.same(what, told, wanted);
        }
    }
}

/// How many fields were compared. Nobody writes; what a monitor or PostgreSQL itself changes between
/// two looks is right in the next.
pub fn compare(arranged: &Arranged) -> Result<usize> {
    let steps = &arranged.stage.scene.steps;
    let mut compared = 0;
    for node in arranged.powered() {
        let what = format!("status on {} to be what others say", node.name);
        compared += steps.wait(&what, PATIENCE, || {
            let before = Facts::of(arranged)?;
            let said = ask(node, &["status"])?;
            let mut sheet = Sheet {
                seen_from: node.name.clone(),
                compared: 0,
                wrong: Vec::new(),
            };
            whole(&mut sheet, arranged, &before, &said);
            of_nodes(&mut sheet, arranged, &before, &said)?;
            around(&mut sheet, arranged, &before, &said);
            problems(&mut sheet, arranged, &said);
            ensure!(sheet.wrong.is_empty(), "{}", sheet.wrong.join("; "));
            Ok(sheet.compared)
        })?;
    }
    Ok(compared)
}

fn whole(sheet: &mut Sheet, arranged: &Arranged, facts: &Facts, said: &Value) {
    let primary = &arranged.stage.primary.name;
    let here = sheet.seen_from.clone();
    sheet.same("resource", &said["resource"], MAIN.resource);
    sheet.same("clone", &said["clone"], "pgsqld-clone");
    sheet.same("seen_from", &said["seen_from"], &here);
    sheet.same("primary", &said["primary"]["node"], primary);
    let system = facts.systems.get(&here).map_or("?", String::as_str);
    sheet.same("system", &said["system"], system);
    if let Some(server) = facts.servers.get(&here) {
        let version = server.version.split(' ').next().unwrap_or_default();
        sheet.same("postgresql", &said["postgresql"], version);
    }
    if let Some(server) = facts.servers.get(primary) {
        sheet.same("timeline", &said["primary"]["timeline"], &server.timeline);
        let rule = server.rule.replace(',', ", ");
        let rule = if rule.is_empty() { "null" } else { &rule };
        sheet.same("rule", &said["sync"]["rule"], rule);
        let needed = if rule == "null" { "0" } else { "1" };
        sheet.same("needed", &said["sync"]["needed"], needed);
    }
    sheet.same("guard", &said["sync"]["guard"], "true");
    election(sheet, primary, facts, said);
}

fn election(sheet: &mut Sheet, primary: &str, facts: &Facts, said: &Value) {
    let here = sheet.seen_from.clone();
    let reign = facts.state.attributes.iter();
    let mut reign = reign.filter(|(node, name, _)| node == primary && name == "reign-pgsqld");
    if let Some((_, _, reign)) = reign.next() {
        let of = |key: &str| {
            let mut words = reign.split(';');
            words
                .find_map(|word| word.strip_prefix(key))
                .unwrap_or("?")
                .to_owned()
        };
        sheet.same("election", &said["primary"]["election"], &of("term="));
    }
    let counted = ["sync", "quorum", "potential"];
    let confirming = facts.senders.values();
    let confirming = confirming.filter(|one| counted.contains(&one.sync.as_str()));
    let confirming = confirming.count().to_string();
    if here == *primary {
        sheet.same("confirming", &said["sync"]["confirming"], &confirming);
    } else {
        sheet.same("confirming", &said["sync"]["confirming"], "null");
    }
}

fn of_nodes(sheet: &mut Sheet, arranged: &Arranged, facts: &Facts, said: &Value) -> Result<()> {
    let cluster = &arranged.stage.scene.cluster;
    for node in &cluster.nodes {
        let nodes = said["nodes"].as_array().into_iter().flatten();
        let mut nodes = nodes.filter(|one| one["node"] == node.name.as_str());
        let shown = nodes.next().context("a node is missing")?;
        let fate = arranged.standbys().find(|(one, _)| *one == node);
        let fate = fate.map(|(_, fate)| fate);
        by_pacemaker(sheet, node, facts, shown);
        positions(sheet, arranged, (node, fate), facts, shown);
        candidacy(sheet, node, fate, shown);
        let name = |what: &str| format!("{} of {}", what, node.name);
        sheet.same(&name("diverged"), &shown["diverged"], "null");
        sheet.same(&name("failed_actions"), &shown["failed_actions"], "[]");
    }
    Ok(())
}

fn by_pacemaker(sheet: &mut Sheet, node: &Node, facts: &Facts, shown: &Value) {
    let name = |what: &str| format!("{} of {}", what, node.name);
    let nodes = facts.state.nodes.iter();
    let mut online = nodes.filter(|one| one.name == node.name);
    let online = online.next().is_some_and(|one| one.online);
    sheet.same(&name("online"), &shown["online"], &online.to_string());
    let runs = |role: &Role| facts.state.on(MAIN.resource, role).contains(&node.name);
    let role = match (runs(&Role::Promoted), runs(&Role::Unpromoted)) {
        (true, _) => "primary",
        (_, true) => "standby",
        _ => "stopped",
    };
    let told = &shown["role"];
    // Of one without power nothing is known.
    if online {
        sheet.same(&name("role"), told, role);
    }
    let by_sql = facts.servers.get(&node.name);
    let by_sql = by_sql.map(|one| if one.is_standby { "standby" } else { "primary" });
    if let Some(role) = by_sql {
        sheet.same(&name("role by SQL"), told, role);
    }
    let scores = facts.state.attributes.iter();
    let scores = scores.filter(|(on, name, _)| *on == node.name && name == "master-pgsqld");
    let scores: Vec<_> = scores.map(|(_, _, value)| value.as_str()).collect();
    // The agent's own, of which that by hand takes the place.
    let own = scores.first().copied().unwrap_or("null");
    // crm_mon tells them of members alone.
    if online && scores.len() < 2 && !["5", "-5"].contains(&own) {
        let own = if own == "-INFINITY" { "-1000000" } else { own };
        sheet.same(&name("score"), &shown["score"], own);
    }
}

fn positions(
    sheet: &mut Sheet,
    arranged: &Arranged,
    (node, fate): (&Node, Option<Fate>),
    facts: &Facts,
    shown: &Value,
) {
    let name = |what: &str| format!("{} of {}", what, node.name);
    let primary = &arranged.stage.primary.name;
    let is_at_primary = sheet.seen_from == *primary;
    let is_own = sheet.seen_from == node.name;
    let Some(server) = facts.servers.get(&node.name) else {
        return sheet.same(&name("received"), &shown["received"], "null");
    };
    let received = &shown["received"]["lsn"];
    let end = facts
        .servers
        .get(primary)
        .map_or("", |server| server.held.as_str());
    let sender = facts.senders.get(&node.name);
    match (is_own, is_at_primary, sender) {
        (true, ..) => of_itself(sheet, node, server, shown),
        (_, true, Some(sender)) => {
            followed(sheet, node, (end, sender), shown);
            if is_fresh(fate) {
                sheet.same(&name("received by its own word"), received, &server.held);
                sheet.same(&name("timeline"), &shown["timeline"], &server.timeline);
            }
        }
        // The primary, as a standby heard of it.
        _ if node.name == *primary => {
            sheet.same(&name("timeline"), &shown["timeline"], &server.timeline);
        }
        _ => sheet.same(&name("received"), &shown["received"], "null"),
    }
}

/// On its own node.
fn of_itself(sheet: &mut Sheet, node: &Node, server: &Server, shown: &Value) {
    let name = |what: &str| format!("{} of {}", what, node.name);
    sheet.same(&name("received"), &shown["received"]["lsn"], &server.held);
    sheet.same(&name("timeline"), &shown["timeline"], &server.timeline);
    if server.is_standby {
        sheet.same(
            &name("replayed"),
            &shown["replayed"]["lsn"],
            &server.replayed,
        );
        let lag = Facts::distance(&server.told, &server.held);
        sheet.same_or_unknown(&name("lag"), &shown["lag_bytes"], &lag);
    }
}

/// Of a standby, at the primary.
fn followed(sheet: &mut Sheet, node: &Node, (end, sender): (&str, &Sender), shown: &Value) {
    let name = |what: &str| format!("{} of {}", what, node.name);
    sheet.same(
        &name("received"),
        &shown["received"]["lsn"],
        &sender.flushed,
    );
    sheet.same(
        &name("replayed"),
        &shown["replayed"]["lsn"],
        &sender.replayed,
    );
    sheet.same(&name("sync_state"), &shown["sync_state"], &sender.sync);
    let lag = Facts::distance(end, &sender.flushed);
    sheet.same(&name("lag"), &shown["lag_bytes"], &lag);
    let lag = Facts::distance(end, &sender.replayed);
    sheet.same(&name("replay lag"), &shown["replay_lag_bytes"], &lag);
}

fn candidacy(sheet: &mut Sheet, node: &Node, fate: Option<Fate>, shown: &Value) {
    let what = format!("candidate of {}", node.name);
    let why = shown["why_not"].as_str().unwrap_or_default().to_owned();
    let told = &shown["candidate"];
    match fate {
        None => sheet.same(&what, told, "false"),
        Some(Fate::Stopped) => sheet.same(&format!("{what} ({why})"), told, "false"),
        Some(Fate::NodeStandby) => sheet.same(&what, &why.into(), "node in standby"),
        Some(Fate::Off) => sheet.same(&what, &why.into(), "offline"),
        Some(Fate::Barred | Fate::NegativeScore) => {
            let is_barred = why.starts_with("barred by");
            sheet.same(&format!("{what} ({why})"), &is_barred.into(), "true");
        }
        Some(_) => {
            // The score alone says it of the others: it is compared itself.
            let score = shown["score"].as_i64().unwrap_or(-1);
            sheet.same(&format!("{what} ({why})"), told, &(score >= 0).to_string());
        }
    }
}

fn around(sheet: &mut Sheet, arranged: &Arranged, facts: &Facts, said: &Value) {
    let cluster = &said["cluster"];
    sheet.same(
        "quorate",
        &cluster["quorate"],
        &facts.state.quorum.to_string(),
    );
    let online = facts.state.nodes.iter().filter(|node| node.online).count();
    sheet.same("online", &cluster["online"], &online.to_string());
    sheet.same("fencing", &cluster["fencing"], "true");
    sheet.same("maintenance", &cluster["maintenance"], "false");
    let left = cluster["constraints_left"].as_array().into_iter().flatten();
    let mut left: Vec<_> = left.filter_map(Value::as_str).collect();
    left.sort_unstable();
    let bans = facts.state.bans.iter();
    let bans = bans.filter_map(|ban| ban.split(" on ").next());
    let mut bans: Vec<_> = bans.filter(|id| id.starts_with("cli-")).collect();
    bans.sort_unstable();
    sheet.same("constraints_left", &left.join(" ").into(), &bans.join(" "));
    for device in cluster["fence_devices"].as_array().into_iter().flatten() {
        let id = device["id"].as_str().unwrap_or_default();
        let runs_on = facts.devices.get(id).map_or("null", String::as_str);
        sheet.same(&format!("{id} runs on"), &device["runs_on"], runs_on);
    }
    let devices = cluster["fence_devices"].as_array().map_or(0, Vec::len);
    let nodes = arranged.stage.scene.cluster.nodes.len();
    sheet.same("fence devices", &devices.into(), &nodes.to_string());
}

/// What was arranged is named where it can be seen.
fn problems(sheet: &mut Sheet, arranged: &Arranged, said: &Value) {
    let all = said["problems"].as_array().into_iter().flatten();
    let all: Vec<_> = all
        .map(|one| format!("{} {}", one["id"], one["node"]).replace('"', ""))
        .collect();
    let is_at_primary = sheet.seen_from == arranged.stage.primary.name;
    for (node, fate) in arranged.standbys() {
        let is_seen = is_at_primary || !fate.is_away();
        let Some(id) = fate.problem().filter(|_| is_seen) else {
            continue;
        };
        let of_node = all.contains(&format!("{id} {}", node.name));
        let is_named = of_node || all.contains(&format!("{id} null"));
        let what = format!("problem {id} of {} among {all:?}", node.name);
        sheet.same(&what, &is_named.into(), "true");
    }
}

//! A look, from a few lines of text: the cluster as Pacemaker writes it, this node's server,
//! and what is on record.
//!
//! ```text
//! here srv1
//! node srv1 primary 1001        a member, what runs there, its promotion score
//! node srv3 away -              no member; `stopped`: a member on which nothing runs; `left`,
//!                               `fenced`, `lost` (and not fenced yet): no member, and why
//! writes 2@0/5000000<1@0/4000000
//! receiver srv2 0/5000000 0/4FFFF00 quorum
//! sync ANY 1 (srv2, srv3)       on the primary here, and in the last reign
//! stands 2@0/5000000<1@0/4000000 of 0/5000100     a standby here, and the primary's end
//! reign srv1 7 2@0/4000000<1@0/4000000
//! attribute srv3 diverged-pgsqld 1#…
//! failed srv3 start 1 the reason
//! pending srv3 start            an action that goes on
//! still srv2                     as the primary has seen it, it replays nothing for a while
//! device fence-srv1 srv1 srv2     a fence device, the node that it is for, and where it runs (or -)
//! location cli-ban-x srv2 -INFINITY Promoted   a constraint; `rule` before the node: by a rule
//! target-role Stopped
//! no-device                      without that, there is one for all, which runs
//! device-failed fence-srv1 srv3 start the reason
//! maxlag 8192
//! timeline 2@0/4000000<1@0/4000000      a history file
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use super::pieces::{Device, kept, leftover, location, lsn, nvpair, operation, receiver, survey};
use crate::instance::Survey;
use crate::instance::capacity::Capacity;
use crate::instance::slots::Kept;
use crate::instance::survey::{Follower, Receiver, Says, Writer};
use crate::ocf::NodeName;
use crate::record::reign::Stage;
use crate::record::{Constraint, Evidence, Reign, SyncRule};
use crate::testing::node;
use crate::view::cib::Cib;
use crate::view::seen::{Known, Leftover, Local, Policy, Seen};
use crate::wal::notation::position;
use crate::wal::{Lsn, Position};

/// 27 November 2026, 03:12:44 UTC.
const NOW: u64 = 1_795_749_164;

/// What a world is made of before it is a look.
#[derive(Default)]
struct Parts {
    here: Option<NodeName>,
    silence: Option<String>,
    nodes: Vec<(String, String, String)>,
    attributes: Vec<(String, String, String)>,
    failed: Vec<(String, String, String, String)>,
    options: String,
    devices: Option<Vec<Device>>,
    constraints: String,
    target_role: String,
    bans: Vec<Constraint>,
    receivers: Vec<Receiver>,
    sync: String,
    writes: Option<Position>,
    stands: Option<(Position, Lsn)>,
    reigns: Vec<Reign>,
    timelines: Vec<Position>,
    pending: Vec<(String, String)>,
    max_lag: u64,
    paused: bool,
    delayed: bool,
    still: std::collections::BTreeSet<NodeName>,
    replayed: Option<Lsn>,
    dead: bool,
    leftover: Option<Leftover>,
    unread_mark: Option<String>,
    grants: Vec<String>,
    slots: Vec<Kept>,
}

/// The look of these lines.
pub fn world(facts: &[&str]) -> Seen {
    let mut parts = Parts::default();
    for fact in facts {
        parts.add(fact);
    }
    parts.seen()
}

impl Parts {
    fn add(&mut self, fact: &str) {
        let (kind, rest) = fact.split_once(' ').unwrap_or((fact, ""));
        let words: Vec<_> = rest.split(' ').map(str::to_owned).collect();
        let word = |index: usize| words.get(index).cloned().unwrap_or_default();
        match kind {
            "here" => self.here = Some(node(rest)),
            "silent" => self.silence = Some(rest.to_owned()),
            "node" => self.nodes.push((word(0), word(1), word(2))),
            "attribute" => self
                .attributes
                .push((word(0), word(1), words[2..].join(" "))),
            "failed" => self
                .failed
                .push((word(0), word(1), word(2), words[3..].join(" "))),
            "option" => self.option(&word(0), &word(1)),
            "constraint" => self.constraint(rest),
            "ban" => self.ban(rest),
            "location" => self.location(&words),
            "target-role" => self.target_role = nvpair("target-role", rest),
            "writes" => self.writes = Some(position(rest)),
            "stands" => self.stands = Some((position(&word(0)), lsn(&word(2)))),
            "receiver" => self.receivers.push(receiver(&words)),
            "sync" => self.sync = rest.to_owned(),
            "reign" => self.reign(&words),
            "timeline" => self.timelines.push(position(rest)),
            "pending" => self.pending.push((word(0), word(1))),
            "no-device" => self.devices = Some(Vec::new()),
            "device" | "device-failed" => Device::add(&mut self.devices, kind, &words),
            "maxlag" => self.max_lag = rest.parse().unwrap(),
            "paused" => self.paused = true,
            "delayed" => self.delayed = true,
            "replayed" => self.replayed = Some(lsn(rest)),
            "still" => drop(self.still.insert(node(rest))),
            "dead" => self.dead = true,
            "unread-mark" => self.unread_mark = Some(rest.to_owned()),
            "rebuild" => self.leftover = Some(leftover(rest)),
            "grant" => self.grants.push(rest.to_owned()),
            "slot" => self.slots.push(kept(&words)),
            other => panic!("{other:?}"),
        }
    }

    fn option(&mut self, name: &str, value: &str) {
        let pair = nvpair(name, value);
        self.options.push_str(&pair);
    }

    fn constraint(&mut self, id: &str) {
        let line = format!("<rsc_location id=\"{id}\" rsc=\"pgsqld-clone\"/>");
        self.constraints.push_str(&line);
    }

    fn location(&mut self, words: &[String]) {
        let line = location(words);
        self.constraints.push_str(&line);
    }

    fn ban(&mut self, name: &str) {
        let id = format!("cli-ban-{name}");
        self.constraint(&id);
        self.bans.push(Constraint {
            id,
            resource: "pgsqld-clone".to_owned(),
            node: Some(node(name)),
        });
    }

    fn reign(&mut self, words: &[String]) {
        let held = position(&words[2]);
        let rule = SyncRule::parse(&self.sync).unwrap();
        let mut reign = Reign::claim(node(&words[0]), held, rule, words[1].parse().unwrap());
        reign.stage = Stage::Opened;
        reign.particulars.held_at = Some(NOW - 3600);
        self.reigns.push(reign);
    }

    fn seen(self) -> Seen {
        let evidence = Evidence::of(self.reigns.clone());
        let scores = self.scores();
        let is_excluded = |node: &NodeName| scores.get(node).is_some_and(|score| *score < 0);
        let bans = self.bans.iter().filter_map(|ban| ban.node.clone());
        let (tried, bars): (BTreeMap<_, _>, BTreeMap<_, _>) = bans
            .map(|node| {
                let bar = crate::election::Bar {
                    what: format!("cli-ban-{node}"),
                    command: format!("pcs resource clear pgsqld-clone {node}"),
                    command_of_crmsh: None,
                };
                (node, bar)
            })
            .partition(|(node, _)| is_excluded(node));
        Seen {
            at: Duration::from_secs(NOW),
            here: self.here.clone(),
            cib: Cib::parse(&self.cib(), None).unwrap(),
            silence: self.silence.clone(),
            local: self.here.is_some().then(|| self.local()),
            known: Known {
                published: evidence.clone(),
                all: evidence,
                unreadable: std::collections::BTreeSet::new(),
            },
            scores: self.scores(),
            forces: std::collections::BTreeMap::new(),
            bars,
            bars_once_tried: tried,
            policy: Policy {
                max_loss: 0,
                max_lag: self.max_lag,
                sync_guard: true,
            },
        }
    }

    fn scores(&self) -> std::collections::BTreeMap<NodeName, i32> {
        let all = self.nodes.iter();
        all.filter_map(|(name, _, score)| Some((node(name), score.parse().ok()?)))
            .collect()
    }

    fn local(&self) -> Local {
        let position = self
            .writes
            .clone()
            .or(self.stands.as_ref().map(|(held, _)| held.clone()));
        let survey = self.writer().or(self.follower()).map(|survey| Survey {
            slots: self.slots.clone(),
            ..survey
        });
        Local {
            trouble: survey.is_none().then(|| "it does not run".to_owned()),
            is_stopped: self.dead,
            still: self.still.clone(),
            leftover: self.leftover.clone(),
            unread_mark: self.unread_mark.clone(),
            grants: self.grants.clone(),
            timelines: self
                .timelines
                .iter()
                .map(|one| (one.timeline, one.history.clone()))
                .collect(),
            survey,
            position,
            ..Local::default()
        }
    }

    fn writer(&self) -> Option<Survey> {
        let held = self.writes.as_ref()?;
        Some(survey(Says::Primary(Writer {
            timeline: Some(held.timeline),
            written: held.lsn,
            synchronous_standby_names: self.sync.clone(),
            receivers: self.receivers.clone(),
        })))
    }

    fn follower(&self) -> Option<Survey> {
        let (held, end) = self.stands.as_ref()?;
        Some(survey(Says::Standby(Follower {
            received: Some(held.lsn),
            replayed: self.replayed.or(Some(held.lsn)),
            received_timeline: Some(held.timeline),
            streams: true,
            primary_end: Some(*end),
            is_paused: self.paused,
            is_delayed: self.delayed,
            capacity: Capacity([0; 5]),
        })))
    }

    /// As Pacemaker 2.1.5 writes it.
    fn cib(&self) -> String {
        let mut nodes = String::new();
        let mut status = String::new();
        let devices = self.devices();
        for (name, running, _) in &self.nodes {
            let _ = write!(nodes, "<node id=\"{name}\" uname=\"{name}\"/>");
            status.push_str(&self.state(name, running, &devices));
        }
        let status = if self.silence.is_some() {
            String::new()
        } else {
            status
        };
        let devices: String = devices.iter().map(Device::primitive).collect();
        format!(
            "<cib have-quorum=\"1\"><configuration>\
             <crm_config><cluster_property_set>{}</cluster_property_set></crm_config>\
             <nodes>{nodes}</nodes><resources><clone id=\"pgsqld-clone\">\
             <meta_attributes>{}</meta_attributes>\
             <primitive id=\"pgsqld\" class=\"ocf\" provider=\"heartbeat\" type=\"pgsqlms\"/></clone>\
             {devices}</resources><constraints>{}</constraints></configuration>\
             <status>{status}</status></cib>",
            self.options, self.target_role, self.constraints
        )
    }

    fn devices(&self) -> Vec<Device> {
        let first = self.nodes.iter().find(|(_, running, _)| is_online(running));
        let default = || vec![Device::for_all(first.map_or("-", |(name, ..)| name))];
        self.devices.clone().unwrap_or_else(default)
    }

    fn state(&self, name: &str, running: &str, devices: &[Device]) -> String {
        let online = is_online(running);
        let expected = match running {
            "left" | "fenced" => "expected=\"down\"",
            "away" => "",
            _ => "expected=\"member\"",
        };
        let crmd = if online { "online" } else { "offline" };
        let begin =
            format!("<node_state uname=\"{name}\" in_ccm=\"{online}\" crmd=\"{crmd}\" {expected}");
        if running == "fenced" {
            return begin + "/>";
        }
        let of_node = self.attributes.iter().filter(|(of, ..)| of == name);
        let pairs: String = of_node
            .map(|(_, name, value)| nvpair(name, value))
            .collect();
        let mut operations = String::new();
        for (id, what, code) in history_of(running) {
            operations.push_str(&operation(id, what, (*code, 0), ""));
        }
        for (_, what) in self.pending.iter().filter(|(of, _)| of == name) {
            let pending = operation("pending", what, (193, 99), "");
            operations.push_str(&pending.replace("op-status=\"0\"", "op-status=\"-1\""));
        }
        for (_, what, code, reason) in self.failed.iter().filter(|(of, ..)| of == name) {
            let code = code.parse().unwrap();
            operations.push_str(&operation("last_failure_0", what, (code, 9), reason));
        }
        let devices: String = devices.iter().map(|one| one.on(name)).collect();
        format!(
            "{begin}>\
             <transient_attributes><instance_attributes>{pairs}</instance_attributes>\
             </transient_attributes><lrm><lrm_resources>\
             <lrm_resource id=\"pgsqld\">{operations}</lrm_resource>{devices}</lrm_resources></lrm>\
             </node_state>"
        )
    }
}

fn is_online(running: &str) -> bool {
    !["away", "left", "fenced", "lost"].contains(&running)
}

type Past = &'static [(&'static str, &'static str, i64)];

fn history_of(running: &str) -> Past {
    match running {
        "primary" => &[("last_0", "promote", 0), ("monitor_15000", "monitor", 8)],
        "standby" => &[("last_0", "start", 0), ("monitor_16000", "monitor", 0)],
        "stopped" => &[("last_0", "stop", 0)],
        _ => &[],
    }
}

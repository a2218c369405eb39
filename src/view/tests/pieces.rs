//! Pieces of a world: of its configuration results of actions, constraints and fence devices; what
//! servers say.

use crate::instance::Survey;
use crate::instance::replication::SenderState;
use crate::instance::slots::{self, Kept};
use crate::instance::survey::{Receiver, Says};
use crate::testing::node;
use crate::view::seen::Leftover;
use crate::wal::Lsn;

/// One of them.
#[derive(Clone, Default)]
pub struct Device {
    id: String,
    /// `pcmk_host_list`; empty: it has none.
    host_list: String,
    /// `-`: nowhere, `disabled`: by an admin's word, `starting`.
    runs_on: String,
    failed: Vec<(String, String, String)>,
}

impl Device {
    /// Reads `device ID HOSTS NODE` or `device-failed ID NODE ACTION REASON`.
    pub fn add(devices: &mut Option<Vec<Self>>, kind: &str, words: &[String]) {
        let all = devices.get_or_insert_default();
        if kind == "device" {
            all.push(Self {
                id: words[0].clone(),
                host_list: words[1].replace('-', ""),
                runs_on: words[2].clone(),
                failed: Vec::new(),
            });
            return;
        }
        let device = all.iter_mut().find(|one| one.id == words[0]).unwrap();
        let failed = (words[1].clone(), words[2].clone(), words[3..].join(" "));
        device.failed.push(failed);
    }

    /// One that runs, and is asked whom it is for.
    pub fn for_all(runs_on: &str) -> Self {
        Self {
            id: "fence-all".to_owned(),
            runs_on: runs_on.to_owned(),
            ..Self::default()
        }
    }

    /// In the configuration.
    pub fn primitive(&self) -> String {
        let list = match self.host_list.as_str() {
            "" => String::new(),
            list => nvpair("pcmk_host_list", list),
        };
        let meta = match self.runs_on.as_str() {
            "disabled" => nvpair("target-role", "Stopped"),
            _ => String::new(),
        };
        format!(
            "<primitive id=\"{}\" class=\"stonith\" type=\"fence_lab\">\
             <meta_attributes>{meta}</meta_attributes>\
             <instance_attributes>{list}</instance_attributes></primitive>",
            self.id
        )
    }

    /// In the state of a node.
    pub fn on(&self, node: &str) -> String {
        let mut operations = operation("last_0", "monitor", (7, 1), "").replace("1:2:0", "1:2:7");
        if self.runs_on == node {
            operations = operation("last_0", "start", (0, 4), "");
            operations += &operation("monitor_60000", "monitor", (0, 5), "");
        }
        if self.runs_on == "starting" {
            let start = operation("last_0", "start", (193, 6), "");
            operations = start.replace("op-status=\"0\"", "op-status=\"-1\"");
        }
        for (_, what, reason) in self.failed.iter().filter(|(of, ..)| of == node) {
            operations += &operation("last_failure_0", what, (1, 3), reason);
        }
        format!(
            "<lrm_resource id=\"{}\" class=\"stonith\" type=\"fence_lab\">{operations}</lrm_resource>",
            self.id
        )
    }
}

/// The result of an action, in the state of a node.
pub fn operation(id: &str, what: &str, (code, call): (i64, i64), reason: &str) -> String {
    format!(
        "<lrm_rsc_op id=\"pgsqld_{id}\" operation=\"{what}\" rc-code=\"{code}\" op-status=\"0\" \
         call-id=\"{call}\" interval=\"0\" exec-time=\"120\" exit-reason=\"{reason}\" \
         transition-key=\"1:2:0:x\"/>"
    )
}

/// A name and its value.
pub fn nvpair(name: &str, value: &str) -> String {
    format!("<nvpair name=\"{name}\" value=\"{value}\"/>")
}

/// A location constraint: `ID NODE SCORE [ROLE]`, or `ID rule NODE SCORE [ROLE]`.
pub fn location(words: &[String]) -> String {
    let by_rule = words[1] == "rule";
    let rest = &words[if by_rule { 2 } else { 1 }..];
    let role = rest.get(2).map(|role| format!("role=\"{role}\""));
    let role = role.unwrap_or_default();
    let (id, node, score) = (&words[0], &rest[0], &rest[1]);
    if by_rule {
        return format!(
            "<rsc_location id=\"{id}\" rsc=\"pgsqld-clone\"><rule score=\"{score}\" {role}>\
             <expression attribute=\"#uname\" operation=\"eq\" value=\"{node}\"/>\
             <date_expression operation=\"lt\" end=\"2027-01-01\"/></rule></rsc_location>"
        );
    }
    format!(
        "<rsc_location id=\"{id}\" rsc=\"pgsqld-clone\" node=\"{node}\" score=\"{score}\" {role}/>"
    )
}

/// A position in a world's words.
pub fn lsn(text: &str) -> Lsn {
    Lsn::from_hex(text).unwrap()
}

/// One row of `pg_stat_replication`.
pub fn receiver(words: &[String]) -> Receiver {
    let at = |index: usize| Some(lsn(&words[index]));
    Receiver {
        name: words[0].clone(),
        state: SenderState::Following,
        write: at(1),
        flush: at(1),
        replay: at(2),
        sync: words[3].clone(),
    }
}

/// What a server says.
pub fn survey(says: Says) -> Survey {
    Survey {
        version: "15.6".to_owned(),
        says,
        slots: Vec::new(),
    }
}

/// `slot srv2 65536` or `slot srv2 lost`: what the server here keeps.
pub fn kept(words: &[String]) -> Kept {
    let name = node(&words[0]);
    Kept {
        slot: slots::name::of(&name),
        bytes: words[1].parse().ok(),
        is_lost: words[1] == "lost",
    }
}

/// What is left of a rebuild.
pub fn leftover(what: &str) -> Leftover {
    match what {
        "old-data" => Leftover::OldData,
        "no-data" => Leftover::NoData,
        "old-files" => Leftover::OldFiles,
        why => Leftover::Unreadable(why.to_owned()),
    }
}

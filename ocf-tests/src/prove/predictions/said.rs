//! What the commands say, and the prediction that is on disk before the primary loses its power.

use std::fs::{self, File};
use std::io::Write;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::arrange::Arranged;
use crate::host::paths;
use crate::machine::node::Node;

/// How often nodes are asked until they say the same: a monitor may change scores meanwhile.
const MOST_QUESTIONS: usize = 4;

/// What a command of the agent says on `node` as JSON.
pub fn ask(node: &Node, words: &[&str]) -> Result<Value> {
    let line = [&["pgsqlms"], words, &["--format", "json"]].concat();
    let output = node.output(&line)?;
    let document = serde_json::from_str(&output.stdout);
    document.with_context(|| format!("{}: {}{}", node.name, output.stdout, output.stderr))
}

/// What was predicted on all nodes.
pub struct Prediction {
    /// `promote`, `nobody` or `unknown`.
    pub verdict: String,
    /// Who is promoted.
    pub node: Option<String>,
    /// Who may be instead.
    pub or: Vec<String>,
    /// Whether no commit that a client was told is safe is lost.
    pub guaranteed: bool,
    /// By how many bytes the winner is behind.
    pub behind: Option<u64>,
    /// Up to where the primary had written.
    pub written: u64,
    /// In words.
    pub text: String,
    /// What happens where the winner cannot fetch what it lacks.
    pub if_not_fetched: Option<String>,
    all: Value,
}

impl Prediction {
    /// Asks all nodes with power, the primary last, and keeps what they say.
    pub fn of(arranged: &Arranged, seed: u64) -> Result<Self> {
        let mut last = Ok(Value::Null);
        for _ in 0..MOST_QUESTIONS {
            let all = everywhere(arranged)?;
            last = agreed(&all).map(|()| all);
            if last.is_ok() {
                break;
            }
        }
        let all = last?;
        keep(arranged, seed, &all)?;
        let primary = &all[arranged.stage.primary.name.as_str()];
        let (said, status) = (&primary["explain"], &primary["status"]);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let or = said["or"].as_array().into_iter().flatten();
        let held = status["nodes"].as_array().into_iter().flatten();
        let mut held = held.filter(|one| one["role"] == "primary");
        let written = held
            .next()
            .and_then(|one| one["received"]["bytes"].as_u64());
        Ok(Self {
            verdict: text(&said["verdict"]).context("no verdict")?,
            node: text(&said["node"]),
            or: or.filter_map(text).collect(),
            guaranteed: said["guaranteed"] == true,
            behind: said["behind_bytes"].as_u64(),
            written: written.context("no position of the primary")?,
            text: text(&said["text"]).context("no text")?,
            if_not_fetched: text(&said["if_not_fetched"]),
            all,
        })
    }

    /// All that was said.
    pub fn whole(&self) -> String {
        format!("{:#}", self.all)
    }

    /// Whether there would be an election that promotes nobody.
    pub fn held_an_election(&self) -> bool {
        let mut nodes = self.all.as_object().into_iter().flatten();
        nodes.any(|(_, one)| {
            let lines = one["explain"]["lines"].as_array();
            lines.is_some_and(|lines| !lines.is_empty())
        })
    }

    /// Whether a node may be the one that is promoted.
    pub fn names(&self, node: &str) -> bool {
        self.node.as_deref() == Some(node) || self.or.iter().any(|one| one == node)
    }
}

fn everywhere(arranged: &Arranged) -> Result<Value> {
    let mut all = json!({});
    for node in arranged.powered().into_iter().rev() {
        let lost = ["explain", "--if-lost", &arranged.stage.primary.name];
        let (status, explain) = (ask(node, &["status"])?, ask(node, &lost)?);
        all[node.name.as_str()] = json!({"status": status, "explain": explain});
    }
    Ok(all)
}

/// Whoever can tell tells the same, and `status` what `explain` does.
fn agreed(all: &Value) -> Result<()> {
    let nodes = all.as_object().into_iter().flatten();
    let said: Vec<_> = nodes.collect();
    for (name, one) in &said {
        let (long, short) = (&one["explain"], &one["status"]["if_primary_lost"]);
        for key in ["verdict", "node", "or", "guaranteed"] {
            ensure!(
                long[key] == short[key],
                "{name}: {key}: explain {long}, status {short}"
            );
        }
    }
    let mut certain = said
        .iter()
        .map(|(name, one)| (name, &one["explain"]))
        .filter(|(_, explain)| explain["verdict"] != "unknown");
    let Some((first, told)) = certain.next() else {
        return Ok(());
    };
    for (name, other) in certain {
        let is_same = told["verdict"] == other["verdict"] && told["node"] == other["node"];
        ensure!(is_same, "{first} predicts {told}, {name} {other}");
    }
    Ok(())
}

/// On disk when it returns.
fn keep(arranged: &Arranged, seed: u64, all: &Value) -> Result<()> {
    let folder = paths::logs().join("predictions");
    fs::create_dir_all(&folder)?;
    let id = &arranged.stage.scene.cluster.options.id;
    let path = folder.join(format!("{id}-{seed}.json"));
    let mut file = File::create(&path)?;
    file.write_all(
        format!(
            "{:#}\n",
            json!({"plan": arranged.plan.to_string(), "said": all})
        )
        .as_bytes(),
    )?;
    file.sync_all()?;
    File::open(&folder)?.sync_all().context("predictions")
}

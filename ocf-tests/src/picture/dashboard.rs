//! The panels of a dashboard for Grafana, as far as this one uses them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::record::Line;

/// A dashboard for one resource.
#[derive(Debug)]
pub struct Dashboard {
    /// Its title.
    pub title: String,
    /// What it shows, in any order.
    pub panels: Vec<Panel>,
    /// What is marked on all time axes.
    pub marks: Vec<Mark>,
}

/// What is marked on time axes.
#[derive(Debug)]
pub struct Mark {
    /// In Prometheus' language; its values are the moments, in milliseconds since 1970.
    pub query: String,
    /// A word or two.
    pub title: String,
}

/// How a panel shows its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The value at the end, in large letters.
    Stat,
    /// Labels and values at the end.
    Table,
    /// Lines over time.
    Graph,
    /// A band for each series, coloured by its value.
    Bands,
}

/// A panel.
#[derive(Debug)]
pub struct Panel {
    /// How it shows its series.
    pub kind: Kind,
    /// Above it.
    pub title: String,
    /// Left, top, width and height, in columns of 24 and rows.
    pub place: [f64; 4],
    /// What is asked for it.
    pub targets: Vec<Target>,
    /// What values look like.
    pub look: Look,
}

/// A query of a panel.
#[derive(Debug)]
pub struct Target {
    /// In Prometheus' language.
    pub query: String,
    /// The name of its series, with `{{label}}` in it.
    pub legend: String,
    /// A, B, …
    pub id: String,
}

/// What values look like.
#[derive(Debug, Default)]
pub struct Look {
    /// Grafana's name of it; empty without one.
    pub unit: String,
    /// Decimals, where they are fixed.
    pub decimals: Option<usize>,
    /// The lower end of an axis.
    pub least: Option<f64>,
    /// The upper end.
    pub most: Option<f64>,
    /// From which value on which colour is used.
    pub thresholds: Vec<(f64, String)>,
    /// The one colour of all values.
    pub fixed: Option<String>,
    /// Texts that stand for values, by the value as text, with a colour of their own or none.
    pub texts: BTreeMap<String, (String, Option<String>)>,
    /// Whether the name of a series is shown, and whether its value.
    pub shows: (bool, bool),
    /// Whether the whole panel gets the colour.
    pub on_background: bool,
    /// Lines keep their value until the next sample.
    pub stepped: bool,
    /// The values of bands are not written into them.
    pub silent: bool,
    /// Columns of a table that are not shown.
    pub hidden: BTreeSet<String>,
    /// Other names of its columns.
    pub renamed: BTreeMap<String, String>,
}

impl Dashboard {
    /// Reads the JSON of a dashboard, with `resource` in the place of its variable.
    pub fn read(json: &str, resource: &str) -> Result<Self> {
        let all: Value = serde_json::from_str(json).context("a dashboard")?;
        let panels = all["panels"].as_array().context("no panels")?;
        let marks = all["annotations"]["list"].as_array().into_iter().flatten();
        Ok(Self {
            title: text(&all["title"]),
            panels: panels
                .iter()
                .map(|one| panel(one, resource))
                .collect::<Result<_>>()?,
            marks: marks
                .map(|one| mark(one, resource))
                .collect::<Result<_>>()?,
        })
    }

    /// All queries, each once.
    pub fn queries(&self) -> Vec<String> {
        let targets = self.panels.iter().flat_map(|panel| &panel.targets);
        let queries = targets.map(|target| &target.query);
        let marks = self.marks.iter().map(|mark| &mark.query);
        let each: BTreeSet<_> = queries.chain(marks).cloned().collect();
        each.into_iter().collect()
    }
}

impl Target {
    /// The name of one of its series.
    pub fn name(&self, line: &Line) -> String {
        let mut name = self.legend.clone();
        for (label, value) in &line.labels {
            name = name.replace(&format!("{{{{{label}}}}}"), value);
        }
        name
    }
}

impl Look {
    /// The colour of a value: its own, the fixed one, or that of its threshold.
    pub fn colour(&self, value: f64) -> &str {
        let own = self.texts.get(&value.to_string());
        let own = own.and_then(|(_, colour)| colour.as_deref());
        let reached = self.thresholds.iter().rev().find(|step| value >= step.0);
        let by_threshold = || reached.map_or("text", |step| &step.1);
        own.or(self.fixed.as_deref()).unwrap_or_else(by_threshold)
    }
}

fn mark(json: &Value, resource: &str) -> Result<Mark> {
    let title = text(&json["titleFormat"]);
    ensure!(
        json["useValueForTime"] == true,
        "{title}: only values that are moments can be marked"
    );
    Ok(Mark {
        query: query(&json["expr"], resource),
        title,
    })
}

fn panel(json: &Value, resource: &str) -> Result<Panel> {
    let title = text(&json["title"]);
    let kind = match json["type"].as_str().unwrap_or_default() {
        "stat" => Kind::Stat,
        "table" => Kind::Table,
        "timeseries" => Kind::Graph,
        "state-timeline" => Kind::Bands,
        other => bail!("{title}: nobody can draw a panel of type {other:?}"),
    };
    let place = ["x", "y", "w", "h"].map(|key| json["gridPos"][key].as_f64().unwrap_or_default());
    let targets = json["targets"].as_array().context("no targets")?;
    let target = |one: &Value| Target {
        query: query(&one["expr"], resource),
        legend: text(&one["legendFormat"]),
        id: text(&one["refId"]),
    };
    Ok(Panel {
        kind,
        title,
        place,
        targets: targets.iter().map(target).collect(),
        look: look(json),
    })
}

fn look(json: &Value) -> Look {
    let defaults = &json["fieldConfig"]["defaults"];
    let options = &json["options"];
    let decimals = defaults["decimals"].as_u64();
    let mode = options["textMode"].as_str().unwrap_or("auto");
    let organized = &transformation(json, "organize")["options"];
    let hidden = organized["excludeByName"].as_object().into_iter().flatten();
    let renamed = organized["renameByName"].as_object().into_iter().flatten();
    Look {
        unit: text(&defaults["unit"]),
        decimals: decimals.and_then(|count| usize::try_from(count).ok()),
        least: defaults["min"].as_f64(),
        most: defaults["max"].as_f64(),
        thresholds: thresholds(defaults),
        fixed: defaults["color"]["fixedColor"].as_str().map(str::to_owned),
        texts: mapped(defaults),
        shows: (mode.contains("name"), mode != "name"),
        on_background: options["colorMode"] == "background",
        stepped: defaults["custom"]["lineInterpolation"] == "stepAfter",
        silent: options["showValue"] == "never",
        hidden: hidden.map(|(name, _)| name.clone()).collect(),
        renamed: renamed.map(|(old, new)| (old.clone(), text(new))).collect(),
    }
}

/// Without any, Grafana has those of its own.
fn thresholds(defaults: &Value) -> Vec<(f64, String)> {
    let Some(steps) = defaults["thresholds"]["steps"].as_array() else {
        return vec![(f64::MIN, "green".to_owned()), (80.0, "red".to_owned())];
    };
    steps
        .iter()
        .map(|step| {
            (
                step["value"].as_f64().unwrap_or(f64::MIN),
                text(&step["color"]),
            )
        })
        .collect()
}

fn mapped(defaults: &Value) -> BTreeMap<String, (String, Option<String>)> {
    let mappings = defaults["mappings"].as_array().into_iter().flatten();
    let options = mappings.filter_map(|mapping| mapping["options"].as_object());
    let shown = |to: &Value| (text(&to["text"]), to["color"].as_str().map(str::to_owned));
    options
        .flatten()
        .map(|(value, to)| (value.clone(), shown(to)))
        .collect()
}

fn transformation<'a>(json: &'a Value, id: &str) -> &'a Value {
    let all = json["transformations"].as_array().into_iter().flatten();
    all.into_iter()
        .find(|one| one["id"] == id)
        .unwrap_or(&Value::Null)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn query(value: &Value, resource: &str) -> String {
    text(value).replace("$resource", resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = include_str!("../../../packaging/monitoring/pgsqlms-dashboard.json");

    #[test]
    fn every_panel_of_ours_can_be_drawn() {
        let ours = Dashboard::read(OURS, "pgsqld").unwrap();
        assert!(ours.panels.len() > 10 && ours.marks.len() == 1);
        for query in ours.queries() {
            assert!(query.contains("resource=\"pgsqld\""), "{query}");
            assert!(!query.contains('$'), "{query}");
        }
        let health = ours.panels.iter().find(|panel| panel.title == "Health");
        let look = &health.unwrap().look;
        assert_eq!(look.texts["2"], ("critical".to_owned(), None));
        assert_eq!(
            [0.0, 1.0, 3.0].map(|value| look.colour(value)),
            ["green", "yellow", "red"]
        );
    }

    #[test]
    fn a_series_is_named_by_its_labels() {
        let target = Target {
            query: String::new(),
            legend: "on {{node}}".to_owned(),
            id: "A".to_owned(),
        };
        let labels = BTreeMap::from([("node".to_owned(), "srv1".to_owned())]);
        let samples = Vec::new();
        assert_eq!(target.name(&Line { labels, samples }), "on srv1");
    }

    #[test]
    fn a_panel_of_another_type_is_an_error() {
        let json = r#"{"panels":[{"type":"gauge","title":"Load","targets":[]}]}"#;
        let error = Dashboard::read(json, "pgsqld").unwrap_err().to_string();
        assert_eq!(error, "Load: nobody can draw a panel of type \"gauge\"");
        let json = r#"{"panels":[],"annotations":{"list":[{"titleFormat":"Reload"}]}}"#;
        let error = Dashboard::read(json, "pgsqld").unwrap_err().to_string();
        assert_eq!(error, "Reload: only values that are moments can be marked");
    }
}

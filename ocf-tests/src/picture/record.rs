//! What a run left: what was done and when, and what Prometheus answered.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// A step of the story; it lasts until the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// Seconds since 1970.
    pub from: f64,
    /// A few words.
    pub what: String,
}

/// A series of an answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// Its labels, without its name.
    pub labels: BTreeMap<String, String>,
    /// Seconds since 1970, and the value then; none where there was none.
    pub samples: Vec<(f64, f64)>,
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Seconds since 1970 at the left end of all time axes.
    pub begin: f64,
    /// At the right end: now, for what is asked of one moment.
    pub end: f64,
    /// Seconds between two samples.
    pub step: f64,
    /// What was done.
    pub acts: Vec<Act>,
    /// The series of each query.
    pub answers: BTreeMap<String, Vec<Line>>,
}

impl Record {
    /// What was answered to a query; nothing where it was not asked.
    pub fn lines(&self, query: &str) -> &[Line] {
        self.answers.get(query).map_or(&[], Vec::as_slice)
    }

    /// The record as text, from which [`Record::read`] makes it again.
    pub fn text(&self) -> String {
        let acts: Vec<_> = self
            .acts
            .iter()
            .map(|act| json!([act.from, act.what]))
            .collect();
        let line = |line: &Line| json!({"metric": line.labels, "values": line.samples});
        let answers: BTreeMap<_, Vec<_>> = self
            .answers
            .iter()
            .map(|(query, lines)| (query, lines.iter().map(line).collect()))
            .collect();
        json!({"begin": self.begin, "end": self.end, "step": self.step, "acts": acts, "answers": answers})
            .to_string()
    }

    /// Reads what [`Record::text`] wrote.
    pub fn read(text: &str) -> Result<Self> {
        let all: Value = serde_json::from_str(text).context("a record of a run")?;
        let acts = all["acts"].as_array().context("no acts")?;
        let act = |act: &Value| -> Result<Act> {
            Ok(Act {
                from: number(&act[0])?,
                what: act[1].as_str().context("an act")?.to_owned(),
            })
        };
        let answers = all["answers"].as_object().context("no answers")?;
        Ok(Self {
            begin: number(&all["begin"])?,
            end: number(&all["end"])?,
            step: number(&all["step"])?,
            acts: acts.iter().map(act).collect::<Result<_>>()?,
            answers: answers
                .iter()
                .map(|(query, answer)| Ok((query.clone(), lines(answer)?)))
                .collect::<Result<_>>()?,
        })
    }
}

/// The series of an answer as promtool prints it (`query -o json range`): a list of objects with
/// `metric` and `values`, in which a value is a text.
pub fn lines(answer: &Value) -> Result<Vec<Line>> {
    let answer = answer.as_array().context("an answer is a list")?;
    answer.iter().map(line).collect()
}

fn line(series: &Value) -> Result<Line> {
    let labels = series["metric"].as_object().context("no labels")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let labels = labels.iter().filter(|(name, _)| *name != "__name__");
    let values = series["values"].as_array().context("no values")?;
    let sample = |pair: &Value| Ok((number(&pair[0])?, number(&pair[1])?));
    Ok(Line {
        labels: labels
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        samples: values.iter().map(sample).collect::<Result<_>>()?,
    })
}

fn number(value: &Value) -> Result<f64> {
    let of_text = || value.as_str().and_then(|text| text.parse().ok());
    let found = value.as_f64().or_else(of_text);
    found.with_context(|| format!("{value} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_promtool_is_read_and_a_record_comes_back() {
        let answer =
            r#"[{"metric":{"__name__":"up","node":"srv1"},"values":[[1.5,"0"],[3.5,"12"]]}]"#;
        let lines = lines(&serde_json::from_str(answer).unwrap()).unwrap();
        let labels = BTreeMap::from([("node".to_owned(), "srv1".to_owned())]);
        let samples = vec![(1.5, 0.0), (3.5, 12.0)];
        assert_eq!(lines, [Line { labels, samples }]);
        let record = Record {
            begin: 1.0,
            end: 4.0,
            step: 2.0,
            acts: vec![Act {
                from: 1.0,
                what: "quiet".to_owned(),
            }],
            answers: BTreeMap::from([("up".to_owned(), lines)]),
        };
        assert_eq!(Record::read(&record.text()).unwrap(), record);
        assert!(Record::read("{}").is_err());
        assert!(record.lines("down").is_empty());
    }
}

//! What was checked, a line each: what is well, what is not, and what cures it.

use serde_json::{Value, json};

use super::problem::{Health, Problem};
use super::text::style;
use crate::ocf::{Line, Style};

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What kind of thing, for programs.
    pub id: &'static str,
    /// How it is.
    pub health: Health,
    /// What was found, in a sentence without its end.
    pub text: String,
    /// What can be done about it.
    pub cures: Vec<String>,
}

impl Checked {
    /// A check that came out like this.
    pub fn new(id: &'static str, health: Health, text: impl Into<String>) -> Self {
        Self {
            id,
            health,
            text: text.into(),
            cures: Vec::new(),
        }
    }

    /// It is well.
    pub fn ok(id: &'static str, text: impl Into<String>) -> Self {
        Self::new(id, Health::Well, text)
    }

    /// It works, but not as one may expect.
    pub fn warn(id: &'static str, text: impl Into<String>) -> Self {
        Self::new(id, Health::Attention, text)
    }

    /// It must be repaired.
    pub fn fail(id: &'static str, text: impl Into<String>) -> Self {
        Self::new(id, Health::Critical, text)
    }

    /// It could not be looked at from here.
    pub fn unknown(id: &'static str, text: impl Into<String>) -> Self {
        Self::new(id, Health::Unknown, text)
    }

    /// The same, with a cure.
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cures.push(cure.into());
        self
    }

    /// A problem of the view, as bad as it is for what is checked here. Whoever reads it wants
    /// to know what to do: where no command cures it, the table of problems says more.
    pub fn of_problem(problem: &Problem, health: Health) -> Self {
        let mut checked = Self::new(problem.id, health, problem.text.clone());
        checked.cures.clone_from(&problem.cures);
        if checked.cures.is_empty() {
            let more = format!("docs/reference.md#status: {}", problem.id);
            checked.cures.push(more);
        }
        checked
    }

    fn word(&self) -> &'static str {
        match self.health {
            Health::Well => "ok",
            Health::Attention => "WARN",
            Health::Unknown => "?",
            Health::Critical => "FAIL",
        }
    }

    fn lines(&self) -> Vec<Line> {
        let word = format!("{:<5} ", self.word());
        let first = Line::of(style(self.health), word).and(Style::Plain, self.text.as_str());
        let cures = self.cures.iter();
        let cures = cures.map(|cure| Line::of(Style::Faint, format!("        {cure}")));
        std::iter::once(first).chain(cures).collect()
    }
}

/// How all of it is.
pub fn worst_checked(all: &[Checked]) -> Health {
    let all = all.iter().map(|one| one.health);
    all.max().unwrap_or(Health::Well)
}

/// For people.
pub fn checked_lines(all: &[Checked]) -> Vec<Line> {
    all.iter().flat_map(Checked::lines).collect()
}

/// For programs.
pub fn checked_json(all: &[Checked]) -> Value {
    let one = |checked: &Checked| {
        json!({
            "id": checked.id,
            "level": checked.health.word(),
            "text": checked.text,
            "cures": checked.cures,
        })
    };
    all.iter().map(one).collect()
}

//! What is wrong, and how bad all of it together is.

use crate::ocf::NodeName;

/// How the resource is, as monitoring plugins say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Nothing to do.
    Well,
    /// Service is up; somebody should look at something.
    Attention,
    /// Who is the primary, or what would happen without it, cannot be told from here.
    Unknown,
    /// No primary, two of them, or nobody who could take over.
    Critical,
}

impl Health {
    /// The exit code of the command: 0 well, 1 attention, 2 critical, 3 cannot tell.
    pub fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Attention => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// In one word, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Attention => "attention",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

/// The ids of all problems: `check --only` and `--ignore` take no other.
pub const PROBLEMS: [&str; 33] = [
    "commits-wait",
    "constraint-left",
    "disabled",
    "diverged",
    "evidence-unreadable",
    "excluded",
    "failed-action",
    "fencing-failed",
    "fencing-off",
    "force-pending",
    "foreign-score",
    "half-rewound",
    "impaired",
    "maintenance",
    "no-answer",
    "no-fence-device",
    "no-primary",
    "no-quorum",
    "nobody-ready",
    "node-standby",
    "not-connected",
    "not-elected",
    "not-running",
    "offline",
    "other-database",
    "pacemaker-down",
    "rebuild-interrupted",
    "replay-behind",
    "replay-paused",
    "replay-still",
    "rights-missing",
    "settings-too-small",
    "several-primaries",
];

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing, for programs: it stays the same from version to version.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Health,
    /// The node that it is about, if it is about one.
    pub node: Option<NodeName>,
    /// What is wrong, in a sentence.
    pub text: String,
    /// What can be done about it: commands, or where to read.
    pub cures: Vec<String>,
}

impl Problem {
    /// A problem of the whole cluster.
    pub fn new(id: &'static str, severity: Health, text: impl Into<String>) -> Self {
        debug_assert!(is_known(id), "{id} is not among PROBLEMS");
        Self {
            id,
            severity,
            node: None,
            text: text.into(),
            cures: Vec::new(),
        }
    }

    /// The same, of a node.
    pub fn of(mut self, node: &NodeName) -> Self {
        self.node = Some(node.clone());
        self
    }

    /// The same, with a cure.
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cures.push(cure.into());
        self
    }
}

/// A threshold that is exceeded is judged by itself.
fn is_known(id: &str) -> bool {
    id == "threshold" || PROBLEMS.contains(&id)
}

/// How bad all of them are.
pub fn worst(problems: &[Problem]) -> Health {
    let all = problems.iter().map(|problem| problem.severity);
    all.max().unwrap_or(Health::Well)
}

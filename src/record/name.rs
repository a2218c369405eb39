//! Under which name a fact is kept, and for how long.
//!
//! The names are the contract between the nodes: another version of the agent,
//! which shares the cluster for a while, looks for exactly these.

/// How long a fact is remembered, and who sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// A node attribute that is never in the CIB, so it aborts no transition. All
    /// nodes see it. It goes when Pacemaker stops on the node.
    Private,
    /// A node attribute that `crm_mon -A` shows. It goes when Pacemaker stops on
    /// the node.
    Transient,
    /// A node attribute that survives everything, and is seen of absent nodes too.
    Permanent,
    /// A file on the node, which no other node sees.
    File,
}

/// The name of a fact, its life, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// With `RESOURCE` where the name of the resource belongs.
    pattern: &'static str,
    /// How long it is kept.
    pub life: Life,
    /// What it says, in the words of the manual.
    pub what: &'static str,
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.pattern
    }
}

impl Name {
    pub(super) const fn new(life: Life, pattern: &'static str, what: &'static str) -> Self {
        Self {
            pattern,
            life,
            what,
        }
    }

    /// The name for one resource.
    pub fn of(&self, resource: &str) -> String {
        self.pattern.replace("RESOURCE", resource)
    }
}

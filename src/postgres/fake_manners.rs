//! What runs of an instance in memory, and how it follows what it is asked for.

use super::pg_ctl::ServerError;
use crate::instance::Role;

/// What runs of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processes {
    /// Nothing.
    Nothing,
    /// A postmaster in this role.
    Alive(Role),
    /// So many children whose postmaster is dead.
    LeftBehind(usize),
    /// `postgres --single`.
    SingleUser,
    /// A process that cannot be looked into.
    Unseen,
}

/// When an instance does what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obeys {
    /// Before anybody looks again.
    AtOnce,
    /// Once somebody has looked so many times.
    AfterLooks(usize),
    /// Not at all.
    Never,
}

/// How an instance follows what it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// A start: it appears in the process table.
    pub start: Obeys,
    /// A fast stop.
    pub fast: Obeys,
    /// An immediate stop.
    pub immediate: Obeys,
    /// SIGKILL, also of what a dead postmaster left.
    pub kill: Obeys,
    /// A promotion: it leaves recovery.
    pub promotion: Obeys,
}

/// How much of a promotion is on the disk of an instance that dies in it. Each has the one
/// before too. Last of all comes the control file (PostgreSQL 12 to 18, `StartupXLOG`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HalfOpen {
    /// Nothing yet.
    Nothing,
    /// The first WAL file of the new timeline.
    WalFile,
    /// `standby.signal` is gone.
    Signal,
    /// The history file of the new timeline.
    History,
}

/// What pg_ctl says if it does not do it.
pub fn refused(action: &'static str, text: &str) -> ServerError {
    let text = text.to_owned();
    ServerError::Refused { action, text }
}

/// The life of the postmaster of an instance.
pub struct Life<I> {
    /// How often the instance was started.
    pub number: u64,
    /// What ends it as soon as somebody waits for that.
    pub end: Option<fn(&mut I)>,
    /// What its children are like once it is dead.
    pub orphans: Orphaned,
}

impl<I> Life<I> {
    /// One that nothing is known of yet.
    pub fn first() -> Self {
        Self {
            number: 0,
            end: None,
            orphans: Orphaned::Unsure,
        }
    }
}

/// What children are like whose postmaster is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orphaned {
    /// They end when they are told to.
    Obey,
    /// They are busy.
    Busy,
    /// It cannot be said whether they are children.
    Unsure,
}

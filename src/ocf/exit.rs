//! Exit codes of the OCF resource agent API and what they make Pacemaker do.
//!
//! A code is chosen by its consequence, so each carries it here
//! (Pacemaker 2.1.5 `unpack.c`, `remap_operation`). Code 6, "not configured",
//! is missing on purpose: it stops the clone on all nodes, healthy ones too.

use std::fmt;

/// The exit code of one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum OcfExit {
    /// Success; from monitor: runs as a standby.
    Success = 0,
    /// Soft failure: recovered on this node or elsewhere. From stop: fencing.
    Generic = 1,
    /// A parameter is wrong on this host: this node is banned until cleanup.
    Arguments = 2,
    /// No such action.
    Unimplemented = 3,
    /// Something is missing on this host: this node is banned until cleanup.
    NotInstalled = 5,
    /// Nothing runs (monitor only).
    NotRunning = 7,
    /// Runs as the primary (monitor only).
    Promoted = 8,
    /// Was the primary and failed (monitor only): demote, stop, start, promote.
    PromotedFailed = 9,
}

impl OcfExit {
    /// The number that Pacemaker reads.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// Why an action failed: the code and the sentence that crm_mon shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What Pacemaker is told.
    pub exit: OcfExit,
    /// One sentence; Pacemaker up to 3.0.1 shows its first 128 bytes.
    pub reason: String,
}

impl Failure {
    /// A failure with its reason.
    pub fn new(exit: OcfExit, reason: impl Into<String>) -> Self {
        Self {
            exit,
            reason: reason.into(),
        }
    }

    /// A soft failure with its reason.
    pub fn soft(reason: impl Into<String>) -> Self {
        Self::new(OcfExit::Generic, reason)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// What an action ends with.
pub type Outcome = Result<OcfExit, Failure>;

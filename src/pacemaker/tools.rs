//! Running Pacemaker's command line tools, the only interface that is stable
//! from 1.1.13 to 3.0. Every argument is passed as it is, without a shell.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use thiserror::Error;

use crate::ocf::{Deadline, Environment, Failure, NodeName};
use crate::system::program::{self, Ended, ProgramError};

/// Why a tool gave no answer.
#[derive(Debug, Error)]
pub enum ToolError {
    /// It did not run or end.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// It failed, in its words.
    #[error("{tool} failed: {text}")]
    Failed {
        /// The tool.
        tool: &'static str,
        /// What it said.
        text: String,
    },
    /// Pacemaker does not run here, or the action was called by hand without it.
    #[error("Pacemaker does not know the name of this node")]
    Nameless,
}

impl From<ToolError> for Failure {
    fn from(error: ToolError) -> Self {
        Self::soft(error.to_string())
    }
}

/// The tools, and by when they must have answered.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Their directory (`HA_SBIN_DIR`).
    directory: PathBuf,
    /// The action's deadline.
    deadline: Deadline,
    /// This node, where Pacemaker says so.
    node: Option<NodeName>,
}

impl Tools {
    /// The tools where the environment has them.
    pub fn new(environment: &Environment, deadline: Deadline) -> Self {
        let directory = environment.get("HA_SBIN_DIR").unwrap_or("/usr/sbin");
        Self {
            directory: PathBuf::from(directory),
            deadline,
            node: environment.meta("on_node").and_then(NodeName::new),
        }
    }

    /// The same tools, which must have answered within `limit` from now.
    pub fn within(&self, limit: Duration) -> Self {
        Self {
            deadline: self.deadline.within(limit),
            ..self.clone()
        }
    }

    /// This node; `None` outside the cluster and before Pacemaker 1.1.17.
    pub fn node(&self) -> Option<&NodeName> {
        self.node.as_ref()
    }

    /// Runs a tool whatever it answers.
    pub fn ask(&self, tool: &'static str, arguments: &[&str]) -> Result<Ended, ToolError> {
        let mut command = Command::new(self.directory.join(tool));
        command.args(arguments);
        // With it, attrd_updater 2.1.5 answers `--query --all` for this node
        // only, and every other voter of an election seems mute. Where a node
        // is meant, it is named.
        command.env_remove("OCF_RESKEY_CRM_meta_on_node");
        Ok(program::run(&mut command, self.deadline)?)
    }

    /// Runs a tool that must succeed; what it printed.
    pub fn tell(&self, tool: &'static str, arguments: &[&str]) -> Result<String, ToolError> {
        let ended = self.ask(tool, arguments)?;
        let failed = |text| ToolError::Failed { tool, text };
        if !ended.whole {
            return Err(failed("its output is incomplete".to_owned()));
        }
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        Err(failed(ended.stderr))
    }
}

//! Running Pacemaker's command line tools, the only interface that is stable
//! from 1.1.13 to 3.0. Every argument is passed as it is, without a shell.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use thiserror::Error;

use crate::ocf::{Deadline, Environment, Failure, NodeName};
use crate::system::program::{self, Ended, ProgramError, Running};

/// The share of an action's time that one call of a tool has: a daemon that hangs must not
/// use up what PostgreSQL needs.
const SHARE: Duration = Duration::from_secs(5);
/// The share of a tool that has used up its share before, in the same action.
const SHARE_OF_A_HUNG_ONE: Duration = Duration::from_secs(2);

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
    /// Whether a call has the rest of the time.
    unshared: bool,
    /// Those that did not answer in time.
    hung: Rc<RefCell<BTreeSet<&'static str>>>,
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
            unshared: false,
            hung: Rc::default(),
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

    /// The same tools, of which each call has all the time that is left.
    pub fn unshared(&self) -> Self {
        Self {
            unshared: true,
            ..self.clone()
        }
    }

    /// By when a call of this tool must have answered.
    fn deadline_of(&self, tool: &str) -> Deadline {
        match (self.unshared, self.hung.borrow().contains(tool)) {
            (true, _) => self.deadline,
            (false, false) => self.deadline.within(SHARE),
            (false, true) => self.deadline.within(SHARE_OF_A_HUNG_ONE),
        }
    }

    /// This node; `None` outside the cluster and before Pacemaker 1.1.17.
    pub fn node(&self) -> Option<&NodeName> {
        self.node.as_ref()
    }

    /// Runs a tool whatever it answers.
    pub fn ask(&self, tool: &'static str, arguments: &[&str]) -> Result<Ended, ToolError> {
        let ended = program::run(&mut self.command(tool, arguments), self.deadline_of(tool));
        self.note_if_hung(tool, &ended);
        Ok(ended?)
    }

    fn command(&self, tool: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.directory.join(tool));
        command.args(arguments);
        // With it, attrd_updater 2.1.5 answers `--query --all` for this node
        // only, and every other voter of an election seems mute. Where a node
        // is meant, it is named.
        command.env_remove("OCF_RESKEY_CRM_meta_on_node");
        command
    }

    fn note_if_hung(&self, tool: &'static str, ended: &Result<Ended, ProgramError>) {
        if let Err(ProgramError::TooSlow { .. }) = ended {
            self.hung.borrow_mut().insert(tool);
        }
    }

    /// Runs a tool that must succeed; what it printed.
    pub fn tell(&self, tool: &'static str, arguments: &[&str]) -> Result<String, ToolError> {
        judge(tool, self.ask(tool, arguments)?)
    }

    /// Runs several tools at once that must succeed; what each printed.
    pub fn tell_each(&self, calls: &[(&'static str, Vec<&str>)]) -> Vec<Result<String, ToolError>> {
        let calls = calls.iter();
        let begun: Vec<_> = calls
            .map(|(tool, arguments)| self.begin(tool, arguments))
            .collect();
        begun.into_iter().map(|one| self.finish(one)).collect()
    }

    /// Starts a tool that must succeed, and does not wait for it.
    pub fn begin(&self, tool: &'static str, arguments: &[&str]) -> Begun {
        let deadline = self.deadline_of(tool);
        let running = program::begin(&mut self.command(tool, arguments), deadline);
        Begun {
            tool,
            deadline,
            running,
        }
    }

    /// Waits for a tool that was started; what it printed.
    pub fn finish(&self, begun: Begun) -> Result<String, ToolError> {
        let Begun {
            tool,
            deadline,
            running,
        } = begun;
        let ended = running.and_then(|running| running.finish(deadline));
        self.note_if_hung(tool, &ended);
        judge(tool, ended?)
    }
}

/// A tool that has been started.
pub struct Begun {
    tool: &'static str,
    deadline: Deadline,
    running: Result<Running, ProgramError>,
}

fn judge(tool: &'static str, ended: Ended) -> Result<String, ToolError> {
    let failed = |text| ToolError::Failed { tool, text };
    if !ended.whole {
        return Err(failed("its output is incomplete".to_owned()));
    }
    if ended.status.success() {
        return Ok(ended.stdout);
    }
    Err(failed(ended.stderr))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Instant;

    use super::*;

    fn tools(directory: &std::path::Path) -> Tools {
        let directory = directory.to_str().unwrap();
        let environment = Environment::of(&[("HA_SBIN_DIR", directory)]);
        Tools::new(&environment, Deadline::after(Duration::from_secs(60)))
    }

    fn with_tool(folder: &tempfile::TempDir, script: &str) -> Tools {
        let path = folder.path().join("crm_node");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        tools(folder.path())
    }

    #[test]
    fn several_calls_take_as_long_as_the_longest() {
        let folder = tempfile::tempdir().unwrap();
        let tools = with_tool(&folder, "#!/bin/sh\nsleep $1; echo $1; test $1 != 0.2\n");
        let begin = Instant::now();
        let calls = ["0.5", "0.2", "0.4"].map(|time| ("crm_node", vec![time]));
        let answers = tools.tell_each(&calls);
        assert!(begin.elapsed() < Duration::from_millis(1000));
        let words =
            |answer: &Result<String, _>| answer.as_ref().ok().map(|it| it.trim().to_owned());
        let words: Vec<_> = answers.iter().map(words).collect();
        assert_eq!(
            words,
            [Some("0.5".to_owned()), None, Some("0.4".to_owned())]
        );
    }

    #[test]
    fn a_tool_that_hangs_uses_up_its_share_and_then_less() {
        let folder = tempfile::tempdir().unwrap();
        let tools = with_tool(&folder, "#!/bin/sh\nexec sleep 50\n");
        let left = |tool| tools.deadline_of(tool).left();
        assert!(left("crm_node") > SHARE_OF_A_HUNG_ONE);
        let begin = Instant::now();
        assert!(tools.ask("crm_node", &[]).is_err());
        assert!(begin.elapsed() < SHARE + Duration::from_secs(2));
        assert!(left("crm_node") <= SHARE_OF_A_HUNG_ONE);
        // Another daemon may be well.
        assert!(left("cibadmin") > SHARE_OF_A_HUNG_ONE);
        assert!(tools.unshared().deadline_of("crm_node").left() > SHARE);
    }
}

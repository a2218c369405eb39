//! Which resource agent the nodes get: the one of this workspace, or the original in Perl.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::host::{package, shell, sysroot};
use crate::machine::node::Node;

/// Where Pacemaker looks for the agent.
pub const PATH: &str = "usr/lib/ocf/resource.d/heartbeat/pgsqlms";

/// The agent under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// The native agent, built from this workspace.
    Ours,
    /// The Perl agent of Debian's package resource-agents-paf.
    Paf,
}

impl Agent {
    /// The agent that `PGSQLMS_UNDER_TEST` names: `ours` (default) or `paf`.
    pub fn from_environment() -> Result<Self> {
        match std::env::var("PGSQLMS_UNDER_TEST").as_deref() {
            Err(_) | Ok("" | "ours") => Ok(Self::Ours),
            Ok("paf") => Ok(Self::Paf),
            Ok(other) => bail!("PGSQLMS_UNDER_TEST={other}: it may be ours or paf"),
        }
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Paf => "paf",
        }
    }

    /// Builds the agent if it has to be built, for all releases alike.
    pub fn build(self) -> Result<()> {
        if self == Self::Paf {
            return Ok(());
        }
        sysroot::build()?;
        Ok(())
    }

    /// Key of what the agent's meta-data make of the cluster configuration.
    pub fn key(self) -> Result<String> {
        let Self::Ours = self else {
            return Ok("paf".to_owned());
        };
        let text = shell::run(Command::new(sysroot::binary()?).arg("meta-data"))
            .context("the agent cannot tell its meta-data")?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Ok(format!("ours-{:016x}", hasher.finish()))
    }

    /// Puts the agent into a node's file system; the Perl agent is in there already.
    pub fn install(self, root: &Path) -> Result<()> {
        if self == Self::Paf {
            return Ok(());
        }
        let target = root.join(PATH);
        fs::copy(sysroot::binary()?, &target)
            .with_context(|| format!("cannot install the agent as {}", target.display()))?;
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

impl Node {
    /// Copies the .deb to the node and returns where it is there.
    pub fn give_deb(&self) -> Result<String> {
        let (deb, path) = (package::deb()?, "/root/pgsqlms.deb");
        fs::copy(deb, self.root().join(&path[1..]))?;
        Ok(path.to_owned())
    }

    /// Where the node has the package of the Perl agent.
    pub fn paf_deb(&self) -> Result<String> {
        let listed = self.run(&["sh", "-c", "ls /opt/paf/*.deb"])?;
        Ok(listed.trim().to_owned())
    }
}

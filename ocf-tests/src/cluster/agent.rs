//! Which resource agent the nodes get: the one of this workspace, of a package, an earlier one of this
//! project, or the original in Perl.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::host::deb::{self, Deb};
use crate::host::history::Commit;
use crate::host::{package, shell, sysroot};
use crate::machine::node::Node;

/// Where Pacemaker looks for the agent.
pub const PATH: &str = deb::AGENT;

/// The same agent as a command for people, as the packages install it.
const COMMAND: &str = "usr/sbin/pgsqlms";

/// A resource agent that nodes may get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agent {
    /// The native agent, built from this workspace.
    Ours,
    /// The native agent as it was at a commit.
    Earlier(Commit),
    /// The native agent of a package that was built elsewhere.
    Packaged(Deb),
    /// The Perl agent of Debian's package resource-agents-paf.
    Paf,
}

impl Agent {
    /// The agent that `PGSQLMS_UNDER_TEST` names; without it, ours.
    pub fn from_environment() -> Result<Self> {
        let name = std::env::var("PGSQLMS_UNDER_TEST").unwrap_or_default();
        if name.is_empty() {
            return Ok(Self::Ours);
        }
        Self::named(&name).context("PGSQLMS_UNDER_TEST")
    }

    /// The agent called `ours`, `paf`, by the file of a package, or by a commit of this project.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "ours" => Ok(Self::Ours),
            "paf" => Ok(Self::Paf),
            file if Deb::names(file) => Deb::find(file).map(Self::Packaged),
            commit => Commit::find(commit).map(Self::Earlier).with_context(|| {
                format!("{name:?} is neither ours nor paf nor a .deb nor a commit")
            }),
        }
    }

    /// Its name in messages, by which [`Agent::named`] finds it again.
    pub fn name(&self) -> &str {
        match self {
            Self::Ours => "ours",
            Self::Earlier(commit) => commit.short(),
            Self::Packaged(deb) => deb.path(),
            Self::Paf => "paf",
        }
    }

    /// Builds the agent if it has to be built, for all releases alike.
    pub fn build(&self) -> Result<()> {
        match self {
            Self::Ours => sysroot::build().map(drop),
            Self::Earlier(commit) => commit.build().map(drop),
            Self::Packaged(deb) => deb.unpack().map(drop),
            Self::Paf => Ok(()),
        }
    }

    /// Where [`Agent::build`] left it; `None` for the Perl agent, which nodes have already.
    fn binary(&self) -> Result<Option<PathBuf>> {
        Ok(match self {
            Self::Ours => Some(sysroot::binary()?),
            Self::Earlier(commit) => Some(commit.binary()),
            Self::Packaged(deb) => Some(deb.binary()),
            Self::Paf => None,
        })
    }

    /// Key of what the agent's meta-data make of the cluster configuration: the same for two
    /// native agents whose meta-data are the same.
    pub fn key(&self) -> Result<String> {
        // Linked with a release's libc that this machine may not have: it cannot be asked here.
        if let Self::Packaged(deb) = self {
            return Ok(deb.key());
        }
        let Some(binary) = self.binary()? else {
            return Ok("paf".to_owned());
        };
        let text = shell::run(Command::new(binary).arg("meta-data"))
            .context("the agent cannot tell its meta-data")?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Ok(format!("ours-{:016x}", hasher.finish()))
    }

    /// Puts the agent into a node's file system, where Pacemaker may be calling another one: as
    /// dpkg does it, there is no moment without an agent.
    pub fn install(&self, root: &Path) -> Result<()> {
        let Some(binary) = self.binary()? else {
            return Ok(());
        };
        let target = root.join(PATH);
        let new = target.with_extension("new");
        fs::copy(binary, &new)
            .with_context(|| format!("cannot install the agent as {}", target.display()))?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
        fs::rename(&new, &target)?;
        let command = root.join(COMMAND);
        if !command.is_symlink() {
            symlink(Path::new("/").join(PATH), command)?;
        }
        Ok(())
    }
}

impl Node {
    /// Copies the .deb to the node (the one under test, or one built for it) and returns where it is there.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_test_is_ours_paf_or_a_commit() {
        assert_eq!(Agent::named("ours").unwrap(), Agent::Ours);
        assert_eq!(Agent::named("paf").unwrap(), Agent::Paf);
        let earlier = Agent::named("HEAD").unwrap();
        assert!(matches!(earlier, Agent::Earlier(_)), "{earlier:?}");
        assert_eq!(Agent::named(earlier.name()).unwrap(), earlier);
        for name in ["perl", "Ours", "0123456", ""] {
            let error = Agent::named(name).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("{name:?} is neither ours nor paf nor a .deb nor a commit")
            );
        }
    }
}

//! A package of the agent that was built elsewhere, such as the one of packaging/build-clean.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::host::{cache, paths, shell, unpacked};

/// Where packages have the agent.
pub const AGENT: &str = "usr/lib/ocf/resource.d/heartbeat/pgsqlms";

/// A package of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deb {
    path: String,
    hash: u64,
}

impl Deb {
    /// The package in the file `name`; an error if there is none, or of something else.
    pub fn find(name: &str) -> Result<Self> {
        let path = fs::canonicalize(name).with_context(|| format!("no package {name}"))?;
        let path = path.display().to_string();
        ensure!(
            !path.contains(char::is_whitespace),
            "{path:?}: the lab needs a path without spaces"
        );
        let package = shell::run_words(&["dpkg-deb", "--field", &path, "Package"])
            .with_context(|| format!("{name} is no package"))?;
        ensure!(
            package.trim() == "resource-agents-pgsqlms",
            "{name} is a package of {}",
            package.trim()
        );
        let mut hasher = DefaultHasher::new();
        fs::read(&path)?.hash(&mut hasher);
        let hash = hasher.finish();
        Ok(Self { path, hash })
    }

    /// Its file, by which [`Deb::find`] finds it again.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A word that no other package has.
    pub fn key(&self) -> String {
        format!("package-{:016x}", self.hash)
    }

    /// Takes the agent out of it, if that was not done before.
    pub fn unpack(&self) -> Result<PathBuf> {
        let (binary, folder) = (self.binary(), paths::agents());
        fs::create_dir_all(&folder)?;
        let _lock = cache::lock(&folder.join("lock"))?;
        if binary.exists() {
            return Ok(binary);
        }
        let making = folder.join("unpacked");
        cache::remove_tree(&making)?;
        unpacked::unpack(Path::new(&self.path), &making)?;
        fs::rename(making.join(AGENT), &binary)
            .with_context(|| format!("{} has no agent", self.path))?;
        cache::remove_tree(&making)?;
        Ok(binary)
    }

    /// Where [`Deb::unpack`] leaves the agent.
    pub fn binary(&self) -> PathBuf {
        paths::agents().join(self.key())
    }

    /// Whether `name` looks like a package's.
    pub fn names(name: &str) -> bool {
        Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "deb")
    }
}

#[test]
fn what_is_no_package_of_the_agent_is_refused() {
    let error = Deb::find("/nowhere/x.deb").unwrap_err().to_string();
    assert_eq!(error, "no package /nowhere/x.deb");
    let error = Deb::find("Cargo.toml").unwrap_err().to_string();
    assert_eq!(error, "Cargo.toml is no package");
}

//! Earlier states of this project: a commit is found, and its agent built, once.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::host::{apt, cache, paths, shell, sysroot};

/// A commit of this project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    hash: String,
}

impl Commit {
    /// The commit that `word` names to git: a hash or its beginning, a tag, a branch.
    pub fn find(word: &str) -> Result<Self> {
        apt::need(&[("git", "git")])?;
        Self::find_in(&paths::workspace(), word)
    }

    fn find_in(repository: &Path, word: &str) -> Result<Self> {
        let name = format!("{word}^{{commit}}");
        let mut command = git(repository);
        let out = shell::output(command.args(["rev-parse", "--verify", "--quiet", &name]))?;
        if out.success() {
            return Ok(Self { hash: out.stdout });
        }
        let shallow = shell::run(git(repository).args(["rev-parse", "--is-shallow-repository"]))
            .context("the history of this project is not here")?;
        if shallow == "true" {
            bail!(
                "no commit {word} here, but the history is shallow: `git fetch --unshallow` gets the rest"
            );
        }
        bail!("no commit {word} in the history of this project")
    }

    /// The beginning of its hash, for messages and names of files.
    pub fn short(&self) -> &str {
        &self.hash[..12]
    }

    /// Builds its agent as this workspace would build its own, if that was not done before.
    pub fn build(&self) -> Result<PathBuf> {
        let binary = self.binary();
        let folder = paths::agents();
        fs::create_dir_all(&folder)?;
        let _lock = cache::lock(&folder.join("lock"))?;
        if binary.exists() {
            return Ok(binary);
        }
        eprintln!("building the agent of commit {self}");
        let making = folder.join("making");
        cache::remove_tree(&making)?;
        fs::create_dir_all(&making)?;
        self.check_out(&making)?;
        // A folder of its own: what cargo knows of another commit's files tells it nothing.
        let built = sysroot::build_from(&making, Path::new("target"))
            .with_context(|| format!("commit {self}"))?;
        fs::rename(built, &binary)?;
        cache::remove_tree(&making)?;
        Ok(binary)
    }

    /// Where [`Commit::build`] leaves the agent.
    pub fn binary(&self) -> PathBuf {
        paths::agents().join(&self.hash)
    }

    fn check_out(&self, folder: &Path) -> Result<()> {
        let archive = folder.with_extension("tar");
        let mut pack = git(&paths::workspace());
        pack.args(["archive", "--format=tar", "-o"]);
        shell::run(pack.arg(&archive).arg(&self.hash))?;
        let mut unpack = Command::new("tar");
        unpack.arg("-xf").arg(&archive).arg("-C").arg(folder);
        shell::run(&mut unpack)?;
        fs::remove_file(&archive).map_err(Into::into)
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// The lab runs as root, often in the repository of somebody else, which git refuses by default.
fn git(repository: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(repository);
    command.arg("-c");
    command.arg(format!("safe.directory={}", repository.display()));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with two commits, the first of them tagged; removed when it is dropped.
    struct Repository(PathBuf);

    impl Repository {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            let repository = Self(path);
            repository.git("init --quiet");
            repository.git("commit --quiet --allow-empty -m one");
            repository.git("tag first");
            repository.git("commit --quiet --allow-empty -m two");
            repository
        }

        fn git(&self, words: &str) -> String {
            let mut command = git(&self.0);
            command.args(["-c", "user.name=lab", "-c", "user.email=lab@localhost"]);
            command.args(["-c", "commit.gpgsign=false"]);
            shell::run(command.args(words.split(' '))).unwrap()
        }

        fn find(&self, word: &str) -> Result<Commit> {
            Commit::find_in(&self.0, word)
        }
    }

    impl Drop for Repository {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_commit_has_many_names() {
        let repository = Repository::new("lab-names");
        let hash = repository.git("rev-parse HEAD");
        for name in [&hash, &hash[..8], "HEAD", "first~0"] {
            let found = repository.find(name).unwrap();
            assert_eq!(found.hash == hash, name != "first~0", "{name}");
            assert_eq!(found.hash.len(), 40, "{name}");
        }
    }

    #[test]
    fn what_is_no_commit_is_refused() {
        let repository = Repository::new("lab-refused");
        let tree = repository.git("rev-parse HEAD^{tree}");
        for name in [&tree, "nobody", "0123456", "--all", "HEAD HEAD", "."] {
            let error = repository.find(name).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("no commit {name} in the history of this project")
            );
        }
    }

    #[test]
    fn a_shallow_history_says_so() {
        let (whole, part) = (Repository::new("lab-whole"), std::env::temp_dir());
        let part = Repository(part.join(format!("lab-part-{}", std::process::id())));
        let source = format!("file://{}", whole.0.display());
        let target = part.0.display().to_string();
        whole.git(&format!("clone --quiet --depth 1 {source} {target}"));
        assert!(part.find("HEAD").is_ok());
        let error = part.find(&whole.git("rev-parse first")).unwrap_err();
        assert!(error.to_string().contains("--unshallow"), "{error}");
    }

    #[test]
    fn a_folder_without_history_says_so() {
        let nowhere = Path::new("/proc");
        let error = Commit::find_in(nowhere, "HEAD").unwrap_err();
        assert!(error.to_string().contains("is not here"), "{error}");
    }
}

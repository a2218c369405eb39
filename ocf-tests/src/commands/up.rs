//! `lab up`, `lab down` and `lab clean`.

use anyhow::Result;

use super::wishes::Wishes;
use crate::cluster::{Cluster, Options};
use crate::host::progress::Steps;
use crate::host::{cache, paths};
use crate::machine::power::{self, Power};

/// Starts a cluster that outlives this command.
pub fn up(wishes: &Wishes, id: &str) -> Result<()> {
    if power::in_use(id)? {
        anyhow::bail!("a cluster is up already: `lab status` shows it, `lab down` ends it");
    }
    power::sweep_stale()?;
    let steps = Steps::new("", true);
    let options = Options {
        detached: true,
        ..wishes.options(id)?
    };
    options.agent.build()?;
    let cluster = Cluster::start(options, &steps).inspect_err(|_| {
        if power::in_use(id).unwrap_or(false) {
            println!("it did not come up well; `lab status` shows it, `lab down` ends it");
        }
    })?;
    let primary = cluster.primary()?;
    println!(
        "the cluster is up, {} is primary; try `lab status`, `lab shell srv1`",
        primary.name
    );
    println!("and `lab break power {}`; `lab down` ends it", primary.name);
    Ok(())
}

/// Ends the cluster of `lab up`.
pub fn down(id: &str) -> Result<()> {
    if !power::in_use(id)? {
        power::sweep(id)?;
        println!("no cluster runs");
        return Ok(());
    }
    Power::attach(id)?.shut_down()?;
    println!("the cluster is down");
    Ok(())
}

/// Removes what is expensive to make; refuses while a cluster runs on it.
pub fn clean() -> Result<()> {
    for entry in std::fs::read_dir(paths::base().join("run"))
        .into_iter()
        .flatten()
        .flatten()
    {
        power::sweep(&entry.file_name().to_string_lossy())?;
    }
    cache::remove_tree(&paths::prepared())?;
    cache::remove_tree(&paths::rootfs())?;
    cache::remove_tree(&paths::agents())?;
    println!(
        "removed root file systems, prepared clusters and agents of commits; logs stay in {}",
        paths::logs().display()
    );
    Ok(())
}

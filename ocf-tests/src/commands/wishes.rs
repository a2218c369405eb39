//! What the command line says about the shape of a cluster.

use anyhow::Result;

use crate::cluster::Options;
use crate::host::release;
use crate::machine::network::MAX_NODES;

/// How a cluster by hand is to be.
#[derive(clap::Args, Debug)]
pub struct Wishes {
    /// Number of nodes, 2 to 9; seen with up to 5
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=i64::from(MAX_NODES)))]
    pub nodes: u8,
    /// Debian release of the nodes
    #[arg(long, default_value = release::DEFAULT, value_parser = release::NAMES)]
    pub release: String,
    /// Commits wait for standbys, with three nodes for one, so that a power cut loses nothing
    #[arg(long)]
    pub sync: bool,
}

impl Wishes {
    /// The options of a cluster called `id`.
    pub fn options(&self, id: &str) -> Result<Options> {
        Ok(Options {
            nodes: usize::from(self.nodes),
            release: release::find(&self.release)?,
            synchronous: self.sync,
            ..Options::new(id)?
        })
    }
}

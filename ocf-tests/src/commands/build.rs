//! `lab build`.

use anyhow::Result;

use crate::host::sysroot;

/// Builds the agent that runs on all releases and prints where it is.
pub fn build() -> Result<()> {
    println!("{}", sysroot::build()?.display());
    Ok(())
}

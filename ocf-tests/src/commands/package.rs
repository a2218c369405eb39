//! `lab package`.

use anyhow::Result;

use crate::host::package;

/// Builds the packages, has the distributions' tools judge them, and prints where they are.
pub fn package() -> Result<()> {
    package::judge_deb()?;
    package::judge_rpm()?;
    println!("{}", package::deb()?.display());
    println!("{}", package::rpm()?.display());
    Ok(())
}

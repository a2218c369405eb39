//! `lab picture`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::host::paths;
use crate::host::progress::Steps;
use crate::machine::power;
use crate::picture::dashboard::Dashboard;
use crate::picture::page;
use crate::picture::record::Record;
use crate::picture::story;

/// Where the picture comes from, and where it goes.
#[derive(clap::Args, Debug)]
pub struct Choice {
    /// The picture; without it, the one in docs/pictures
    #[arg(long)]
    out: Option<PathBuf>,
    /// Draw an earlier run again, from the record that it left
    #[arg(long)]
    from: Option<PathBuf>,
}

/// The resource of the lab's clusters.
const RESOURCE: &str = "pgsqld";

/// Plays a story, asks Prometheus for all panels of the dashboard, and draws them.
pub fn picture(choice: &Choice) -> Result<()> {
    let json = paths::workspace().join("packaging/monitoring/pgsqlms-dashboard.json");
    let json = fs::read_to_string(&json).with_context(|| json.display().to_string())?;
    let dashboard = Dashboard::read(&json, RESOURCE)?;
    let record = match &choice.from {
        Some(path) => Record::read(&fs::read_to_string(path)?)?,
        None => run(&dashboard)?,
    };
    let out = choice.out.clone();
    let out = out.unwrap_or_else(|| paths::workspace().join("docs/pictures/dashboard.svg"));
    fs::write(&out, page::draw(&dashboard, &record))
        .with_context(|| format!("cannot write {}", out.display()))?;
    println!("written to {}", out.display());
    Ok(())
}

fn run(dashboard: &Dashboard) -> Result<Record> {
    power::sweep_stale()?;
    let record = story::play(&dashboard.queries(), &Steps::new("", true))?;
    let folder = paths::logs();
    fs::create_dir_all(&folder)?;
    let kept = folder.join("picture.json");
    fs::write(&kept, record.text())?;
    println!("the run is kept as {}", kept.display());
    Ok(record)
}

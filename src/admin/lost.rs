//! lost: what a rewind or a rebuild has thrown away on this node.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::look::{Where, environment};
use super::status::Format;
use crate::ocf::{Environment, Failure, Parameters, Request, Style, screen};
use crate::pacemaker::Tools;
use crate::postgres::{KeptWal, LostFolder, RealServer};
use crate::system::clock;
use crate::view::{self, Cib, Health, Loss};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Lost {
    /// Id of the resource (the primitive, not the clone); may be left out where there is one
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Only this one, as the list names it
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Copy the WAL to this directory, which must not exist; with --id if there are several
    #[arg(long, value_name = "DIRECTORY")]
    save: Option<PathBuf>,
}

/// Shows it, the oldest first.
pub fn run(wish: &Lost, shell: &Environment) -> Result<Health, Failure> {
    let deadline = Request::from_environment(shell, Instant::now()).deadline;
    let place = Where {
        resource: wish.resource.clone(),
        cib: None,
    };
    let (xml, _) = place.xml(&Tools::new(shell, deadline))?;
    let cib = Cib::parse(&xml, wish.resource.as_deref());
    let cib = cib.map_err(|error| Failure::soft(error.to_string()))?;
    let parameters = Parameters::in_effect(&environment(&cib, None, shell))?;
    let resource = &cib.resource.id;
    let server = RealServer::look_up(parameters, resource)?;
    let kept = LostFolder::of(resource).all();
    let mut kept = kept
        .map_err(|error| Failure::soft(format!("Cannot look at what was thrown away: {error}")))?;
    if let Some(id) = &wish.id {
        kept.retain(|one| name(one) == *id);
        if kept.is_empty() {
            return Err(Failure::soft(format!(
                "Nothing with the id {id} is kept on this node"
            )));
        }
    }
    match &wish.save {
        Some(folder) => save(&kept, folder),
        None => {
            show(wish, &server, (resource, &kept));
            Ok(Health::Well)
        }
    }
}

fn show(wish: &Lost, server: &RealServer, (resource, kept): (&str, &[KeptWal])) {
    let losses: Vec<_> = kept.iter().map(|one| loss(one, server)).collect();
    // Whoever reads it may have seen enough.
    let _ = match wish.format {
        Format::Text => screen::show(&view::lost_lines(&losses)),
        Format::Json => {
            let document = view::lost_json(resource, &losses);
            screen::print_document(&format!("{document:#}\n"))
        }
    };
}

fn loss(one: &KeptWal, server: &RealServer) -> Loss {
    let at = Duration::from_secs(one.lost.at);
    Loss {
        id: name(one),
        folder: one.folder.display().to_string(),
        time: clock::as_in_logs(at).unwrap_or_default(),
        lost: one.lost,
        commits: one.commits(server).map_err(|error| error.to_string()),
    }
}

fn name(one: &KeptWal) -> String {
    let name = one.folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn save(kept: &[KeptWal], folder: &Path) -> Result<Health, Failure> {
    let one = match kept {
        [one] => one,
        [] => {
            return Err(Failure::soft(
                "Nothing that was thrown away is kept on this node",
            ));
        }
        _ => return Err(Failure::soft("Several are kept: say which by --id")),
    };
    one.save(folder)
        .map_err(|error| Failure::soft(format!("Cannot save to {}: {error}", folder.display())))?;
    let text = format!("{} files are in {}.", one.files.len(), folder.display());
    screen::tell(Style::Good, text);
    Ok(Health::Well)
}

//! rebuild: makes this node's standby anew from another server, where its data are of no use any
//! more.
//!
//! Looks before anything is touched; then new data are made beside the old ones, and take their
//! place. It can be interrupted at any moment, and called again. Pacemaker starts what was made;
//! nothing is started here.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::Duration;

use super::look::{self, Where};
use super::rebuilding::Rebuilding;
use super::source;
use super::stakes::is_typed;
use crate::instance::Postmaster;
use crate::instance::configuration::Conninfo;
use crate::instance::rebuild::{self, Cluster, Facts, Refusal, Source};
use crate::ocf::{self, Deadline, Environment, Failure, NodeName, Parameters, Style, screen};
use crate::postgres::{How, RealServer, Server, Site};
use crate::system::interrupts::Interrupts;
use crate::system::lock_file::LockFile;
use crate::view::{Health, Seen};

/// How long all questions together may take before the copy begins.
const LONGEST_LOOK: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Rebuild {
    /// Id of the resource (the primitive, not the clone); may be left out where there is one
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// Copy from this node, such as a standby, in the place of the host in primary_conninfo
    #[arg(long, value_name = "NODE")]
    from: Option<String>,
    /// Connect so, and not by primary_conninfo
    #[arg(long, value_name = "STRING")]
    conninfo: Option<String>,
    /// Have this command fill $PGDATA, as the user of PostgreSQL, in the place of pg_basebackup
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["from", "conninfo", "max_rate", "waldir", "mapping"])]
    command: Option<String>,
    /// Copy no faster than this per second, as pg_basebackup has it: 500k, 32M
    #[arg(long, value_name = "RATE")]
    max_rate: Option<String>,
    /// Where the new WAL goes, if pg_wal is a link: an empty directory
    #[arg(long, value_name = "DIRECTORY")]
    waldir: Option<PathBuf>,
    /// Where the files of a table space go; once for each table space
    #[arg(long = "tablespace-mapping", value_name = "OLD=NEW", value_parser = pair)]
    mapping: Vec<(PathBuf, PathBuf)>,
    /// Give up what only this node may hold, such as commits of the last primary
    #[arg(long)]
    discard: bool,
    /// Leave the old data beside the new ones
    #[arg(long)]
    keep_old: bool,
    /// Take back a rebuild that was interrupted; the old data stay
    #[arg(long, conflicts_with_all = ["from", "command", "discard", "keep_old", "dry_run"])]
    give_up: bool,
    /// Only look, and say whether it could be done
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// `OLD=NEW`, both absolute.
fn pair(text: &str) -> Result<(PathBuf, PathBuf), String> {
    let (old, new) = text.split_once('=').ok_or("no = in it")?;
    let absolute = |path: &str| {
        let path = PathBuf::from(path);
        path.is_absolute()
            .then_some(path)
            .ok_or("not two absolute paths")
    };
    Ok((absolute(old)?, absolute(new)?))
}

/// Looks, asks, makes new data, and puts them in place.
pub fn run(wish: &Rebuild, shell: &Environment) -> Result<Health, Failure> {
    // What asks this process to end has the program ended that copies. Before any thread.
    let interrupts = Interrupts::hold()
        .map_err(|error| Failure::soft(format!("Cannot hold signals: {error}")))?;
    absolute(wish.waldir.as_ref())?;
    let place = Where {
        resource: wish.resource.clone(),
        cib: None,
    };
    let seen = place.look(shell)?;
    let environment = look::environment(&seen.cib, seen.here.as_ref(), shell);
    let parameters = Parameters::from_environment(&environment)?;
    let resource = seen.cib.resource.id.clone();
    let server = RealServer::look_up(parameters, &resource)?;
    let deadline = Deadline::after(LONGEST_LOOK);
    let site = Site::of(&server);
    let lock = lock(&site)?;
    let against = || {
        let seen = place.look(shell)?;
        Ok(rebuild::refusal_of_switch(&cluster(&seen), &wish.of_data()))
    };
    let rebuilding = Rebuilding {
        server: &server,
        environment: &environment,
        against: &against,
        site: &site,
        lock: &lock,
        interrupts: &interrupts,
        term: seen.known.all.last_term(),
        node: seen.here.clone(),
        keep_old: wish.keep_old,
    };
    if wish.give_up {
        return rebuilding.give_up();
    }
    go(wish, &seen, &rebuilding, deadline)
}

fn absolute(path: Option<&PathBuf>) -> Result<(), Failure> {
    match path.filter(|path| !path.is_absolute()) {
        Some(path) => Err(Failure::soft(format!(
            "{} is no absolute path",
            path.display()
        ))),
        None => Ok(()),
    }
}

fn lock(site: &Site<'_>) -> Result<LockFile, Failure> {
    let cannot = |error: io::Error| Failure::soft(format!("Cannot lock the rebuild: {error}"));
    let Some(lock) = site.folder.lock().map_err(cannot)? else {
        return Err(Failure::soft("Another rebuild of this node goes on"));
    };
    // A killed one has left its pg_basebackup, which would go on to write.
    match lock.end_what_was_left().map_err(cannot)? {
        true => Ok(lock),
        false => Err(Failure::soft(
            "What an earlier rebuild has started does not end",
        )),
    }
}

fn go(
    wish: &Rebuild,
    seen: &Seen,
    rebuilding: &Rebuilding<'_>,
    deadline: Deadline,
) -> Result<Health, Failure> {
    let server = rebuilding.server;
    if rebuilding.is_in_place()? {
        return rebuilding.clear_up();
    }
    let source = match &wish.command {
        Some(_) => None,
        None => source::conninfo(
            server,
            (wish.from.as_deref(), wish.conninfo.as_deref()),
            deadline,
        )?,
    };
    let facts = facts(wish, seen, (rebuilding, source.as_ref()), deadline)?;
    let refusals = rebuild::refusals(&facts, &wish.of_data());
    if !refusals.is_empty() {
        return Ok(refuse(&refusals));
    }
    let node = seen.here.as_ref().map_or("this node", NodeName::as_str);
    say_what_goes(server, node, facts.cluster.primary.as_ref());
    if wish.dry_run {
        let text = format!("{node} can be rebuilt. Nothing was touched.");
        screen::tell(Style::Good, text);
        return Ok(Health::Well);
    }
    if !wish.yes && !confirmed(node, rebuilding.interrupts) {
        screen::tell(Style::Bad, "Not confirmed: nothing was touched.");
        return Ok(Health::Critical);
    }
    let record = format!("An admin rebuilds {node}");
    ocf::log::record(&seen.cib.resource.id, &record);
    match (&wish.command, &source) {
        (Some(script), _) => rebuilding.by_command(script),
        (None, Some(source)) => rebuilding.by_copy(source, &wish.how()),
        (None, None) => Ok(refuse(&[Refusal::NoSource])),
    }
}

impl Rebuild {
    fn of_data(&self) -> rebuild::Wish {
        rebuild::Wish {
            discard: self.discard,
            waldir: self.waldir.clone(),
            mapped: self.mapping.iter().map(|(old, _)| old.clone()).collect(),
        }
    }

    fn how(&self) -> How {
        How {
            max_rate: self.max_rate.clone(),
            waldir: self.waldir.clone(),
            mapping: self.mapping.clone(),
        }
    }
}

fn facts(
    wish: &Rebuild,
    seen: &Seen,
    (rebuilding, source): (&Rebuilding<'_>, Option<&Conninfo>),
    deadline: Deadline,
) -> Result<Facts, Failure> {
    let server = rebuilding.server;
    let program = server.base_backup_program();
    let place = rebuilding.site.place();
    Ok(Facts {
        is_root: source::is_root(),
        runs: match server.postmaster() {
            Ok(Postmaster::None) => Ok(false),
            Ok(_) => Ok(true),
            Err(error) => Err(error.to_string()),
        },
        cluster: cluster(seen),
        place: place.map_err(|error| {
            Failure::soft(format!("Cannot look at the data directory: {error}"))
        })?,
        missing_program: Some(program)
            .filter(|path| wish.command.is_none() && !source::is_executable(server, path)),
        source: match (&wish.command, source) {
            (Some(_), _) => Source::Command,
            (None, None) => Source::Unknown,
            (None, Some(source)) => source::ask(server, source, deadline),
        },
    })
}

fn cluster(seen: &Seen) -> Cluster {
    let here = seen.here.as_ref();
    let node = here.and_then(|here| seen.cib.nodes.get(here));
    let is_left_alone = node.is_some_and(|node| node.standby || node.maintenance);
    let mut locations = seen.cib.locations.iter();
    let is_banned = here.is_some_and(|here| locations.any(|one| one.keeps_off(here)));
    let is_stopped = seen.cib.is_unmanaged() || seen.cib.resource.is_disabled();
    Cluster {
        here: seen.here.clone(),
        resource: seen.cib.resource.name().to_owned(),
        silence: seen.silence.clone(),
        is_kept_off: is_left_alone || is_banned || is_stopped,
        primary: seen.primary().cloned(),
        last: seen.last_reign(),
        is_unreadable: !seen.known.unreadable.is_empty(),
    }
}

fn refuse(refusals: &[Refusal]) -> Health {
    for refusal in refusals {
        screen::tell(Style::Warn, refusal.to_string());
    }
    screen::tell(Style::Bad, "Not rebuilt: nothing was touched.");
    Health::Critical
}

fn say_what_goes(server: &RealServer, node: &str, primary: Option<&NodeName>) {
    let datadir = server.parameters().datadir.display();
    let primary = primary.map_or(String::new(), |name| format!(" The primary is {name}."));
    let text = format!("{node}: all that is in {datadir} is replaced.{primary}");
    screen::tell(Style::Plain, text);
}

/// Ctrl-C is held back, so it is looked for.
fn confirmed(node: &str, interrupts: &Interrupts) -> bool {
    let (sender, answers) = mpsc::channel();
    let (question, word) = (
        format!("To rebuild {node}, type its name:"),
        node.to_owned(),
    );
    thread::spawn(move || sender.send(is_typed(&question, &word)));
    loop {
        match answers.try_recv() {
            Ok(is_typed) => return is_typed,
            Err(TryRecvError::Disconnected) => return false,
            Err(TryRecvError::Empty) if interrupts.wait(POLL).is_some() => return false,
            Err(TryRecvError::Empty) => {}
        }
    }
}

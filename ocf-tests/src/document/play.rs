//! Plays a part of a document on a cluster: every command, in order, on the node its prompt
//! names. At the end of each chapter the cluster must be whole and no acknowledged row lost.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::expect;
use super::parse::{Chapter, Command, Document, Part, Step};
use super::stage::Stage;
use super::version;
use crate::host::paths;
use crate::machine::node::{Node, on_each};
use crate::run::scene::Scene;

/// Longest time for one command; the slowest are a base backup and a start of a cluster.
const LONGEST: Duration = Duration::from_secs(150);
/// How long a command that only looks is repeated until it shows what the document shows.
const LOOKING: Duration = Duration::from_secs(90);

/// How pcs calls the role of a primary in the documents.
const PROMOTED: &str = "promoted";

/// Commands that change nothing, so that they may be repeated as a reader would.
const LOOKS: &[&str] = &[
    "crm_mon",
    "crm_simulate",
    "crm_attribute --query",
    "crm configure show",
    "crm status",
    "crm resource status",
    "attrd_updater --query",
    "cat ",
    "grep ",
    "journalctl",
    "pcs constraint",
    "pcs quorum status",
    "pcs resource config",
    "pcs status",
    "pcs stonith status",
    "pg_lsclusters",
    "psql",
    "tail ",
];

/// Plays the part `title` of `docs/<file>`.
pub fn part(scene: &mut Scene, file: &str, title: &str) -> Result<()> {
    let stage = Stage::new(&scene.cluster.names());
    all_chapters(scene, stage, file, &read(scene, file, title)?)
}

/// Plays it as a reader does who has no node called `left_out`.
pub fn part_without(scene: &mut Scene, left_out: &str, file: &str, title: &str) -> Result<()> {
    let mut names = scene.cluster.names();
    names.retain(|name| *name != left_out);
    let stage = Stage::new(&names);
    let part = read(scene, file, title)?.without(left_out);
    all_chapters(scene, stage, file, &part)
}

/// The part `title` with the version of PostgreSQL that these nodes have.
fn read(scene: &Scene, file: &str, title: &str) -> Result<Part> {
    let path = paths::workspace().join("docs").join(file);
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let document = Document::parse(&text).with_context(|| file.to_owned())?;
    let part = document.part(title).with_context(|| file.to_owned())?;
    let here = scene.cluster.options.release.postgresql;
    Ok(match version::shown(&text) {
        Some(shown) => version::changed(part, &shown, here),
        None => part.clone(),
    })
}

fn all_chapters(scene: &mut Scene, mut stage: Stage, file: &str, part: &Part) -> Result<()> {
    let release = scene.cluster.options.release;
    ensure!(
        release.promoted == PROMOTED,
        "the documents say {PROMOTED}, pcs on Debian {} says {}",
        release.name,
        release.promoted
    );
    ensure!(
        part.is_played(),
        "{file}: \"{}\" has no command to run",
        part.title
    );
    part.chapters
        .iter()
        .try_for_each(|chapter| play(scene, &mut stage, file, chapter))
}

fn play(scene: &mut Scene, stage: &mut Stage, file: &str, chapter: &Chapter) -> Result<()> {
    scene.steps.say(&format!("--- {} ---", chapter.title));
    for step in &chapter.steps {
        match step {
            Step::NotRun(..) => {}
            Step::Stage(line, words) => stage
                .obey(scene, words)
                .with_context(|| format!("docs/{file}:{line}: {}", words.join(" ")))?,
            Step::Command(command) => on_nodes(scene, stage, command)
                .with_context(|| format!("docs/{file}:{}: {}", command.line, command.text))?,
        }
    }
    stage
        .end_chapter(scene)
        .with_context(|| format!("docs/{file}: at the end of \"{}\"", chapter.title))
}

fn on_nodes(scene: &Scene, stage: &Stage, command: &Command) -> Result<()> {
    scene
        .steps
        .say(&format!("{}# {}", command.node, command.text));
    let nodes = match command.node.as_str() {
        "all" => stage.members(&scene.cluster)?,
        name => vec![scene.cluster.node(name)?.clone()],
    };
    on_each(&nodes, |node| on_node(scene, node, command))
}

fn on_node(scene: &Scene, node: &Node, command: &Command) -> Result<()> {
    let only_looks = LOOKS.iter().any(|look| command.text.starts_with(look));
    if only_looks && !command.output.is_empty() {
        return scene.steps.wait("what the document shows", LOOKING, || {
            once(scene, node, command)
        });
    }
    once(scene, node, command)
}

fn once(scene: &Scene, node: &Node, command: &Command) -> Result<()> {
    let words = match command.user {
        "postgres" => ["runuser", "-l", "postgres", "-c", command.text.as_str()].to_vec(),
        _ => ["bash", "-c", command.text.as_str()].to_vec(),
    };
    let out = node.output_within(LONGEST, &words)?;
    let text = out.text();
    scene.steps.note(&text);
    ensure!(
        out.success() != command.fails,
        "ended with {} on {}: {text}",
        out.code,
        node.name
    );
    match expect::missing(&command.output, &text) {
        None => Ok(()),
        Some(line) => anyhow::bail!("{}: \"{line}\" is not in its output:\n{text}", node.name),
    }
}

//! The primary's monitor says which nodes have announced that they diverged:
//! an admin who looks why a standby is missing looks at the primary first.

use std::fs;
use std::path::PathBuf;

use super::diverged::{Diverged, repair};
use crate::ocf::NodeName;
use crate::pacemaker::attributes;
use crate::record::Divergence;
use crate::steps::Call;

/// Says what is new of the nodes that do not follow.
pub fn run<'a>(call: &Call, primary: &NodeName, missing: impl Iterator<Item = &'a NodeName>) {
    let name = Divergence::attribute(&call.request.resource);
    let announced = match attributes::of_all_nodes(&call.tools, &name) {
        Ok(announced) => announced,
        Err(error) => return log::warn!("Cannot see which nodes have diverged: {error}"),
    };
    let said = fs::read_to_string(said_file(call)).unwrap_or_default();
    let mut lines = String::new();
    for node in missing {
        let how = announced
            .get(node)
            .and_then(|text| Divergence::decode(text));
        let Some(how) = how else { continue };
        let line = format!("{node} {}", how.encode());
        if !said.lines().any(|old| old == line) {
            let primary = primary.clone();
            let repair = repair(call, Some(node), &Diverged { primary, how });
            log::error!("{node} has diverged: {how}. It follows nobody. {repair}");
        }
        lines.push_str(&line);
        lines.push('\n');
    }
    if lines != said {
        remember(call, &lines);
    }
}

fn remember(call: &Call, lines: &str) {
    let path = said_file(call);
    if let Err(error) = fs::write(&path, lines) {
        log::debug!("{}: {error}", path.display());
    }
}

fn said_file(call: &Call) -> PathBuf {
    let name = format!("pgsqlms-{}.diverged-others", call.request.resource);
    call.scratch.join(name)
}

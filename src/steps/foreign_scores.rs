//! Names promotion scores that somebody set by hand with the lifetime reboot. Pacemaker
//! takes one of them for the stored score, which the agent keeps right in vain then.
//!
//! They are not removed: who set one may want it, and may be asked.

use std::collections::BTreeMap;

use crate::election::remove_foreign_score;
use crate::ocf::NodeName;
use crate::pacemaker::{Cluster, ToolError};
use crate::record::{note, score};
use crate::system::Notes;

/// The scores with the lifetime reboot. The agent writes none.
pub fn look(cluster: &dyn Cluster) -> Result<BTreeMap<NodeName, i32>, ToolError> {
    let published = cluster.of_members(&score::NAME.of(cluster.resource()))?;
    let decoded = published
        .into_iter()
        .filter_map(|(node, value)| Some((node, score::decode(&value)?)));
    Ok(decoded.collect())
}

/// Names those that were not named before.
pub fn say_once(cluster: &dyn Cluster, notes: &Notes) -> Result<(), ToolError> {
    let said = notes.read(&note::FOREIGN_SCORES).unwrap_or_default();
    let lines = lines(cluster)?;
    for line in lines.lines() {
        if !said.lines().any(|old| old == line) {
            log::warn!("{line}");
        }
    }
    if lines != said {
        notes.write(&note::FOREIGN_SCORES, &lines);
    }
    Ok(())
}

/// Names them all, where there is a cluster that can be asked.
pub fn say(cluster: &dyn Cluster) {
    match lines(cluster) {
        Ok(lines) => lines.lines().for_each(|line| log::warn!("{line}")),
        Err(error) => log::debug!("{error}"),
    }
}

fn lines(cluster: &dyn Cluster) -> Result<String, ToolError> {
    let resource = cluster.resource();
    let line = |(node, score): (&NodeName, &i32)| {
        let command = remove_foreign_score(node, resource);
        format!(
            "{node} has a promotion score of {score} with the lifetime reboot, which counts in the \
             place of the agent's own. Remove it: {command}\n"
        )
    };
    Ok(look(cluster)?.iter().map(line).collect())
}

//! The primary's monitor says which nodes have announced that they diverged: an admin who
//! looks why a standby is missing looks at the primary first.

use super::diverged::repair;
use crate::election::Diverged;
use crate::ocf::NodeName;
use crate::pacemaker::Cluster;
use crate::postgres::Server;
use crate::record::{Divergence, note};
use crate::system::Notes;

/// Says what is new of the `missing` nodes, which do not follow this `primary`.
pub fn say(
    server: &dyn Server,
    cluster: &dyn Cluster,
    notes: &Notes,
    (primary, missing): (&NodeName, Vec<NodeName>),
) {
    let announced = match cluster.of_members(&Divergence::NAME.of(cluster.resource())) {
        Ok(announced) => announced,
        Err(error) => return log::warn!("Cannot tell which nodes have diverged: {error}"),
    };
    let said = notes.read(&note::DIVERGED_OTHERS).unwrap_or_default();
    let mut lines = String::new();
    for node in &missing {
        let text = announced.get(node);
        let Some(how) = text.and_then(|text| Divergence::decode(text)) else {
            continue;
        };
        let line = format!("{node} {}", how.encode());
        if !said.lines().any(|old| old == line) {
            let primary = primary.clone();
            let diverged = Diverged { primary, how };
            let repair = repair(
                server.parameters(),
                cluster.resource(),
                node.as_str(),
                &diverged,
            );
            log::error!("{node} has diverged: {how}. It does not follow the primary. {repair}");
        }
        lines.push_str(&line);
        lines.push('\n');
    }
    if lines != said {
        notes.write(&note::DIVERGED_OTHERS, &lines);
    }
}

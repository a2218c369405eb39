//! force-promotion: an admin's override of a refused promotion, for one
//! promotion. Says first what may be lost, asks, and leaves a record in the
//! cluster and in the logs. Pacemaker still promotes; nothing is promoted here.

use std::io::{self, BufRead};
use std::time::{Duration, Instant};

use super::resource::Resource;
use crate::election::Lineage;
use crate::ocf::{self, Environment, Failure, NodeName, OcfExit, Outcome, Request};
use crate::pacemaker::{Cluster, RealCluster, Tools};
use crate::record::{Force, Reign, last_reign};
use crate::steps::evidence::Known;
use crate::steps::position;
use crate::wal::Position;

/// What the admin typed.
#[derive(Debug, clap::Args)]
pub struct ForcePromotion {
    /// Id of the resource (the primitive, not the clone), such as pgsqld
    #[arg(long)]
    resource: String,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Pacemaker restarts the instance right after a promotion was refused.
const RESTART: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(200);

/// Allows one promotion of this node's branch past the refusals.
pub fn run(wish: &ForcePromotion, shell: &Environment) -> Outcome {
    let resource = Resource::of_cluster(&wish.resource, shell)?;
    let cluster = &resource.cluster;
    let held = restarted_position(&resource)?;
    let members = cluster.members()?;
    let known = Known::gather(&resource.server, cluster, &cluster.permanent()?)?;
    let (last, node) = (last_reign(&known.all.reigns()).cloned(), known.node);
    for line in stakes(&node, &held, last.as_ref(), |node| members.contains(node)) {
        ocf::log::say(&line);
    }
    if !wish.yes && !confirmed(&node) {
        return Err(Failure::soft("Not confirmed: nothing was changed"));
    }
    let force = Force {
        timeline: held.timeline,
        after: Some(last.as_ref().map_or(0, |last| last.term)),
    };
    write(wish, shell, &node, force)?;
    Ok(OcfExit::Success)
}

/// Reading the stakes took its time: what follows has a time of its own.
fn write(
    wish: &ForcePromotion,
    shell: &Environment,
    node: &NodeName,
    force: Force,
) -> Result<(), Failure> {
    let deadline = Request::from_environment(shell, Instant::now()).deadline;
    let cluster = RealCluster::new(Tools::new(shell, deadline), &wish.resource);
    let name = Force::NAME.of(&wish.resource);
    let timeline = force.timeline;
    cluster.set_permanent(node, &name, &force.encode())?;
    let text = format!("An admin forces the next promotion of {node} (timeline {timeline})");
    ocf::log::record(&wish.resource, &text);
    ocf::log::say(&format!(
        "Forced. Pacemaker tries again after: pcs resource cleanup {0}\n\
         To take it back: crm_attribute --node {node} --name {name} --delete",
        wish.resource
    ));
    Ok(())
}

fn restarted_position(resource: &Resource) -> Result<Position, Failure> {
    let patience = resource.deadline.within(RESTART);
    loop {
        let held = position::of_standby(
            &resource.server,
            position::LONGEST_REPLAY,
            resource.deadline,
        );
        match held {
            Err(_) if patience.sleep(POLL) => {}
            seen => return Ok(seen?.position),
        }
    }
}

/// What may be lost, in sentences.
fn stakes(
    node: &NodeName,
    held: &Position,
    last: Option<&Reign>,
    is_member: impl Fn(&NodeName) -> bool,
) -> Vec<String> {
    let mut lines = vec![format!(
        "{node} holds timeline {} up to {}.",
        held.timeline, held.lsn
    )];
    let Some(last) = last else {
        lines.push("No election is on record: what other nodes hold is not known.".to_owned());
        return lines;
    };
    let away = if is_member(&last.primary) {
        "in the cluster"
    } else {
        "away"
    };
    lines.push(match last.lineage_of(held) {
        Lineage::Left { fork } => format!(
            "The last primary was {} ({away}). {node} left its branch at {fork}: every commit \
             made since then on that branch will be lost.",
            last.primary
        ),
        Lineage::OtherSystem => format!(
            "The last primary was {} ({away}). {node} holds another database: every commit of \
             the last primary will be lost.",
            last.primary
        ),
        Lineage::Follows | Lineage::Unknown => format!(
            "The last primary was {} ({away}). Every commit that it made beyond {} and that \
             {node} does not hold will be lost.",
            last.primary, held.lsn
        ),
    });
    if let Some(rule) = &last.sync {
        lines.push(format!(
            "It ran with synchronous_standby_names = {rule}: among them may be commits that \
             clients were told are safe."
        ));
    }
    lines
}

fn confirmed(node: &NodeName) -> bool {
    ocf::log::say(&format!("To promote {node} anyway, type its name:"));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && answer.trim() == node.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::SyncRule;
    use crate::wal::{History, Lsn, Timeline};

    fn held() -> Position {
        Position {
            system: None,
            timeline: Timeline::FIRST,
            lsn: Lsn::from(0x300_0060),
            history: History::root(),
        }
    }

    #[test]
    fn synchronous_commits_at_stake_are_named() {
        let node = |name| NodeName::new(name).unwrap();
        let rule = SyncRule::parse("ANY 1 (srv2, srv3)").unwrap();
        let reign = Reign::claim(node("srv1"), held(), rule, 1);
        let text = stakes(&node("srv2"), &held(), Some(&reign), |_| false).join("\n");
        for word in [
            "srv2 holds timeline 1 up to 0/3000060",
            "srv1 (away)",
            "ANY 1",
        ] {
            assert!(text.contains(word), "{word}: {text}");
        }
    }

    /// What is lost begins at the fork, not at the end of what the node holds.
    #[test]
    fn for_a_diverged_node_the_fork_is_named() {
        let node = |name| NodeName::new(name).unwrap();
        let at = Position {
            lsn: Lsn::from(0x100_0000),
            ..held()
        };
        let reign = Reign::claim(node("srv1"), at, None, 1);
        let text = stakes(&node("srv2"), &held(), Some(&reign), |_| false).join("\n");
        assert!(text.contains("left its branch at 0/1000000"), "{text}");
    }

    #[test]
    fn without_a_record_that_is_said() {
        let node = NodeName::new("srv2").unwrap();
        let text = stakes(&node, &held(), None, |_| true).join("\n");
        assert!(text.contains("not known"), "{text}");
    }
}

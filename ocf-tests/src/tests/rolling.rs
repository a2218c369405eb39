//! From the Perl agent to ours, node by node in a working cluster, and back; and from an earlier
//! state of ours to this one.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cluster::PATIENCE;
use crate::cluster::agent::Agent;
use crate::machine::node::Node;
use crate::run::scene::Scene;

/// Both monitors run at least once in this time.
const ROUND: Duration = Duration::from_secs(18);
/// What nodes have in the field that are updated to this state of the project.
const EARLIER: &str = "38a9fe5";
/// It removes one agent before it installs the other: only where nothing calls an agent.
const APT: &str = "apt-get -o APT::Sandbox::User=root install -y --no-install-recommends";

/// Standbys first, then the primary, while Pacemaker manages all: dpkg leaves no moment without
/// an agent, so no monitor can fail. The way back, node by node, with the resource unmanaged.
///
/// There is no way back while Pacemaker manages: the Perl agent's package does not know that it
/// may replace ours. Forced, dpkg keeps our file and removes it with our package; the next
/// monitor and the stop then find no agent, and the node is fenced.
pub fn there_while_managed_and_back_unmanaged(scene: &mut Scene) -> Result<()> {
    let before = scene.postmasters()?;
    let mut order = scene.cluster.standbys()?;
    order.push(scene.cluster.primary()?);
    for node in &order {
        change(scene, node, "dpkg -i", &node.give_deb()?)?;
        scene.let_pass(ROUND, "one round of monitors");
        untouched(scene, &before)?;
    }
    scene.cluster.move_primary(&order[0].name)?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()?;
    let before = scene.postmasters()?;
    for node in order.iter().rev() {
        scene.pcs("resource unmanage pgsqld-clone --monitor")?;
        scene.settle_pacemaker()?;
        change(scene, node, APT, &node.paf_deb()?)?;
        scene.pcs("resource manage pgsqld-clone --monitor")?;
        scene.settle_pacemaker()?;
        scene.let_pass(ROUND, "one round of monitors");
        untouched(scene, &before)?;
    }
    scene.cluster.move_primary(&order[2].name)?;
    scene.cluster.wait_whole()?;
    scene.undisturbed()
}

/// In maintenance mode, as PAF's documentation teaches, with apt on all nodes; then back.
pub fn there_and_back_under_maintenance(scene: &mut Scene) -> Result<()> {
    let before = scene.postmasters()?;
    for ours in [true, false] {
        scene.pcs("property set maintenance-mode=true")?;
        scene.settle_pacemaker()?;
        for node in &scene.cluster.nodes {
            let deb = if ours {
                node.give_deb()?
            } else {
                node.paf_deb()?
            };
            change(scene, node, APT, &deb)?;
        }
        scene.pcs("property set maintenance-mode=false")?;
        scene.settle_pacemaker()?;
        scene.let_pass(ROUND, "one round of monitors");
        untouched(scene, &before)?;
    }
    Ok(())
}

/// One standby has ours, two nodes the Perl agent: the role goes to ours and back, then the
/// node of each kind loses power as the primary. Nothing acknowledged is lost.
pub fn mixed_switchover_and_failover(scene: &mut Scene) -> Result<()> {
    let (perl, ours) = (scene.cluster.primary()?, scene.a_standby()?);
    change(scene, &ours, "dpkg -i", &ours.give_deb()?)?;
    scene.let_pass(ROUND, "one round of monitors");
    for target in [&ours, &perl, &ours] {
        scene.cluster.move_primary(&target.name)?;
        scene.cluster.wait_whole()?;
        ensure!(scene.cluster.primary()? == *target, "{}", target.name);
        scene.writes_go_on()?;
    }
    scene.undisturbed()?;
    scene.steps.say("the primary on our agent loses power");
    fail_over(scene, &ours)?;
    scene.cluster.rejoin(&ours)?;
    scene.steps.say("the primary on the Perl agent loses power");
    let perl = scene.cluster.primary()?;
    ensure!(perl != ours, "the primary moved back");
    fail_over(scene, &perl)
}

/// One node has an earlier state of our agent and the two others have this one, then the other way
/// round: in both mixes the role goes from either kind to the other and back, and a node of
/// either kind loses power as the primary. Nothing acknowledged is lost.
pub fn nodes_on_an_earlier_commit_of_this_agent(scene: &mut Scene) -> Result<()> {
    let (new, earlier) = (&scene.cluster.options.agent, Agent::named(EARLIER)?);
    earlier.build()?;
    let odd = scene.a_standby()?;
    mix(scene, &odd, [&earlier, new])?;
    there_and_back(scene, &odd)?;
    mix(scene, &odd, [new, &earlier])?;
    there_and_back(scene, &odd)?;
    scene.undisturbed()?;
    fail_over_both(scene, &odd)?;
    mix(scene, &odd, [&earlier, new])?;
    fail_over_both(scene, &odd)
}

/// Gives the node `odd` one agent and the others another one, while Pacemaker manages all.
fn mix(scene: &Scene, odd: &Node, [of_odd, of_others]: [&Agent; 2]) -> Result<()> {
    let before = scene.postmasters()?;
    for node in &scene.cluster.nodes {
        let agent = if node == odd { of_odd } else { of_others };
        let line = format!("{} gets the agent {}", node.name, agent.name());
        scene.steps.say(&line);
        agent.install(&node.root())?;
    }
    scene.let_pass(ROUND, "one round of monitors");
    scene.cluster.wait_whole()?;
    ensure!(scene.postmasters()? == before, "a server was restarted");
    Ok(())
}

/// The role goes from a node of one kind to `odd`, of the other kind, and back.
fn there_and_back(scene: &Scene, odd: &Node) -> Result<()> {
    let home = scene.cluster.primary()?;
    for target in [odd, &home] {
        scene.cluster.move_primary(&target.name)?;
        scene.cluster.wait_whole()?;
        ensure!(scene.cluster.primary()? == *target, "{}", target.name);
        scene.writes_go_on()?;
    }
    Ok(())
}

/// The node `odd` loses power as the primary, and two of one kind elect; then its successor
/// does, and two of different kinds elect.
fn fail_over_both(scene: &Scene, odd: &Node) -> Result<()> {
    if scene.cluster.primary()? != *odd {
        scene.cluster.move_primary(&odd.name)?;
        scene.cluster.wait_whole()?;
    }
    fail_over(scene, odd)?;
    scene.cluster.rejoin(odd)?;
    let successor = scene.cluster.primary()?;
    ensure!(successor != *odd, "the primary moved back");
    fail_over(scene, &successor)?;
    scene.cluster.rejoin(&successor)
}

fn fail_over(scene: &Scene, victim: &Node) -> Result<()> {
    scene.cut_power(victim)?;
    let rest = scene.cluster.others(&victim.name);
    scene
        .cluster
        .wait_whole_on(&[&rest[0].name, &rest[1].name])?;
    scene.writes_go_on()
}

fn change(scene: &Scene, node: &Node, how: &str, deb: &str) -> Result<()> {
    scene.steps.say(&format!("{}: {how} {deb}", node.name));
    let mut words: Vec<&str> = how.split_whitespace().collect();
    words.push(deb);
    node.run_within(PATIENCE, &words).map(drop)
}

/// No server was restarted and no action failed.
fn untouched(scene: &Scene, before: &[String]) -> Result<()> {
    scene.cluster.wait_whole()?;
    ensure!(scene.postmasters()? == before, "a server was restarted");
    scene.undisturbed()
}

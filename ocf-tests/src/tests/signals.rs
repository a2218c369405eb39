//! What the agent says before a failure and of one: readiness for promotion, alerts.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::promotions::{configure, paused, restart_by_hand};
use crate::cluster::PATIENCE;
use crate::machine::node::Node;
use crate::run::scene::Scene;

const LOG: &str = "/var/log/pacemaker/pacemaker.log";
/// Each monitor of a standby comes every 16 s.
const SOME_MONITORS: Duration = Duration::from_secs(60);

/// How many lines of the log have this text.
fn lines(node: &Node, text: &str) -> Result<usize> {
    let log = node.run(&["cat", LOG])?;
    Ok(log.lines().filter(|line| line.contains(text)).count())
}

/// A sentence that a node is to say once from now on.
struct Wanted<'a> {
    node: &'a Node,
    text: String,
    before: usize,
}

impl<'a> Wanted<'a> {
    fn of(node: &'a Node, text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let before = lines(node, &text)?;
        Ok(Self { node, text, before })
    }

    fn is_said_once(&self) -> Result<()> {
        let count = lines(self.node, &self.text)? - self.before;
        ensure!(
            count == 1,
            "{}: {:?} {count} times",
            self.node.name,
            self.text
        );
        Ok(())
    }

    fn wait(&self, scene: &Scene) -> Result<()> {
        let what = format!("{} to say {:?}", self.node.name, self.text);
        scene
            .steps
            .wait(&what, SOME_MONITORS, || self.is_said_once())
    }
}

/// A standby whose replay is paused, and one that is barred: each is said once when it begins and
/// once when it ends.
pub fn a_standby_that_is_not_ready_is_said_once(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let standby = scene.a_standby()?;
    let name = &standby.name;
    let late = "This standby would be promoted late: its replay is paused";
    let late = Wanted::of(&standby, late)?;
    standby.sql("SELECT pg_wal_replay_pause()")?;
    late.wait(scene)?;
    let barred =
        format!("{name} could not be promoted now: it is barred by the constraint cli-ban");
    let barred = Wanted::of(&primary, barred)?;
    scene.pcs(&format!("resource ban pgsqld-clone {name} --promoted"))?;
    barred.wait(scene)?;
    let over = Wanted::of(&primary, format!("{name} could be promoted now"))?;
    scene.pcs("resource clear pgsqld-clone")?;
    over.wait(scene)?;
    late.is_said_once()?;
    let resumed = Wanted::of(&standby, "This standby could be promoted now")?;
    standby.sql("SELECT pg_wal_replay_resume()")?;
    resumed.wait(scene)?;
    barred.is_said_once()?;
    let by_id = ["journalctl", "--no-pager", "PGSQLMS_ID=not-ready"];
    let journal = primary.run(&by_id)?;
    ensure!(
        journal.contains(&barred.text),
        "not in the journal by its id: {journal}"
    );
    scene.undisturbed()
}

/// The primary has larger settings than its standbys: it says of each that it would be the last
/// choice, and once it is over that it could be promoted.
pub fn standbys_with_smaller_settings_are_said_once(scene: &mut Scene) -> Result<()> {
    let primary = scene.cluster.primary()?;
    let rest = scene.cluster.others(&primary.name);
    configure(scene, &primary, "max_connections = 200")?;
    let worse = each(&primary, &rest, last_choice)?;
    restart_by_hand(scene, &primary)?;
    primary.sql("CREATE TABLE grown(i int)")?;
    for node in &rest {
        let pausing = || paused(node);
        scene
            .steps
            .wait("PostgreSQL to pause the replay", PATIENCE, pausing)?;
    }
    worse.iter().try_for_each(|one| one.wait(scene))?;
    let well = each(&primary, &rest, |node| {
        format!("{} could be promoted now", node.name)
    })?;
    for node in &rest {
        configure(scene, node, "max_connections = 200")?;
        scene.pcs(&format!("node standby {} --wait=60", node.name))?;
        scene.pcs(&format!("node unstandby {} --wait=60", node.name))?;
    }
    scene.cluster.wait_whole()?;
    well.iter().try_for_each(|one| one.wait(scene))?;
    worse.iter().try_for_each(Wanted::is_said_once)?;
    scene.nobody_fenced()
}

fn each<'a>(by: &'a Node, of: &[Node], text: impl Fn(&Node) -> String) -> Result<Vec<Wanted<'a>>> {
    of.iter().map(|node| Wanted::of(by, text(node))).collect()
}

fn last_choice(node: &Node) -> String {
    let name = &node.name;
    format!("{name} would be promoted only where no other standby is sound: max_connections=60")
}

//! The owner of the data directory wants what is root's: every verb, with tricks in the place of
//! every file that the agent looks at.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

use crate::cluster::postgresql::{self, SECOND};
use crate::machine::node::Node;
use crate::run::scene::Scene;
use crate::tests::ocf::{FAKE_BIN, install_fake_tools};

/// Plays the owner.
const TRICKSTER: &str = include_str!("../../files/trickster");
/// Runs the verbs and looks at what became of root's files.
const ATTACKED: &str = include_str!("../../files/attacked");
/// How long it plays.
const SECONDS: &str = "900";
const LIMIT: Duration = Duration::from_secs(1800);

/// Links to files and directories of root's, FIFOs, files without end and control characters in
/// the place of everything that belongs to postgres, lying still and in a race: no verb tells
/// what is root's, changes or makes a file of root's, outlives its deadline, takes memory without
/// bound or panics.
pub fn owner_of_the_data_plays_tricks_on_every_verb(scene: &mut Scene) -> Result<()> {
    let node = &scene.cluster.nodes[0];
    let release = scene.cluster.options.release;
    postgresql::prime(std::slice::from_ref(node), release, &SECOND, &scene.steps)?;
    install(node)?;
    let (bindir, confdir) = (release.bindir(), release.confdir(SECOND.name));
    let (datadir, port) = (release.datadir(SECOND.name), SECOND.port.to_string());
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let seed = now.as_secs().to_string();
    let words = [
        "python3",
        "/root/attacked",
        SECOND.resource,
        &bindir,
        &confdir,
        &datadir,
        &port,
        FAKE_BIN,
        SECONDS,
        &seed,
    ];
    scene
        .steps
        .say(&format!("playing tricks on every verb, seed {seed}"));
    let told = node.run_within(LIMIT, &words)?;
    scene.steps.note(&told);
    judge(scene, &told)
}

/// What must have worked without tricks, and what must not have happened with them.
const UNTOUCHED: [&str; 5] = [
    "validate-all 0",
    "start 0",
    "promote 0",
    "demote 0",
    "stop 0",
];

fn judge(scene: &Scene, told: &str) -> Result<()> {
    let lines: Vec<_> = told.lines().collect();
    for wanted in UNTOUCHED.map(|verb| format!("untouched: {verb}")) {
        ensure!(lines.contains(&wanted.as_str()), "no \"{wanted}\": {told}");
    }
    let of = |begin: &'static str| lines.iter().filter(move |line| line.starts_with(begin));
    for line in of("still: ").chain(of("raced: ")) {
        scene.steps.say(line);
    }
    let wrong: Vec<_> = of("WRONG ").copied().collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn install(node: &Node) -> Result<()> {
    install_fake_tools(node)?;
    node.write("/usr/local/bin/trickster", TRICKSTER, "root:root", "0755")?;
    node.write("/root/attacked", ATTACKED, "root:root", "0700")
}

//! A load balancer in front of a cluster, as docs/monitoring.md sets one up.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use super::switchover::{switchover, tell_roles};
use crate::host::shell::ends_with;
use crate::machine::node::Node;
use crate::run::scene::Scene;
use crate::watch::balancer::Balancer;
use crate::watch::client::{Target, connect};

const PAGE: &str = include_str!("../../../docs/monitoring.md");
/// It asks each second, and believes the second answer that a server is no primary.
const LIMIT: Duration = Duration::from_secs(20);
/// New connections go to each server in turn that is believed to be the primary: one that leads
/// there may be chance, two rounds are none.
const IN_A_ROW: usize = 6;

/// New connections through a real HAProxy reach the primary: at first, after a switchover, and
/// after the primary has lost its power.
pub fn haproxy_follows_the_primary(scene: &mut Scene) -> Result<()> {
    tell_roles(scene)?;
    let balancer = Balancer::start(&scene.cluster, backend()?)?;
    let first = scene.cluster.primary()?;
    leads_to(scene, &balancer, &first)?;
    let second = scene.a_standby()?;
    ends_with(&switchover(&first, &["--to", &second.name])?, 0, &[])?;
    leads_to(scene, &balancer, &second)?;
    let rest = scene.cluster.others(&second.name);
    scene.cut_power(&second)?;
    let limit = Duration::from_secs(60);
    let third = scene.cluster.wait_promoted_among(&rest, limit)?;
    leads_to(scene, &balancer, &third)?;
    scene.cluster.rejoin(&second)?;
    scene.only_fenced(&second.name)
}

/// The backend of the page, to the letter.
fn backend() -> Result<&'static str> {
    let begin = PAGE.find("backend primary").context("no backend")?;
    let text = &PAGE[begin..];
    let end = text.find("```").context("its end")?;
    Ok(text[..end].trim_end())
}

fn leads_to(scene: &Scene, balancer: &Balancer, primary: &Node) -> Result<()> {
    let began = Instant::now();
    let what = format!("HAProxy to lead to {}", primary.name);
    let waited = scene.steps.wait(&what, LIMIT, || {
        for _ in 0..IN_A_ROW {
            let (address, is_standby) = who_answers(balancer.target())?;
            let is_there = address == primary.address().to_string();
            ensure!(is_there && !is_standby, "{address}, standby: {is_standby}");
        }
        Ok(())
    });
    waited.with_context(|| balancer.errors())?;
    let seconds = began.elapsed().as_secs_f32();
    scene.steps.say(&format!("{what}: {seconds:.1} s"));
    Ok(())
}

/// The address of the server that answers, and whether it is a standby. In a thread, which stays
/// in the network of the cluster.
fn who_answers(target: &Target) -> Result<(String, bool)> {
    let target = target.clone();
    let asked = std::thread::spawn(move || -> Result<(String, bool)> {
        let question = "SELECT host(inet_server_addr()), pg_is_in_recovery()";
        let row = connect(&target)?.query_one(question, &[])?;
        Ok((row.get(0), row.get(1)))
    });
    asked.join().map_err(|_| anyhow!("a thread panicked"))?
}

//! What clients saw of one disturbance, and where its time went.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

use crate::cluster::Cluster;
use crate::cluster::postgresql::MAIN;
use crate::host::progress::Steps;
use crate::machine::node::Node;
use crate::measure::course::{self, Course};
use crate::measure::phase;
use crate::watch::client::Client;

/// How long a disturbance may take to be noticed by clients: with the original, a frozen server
/// takes a minute and a half.
const NOTICED: Duration = Duration::from_secs(180);

/// The course goes on for so long after clients write again.
const AFTERWARDS: Duration = Duration::from_millis(300);

/// What clients saw of a disturbance.
#[derive(Debug, Clone)]
pub struct Outage {
    /// From the first write that had to wait until writes went on for good: an agent that
    /// lets clients write for a moment and cuts them off again gains nothing by it.
    pub length: Duration,
    /// How often writes were interrupted in it.
    pub interruptions: u32,
    /// How long after the fencing of a node that was.
    pub after_fencing: Option<Duration>,
    /// Acknowledged rows that are gone.
    pub lost: usize,
    /// Where the time went.
    pub course: Course,
    /// When writes went on for good.
    end: SystemTime,
}

impl Outage {
    /// The outage that `client` went through; it writes again.
    fn seen_by(client: &Client, steps: &Steps) -> Result<Self> {
        let interruptions = client.interruptions();
        for (begin, length) in &interruptions {
            steps.say(&format!(
                "writes interrupted at {:.2} s for {:.2} s",
                begin.as_secs_f64(),
                length.as_secs_f64()
            ));
        }
        Ok(Self {
            length: interruptions
                .last()
                .map_or(Duration::ZERO, |(begin, length)| *begin + *length),
            interruptions: u32::try_from(interruptions.len())?,
            after_fencing: None,
            lost: 0,
            course: Course::default(),
            end: SystemTime::now() - client.calm_for().context("no interruption")?,
        })
    }
}

/// Runs `disturb` at a `moment` after a monitor of the primary, and waits until the nodes that it
/// returns are a whole cluster; returns what clients saw.
pub fn of(
    cluster: &Cluster,
    moment: Duration,
    disturb: impl Fn() -> Result<Vec<Node>>,
) -> Result<Outage> {
    let client = Client::start(cluster, &MAIN);
    client.wait_writing(&cluster.steps, Duration::from_secs(30))?;
    cluster
        .steps
        .say(&format!("{:.1} s after a monitor", moment.as_secs_f64()));
    phase::wait_monitor(&cluster.primary()?)?;
    std::thread::sleep(moment);
    client.reset_downtime();
    let begin = SystemTime::now();
    let survivors = disturb()?;
    let names: Vec<&str> = survivors.iter().map(|node| node.name.as_str()).collect();
    wait_interrupted(cluster, &client)?;
    cluster.wait_whole_on(&names)?;
    client.wait_writing(&cluster.steps, Duration::from_secs(30))?;
    let mut outage = Outage::seen_by(&client, &cluster.steps)?;
    let until = outage.end.duration_since(begin).unwrap_or_default() + AFTERWARDS;
    outage.course = course::read(cluster, begin, until)?;
    cluster.steps.say(&outage.course.line());
    outage.lost = client.finish(&cluster.steps)?.lost.len();
    cluster.steps.say(&format!("{} rows lost", outage.lost));
    cluster.pcs(&["resource", "cleanup"])?;
    cluster.wait_whole_on(&names)?;
    Ok(outage)
}

/// The same, where a node is fenced.
pub fn of_fencing(
    cluster: &Cluster,
    moment: Duration,
    disturb: impl Fn() -> Result<Vec<Node>>,
) -> Result<Outage> {
    let mut outage = of(cluster, moment, disturb)?;
    let fencings = cluster.power.fencings()?;
    let first = fencings.first().context("nobody was fenced")?;
    let millis = outage.end.duration_since(UNIX_EPOCH)?.as_millis();
    let after = millis.checked_sub(first.millis);
    let after = after.context("writes went on before the fencing")?;
    outage.after_fencing = Some(Duration::from_millis(u64::try_from(after)?));
    Ok(outage)
}

/// A dead server looks alive to Pacemaker until it is noticed: a cluster may be judged only after
/// the client has seen a gap.
fn wait_interrupted(cluster: &Cluster, client: &Client) -> Result<()> {
    cluster
        .steps
        .wait("clients to notice, and to write again", NOTICED, || {
            ensure!(
                client.downtime() > Duration::from_millis(200),
                "no gap has come to its end"
            );
            Ok(())
        })
}

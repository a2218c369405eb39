//! Looks all the time for what must never be: two writable primaries that clients can reach.
//!
//! Each node is asked twice on one connection. Between the end of the first answer and the
//! beginning of the second question it was a primary for certain, if it was one both times: two
//! nodes whose such times overlap were writable at once, whatever the delays of the answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cluster::Cluster;
use crate::cluster::postgresql::MAIN;
use crate::watch::client::{self, Target};

/// Time between two looks at a node.
const ROUND: Duration = Duration::from_secs(1);
/// Time between the two questions of one look.
const BETWEEN: Duration = Duration::from_millis(300);
/// A node that is silent for this long is asked anew.
const SILENCE: Duration = Duration::from_secs(6);

/// A time in which a node was writable for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reign {
    node: String,
    from: Instant,
    to: Instant,
}

#[derive(Debug, Default)]
struct Seen {
    answers: usize,
    reigns: Vec<Reign>,
    twice: Vec<String>,
}

/// The watch of a cluster; it ends when it is dropped.
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch the main instance on all nodes.
    pub fn start(cluster: &Cluster) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let threads = cluster.nodes.iter().map(|node| {
            let target = Target {
                warden: cluster.power.pid(),
                address: node.address(),
                port: MAIN.port,
            };
            let (seen, stop, name) = (Arc::clone(&seen), Arc::clone(&stop), node.name.clone());
            std::thread::spawn(move || watch_node(&name, &target, &seen, &stop))
        });
        let threads = threads.collect();
        Self {
            seen,
            stop,
            threads,
        }
    }

    /// Every time when two primaries were writable at once.
    pub fn twice(&self) -> Vec<String> {
        lock(&self.seen).twice.clone()
    }

    /// How often a node answered.
    pub fn answers(&self) -> usize {
        lock(&self.seen).answers
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            // What a thread that panicked had seen is in the common record.
            let _ = thread.join();
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch_node(node: &str, target: &Target, seen: &Arc<Mutex<Seen>>, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        let begun = Instant::now();
        let done = Arc::new(AtomicBool::new(false));
        let (name, target) = (node.to_owned(), target.clone());
        let (seen, for_look) = (Arc::clone(seen), Arc::clone(&done));
        // A frozen server answers never: its thread is left to itself.
        std::thread::spawn(move || {
            if let Ok(Some(reign)) = look(&name, &target, &seen) {
                note(&mut lock(&seen), reign);
            }
            for_look.store(true, Ordering::SeqCst);
        });
        let over = || done.load(Ordering::SeqCst) || begun.elapsed() > SILENCE;
        while !over() || begun.elapsed() < ROUND {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn look(node: &str, target: &Target, seen: &Mutex<Seen>) -> Result<Option<Reign>> {
    let mut connection = client::connect(target)?;
    let mut is_primary = || -> Result<bool> {
        let row = connection.query_one("SELECT NOT pg_is_in_recovery()", &[])?;
        Ok(row.try_get(0)?)
    };
    let first = is_primary()?;
    lock(seen).answers += 1;
    if !first {
        return Ok(None);
    }
    let from = Instant::now();
    std::thread::sleep(BETWEEN);
    let to = Instant::now();
    Ok(is_primary()?.then(|| Reign {
        node: node.to_owned(),
        from,
        to,
    }))
}

fn note(seen: &mut Seen, reign: Reign) {
    let overlaps =
        |other: &&Reign| other.node != reign.node && other.from < reign.to && reign.from < other.to;
    if let Some(other) = seen.reigns.iter().find(overlaps) {
        let ago = reign.to.elapsed().as_secs_f64();
        let text = format!(
            "{} and {} were both writable {ago:.1} s ago",
            reign.node, other.node
        );
        seen.twice.push(text);
    }
    seen.reigns.retain(|old| old.to.elapsed() < 10 * SILENCE);
    seen.reigns.push(reign);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reign(node: &str, start: Instant, from: u64, to: u64) -> Reign {
        Reign {
            node: node.to_owned(),
            from: start + Duration::from_millis(from),
            to: start + Duration::from_millis(to),
        }
    }

    #[test]
    fn overlapping_reigns_of_two_nodes_are_found() {
        let start = Instant::now();
        let mut seen = Seen::default();
        note(&mut seen, reign("srv1", start, 0, 300));
        note(&mut seen, reign("srv1", start, 200, 500));
        note(&mut seen, reign("srv2", start, 500, 800));
        assert_eq!(seen.twice, Vec::<String>::new());
        note(&mut seen, reign("srv3", start, 700, 900));
        assert_eq!(seen.twice.len(), 1);
    }
}

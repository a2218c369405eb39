//! A client that writes through the address of the primary and forgets nothing it was promised.
//!
//! It inserts one row a transaction every few ms. Every acknowledged key is kept, so a
//! lost commit has a name, and the widest gap between two acknowledgements is the time
//! clients could not write.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use nix::sched::{CloneFlags, setns};
use postgres::{Client as Connection, Config, NoTls};

use crate::cluster::Cluster;
use crate::cluster::postgresql::Instance;
use crate::host::progress::Steps;

/// Pause between two writes.
const PACE: Duration = Duration::from_millis(5);
/// A server that stays silent longer is given up and a new connection is made.
const SILENCE: Duration = Duration::from_secs(3);
/// A packet to an address that is on its way to another node gets no answer: the shorter this
/// is, the sharper the downtime is measured. A living server answers in a millisecond.
const CONNECTING: Duration = Duration::from_millis(200);
/// Two acknowledgements further apart are an interruption.
const INTERRUPTION: Duration = Duration::from_millis(200);
/// Pause after a failed connection.
const RETRY: Duration = Duration::from_millis(50);
/// A test may give others' sessions odd defaults: they are not the client's.
const OWN_SETTINGS: &str = "-c default_transaction_isolation=read\\ committed \
     -c default_transaction_read_only=off -c default_transaction_deferrable=off \
     -c statement_timeout=0 -c lock_timeout=0 -c search_path=public \
     -c session_preload_libraries= -c row_security=on";

/// Where clients connect to, and from which network namespace.
#[derive(Debug, Clone)]
pub struct Target {
    /// Process whose network namespace it is.
    pub warden: i32,
    /// Address of the server.
    pub address: Ipv4Addr,
    /// Port of the server.
    pub port: u16,
}

#[derive(Default)]
struct Ledger {
    acknowledged: BTreeSet<i64>,
    last: Option<Instant>,
    gap: Duration,
    interruptions: Vec<(Instant, Instant)>,
    last_error: String,
}

/// A writing client; dropping it stops it.
pub struct Client {
    target: Target,
    ledger: Arc<Mutex<Ledger>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What the client was promised and how long it had to wait.
#[derive(Debug, Clone)]
pub struct Report {
    /// Number of acknowledged rows.
    pub acknowledged: usize,
    /// Widest gap between two acknowledgements.
    pub downtime: Duration,
    /// Acknowledged keys that are not there any more.
    pub lost: Vec<i64>,
}

impl Client {
    /// Starts to write to `instance` of `cluster`.
    pub fn start(cluster: &Cluster, instance: &Instance) -> Self {
        let target = Target {
            warden: cluster.power.pid(),
            address: instance.vip,
            port: instance.port,
        };
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (target, ledger, stop) = (target.clone(), Arc::clone(&ledger), Arc::clone(&stop));
            move || supervise(&target, &ledger, &stop)
        });
        Self {
            target,
            ledger,
            stop,
            thread: Some(thread),
        }
    }

    /// Number of rows acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.ledger().acknowledged.len()
    }

    /// Widest gap so far.
    pub fn downtime(&self) -> Duration {
        self.ledger().gap
    }

    /// How long writes have gone on since the last interruption ended.
    pub fn calm_for(&self) -> Option<Duration> {
        let ledger = self.ledger();
        ledger.interruptions.last().map(|(_, end)| end.elapsed())
    }

    /// Each interruption: its begin after the first one's begin, and its length.
    pub fn interruptions(&self) -> Vec<(Duration, Duration)> {
        let ledger = self.ledger();
        let Some((first, _)) = ledger.interruptions.first() else {
            return Vec::new();
        };
        let relative = |(begin, end): &(Instant, Instant)| (*begin - *first, *end - *begin);
        ledger.interruptions.iter().map(relative).collect()
    }

    /// Forgets the gaps seen so far, to measure only what comes now.
    pub fn reset_downtime(&self) {
        let mut ledger = self.ledger();
        ledger.gap = Duration::ZERO;
        ledger.interruptions.clear();
    }

    /// Waits until writes go on: 20 more rows are acknowledged.
    pub fn wait_writing(&self, steps: &Steps, limit: Duration) -> Result<()> {
        let before = self.acknowledged();
        steps.wait("the client to write", limit, || {
            let rows = self.acknowledged() - before;
            ensure!(
                rows >= 20,
                "{rows} rows more; last error: {}",
                self.ledger().last_error
            );
            Ok(())
        })
    }

    /// Acknowledged rows that are not at the primary; writing goes on meanwhile.
    pub fn lost(&self, steps: &Steps) -> Result<Vec<i64>> {
        let acknowledged = self.ledger().acknowledged.clone();
        let present = steps.wait("all rows to be read back", Duration::from_secs(30), || {
            read_keys(&self.target)
        })?;
        Ok(acknowledged.difference(&present).copied().collect())
    }

    /// Fails if an acknowledged row is not at the primary; writing goes on meanwhile.
    pub fn nothing_lost(&self, steps: &Steps) -> Result<()> {
        let lost = self.lost(steps)?;
        let some: Vec<_> = lost.iter().take(5).collect();
        ensure!(
            lost.is_empty(),
            "{} acknowledged rows are lost, first {some:?}",
            lost.len()
        );
        Ok(())
    }

    /// Stops writing and looks for every acknowledged row at the primary.
    pub fn finish(mut self, steps: &Steps) -> Result<Report> {
        self.halt();
        let lost = self.lost(steps)?;
        let ledger = self.ledger();
        Ok(Report {
            acknowledged: ledger.acknowledged.len(),
            downtime: ledger.gap,
            lost,
        })
    }

    fn halt(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // A panic of the client shows as missing progress; nothing more to learn from it.
            let _ = thread.join();
        }
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.halt();
    }
}

/// What one connection tells the supervisor.
enum Event {
    Acknowledged(i64, Instant),
    Ended(String),
}

/// Runs one session after the other. A session that is silent for too long is left to itself:
/// its thread hangs in the kernel until the connection is reset, and then ends.
fn supervise(target: &Target, ledger: &Mutex<Ledger>, stop: &AtomicBool) {
    let next_key = Arc::new(AtomicI64::new(first_key()));
    let (sender, events) = channel();
    while !stop.load(Ordering::SeqCst) {
        let leave = Arc::new(AtomicBool::new(false));
        let (target, sender) = (target.clone(), sender.clone());
        let (for_session, keys) = (Arc::clone(&leave), Arc::clone(&next_key));
        std::thread::spawn(move || {
            let ended = session(&target, &keys, &for_session, &sender);
            let reason = ended
                .err()
                .map_or_else(String::new, |error| format!("{error:#}"));
            // An abandoned session's words are of no interest any more.
            if !for_session.load(Ordering::SeqCst) {
                let _ = sender.send(Event::Ended(reason));
            }
        });
        follow(&events, ledger, stop);
        leave.store(true, Ordering::SeqCst);
        std::thread::sleep(RETRY);
    }
    // Acknowledgements that came after the last look count as well.
    for event in events.try_iter() {
        note(ledger, event);
    }
}

/// Microseconds since 1970: above the keys of any client before on the same cluster, as each
/// row takes longer than a microsecond.
fn first_key() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(1)
}

/// Takes events of a session until it ends, falls silent, or the client stops.
fn follow(events: &Receiver<Event>, ledger: &Mutex<Ledger>, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        match events.recv_timeout(SILENCE) {
            Ok(Event::Ended(reason)) => return note(ledger, Event::Ended(reason)),
            Ok(event) => note(ledger, event),
            Err(RecvTimeoutError::Timeout) => {
                return note(ledger, Event::Ended("silence".to_owned()));
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn note(ledger: &Mutex<Ledger>, event: Event) {
    let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
    match event {
        Event::Acknowledged(key, at) => {
            ledger.acknowledged.insert(key);
            if let Some(last) = ledger.last {
                let gap = at.saturating_duration_since(last);
                ledger.gap = ledger.gap.max(gap);
                if gap >= INTERRUPTION {
                    ledger.interruptions.push((last, at));
                }
            }
            ledger.last = Some(at);
        }
        Event::Ended(reason) => ledger.last_error = reason,
    }
}

fn session(
    target: &Target,
    keys: &AtomicI64,
    leave: &AtomicBool,
    sender: &Sender<Event>,
) -> Result<()> {
    let mut connection = connect(target)?;
    let insert = connection.prepare("INSERT INTO lab_writes(id) VALUES ($1)")?;
    while !leave.load(Ordering::SeqCst) {
        // A key is used once: nobody knows whether a row without an answer is there.
        let key = keys.fetch_add(1, Ordering::SeqCst);
        connection.execute(&insert, &[&key])?;
        if sender
            .send(Event::Acknowledged(key, Instant::now()))
            .is_err()
        {
            return Ok(());
        }
        std::thread::sleep(PACE);
    }
    Ok(())
}

/// Connects from the cluster's network namespace, which this thread enters for good.
pub fn connect(target: &Target) -> Result<Connection> {
    connect_with(target, "")
}

/// The same, with further settings of the session: ` -c name=value`.
pub fn connect_with(target: &Target, settings: &str) -> Result<Connection> {
    let namespace = std::fs::File::open(format!("/proc/{}/ns/net", target.warden))
        .context("the cluster is gone")?;
    setns(&namespace, CloneFlags::CLONE_NEWNET)?;
    let mut config = Config::new();
    config.host(&target.address.to_string()).port(target.port);
    config
        .user("postgres")
        .dbname("postgres")
        .application_name("lab_client")
        .options(&format!("{OWN_SETTINGS}{settings}"));
    config
        .connect_timeout(CONNECTING)
        .tcp_user_timeout(Duration::from_secs(2));
    // One that waits for an answer, and has nothing to send, learns only so that its server is dead.
    config
        .keepalives_idle(Duration::from_secs(2))
        .keepalives_interval(Duration::from_secs(1))
        .keepalives_retries(2);
    Ok(config.connect(NoTls)?)
}

/// Reads all keys in a thread of its own, so that the caller's thread keeps its namespace.
fn read_keys(target: &Target) -> Result<BTreeSet<i64>> {
    let (sender, answer) = channel();
    let target = target.clone();
    std::thread::spawn(move || {
        let read = || -> Result<BTreeSet<i64>> {
            let rows = connect(&target)?.query("SELECT id FROM lab_writes", &[])?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        };
        let _ = sender.send(read());
    });
    match answer.recv_timeout(Duration::from_secs(10)) {
        Ok(keys) => keys,
        Err(_) => bail!("the primary does not answer"),
    }
}

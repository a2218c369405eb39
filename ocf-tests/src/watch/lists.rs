//! Clients that append to lists and read them, through the address of the primary and directly, and
//! keep a history of what they were told for [`crate::consistency`].

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use postgres::Client as Connection;

use crate::cluster::Cluster;
use crate::cluster::postgresql::Instance;
use crate::consistency::check::numbers;
use crate::consistency::history::{Outcome, Step, Transaction};
use crate::host::progress::Steps;
use crate::watch::client::{Target, connect_with};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS lab_lists(list bigint PRIMARY KEY, elements bigint[] NOT NULL); \
     TRUNCATE lab_lists";
const APPEND: &str = "INSERT INTO lab_lists VALUES ($1, ARRAY[$2::bigint]) ON CONFLICT (list) \
     DO UPDATE SET elements = lab_lists.elements || EXCLUDED.elements";
const READ: &str = "SELECT elements FROM lab_lists WHERE list = $1";
/// A standby refuses to be written to: what is read so was read from a primary.
const BEGIN_APPEND: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ WRITE";

/// How clients wait for standbys; each is used through the address and directly.
pub const LEVELS: &[&str] = &["on", "remote_write", "remote_apply"];
/// Pause between two transactions of a client.
const PACE: Duration = Duration::from_millis(15);
/// Pause after a failed connection.
const RETRY: Duration = Duration::from_millis(100);
/// Lists that are appended to at a time.
const ABREAST: i64 = 4;
/// Elements that go to these before the next ones follow.
const TURN: i64 = 400;
/// A whole cluster answers everybody within this time.
const LAST_WORDS: Duration = Duration::from_secs(30);

/// What all clients write into.
struct Record {
    start: Instant,
    next: AtomicI64,
    history: Mutex<Vec<Transaction>>,
    stop: AtomicBool,
}

/// One client: where it connects to, and how it waits.
#[derive(Clone)]
struct Customer {
    targets: Vec<Target>,
    level: &'static str,
    who: String,
}

/// Clients at work; dropping them stops them.
pub struct Lists {
    record: Arc<Record>,
    address: Customer,
    threads: Vec<JoinHandle<()>>,
}

impl Lists {
    /// Empties the lists and starts two clients for each of `levels`.
    pub fn start(cluster: &Cluster, instance: &Instance, levels: &[&'static str]) -> Result<Self> {
        cluster.primary()?.sql_on(instance.port, TABLE)?;
        let record = Arc::new(Record {
            start: Instant::now(),
            next: AtomicI64::new(1),
            history: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let customers = levels
            .iter()
            .flat_map(|level| customers(cluster, instance, level));
        let threads = customers.map(|customer| {
            let record = Arc::clone(&record);
            std::thread::spawn(move || serve(&customer, &record))
        });
        Ok(Self {
            threads: threads.collect(),
            address: by_address(cluster, instance, "on"),
            record,
        })
    }

    /// Number of appends acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        let history = self.record.history();
        let committed = history
            .iter()
            .filter(|one| one.outcome == Outcome::Committed);
        let steps = committed.flat_map(|one| &one.steps);
        steps
            .filter(|step| matches!(step, Step::Append { .. }))
            .count()
    }

    /// Waits until `count` more appends are acknowledged.
    pub fn wait_appending(&self, steps: &Steps, count: usize) -> Result<()> {
        let before = self.acknowledged();
        steps.wait("the lists to grow", LAST_WORDS, || {
            let more = self.acknowledged() - before;
            ensure!(more >= count, "{more} appends more");
            Ok(())
        })
    }

    /// Stops the clients, reads every list once more through the address, and returns the
    /// history. A transaction that still hangs then has an unknown outcome.
    pub fn finish(mut self, steps: &Steps) -> Result<Vec<Transaction>> {
        self.record.stop.store(true, Ordering::SeqCst);
        let threads = std::mem::take(&mut self.threads);
        let ended = steps.wait("the clients of the lists to end", LAST_WORDS, || {
            ensure!(threads.iter().all(JoinHandle::is_finished), "one hangs");
            Ok(())
        });
        if let Err(error) = ended {
            steps.say(&format!("{error:#}"));
        }
        // Not in the head of the loop, which would keep the history locked.
        let named = numbers(&self.record.history());
        for list in named {
            self.read_back(steps, list)?;
        }
        Ok(self.record.history().clone())
    }

    /// In a thread of its own, so that the caller's keeps its network namespace.
    fn read_back(&self, steps: &Steps, list: i64) -> Result<()> {
        let what = format!("list {list} to be read back");
        steps.wait(&what, LAST_WORDS, || {
            let (customer, record) = (self.address.clone(), Arc::clone(&self.record));
            let reader = std::thread::spawn(move || {
                let mut connection = customer.connect()?;
                let elements = Vec::new();
                record.play(
                    &customer,
                    &mut connection,
                    vec![Step::Read { list, elements }],
                )
            });
            match reader.join() {
                Ok(read) => read,
                Err(_) => bail!("the reader panicked"),
            }
        })
    }
}

impl Drop for Lists {
    fn drop(&mut self) {
        self.record.stop.store(true, Ordering::SeqCst);
    }
}

fn customers(cluster: &Cluster, instance: &Instance, level: &'static str) -> [Customer; 2] {
    let target = |address| Target {
        warden: cluster.power.pid(),
        address,
        port: instance.port,
    };
    let nodes = cluster.nodes.iter().map(|node| target(node.address()));
    let direct = Customer {
        targets: nodes.collect(),
        level,
        who: format!("{level}, directly"),
    };
    [by_address(cluster, instance, level), direct]
}

fn by_address(cluster: &Cluster, instance: &Instance, level: &'static str) -> Customer {
    Customer {
        targets: vec![Target {
            warden: cluster.power.pid(),
            address: instance.vip,
            port: instance.port,
        }],
        level,
        who: format!("{level}, through the address"),
    }
}

impl Customer {
    /// A session at the first of its targets that is a primary.
    fn connect(&self) -> Result<Connection> {
        let settings = format!(" -c synchronous_commit={}", self.level);
        for target in &self.targets {
            let Ok(mut connection) = connect_with(target, &settings) else {
                continue;
            };
            let standby = connection.query_one("SELECT pg_is_in_recovery()", &[]);
            if standby.is_ok_and(|row| !row.get::<_, bool>(0)) {
                return Ok(connection);
            }
        }
        bail!("no primary for {}", self.who)
    }
}

/// One session after the other until all stop.
fn serve(customer: &Customer, record: &Record) {
    while !record.stop.load(Ordering::SeqCst) {
        if let Ok(mut connection) = customer.connect() {
            while !record.stop.load(Ordering::SeqCst) {
                let steps = drawn(record.next.fetch_add(1, Ordering::SeqCst));
                let played = record.play(customer, &mut connection, steps);
                if played.is_err() && connection.is_closed() {
                    break;
                }
                std::thread::sleep(PACE);
            }
        }
        std::thread::sleep(RETRY);
    }
}

/// What transaction `number` does: mostly it appends to a list; some read it, or another one, or
/// append to two, or do both.
fn drawn(number: i64) -> Vec<Step> {
    let first = number / TURN * ABREAST;
    let list = first + number % ABREAST;
    let other = first + (number + 1) % ABREAST;
    let elements = Vec::new;
    let append = |list| Step::Append {
        list,
        element: number,
    };
    let read = |list| Step::Read {
        list,
        elements: elements(),
    };
    match number % 11 {
        0 | 4 | 8 => vec![read(list)],
        2 => vec![read(number * 31 % (first + ABREAST))],
        5 => vec![append(list), append(other)],
        7 => vec![read(list), append(other)],
        9 => vec![read(list), read(other)],
        _ => vec![append(list)],
    }
}

impl Record {
    fn history(&self) -> MutexGuard<'_, Vec<Transaction>> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// On record with an unknown outcome before anything is sent; an error if it was not committed.
    fn play(&self, by: &Customer, connection: &mut Connection, steps: Vec<Step>) -> Result<()> {
        let place = {
            let mut history = self.history();
            history.push(Transaction {
                begin: self.now(),
                end: u64::MAX,
                outcome: Outcome::Unknown,
                steps: steps.clone(),
                who: by.who.clone(),
            });
            history.len() - 1
        };
        let (outcome, result) = perform(connection, steps);
        let mut history = self.history();
        let one = &mut history[place];
        (one.end, one.outcome) = (self.now(), outcome);
        one.steps = result?;
        Ok(())
    }
}

/// What fails before the commit is sent fails for certain; a commit without an answer is unknown.
fn perform(connection: &mut Connection, steps: Vec<Step>) -> (Outcome, Result<Vec<Step>>) {
    let begin = match steps[..] {
        [Step::Append { .. }] => BEGIN_APPEND,
        _ => BEGIN_READ,
    };
    let body = connection.batch_execute(begin).context("begin");
    let body = body.and_then(|()| {
        steps
            .into_iter()
            .map(|step| one(connection, step))
            .collect()
    });
    let steps = match body {
        Ok(steps) => steps,
        Err(error) => {
            // A session that lives is used again; in one that does not, nothing is left to end.
            let _ = connection.batch_execute("ROLLBACK");
            return (Outcome::Failed, Err(error));
        }
    };
    match connection.batch_execute("COMMIT") {
        Ok(()) => (Outcome::Committed, Ok(steps)),
        Err(error) => (Outcome::Unknown, Err(error).context("commit")),
    }
}

fn one(connection: &mut Connection, step: Step) -> Result<Step> {
    match step {
        Step::Append { list, element } => {
            connection.execute(APPEND, &[&list, &element])?;
            Ok(Step::Append { list, element })
        }
        Step::Read { list, .. } => {
            let row = connection.query_opt(READ, &[&list])?;
            let elements = row.map_or_else(Vec::new, |row| row.get(0));
            Ok(Step::Read { list, elements })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_appended_to_a_list_once() {
        let mut seen = std::collections::BTreeSet::new();
        for step in (1..5000).flat_map(drawn) {
            if let Step::Append { list, element } = step {
                assert!(seen.insert((list, element)), "{element} to {list}");
            }
        }
        assert!(seen.len() > 2500, "{} appends", seen.len());
    }

    #[test]
    fn reads_go_to_lists_that_are_there() {
        for number in 1..5000 {
            let most = number / TURN * ABREAST + ABREAST;
            for step in drawn(number) {
                let (Step::Append { list, .. } | Step::Read { list, .. }) = step;
                assert!((0..most).contains(&list), "{list} in {number}");
            }
        }
    }
}

//! Runs tests on clusters of their own, several at once, and tells the outcome like cargo does.

use std::collections::VecDeque;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::cluster::agent::Agent;
use crate::cluster::postgresql::MAIN;
use crate::cluster::{Cluster, Options, prepare};
use crate::host::progress::Steps;
use crate::host::{paths, release, shell};
use crate::machine::power;
use crate::run::report::{self, Verdict};
use crate::run::scene::Scene;
use crate::watch::client::Client;
use crate::watch::logs;

/// While tests run, a line tells this often what they wait for.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// What a test needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// A whole cluster with a writing client.
    Client,
    /// The same, with commits that wait for one standby.
    SynchronousClient,
    /// The same, and the data of each node is on a disk of its own.
    DisksAndSynchronousClient,
    /// A whole cluster that nobody writes to.
    Silence,
    /// The same, with commits that wait for one standby.
    SynchronousSilence,
    /// Booted nodes without a running cluster stack.
    Nodes,
    /// Booted nodes on which nothing is set up yet.
    Bare,
    /// A whole cluster on the Perl agent, with commits that wait for one standby, and a
    /// writing client.
    PerlClient,
}

/// Whether a test belongs to the plain test command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Runs always.
    Short,
    /// Costs more than it proves in every run: runs only on request.
    Long,
}

/// One test.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name, as `lab test` filters and prints it.
    pub name: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// When it runs.
    pub length: Length,
    /// Its body.
    pub run: fn(&mut Scene) -> Result<()>,
}

/// How tests are run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many at once.
    pub jobs: usize,
    /// Leave the cluster of a failed test running.
    pub keep: bool,
    /// Print every step.
    pub verbose: bool,
    /// Shape of the clusters.
    pub options: Options,
}

impl Settings {
    /// Names the release before a test where it is not the usual one.
    fn release_prefix(&self) -> String {
        match self.options.release.name {
            release::DEFAULT => String::new(),
            name => format!("{name} "),
        }
    }
}

struct Runner<'a> {
    settings: &'a Settings,
    folder: PathBuf,
    queue: Mutex<VecDeque<Case>>,
    running: Mutex<Vec<(String, Steps)>>,
    verdicts: Mutex<Vec<Verdict>>,
    failed: Mutex<Vec<Case>>,
}

/// More failures than this are no matter of a busy machine.
const MOST_ONCE_MORE: usize = 3;

/// Runs `cases` and returns how each ended. The ids of the clusters begin with that of the options.
pub fn run(cases: Vec<Case>, settings: &Settings) -> Result<Vec<Verdict>> {
    let agent = &settings.options.agent;
    println!("agent under test: {}", agent.name());
    agent.build()?;
    // Made before the clock of any test runs, and by one worker only.
    prepare::ensure(&settings.options.recipe(), &Steps::new("", true))?;
    let (release, now) = (settings.options.release.name, "+%Y%m%d-%H%M%S");
    let folder = format!("{}-{release}", shell::run_words(&["date", now])?.trim());
    let folder = paths::logs().join(folder);
    let (count, jobs) = (cases.len(), settings.jobs);
    println!("running {count} tests on {release} with {jobs} jobs");
    let runner = Runner {
        settings,
        folder,
        queue: Mutex::new(cases.into()),
        running: Mutex::default(),
        verdicts: Mutex::default(),
        failed: Mutex::default(),
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..=settings.jobs)
            .map(|job| {
                scope.spawn({
                    let r = &runner;
                    move || r.work(job)
                })
            })
            .collect();
        runner.accompany(&workers);
    });
    runner.once_more();
    let verdicts = std::mem::take(&mut *lock(&runner.verdicts));
    println!("\n{}", report::tally(&verdicts));
    Ok(verdicts)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runner<'_> {
    fn work(&self, job: usize) {
        loop {
            let Some(case) = lock(&self.queue).pop_front() else {
                return;
            };
            let (verdict, stop) = self.one(job, &case, "");
            if !verdict.passed() {
                lock(&self.failed).push(case);
            }
            lock(&self.verdicts).push(verdict);
            if stop {
                println!("job {job} ends here: its cluster is kept for you");
                return;
            }
        }
    }

    /// Several clusters of three nodes on two cores can starve each other's time-outs. What failed
    /// beside another cluster gets one more try alone, in plain sight; that one counts.
    fn once_more(&self) {
        let failed = std::mem::take(&mut *lock(&self.failed));
        let alone = self.settings.jobs == 1 || self.settings.keep;
        if alone || failed.is_empty() || failed.len() > MOST_ONCE_MORE {
            return;
        }
        println!("running {} failed tests once more, alone", failed.len());
        for case in failed {
            let again = self.one(1, &case, ".alone").0;
            let mut verdicts = lock(&self.verdicts);
            verdicts.retain(|verdict| verdict.name != case.name);
            verdicts.push(again);
        }
    }

    /// Until all workers have ended, tells now and then what they do.
    fn accompany(&self, workers: &[ScopedJoinHandle<()>]) {
        let mut last = Instant::now();
        while !workers.iter().all(ScopedJoinHandle::is_finished) {
            std::thread::sleep(Duration::from_millis(100));
            if last.elapsed() > HEARTBEAT {
                last = Instant::now();
                self.heartbeat();
            }
        }
    }

    fn heartbeat(&self) {
        for (name, steps) in lock(&self.running).iter() {
            println!(
                "     … {name}, {} s: {}",
                steps.elapsed().as_secs(),
                steps.doing()
            );
        }
    }

    /// Runs one test; the second value says that its cluster is kept and the job has to end.
    fn one(&self, job: usize, case: &Case, suffix: &str) -> (Verdict, bool) {
        let steps = Steps::new(&format!("{}: ", case.name), self.settings.verbose);
        let folder = self.folder.join(format!("{}{suffix}", case.name));
        lock(&self.running).push((case.name.to_owned(), steps.clone()));
        let result = fs::create_dir_all(&folder)
            .context("folder for logs")
            .and_then(|()| steps.record(&folder.join("steps.log")))
            .and_then(|()| self.on_cluster(job, case, &steps, &folder));
        lock(&self.running).retain(|(name, _)| name != case.name);
        let verdict = Verdict {
            suite: self.settings.options.release.name.to_owned(),
            name: case.name.to_owned(),
            took: steps.elapsed(),
            failure: result.as_ref().err().map(|error| format!("{error:#}")),
        };
        self.tell(&verdict);
        let kept = match result {
            Ok(()) => {
                let _ = fs::remove_dir_all(&folder);
                false
            }
            Err(error) => {
                println!("    logs: {}", folder.display());
                let _ = fs::write(folder.join("error.txt"), format!("{error:?}\n"));
                self.kept(job)
            }
        };
        (verdict, kept)
    }

    fn tell(&self, verdict: &Verdict) {
        let release = self.settings.release_prefix();
        let (name, seconds) = (&verdict.name, verdict.took.as_secs());
        match &verdict.failure {
            None => println!("test {release}{name} ... ok ({seconds} s)"),
            Some(why) => println!("test {release}{name} ... FAILED ({seconds} s)\n    {why}"),
        }
    }

    /// Whether the cluster of a failed test is left for somebody to look at.
    fn kept(&self, job: usize) -> bool {
        let id = self.id(job);
        let kept = self.settings.keep && power::in_use(&id).unwrap_or(false);
        if kept {
            println!("    kept: lab --cluster {id} status|shell|…|down");
        }
        kept
    }

    /// The id of a job's cluster.
    fn id(&self, job: usize) -> String {
        format!("{}{job}", self.settings.options.id)
    }

    fn on_cluster(&self, job: usize, case: &Case, steps: &Steps, folder: &Path) -> Result<()> {
        let options = Options {
            id: self.id(job),
            synchronous: matches!(
                case.needs,
                Needs::SynchronousClient
                    | Needs::SynchronousSilence
                    | Needs::DisksAndSynchronousClient
                    | Needs::PerlClient
            ),
            bare: case.needs == Needs::Bare,
            data_disks: case.needs == Needs::DisksAndSynchronousClient,
            agent: match case.needs {
                Needs::PerlClient => Agent::Paf,
                _ => self.settings.options.agent.clone(),
            },
            detached: self.settings.keep,
            ..self.settings.options.clone()
        };
        let cluster = Cluster::boot(options, steps)?;
        let mut scene = Scene {
            cluster,
            client: None,
            steps: steps.clone(),
        };
        let result = guarded(|| play(case, &mut scene));
        drop(scene.client.take());
        if result.is_err() {
            if let Err(error) = logs::keep(&scene.cluster, folder) {
                println!("    cannot keep all logs: {error:#}");
            }
            if self.settings.keep {
                return result;
            }
        }
        scene.cluster.shut_down()?;
        result
    }
}

fn play(case: &Case, scene: &mut Scene) -> Result<()> {
    if !matches!(case.needs, Needs::Nodes | Needs::Bare) {
        scene.cluster.start_stack(&scene.cluster.nodes)?;
        scene.cluster.wait_whole()?;
    }
    let writing = [
        Needs::Client,
        Needs::SynchronousClient,
        Needs::DisksAndSynchronousClient,
        Needs::PerlClient,
    ];
    if writing.contains(&case.needs) {
        scene.client = Some(Client::start(&scene.cluster, &MAIN));
        scene.writes_go_on()?;
    }
    (case.run)(scene)?;
    scene.settle().map(drop)
}

/// A panic in a test is a failure of that test and of no other.
fn guarded(body: impl FnOnce() -> Result<()>) -> Result<()> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result,
        Err(_) => bail!("the test panicked"),
    }
}

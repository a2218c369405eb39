//! The harness's side of the warden: start it, find it, and ask it for power.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};

use crate::host::{cache, paths};
use crate::machine::warden::Plan;

/// A running warden.
pub struct Power {
    id: String,
    pid: i32,
    /// Set when this process started it; dropping its standard input ends an attached warden.
    child: Option<Child>,
    detached: bool,
}

/// One fencing request that the cluster made and the warden carried out.
#[derive(Debug, Clone)]
pub struct Fencing {
    /// Milliseconds since 1970.
    pub millis: u128,
    /// `off` or `on`.
    pub what: String,
    /// Node it was about.
    pub node: String,
}

impl Power {
    /// Starts the warden of `plan`; what a killed run left under the same name is removed first.
    pub fn launch(plan: &Plan) -> Result<Self> {
        wait_unused(&plan.id, Duration::from_secs(5))?;
        sweep(&plan.id)?;
        let folder = paths::run(&plan.id);
        fs::create_dir_all(&folder)?;
        let log = fs::File::create(folder.join("warden.log"))?;
        let mut command = Command::new("setsid");
        command.args([
            "unshare",
            "--fork",
            "--pid",
            "--kill-child",
            "--mount",
            "--net",
        ]);
        command.args(["--propagation", "private", "--"]);
        // Not by name: a build during a test run replaces the file.
        command
            .arg(format!("/proc/{}/exe", std::process::id()))
            .arg("warden")
            .args(plan.arguments());
        command.stdin(if plan.detached {
            Stdio::null()
        } else {
            Stdio::piped()
        });
        command.stdout(log.try_clone()?).stderr(log);
        let mut child = command.spawn().context("cannot start the warden")?;
        let pid = wait_for_pid(plan, &mut child)?;
        Ok(Self {
            id: plan.id.clone(),
            pid,
            child: Some(child),
            detached: plan.detached,
        })
    }

    /// The warden of the cluster `id` that another process started.
    pub fn attach(id: &str) -> Result<Self> {
        let path = paths::run(id).join("pid");
        if !path.exists() || !in_use(id)? {
            bail!("no cluster runs; `lab up` starts one");
        }
        let pid = fs::read_to_string(&path)?
            .trim()
            .parse()
            .context("pid of the warden")?;
        Ok(Self {
            id: id.to_owned(),
            pid,
            child: None,
            detached: true,
        })
    }

    /// Process id of the warden on the host; its namespaces are the cluster's.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Gives a node power.
    pub fn on(&self, node: &str) -> Result<()> {
        self.ask(&format!("on {node}")).map(drop)
    }

    /// Cuts the power of a node; returns when it is dead.
    pub fn off(&self, node: &str) -> Result<()> {
        self.ask(&format!("off {node}")).map(drop)
    }

    /// Whether a node has power.
    pub fn is_on(&self, node: &str) -> Result<bool> {
        Ok(self.ask(&format!("status {node}"))? == "on")
    }

    /// Makes the power switch refuse requests of the cluster, or obey again.
    pub fn break_fencing(&self, broken: bool) -> Result<()> {
        self.ask(if broken {
            "break-fencing"
        } else {
            "heal-fencing"
        })
        .map(drop)
    }

    /// All fencing the cluster asked for so far.
    pub fn fencings(&self) -> Result<Vec<Fencing>> {
        let text = fs::read_to_string(paths::run(&self.id).join("fencing.log"))?;
        Ok(text.lines().filter_map(parse_fencing).collect())
    }

    /// Ends the warden, and with it all nodes, and removes the cluster's folder.
    pub fn shut_down(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        // A warden that is gone already has nothing left to end.
        let _ = self.ask("shutdown");
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            child.wait()?;
        }
        wait_unused(&self.id, Duration::from_secs(20))?;
        sweep(&self.id)
    }

    fn ask(&self, request: &str) -> Result<String> {
        let path = paths::run(&self.id).join("warden.sock");
        let mut stream = UnixStream::connect(&path).context("the warden does not answer")?;
        stream.set_read_timeout(Some(Duration::from_secs(40)))?;
        writeln!(stream, "{request}")?;
        let mut line = String::new();
        BufReader::new(stream)
            .read_line(&mut line)
            .with_context(|| request.to_owned())?;
        match line.trim().strip_prefix("ok") {
            Some(answer) => Ok(answer.trim().to_owned()),
            None => bail!("warden, asked for {request:?}: {}", line.trim()),
        }
    }
}

impl Drop for Power {
    fn drop(&mut self) {
        // A cluster of `lab up` outlives the command; any other ends with its test.
        if self.child.is_some() && !self.detached {
            let _ = self.end();
        }
    }
}

impl Plan {
    fn arguments(&self) -> Vec<String> {
        let mut words = vec![
            format!("--id={}", self.id),
            format!("--nodes={}", self.nodes),
            format!("--rootfs={}", self.rootfs.display()),
        ];
        words.extend(
            self.prepared
                .iter()
                .map(|path| format!("--prepared={}", path.display())),
        );
        words.extend(self.on_disk.then(|| "--on-disk".to_owned()));
        words.extend(self.data_disks.then(|| "--data-disks".to_owned()));
        words.extend(self.detached.then(|| "--detached".to_owned()));
        words
    }
}

fn parse_fencing(line: &str) -> Option<Fencing> {
    let mut words = line.split_whitespace();
    let millis = words.next()?.parse().ok()?;
    Some(Fencing {
        millis,
        what: words.next()?.to_owned(),
        node: words.next()?.to_owned(),
    })
}

fn wait_for_pid(plan: &Plan, child: &mut Child) -> Result<i32> {
    let folder = paths::run(&plan.id);
    let start = Instant::now();
    loop {
        if let Ok(text) = fs::read_to_string(folder.join("pid")) {
            return text.trim().parse().context("pid of the warden");
        }
        let ended = child.try_wait()?.is_some();
        if ended || start.elapsed() > Duration::from_secs(30) {
            let log = fs::read_to_string(folder.join("warden.log")).unwrap_or_default();
            bail!(
                "the warden of cluster {} does not start: {}",
                plan.id,
                log.trim()
            );
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a living warden holds the folder of cluster `id`.
pub fn in_use(id: &str) -> Result<bool> {
    let path: PathBuf = paths::run(id).join("lock");
    let Ok(file) = fs::File::open(&path) else {
        return Ok(false);
    };
    Ok(Flock::lock(file, FlockArg::LockExclusiveNonblock).is_err())
}

/// A killed run's warden needs a moment to notice and to end.
fn wait_unused(id: &str, limit: Duration) -> Result<()> {
    let start = Instant::now();
    while in_use(id)? {
        if start.elapsed() > limit {
            bail!("cluster {id} is in use; `lab --cluster {id} down` ends it");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Removes everything killed runs left, under whatever name.
pub fn sweep_stale() -> Result<()> {
    for entry in fs::read_dir(paths::base().join("run"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let id = entry.file_name().to_string_lossy().into_owned();
        if !in_use(&id)? {
            sweep(&id)?;
        }
    }
    Ok(())
}

/// Removes what a killed run left of cluster `id`; a living one is an error.
pub fn sweep(id: &str) -> Result<()> {
    if in_use(id)? {
        bail!("cluster {id} is in use by another run of the lab");
    }
    cache::remove_tree(&paths::run(id))
}

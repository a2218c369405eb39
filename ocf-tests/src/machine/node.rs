//! A node of a cluster: run programs in it, read and write its files.

use std::fs;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::host::paths;
use crate::host::shell::{self, Output};
use crate::machine::network;

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How long a program in a node may take unless a caller says otherwise.
const DEADLINE: Duration = Duration::from_secs(60);

/// Does the same on each of `nodes` at once and returns the first error.
pub fn on_each(nodes: &[Node], act: impl Fn(&Node) -> Result<()> + Sync) -> Result<()> {
    let act = &act;
    std::thread::scope(|scope| {
        let threads: Vec<_> = nodes
            .iter()
            .map(|node| scope.spawn(move || act(node)))
            .collect();
        // All are joined before the first error is picked: none may go on unwatched.
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        results
            .into_iter()
            .try_for_each(|joined| joined.unwrap_or_else(|_| bail!("a thread panicked")))
    })
}

/// A node of a running cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name, which is also its host name and its name in Pacemaker.
    pub name: String,
    /// Its number, from 1.
    pub index: usize,
    cluster: String,
    warden: i32,
}

/// A test may give others' sessions odd defaults: they are not the lab's.
const OWN_SETTINGS: &str = "PGOPTIONS=-c default_transaction_isolation=read\\ committed \
     -c default_transaction_read_only=off -c default_transaction_deferrable=off \
     -c statement_timeout=0 -c lock_timeout=0 -c search_path=\"$user\",public \
     -c session_preload_libraries= -c row_security=on";

impl Node {
    /// Node number `index` of the cluster that `warden` runs.
    pub fn new(cluster: &str, warden: i32, index: usize) -> Self {
        Self {
            name: format!("srv{index}"),
            index,
            cluster: cluster.to_owned(),
            warden,
        }
    }

    /// Its own address.
    pub fn address(&self) -> Ipv4Addr {
        network::address(self.index)
    }

    /// Name of its container.
    pub fn machine(&self) -> String {
        paths::machine_name(&self.cluster, &self.name)
    }

    /// Process 1 of its container, an error when it has no power.
    pub fn init(&self) -> Result<i32> {
        let path = paths::run(&self.cluster).join("pids").join(&self.name);
        let text =
            fs::read_to_string(path).with_context(|| format!("{} has no power", self.name))?;
        text.trim().parse().context("process 1 of a node")
    }

    /// A command that enters the node and runs `words` there, without a shell in between.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new("nsenter");
        command.args([
            "-t",
            &self.init()?.to_string(),
            "-a",
            "--",
            "env",
            "-i",
            PATH,
        ]);
        command
            .args(["HOME=/root", "LC_ALL=C.UTF-8", "TERM=dumb"])
            .args(words);
        Ok(command)
    }

    /// Runs a program for at most `limit`; its exit code is the caller's business.
    pub fn output_within(&self, limit: Duration, words: &[&str]) -> Result<Output> {
        let seconds = limit.as_secs().max(1).to_string();
        let mut all = vec!["timeout", "-k", "2", &seconds];
        all.extend(words);
        shell::output(&mut self.command(&all)?)
    }

    /// Runs a program; its exit code is the caller's business.
    pub fn output(&self, words: &[&str]) -> Result<Output> {
        self.output_within(DEADLINE, words)
    }

    /// Runs a program for at most `limit` and returns what it printed; failing is an error.
    pub fn run_within(&self, limit: Duration, words: &[&str]) -> Result<String> {
        let out = self.output_within(limit, words)?;
        if !out.success() {
            bail!(
                "{}: {} ended with {}: {}",
                self.name,
                words.join(" "),
                out.code,
                out.text()
            );
        }
        Ok(out.stdout)
    }

    /// Runs a program and returns what it printed; failing is an error.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        self.run_within(DEADLINE, words)
    }

    /// Runs a program as the user postgres.
    pub fn as_postgres(&self, words: &[&str]) -> Result<String> {
        let mut all = vec!["runuser", "-u", "postgres", "--"];
        all.extend(words);
        self.run(&all)
    }

    /// Runs one SQL statement on the local server that listens on `port`.
    pub fn sql_on(&self, port: u16, statement: &str) -> Result<String> {
        let port = port.to_string();
        let words = [
            "env",
            "PGCONNECT_TIMEOUT=5",
            OWN_SETTINGS,
            "psql",
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
        ];
        let mut all = words.to_vec();
        // Without a host Debian's psql reads the server's configuration, which may be broken.
        all.extend(["-h", "/var/run/postgresql", "-p", &port]);
        all.extend(["-d", "postgres", "-c", statement]);
        self.as_postgres(&all)
    }

    /// Runs one SQL statement on the node's main server.
    pub fn sql(&self, statement: &str) -> Result<String> {
        self.sql_on(5432, statement)
    }

    /// Writes a file in the running node and gives it owner and mode.
    pub fn write(&self, path: &str, text: &str, owner: &str, mode: &str) -> Result<()> {
        let mut command = self.command(&["tee", path])?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        child
            .stdin
            .take()
            .context("stdin")?
            .write_all(text.as_bytes())?;
        let out = child.wait_with_output()?;
        if !out.status.success() {
            bail!(
                "{}: cannot write {path}: {}",
                self.name,
                String::from_utf8_lossy(&out.stderr)
            );
        }
        self.run(&["chown", owner, path])?;
        self.run(&["chmod", mode, path])?;
        Ok(())
    }

    /// Its root directory as seen from the host, also when it has no power.
    pub fn root(&self) -> PathBuf {
        // The overlay is mounted in the warden's mount namespace only.
        let seen = PathBuf::from(format!("/proc/{}/root", self.warden));
        let base = paths::run(&self.cluster)
            .join("nodes")
            .join(&self.name)
            .join("root");
        match base.strip_prefix("/") {
            Ok(relative) => seen.join(relative),
            Err(_) => seen.join(&base),
        }
    }

    /// Plugs or pulls its network cable.
    pub fn plug(&self, up: bool) -> Result<()> {
        network::plug(self.warden, &self.machine(), up)
    }

    /// Whether systemd in the node has finished booting.
    pub fn booted(&self) -> Result<()> {
        let words = ["systemctl", "is-system-running"];
        let state = self.output_within(Duration::from_secs(10), &words)?;
        match state.stdout.as_str() {
            "running" | "degraded" => Ok(()),
            other => bail!("{} is {other:?}", self.name),
        }
    }
}

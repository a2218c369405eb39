//! The warden: one process per cluster that owns its nodes, network and power switch.
//!
//! It runs as process 1 of a pid namespace with mount and network namespaces of its
//! own. When it ends, however that happens, the kernel ends all nodes and drops all
//! mounts and interfaces with it: nothing can be left behind. A warden of a test
//! lives as long as its standard input, so a killed test run takes its clusters along.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::host::paths;
use crate::machine::container::{Machine, Site};
use crate::machine::network;

/// Root of the lab's control groups, in the warden's own mount of cgroup2.
const CGROUPS: &str = "/sys/fs/cgroup/pgsqlms-lab";

/// What a warden has to run; the harness passes it as hidden command line options.
#[derive(clap::Args, Debug, Clone)]
pub struct Plan {
    /// Name of the cluster, also the name of its folder.
    #[arg(long)]
    pub id: String,
    /// Number of nodes.
    #[arg(long)]
    pub nodes: usize,
    /// Read-only root file system.
    #[arg(long)]
    pub rootfs: PathBuf,
    /// Folder with a saved layer per node, put on top of the root file system.
    #[arg(long)]
    pub prepared: Option<PathBuf>,
    /// Keep what nodes write on disk and not in memory.
    #[arg(long)]
    pub on_disk: bool,
    /// Give each node disks of its own, for the data of PostgreSQL and the record of the agent.
    #[arg(long)]
    pub data_disks: bool,
    /// Go on after the end of standard input.
    #[arg(long)]
    pub detached: bool,
}

struct Warden {
    /// Control group of its nodes, in which each has one of its own.
    groups: PathBuf,
    machines: BTreeMap<String, Mutex<Machine>>,
    fencing_broken: AtomicBool,
    fencing_log: Mutex<fs::File>,
}

/// Body of the hidden command `lab warden`.
pub fn run(plan: &Plan) -> Result<()> {
    let folder = paths::run(&plan.id);
    let _lock = Flock::lock(
        fs::File::create(folder.join("lock"))?,
        FlockArg::LockExclusiveNonblock,
    )
    .map_err(|(_, errno)| errno)
    .context("another warden runs this cluster")?;
    let own_pid = fs::read_link("/proc/self")?;
    mount_system(&folder)?;
    network::set_up()?;
    // Two labs in different folders may have clusters of the same name.
    let groups = Path::new(CGROUPS).join(format!("{}-{}", plan.id, own_pid.display()));
    let site = Site {
        id: &plan.id,
        folder: &folder,
        groups: &groups,
    };
    let machines = mount_machines(plan, &site)?;
    let fencing_log = Mutex::new(fs::File::create(folder.join("fencing.log"))?);
    let warden = Arc::new(Warden {
        machines,
        groups,
        fencing_broken: AtomicBool::new(false),
        fencing_log,
    });
    listen(&warden, &folder)?;
    // The harness waits for this file.
    fs::write(folder.join("pid.new"), own_pid.to_string_lossy().as_bytes())?;
    fs::rename(folder.join("pid.new"), folder.join("pid"))?;
    if plan.detached {
        loop {
            std::thread::park();
        }
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    warden.shut_down();
    Ok(())
}

/// The host's /proc stays visible in the folder, as the harness needs the host's process ids.
fn mount_system(folder: &Path) -> Result<()> {
    let none: Option<&str> = None;
    let host_proc = folder.join("proc");
    fs::create_dir_all(&host_proc)?;
    mount(Some("/proc"), &host_proc, none, MsFlags::MS_BIND, none).context("bind /proc")?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none).context("mount /proc")?;
    // systemd from release 258 on boots only on cgroup v2, whatever the host uses.
    let _ = umount2("/sys/fs/cgroup", MntFlags::MNT_DETACH);
    mount(
        Some("cgroup2"),
        "/sys/fs/cgroup",
        Some("cgroup2"),
        MsFlags::empty(),
        none,
    )
    .context("mount cgroup2")?;
    remove_groups_of_the_dead(&host_proc);
    Ok(())
}

/// A living warden may be about to start a node in a group that is still empty.
fn remove_groups_of_the_dead(host_proc: &Path) {
    for entry in fs::read_dir(CGROUPS).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let lives = |(_, warden): (&str, &str)| host_proc.join(warden).exists();
        if !name.rsplit_once('-').is_some_and(lives) {
            remove_groups(&entry.path());
        }
    }
}

/// One with processes stays: the kernel says EBUSY.
fn remove_groups(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_groups(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

fn mount_machines(plan: &Plan, site: &Site) -> Result<BTreeMap<String, Mutex<Machine>>> {
    let nodes = site.folder.join("nodes");
    fs::create_dir_all(&nodes)?;
    if !plan.on_disk {
        let none: Option<&str> = None;
        mount(Some("lab"), &nodes, Some("tmpfs"), MsFlags::empty(), none).context("tmpfs")?;
    }
    let mut machines = BTreeMap::new();
    for index in 1..=plan.nodes {
        let name = format!("srv{index}");
        let layers = match &plan.prepared {
            Some(prepared) => format!(
                "{}:{}",
                prepared.join(&name).display(),
                plan.rootfs.display()
            ),
            None => plan.rootfs.display().to_string(),
        };
        let mut machine = Machine::mount(site, &name, &layers)?;
        if plan.data_disks {
            machine.add_disks()?;
        }
        machines.insert(name, Mutex::new(machine));
    }
    Ok(machines)
}

fn listen(warden: &Arc<Warden>, folder: &Path) -> Result<()> {
    let control = UnixListener::bind(folder.join("warden.sock"))?;
    let switch = TcpListener::bind((network::GATEWAY, network::POWER_PORT))?;
    let for_control = Arc::clone(warden);
    std::thread::spawn(move || {
        for stream in control.incoming().flatten() {
            serve(&for_control, stream);
        }
    });
    let for_switch = Arc::clone(warden);
    std::thread::spawn(move || {
        for stream in switch.incoming().flatten() {
            serve(&for_switch, stream);
        }
    });
    Ok(())
}

/// Answers one request on a connection of its own thread: a slow boot delays nobody else.
fn serve<S: Read + Write + Send + 'static>(warden: &Arc<Warden>, stream: S) {
    let warden = Arc::clone(warden);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() {
            return;
        }
        let answer = match warden.answer(line.trim()) {
            Ok(text) => format!("ok {text}\n"),
            Err(error) => format!("error {error:#}\n").replace('\n', " ") + "\n",
        };
        // The asker may be gone, killed together with its node.
        let _ = reader.get_mut().write_all(answer.as_bytes());
        if line.trim() == "shutdown" {
            std::process::exit(0);
        }
    });
}

impl Warden {
    fn answer(&self, line: &str) -> Result<String> {
        let (request, name) = line.split_once(' ').unwrap_or((line, ""));
        match request {
            "list" => Ok(self.machines.keys().cloned().collect::<Vec<_>>().join(" ")),
            "status" => self.with(name, |m| {
                Ok(if m.running() { "on" } else { "off" }.to_owned())
            }),
            "on" => self.with(name, Machine::boot),
            "off" => self.with(name, Machine::cut_power),
            "fence-off" => self.fence("off", name, Machine::cut_power),
            "fence-on" => self.fence("on", name, Machine::boot),
            "break-fencing" => Ok(self.set_fencing_broken(true)),
            "heal-fencing" => Ok(self.set_fencing_broken(false)),
            "shutdown" => {
                self.shut_down();
                Ok(String::new())
            }
            _ => bail!("unknown request {request:?}"),
        }
    }

    fn with(&self, name: &str, act: impl FnOnce(&mut Machine) -> Result<String>) -> Result<String> {
        let machine = self
            .machines
            .get(name)
            .with_context(|| format!("no node {name:?}"))?;
        act(&mut machine.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request that came from the cluster: it is written down, and may be refused.
    fn fence(
        &self,
        what: &str,
        name: &str,
        act: impl FnOnce(&mut Machine) -> Result<String>,
    ) -> Result<String> {
        if self.fencing_broken.load(Ordering::SeqCst) {
            bail!("the power switch is broken");
        }
        let asked = SystemTime::now();
        let answer = self.with(name, act)?;
        let millis = asked.duration_since(UNIX_EPOCH)?.as_millis();
        let mut log = self
            .fencing_log
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        writeln!(log, "{millis} {what} {name}")?;
        Ok(answer)
    }

    fn set_fencing_broken(&self, broken: bool) -> String {
        self.fencing_broken.store(broken, Ordering::SeqCst);
        String::new()
    }

    fn shut_down(&self) {
        for (name, machine) in &self.machines {
            let mut machine = machine.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = machine.cut_power() {
                eprintln!("{name}: {error:#}");
            }
        }
        remove_groups(&self.groups);
    }
}

//! One node as the warden sees it: an overlay mount and a container that can lose power.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::host::{paths, shell};
use crate::machine::disk::Disk;
use crate::machine::network;

/// Time for a container to get a process 1, or to vanish after a power cut.
const PATIENCE: Duration = Duration::from_secs(15);

/// A node: its file system is mounted as long as the warden lives, its container comes and goes.
pub struct Machine {
    name: String,
    machine: String,
    folder: PathBuf,
    group: PathBuf,
    disks: Vec<Disk>,
    running: Option<Container>,
}

/// Where the nodes of one cluster are.
pub struct Site<'a> {
    /// Name of the cluster.
    pub id: &'a str,
    /// Its folder.
    pub folder: &'a Path,
    /// Control group in which each node has one of its own.
    pub groups: &'a Path,
}

struct Container {
    nspawn: Child,
    /// Process 1 of the container, in the pid namespace of the warden.
    init: Pid,
}

impl Machine {
    /// Mounts the own layer of the node `name` on top of `layers`.
    pub fn mount(site: &Site, name: &str, layers: &str) -> Result<Self> {
        let folder = site.folder;
        let own = folder.join("nodes").join(name);
        for part in ["upper", "work", "root"] {
            fs::create_dir_all(own.join(part))?;
        }
        fs::create_dir_all(folder.join("pids"))?;
        let path = |part: &str| own.join(part).display().to_string();
        // Without it no directory of a lower layer can be renamed, as on any other file system.
        let options = format!(
            "redirect_dir=on,lowerdir={layers},upperdir={},workdir={}",
            path("upper"),
            path("work")
        );
        mount(
            Some("overlay"),
            &own.join("root"),
            Some("overlay"),
            MsFlags::empty(),
            Some(options.as_str()),
        )
        .with_context(|| format!("cannot mount an overlay: {options}"))?;
        // nspawn leaves the mounts it found in the namespace of each container, out of sight:
        // what is unmounted in here must go there too.
        let (same, none): (_, Option<&str>) = (own.join("root"), None);
        mount(none, &same, none, MsFlags::MS_SHARED, none).context("cannot share a mount")?;
        Ok(Self {
            name: name.to_owned(),
            machine: paths::machine_name(site.id, name),
            folder: folder.to_owned(),
            group: site.groups.join(name),
            disks: Vec::new(),
            running: None,
        })
    }

    /// Puts the data of PostgreSQL, and what the agent must not forget, on disks of their own.
    pub fn add_disks(&mut self) -> Result<()> {
        let own = self.folder.join("nodes").join(&self.name);
        self.disks = Disk::make_all(&own, &own.join("root")).context("cannot make a disk")?;
        Ok(())
    }

    /// Whether the container has power.
    pub fn running(&mut self) -> bool {
        match self
            .running
            .as_mut()
            .map(|container| container.nspawn.try_wait())
        {
            Some(Ok(None)) => true,
            Some(_) => {
                self.forget();
                false
            }
            None => false,
        }
    }

    /// Gives power: starts the container and returns once it has a process 1.
    pub fn boot(&mut self) -> Result<String> {
        if self.running() {
            return Ok(String::new());
        }
        self.remove_cable()?;
        self.disks.iter().try_for_each(Disk::check)?;
        fs::create_dir_all(&self.group)?;
        let mut nspawn = self.start_nspawn()?;
        let init = match self.find_init(&mut nspawn) {
            Ok(init) => init,
            Err(error) => {
                let _ = nspawn.kill();
                let _ = nspawn.wait();
                return Err(error);
            }
        };
        self.running = Some(Container { nspawn, init });
        Ok(String::new())
    }

    /// Cuts the power: nothing in the node gets to write another byte. Returns once it is dead.
    pub fn cut_power(&mut self) -> Result<String> {
        if !self.running() {
            return Ok(String::new());
        }
        let Some(mut container) = self.running.take() else {
            return Ok(String::new());
        };
        // Process 1 of a pid namespace takes all others with it.
        let _ = kill(container.init, Signal::SIGKILL);
        // Nobody in there gets to see the errors that this makes.
        self.disks.iter().try_for_each(Disk::cut)?;
        let start = Instant::now();
        while container.nspawn.try_wait()?.is_none() {
            // A process that waits for a hung disk dies only once it may go on.
            self.disks.iter().for_each(Disk::thaw);
            if start.elapsed() > PATIENCE {
                bail!("{} did not die within {} s", self.name, PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.forget();
        Ok(String::new())
    }

    fn forget(&mut self) {
        self.running = None;
        let _ = fs::remove_file(self.pid_file());
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("pids").join(&self.name)
    }

    /// The kernel removes the cable of a dead container a moment later; its name must be free.
    fn remove_cable(&self) -> Result<()> {
        let cable = network::cable(&self.machine);
        let start = Instant::now();
        while shell::run_words(&["ip", "link", "show", &cable]).is_ok() {
            let _ = shell::run_words(&["ip", "link", "del", &cable]);
            if start.elapsed() > PATIENCE {
                bail!("the old cable {cable} does not go away");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn start_nspawn(&self) -> Result<Child> {
        let console = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(format!("{}.console", self.name)))?;
        let root = self.folder.join("nodes").join(&self.name).join("root");
        let enter = format!(
            "echo $$ > {}/cgroup.procs && exec \"$@\"",
            self.group.display()
        );
        let mut command = Command::new("sh");
        command.args([
            "-c",
            &enter,
            "sh",
            "systemd-nspawn",
            "--quiet",
            "--register=no",
        ]);
        command.args([
            "--keep-unit",
            "--boot",
            "--console=pipe",
            "--link-journal=no",
        ]);
        command.args(["--resolv-conf=off", "--timezone=off"]);
        command.arg("--capability=CAP_SYS_NICE,CAP_SYS_RESOURCE,CAP_IPC_LOCK");
        command.arg(format!("--network-bridge={}", network::BRIDGE));
        command
            .args(["-M", &self.machine])
            .arg(format!("--hostname={}", self.name));
        command.arg("-D").arg(root);
        command
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console);
        command.spawn().context("cannot start systemd-nspawn")
    }

    /// Waits for process 1 of the container and notes its id on the host for the harness.
    fn find_init(&self, nspawn: &mut Child) -> Result<Pid> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = nspawn.try_wait()? {
                bail!(
                    "systemd-nspawn of {} ended with {status}; see its console",
                    self.name
                );
            }
            if let Some(init) = find_child_init(nspawn.id())? {
                let host = self.host_pid(init)?;
                fs::write(self.pid_file(), host.to_string())?;
                return Ok(Pid::from_raw(init));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!(
            "{} has no process 1 after {} s",
            self.name,
            PATIENCE.as_secs()
        )
    }

    fn host_pid(&self, init: i32) -> Result<i32> {
        let host_proc = self.folder.join("proc");
        let own_children = fs::read_link("/proc/self/ns/pid_for_children")?;
        for status in statuses(&host_proc) {
            let [host, inside, 1] = status.ids[..] else {
                continue;
            };
            // Another cluster may have the same id inside: the parent's namespace tells.
            let parent = host_proc.join(status.parent.to_string()).join("ns/pid");
            if inside == init && fs::read_link(parent).is_ok_and(|ns| ns == own_children) {
                return Ok(host);
            }
        }
        bail!("process 1 of {} is not visible on the host", self.name)
    }
}

struct Status {
    ids: Vec<i32>,
    parent: i32,
}

/// Process ids (outermost namespace first) and parent of all processes in `proc`.
fn statuses(proc: &Path) -> impl Iterator<Item = Status> {
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        entry.file_name().to_str()?.parse::<i32>().ok()?;
        let text = fs::read_to_string(entry.path().join("status")).ok()?;
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let ids = field("NSpid:")?
            .split_whitespace()
            .flat_map(str::parse)
            .collect();
        Some(Status {
            ids,
            parent: field("PPid:")?.trim().parse().ok()?,
        })
    })
}

fn find_child_init(nspawn: u32) -> Result<Option<i32>> {
    let parent = i32::try_from(nspawn)?;
    let init = statuses(Path::new("/proc"))
        .find(|status| status.parent == parent && status.ids.len() == 2 && status.ids[1] == 1);
    Ok(init.map(|status| status.ids[0]))
}

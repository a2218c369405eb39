//! A disk of its own for the data of a node's PostgreSQL, which can fill up, fail and hang.
//!
//! It is an ext4 file system in a file, mounted by the warden, so it outlives the power of its
//! node; at each boot it is checked, as a real one is. A hung disk is a frozen file system:
//! whoever writes to it sleeps where no signal reaches, SIGKILL included. Reads of what is in
//! memory go on, which a really hung device allows too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::host::shell;
use crate::machine::node::Node;

/// Where it is mounted in a node, without the leading slash.
const PLACE: &str = "var/lib/postgresql";
/// The same as the node sees it.
pub const MOUNT: &str = "/var/lib/postgresql";
const BALLAST: &str = "/var/lib/postgresql/ballast";
/// Sparse: only what is written takes memory.
const SIZE: &str = "1G";
const UNMOUNT: Duration = Duration::from_secs(10);

/// The disk as the warden sees it.
pub struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// Makes the disk in the folder `own` and mounts it over the data in `root`, which it holds.
    pub fn make(own: &Path, root: &Path) -> Result<Self> {
        let disk = Self {
            image: own.join("disk.img"),
            mount: root.join(PLACE),
        };
        let image = disk.image.display().to_string();
        shell::run_words(&["truncate", "-s", SIZE, &image])?;
        shell::run_words(&["mkfs.ext4", "-q", "-m", "0", &image])?;
        let early = own.join("disk");
        fs::create_dir_all(&early)?;
        disk.mount_at(&early)?;
        let data = format!("{}/.", disk.mount.display());
        shell::run_words(&["cp", "-a", &data, &early.display().to_string()])?;
        shell::run_words(&["umount", &early.display().to_string()])?;
        disk.mount_at(&disk.mount)?;
        Ok(disk)
    }

    fn mount_at(&self, place: &Path) -> Result<()> {
        let options = "loop,errors=remount-ro";
        let mut command = Command::new("mount");
        command.args(["-o", options]).arg(&self.image).arg(place);
        shell::run(&mut command).map(drop)
    }

    /// What a boot does: check the file system, mount it for writing.
    pub fn check(&self) -> Result<()> {
        self.unmount()?;
        let mut check = Command::new("e2fsck");
        let out = shell::output(check.args(["-f", "-y"]).arg(&self.image))?;
        // 1 and 2: errors were there and are corrected.
        if !(0..=2).contains(&out.code) {
            bail!("{}: {}", self.image.display(), out.text());
        }
        self.mount_at(&self.mount)
    }

    /// The mounts of a dead container keep the file system alive for a moment: it must be gone,
    /// or the next mount would find it as it was, errors and all.
    fn unmount(&self) -> Result<()> {
        let place = self.mount.display().to_string();
        let start = Instant::now();
        while self.is_in_use()? {
            // An error for the second time, when only the device is still in use.
            let _ = shell::run_words(&["umount", &place]);
            if start.elapsed() > UNMOUNT {
                bail!("{} stays in use", self.image.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn is_in_use(&self) -> Result<bool> {
        let mut devices = Command::new("losetup");
        Ok(!shell::run(devices.arg("-j").arg(&self.image))?.is_empty())
    }

    /// Ends a hang, without which the node's processes could not even be killed.
    pub fn thaw(&self) {
        // That it does not hang is an error for this program, and the usual case.
        let _ = shell::output(Command::new("fsfreeze").arg("-u").arg(&self.mount));
    }
}

impl Node {
    /// Leaves no free block on the disk.
    pub fn fill_disk(&self) -> Result<()> {
        let script = format!(
            "fallocate -l $(($(stat -f -c '%f * %S' {MOUNT}) - 16384)) {BALLAST}; \
             dd if=/dev/zero bs=4096 of={BALLAST}.rest 2>/dev/null; \
             test $(stat -f -c %a {MOUNT}) -lt 16"
        );
        self.run(&["sh", "-c", &script]).map(drop)
    }

    /// Takes back [`Node::fill_disk`].
    pub fn free_disk(&self) -> Result<()> {
        let rest = format!("{BALLAST}.rest");
        self.run(&["rm", "-f", BALLAST, &rest]).map(drop)
    }

    /// The file system finds an error and becomes read-only, as one with a broken device does;
    /// the check at the next boot ends it.
    pub fn fail_disk(&self) -> Result<()> {
        let device = self.run(&["findmnt", "-no", "SOURCE", MOUNT])?;
        let name = device.trim().trim_start_matches("/dev/");
        let path = format!("/sys/fs/ext4/{name}/trigger_fs_error");
        fs::write(&path, "cluster lab").with_context(|| path.clone())
    }

    /// Every write to the disk hangs from now on.
    pub fn hang_disk(&self) -> Result<()> {
        self.run(&["fsfreeze", "-f", MOUNT]).map(drop)
    }

    /// Lets hung writes go on.
    pub fn thaw_disk(&self) -> Result<()> {
        self.run(&["fsfreeze", "-u", MOUNT]).map(drop)
    }
}

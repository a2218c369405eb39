//! Disks of its own for a node's PostgreSQL, and for what the agent must not forget: they can fill
//! up, fail, hang, and lose what was not fsynced.
//!
//! Each is an ext4 file system in a file, mounted by the warden, so it outlives the power of its
//! node; at each boot it is checked, as a real one is. A power cut shuts the file system down
//! without a flush: what the kernel had not written to the file by then never gets there. A hung
//! disk is a frozen file system: whoever writes to it sleeps where no signal reaches, SIGKILL
//! included. Reads of what is in memory go on, which a really hung device allows too.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::host::shell;
use crate::machine::node::Node;

/// Where the data are, as the node sees it.
pub const MOUNT: &str = "/var/lib/postgresql";
/// Where the agent keeps what must outlive a power cut.
pub const RECORD: &str = "/var/lib/pgsqlms";
const BALLAST: &str = "/var/lib/postgresql/ballast";
/// Name, place and size of each disk. Sparse: only what is written takes memory.
const DISKS: &[(&str, &str, &str)] = &[("disk", MOUNT, "1G"), ("record", RECORD, "64M")];
/// `EXT4_GOING_FLAGS_NOLOGFLUSH`: not even the journal is flushed.
const NO_FLUSH: u32 = 2;
const UNMOUNT: Duration = Duration::from_secs(10);

/// `EXT4_IOC_SHUTDOWN` and `XFS_IOC_GOINGDOWN` are the same call.
mod call {
    nix::ioctl_read!(shut_down, b'X', 125, u32);
}

/// The disk as the warden sees it.
pub struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// Makes the disks of a node in the folder `own` and mounts them over what `root` has there,
    /// which they hold.
    pub fn make_all(own: &Path, root: &Path) -> Result<Vec<Self>> {
        let make = |(name, place, size): &(&str, &str, &str)| {
            let disk = Self {
                image: own.join(format!("{name}.img")),
                mount: root.join(place.trim_start_matches('/')),
            };
            disk.make(&own.join(name), size).map(|()| disk)
        };
        DISKS.iter().map(make).collect()
    }

    fn make(&self, early: &Path, size: &str) -> Result<()> {
        let image = self.image.display().to_string();
        shell::run_words(&["truncate", "-s", size, &image])?;
        shell::run_words(&["mkfs.ext4", "-q", "-m", "0", &image])?;
        fs::create_dir_all(early)?;
        fs::create_dir_all(&self.mount)?;
        self.mount_at(early)?;
        let data = format!("{}/.", self.mount.display());
        shell::run_words(&["cp", "-a", &data, &early.display().to_string()])?;
        shell::run_words(&["umount", &early.display().to_string()])?;
        self.mount_at(&self.mount)
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

    /// What a power cut does: nothing more reaches the disk, what is only in memory least of all.
    /// The file system takes no more part in anything until it is checked and mounted again.
    #[allow(unsafe_code)]
    pub fn cut(&self) -> Result<()> {
        let root = fs::File::open(&self.mount)?;
        let mut how = NO_FLUSH;
        // SAFETY: the kernel reads a u32 from `how`, which lives until the call has returned.
        unsafe { call::shut_down(root.as_raw_fd(), &raw mut how) }
            .map(drop)
            .with_context(|| format!("cannot shut down {}", self.mount.display()))
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

//! What a program of the system user finds around it, whoever called the agent: Pacemaker,
//! or an admin in a shell of root's.
//!
//! A server passes its environment on to all that it runs (archive_command, for one),
//! and libpq looks for `.pgpass` in HOME. With root's HOME, or with PGOPTIONS of an admin's
//! shell, the same server would work differently after the next start.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::write;

/// Where systemd lets a service look for programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// As in Debian's unit `postgresql@.service`: the kernel, out of memory, is to end a
/// backend, and nearly never the postmaster. -1000 to 1000.
const OOM_SCORE: &[u8] = b"-900";

/// Replaces the whole environment of `command` by that of a login of `user`.
pub fn set(command: &mut Command, user: &str, home: &Path) {
    command
        .env_clear()
        .env("HOME", home)
        .env("USER", user)
        .env("LOGNAME", user)
        .env("PATH", PATH);
}

/// Protects what `command` runs from the kernel's killer. To be called before `command` is
/// given another identity. In a container that forbids it, the server goes without.
#[allow(unsafe_code)]
pub fn protect_from_oom_killer(command: &mut Command) {
    // SAFETY: runs between fork and exec; it makes three system calls on constants and
    // allocates nothing.
    unsafe {
        command.pre_exec(|| {
            if let Ok(file) = open(c"/proc/self/oom_score_adj", OFlag::O_WRONLY, Mode::empty()) {
                let _ = write(&file, OOM_SCORE);
            }
            Ok(())
        });
    }
}

//! Becoming the system user: for a session by effective ids, for a child for
//! good.
//!
//! A server is started with all groups of the user. `Command::uid` would drop
//! them, and with them `ssl-cert`, without which Debian's PostgreSQL cannot read
//! its TLS key. Whatever else is done as the user needs its uid alone: the groups
//! also come from a directory on the network, and one that does not answer must
//! not cost a monitor or a stop its time.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::unistd::{
    Gid, Uid, getegid, geteuid, getgroups, setegid, seteuid, setgid, setgroups, setuid,
};
use thiserror::Error;

use super::name_service::{self, Account};
use super::surroundings;

/// The account PostgreSQL runs as.
#[derive(Debug, Clone)]
pub struct SystemUser {
    /// Its name, also the database role.
    pub name: String,
    /// Its uid.
    pub uid: Uid,
    /// Its home directory, where libpq looks for `.pgpass` and certificates.
    pub home: PathBuf,
    gid: Gid,
    /// Asked for once in each action.
    groups: OnceLock<Vec<Gid>>,
}

/// Why we cannot become the system user.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// No such account.
    #[error("system user \"{0}\" does not exist on this node (parameter system_user)")]
    Unknown(String),
    /// The account database failed, or we may not change identity.
    #[error("cannot switch to system user \"{name}\": {source}")]
    Denied {
        /// The account.
        name: String,
        /// What the system said.
        source: nix::Error,
    },
}

impl SystemUser {
    /// Looks the account up (through NSS, so LDAP works; a local account is found
    /// without it).
    pub fn look_up(name: &str) -> Result<Self, IdentityError> {
        let denied = |source| IdentityError::Denied {
            name: name.to_owned(),
            source,
        };
        let account = name_service::account(name)
            .map_err(denied)?
            .ok_or_else(|| IdentityError::Unknown(name.to_owned()))?;
        Ok(Self {
            name: name.to_owned(),
            uid: account.uid,
            home: account.home,
            gid: account.gid,
            groups: OnceLock::new(),
        })
    }

    /// The account that owns a directory: PostgreSQL runs as the owner of its data. Of a
    /// directory that cannot be looked at it is our own.
    pub fn owner_of(directory: &Path) -> Self {
        let (uid, gid) = match fs::metadata(directory) {
            Ok(data) => (Uid::from_raw(data.uid()), Gid::from_raw(data.gid())),
            Err(_) => (geteuid(), getegid()),
        };
        Self {
            name: name_service::name_of(uid).unwrap_or_else(|| uid.to_string()),
            uid,
            home: PathBuf::from("/"),
            gid,
            groups: OnceLock::new(),
        }
    }

    /// All groups of the account.
    fn groups(&self) -> &[Gid] {
        let account = || Account {
            uid: self.uid,
            gid: self.gid,
            home: self.home.clone(),
        };
        self.groups
            .get_or_init(|| name_service::groups(&self.name, &account()))
    }

    /// Does something with files as the user: in a directory of the user's,
    /// root follows no link that leads elsewhere.
    pub fn act<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        act_as(self.uid.as_raw(), self.gid.as_raw(), act)
    }

    /// The primary group of the account.
    pub fn gid(&self) -> Gid {
        self.gid
    }

    /// Takes the user's effective identity until the guard is dropped. For a
    /// connect by unix socket: the server sees the effective uid (peer
    /// authentication). Process-wide, so open no other file meanwhile.
    pub fn wear(&self) -> Result<Worn, IdentityError> {
        Worn::of(self.uid, self.gid).map_err(|source| IdentityError::Denied {
            name: self.name.clone(),
            source,
        })
    }

    /// Makes `command` run as the user for good, with its primary group, in an environment
    /// of its own: what more it needs there is given to it afterwards.
    pub fn dress(&self, command: &mut Command) {
        self.dress_in(vec![self.gid], command);
    }

    /// The same with all its groups, as a server needs them.
    pub fn dress_with_groups(&self, command: &mut Command) {
        self.dress_in(self.groups().to_vec(), command);
    }

    #[allow(unsafe_code)]
    fn dress_in(&self, groups: Vec<Gid>, command: &mut Command) {
        surroundings::set(command, &self.name, &self.home);
        if geteuid() == self.uid {
            return;
        }
        let Self { uid, gid, .. } = *self;
        // SAFETY: runs between fork and exec; the closure only makes three
        // system calls on values computed before the fork and allocates
        // nothing.
        unsafe {
            command.pre_exec(move || {
                setgroups(&groups).map_err(io::Error::from)?;
                setgid(gid).map_err(io::Error::from)?;
                setuid(uid).map_err(io::Error::from)
            });
        }
    }
}

/// Whether this process may act as every account.
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// Does something with files as the account `uid`, in the group `gid` alone.
pub fn act_as<T>(uid: u32, gid: u32, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let worn = Worn::of(Uid::from_raw(uid), Gid::from_raw(gid))?;
    let done = act();
    drop(worn);
    done
}

/// Gives the former identity back when dropped.
#[must_use]
pub struct Worn {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
    changed: bool,
}

impl Worn {
    fn of(uid: Uid, gid: Gid) -> nix::Result<Self> {
        // Made first: where a step fails it is dropped, and undoes the steps before.
        let mut worn = Self {
            uid: geteuid(),
            gid: getegid(),
            groups: getgroups()?,
            changed: false,
        };
        if worn.uid != uid {
            setgroups(&[gid])?;
            worn.changed = true;
            setegid(gid)?;
            seteuid(uid)?;
        }
        Ok(worn)
    }
}

impl Drop for Worn {
    fn drop(&mut self) {
        if !self.changed {
            return;
        }
        // Back in the other order: only root may change groups.
        let back = seteuid(self.uid)
            .and_then(|()| setegid(self.gid))
            .and_then(|()| setgroups(&self.groups));
        if let Err(error) = back {
            log::error!("cannot switch back from the system user: {error}");
        }
    }
}

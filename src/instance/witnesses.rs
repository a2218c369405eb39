//! What runs of an instance, from all that was seen: lock file, process table, shared
//! memory. The table `testdata/witnesses.txt` has every kind of case.
//!
//! No witness is believed alone. A number in a lock file may be another process's by
//! now, a name says nothing, a working directory may be a shell's, and where a process
//! works may not be seen at all. But whoever touches the data is attached to the shared
//! memory, which everybody may count.

use super::postmaster_pid::PidFileError;
use super::state::Postmaster;

/// What the lock file `postmaster.pid` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// Not there, or still empty.
    Absent,
    /// Nothing that a server writes.
    Broken(PidFileError),
    /// A postmaster's.
    Server,
    /// One of `postgres --single`.
    SingleUser,
}

/// Where a process works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the data directory.
    Here,
    /// Anywhere else.
    Elsewhere,
    /// It cannot be seen where.
    Unseen,
}

/// The living process of the owner's that has the number in the lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The number.
    pub pid: i32,
    /// Where it works.
    pub place: Place,
    /// Whether its name is a server's.
    pub has_servers_name: bool,
    /// Whether it started when the file says.
    pub started_then: bool,
    /// Whether it made the shared memory that the file names, which is in use.
    pub made_memory: bool,
}

impl Named {
    /// Whether it is the one that wrote the file.
    pub fn wrote_the_file(&self) -> bool {
        let by_life = self.started_then || self.made_memory;
        match self.place {
            Place::Here => self.has_servers_name || by_life,
            Place::Unseen => by_life,
            Place::Elsewhere => false,
        }
    }
}

/// The instance's shared memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// Nobody is attached: nothing that could touch the data runs.
    Free,
    /// So many processes are attached.
    Attached(usize),
    /// It cannot be said.
    Unknown,
}

/// All that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnesses {
    /// The lock file.
    pub lock: Lock,
    /// The process that it names, if that lives.
    pub named: Option<Named>,
    /// How many servers were seen in the data directory.
    pub here: usize,
    /// One that may be of this instance or of another.
    pub unseen: Option<i32>,
    /// The shared memory.
    pub memory: Memory,
    /// Whether the control file says that the server was shut down.
    pub shut_down: bool,
}

/// Why it cannot be said what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Processes run, and the lock file is nobody's.
    Lock(PidFileError),
    /// This process may be of the instance.
    Unseen(i32),
}

impl Witnesses {
    /// What runs.
    pub fn finding(&self) -> Result<Postmaster, Doubt> {
        if let Some(named) = self.named.filter(Named::wrote_the_file) {
            return Ok(match self.lock {
                Lock::SingleUser => Postmaster::SingleUser(named.pid),
                _ => Postmaster::Alive(named.pid),
            });
        }
        if let (Lock::Broken(error), 1..) = (&self.lock, self.here) {
            return Err(Doubt::Lock(error.clone()));
        }
        match (self.here, self.memory, self.unseen) {
            (left @ 1.., _, _) | (0, Memory::Attached(left), _) => Ok(Postmaster::LeftBehind(left)),
            // Also with a lock file that power loss left in pieces.
            (0, Memory::Free, _) | (0, Memory::Unknown, None) => Ok(Postmaster::None),
            // A server that runs has a lock file; one that lost it does not call itself
            // shut down, and ends within a minute.
            (0, Memory::Unknown, _) if self.lock == Lock::Absent && self.shut_down => {
                Ok(Postmaster::None)
            }
            (0, Memory::Unknown, Some(pid)) => Err(Doubt::Unseen(pid)),
        }
    }
}

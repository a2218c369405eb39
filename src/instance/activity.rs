//! Does a server that is told to stop still get anywhere? What its processes do, seen
//! twice.
//!
//! A slow server is not hung: a checkpoint on slow disks, a replay, a rollback use the
//! processor or the disk. A frozen process does neither, for as long as one likes to look.

use super::control_data::ClusterState;
use super::process_stat::FROZEN;
use crate::wal::Lsn;

/// What a process has used so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks since boot: with the number it is one process.
    pub started: u64,
    /// One letter (proc(5)): `D` waits for a disk, `T` was stopped by a signal.
    pub state: char,
    /// Processor time, in clock ticks.
    pub cpu_ticks: u64,
    /// Bytes read and written, also from and to memory; `None` where that cannot be seen.
    pub io: Option<u64>,
    /// How it calls itself: `postgres: 15/main: walsender postgres …`.
    pub title: String,
}

/// What a server and its processes do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activity {
    /// Whether the postmaster has noted that it stops. Unknown counts as yes: only a server
    /// that says something else has not heard of it.
    pub is_stopping: bool,
    /// The state in the control file.
    pub control: Option<ClusterState>,
    /// The postmaster.
    pub postmaster: Option<Process>,
    /// Its children.
    pub children: Vec<Process>,
    /// Requests that the disks of the data directory have done; `None` where that cannot
    /// be seen.
    pub disk: Option<u64>,
}

/// Ticks of processor time that show work. A process that does nothing wakes now and then.
const WORK: u64 = 5;

impl Process {
    /// Whether it has done anything since it was seen before; `disk_moved`: whether its disks
    /// have, if that is known.
    ///
    /// Who waits for a disk that works waits for its turn: one fsync may take a minute.
    pub fn moved_since(&self, before: &Self, disk_moved: Option<bool>) -> bool {
        let ticks = self.cpu_ticks.saturating_sub(before.cpu_ticks);
        let enough = if self.io.is_some() { WORK } else { 1 };
        let has_its_turn = match self.state {
            'R' => true,
            'D' => disk_moved.unwrap_or(true),
            _ => false,
        };
        has_its_turn || ticks >= enough || self.io != before.io || self.title != before.title
    }

    /// Whether a signal has stopped it.
    pub fn is_frozen(&self) -> bool {
        self.state == FROZEN
    }

    /// Whether both are the same process.
    pub fn is(&self, other: &Self) -> bool {
        (self.pid, self.started) == (other.pid, other.started)
    }

    /// Whether it sends WAL to somebody.
    pub fn is_walsender(&self) -> bool {
        self.is_called("walsender") || self.is_called("wal sender process")
    }

    /// Whether it writes the checkpoints.
    pub fn is_checkpointer(&self) -> bool {
        self.is_called("checkpointer")
    }

    /// Whether its work is no part of a stop: the log tells of every client that knocks.
    pub fn is_logger(&self) -> bool {
        self.is_called("logger")
    }

    /// Whether it goes on until the shutdown checkpoint is written, or longer.
    fn outlives_sessions(&self) -> bool {
        let others = ["archiver", "stats collector", "io worker"];
        self.is_walsender()
            || self.is_checkpointer()
            || self.is_logger()
            || others.iter().any(|name| self.is_called(name))
    }

    /// How far a walsender has sent, where its title says so.
    pub fn sent(&self) -> Option<Lsn> {
        let (_, position) = self.title.split_once(" streaming ")?;
        Lsn::from_hex(position.trim()).ok()
    }

    /// `postgres: NAME`, or with a `cluster_name` `postgres: CLUSTER: NAME`.
    fn is_called(&self, name: &str) -> bool {
        let Some(title) = self.title.strip_prefix("postgres: ") else {
            return false;
        };
        title.starts_with(name) || title.contains(&format!(": {name}"))
    }
}

impl Activity {
    /// What an end waits for, that was asked for before the `first` look. A postmaster that
    /// has not heard of it does nothing about it, whatever its children do. Later it waits
    /// for them, and works for every client that knocks: such a child is sent away.
    pub fn to_wait_for(&self, first: &Self) -> Vec<&Process> {
        let is_part = |child: &&Process| child.outlives_sessions() || first.has(child);
        let children = self.children.iter().filter(|child| !child.is_logger());
        let children: Vec<_> = children.filter(is_part).collect();
        if self.is_stopping && !children.is_empty() {
            return children;
        }
        self.postmaster.iter().collect()
    }

    /// Whether a session of the `first` look is still there, or anything else that ends
    /// before the shutdown checkpoint.
    pub fn has_sessions(&self, first: &Self) -> bool {
        let mut sessions = self.children.iter().filter(|one| !one.outlives_sessions());
        sessions.any(|one| first.has(one))
    }

    fn has(&self, child: &Process) -> bool {
        self.children.iter().any(|one| one.is(child))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(title: &str) -> Process {
        Process {
            pid: 42,
            started: 5,
            state: 'S',
            cpu_ticks: 100,
            io: Some(1_000),
            title: format!("postgres: {title}"),
        }
    }

    /// What changes, whether the disk moved, and whether that is progress.
    type Row = (fn(&mut Process), Option<bool>, bool);

    #[test]
    fn what_is_progress() {
        let rows: [Row; 12] = [
            (|_| (), Some(true), false),
            // Frozen by a signal, also beside others who use the disk.
            (|now| now.state = 'T', Some(true), false),
            // It reads or writes, be it one page in a while.
            (|now| now.io = Some(9_192), Some(false), true),
            // It computes; to wake now and then is nothing.
            (|now| now.cpu_ticks += 5, Some(false), true),
            (|now| now.cpu_ticks += 4, Some(false), false),
            // It waits for a disk: that works, that does not, that cannot be seen.
            (|now| now.state = 'D', Some(true), true),
            (|now| now.state = 'D', Some(false), false),
            (|now| now.state = 'D', None, true),
            // The processor is not given to it.
            (|now| now.state = 'R', Some(false), true),
            // It says that it is further.
            (|now| now.title.push('1'), Some(false), true),
            (|now| now.title.push_str(""), Some(false), false),
            // Without its bytes a single tick counts.
            (
                |now| (now.io, now.cpu_ticks) = (None, 101),
                Some(false),
                true,
            ),
        ];
        for (row, (change, disk, is_progress)) in rows.iter().enumerate() {
            let before = process("checkpointer");
            let mut now = before.clone();
            change(&mut now);
            assert_eq!(now.moved_since(&before, *disk), *is_progress, "row {row}");
        }
    }

    #[test]
    fn a_process_is_known_by_its_title() {
        for title in [
            "15/main: walsender postgres 10.0.0.2(5555) streaming 0/3000148",
            "walsender postgres db 10.0.0.2(5555) START_REPLICATION",
            "walsender postgres [local]",
        ] {
            assert!(process(title).is_walsender(), "{title}");
        }
        assert!(!process("15/main: postgres db [local] idle").is_walsender());
        assert!(process("a: b: checkpointer ").is_checkpointer());
        assert!(process("logger ").is_logger() && !process("checkpointer").is_logger());
        let sent = process("15/main: walsender u h(1) streaming 0/3000148").sent();
        assert_eq!(sent, Lsn::from_hex("0/3000148").ok());
        assert_eq!(process("walsender u h(1)").sent(), None);
    }

    fn activity(titles: &[&str]) -> Activity {
        Activity {
            is_stopping: true,
            postmaster: Some(process("postmaster")),
            children: titles.iter().map(|title| process(title)).collect(),
            ..Activity::default()
        }
    }

    #[test]
    fn a_postmaster_that_has_not_heard_of_the_stop_is_all_that_counts() {
        let mut seen = activity(&["u db [local] COMMIT", "logger"]);
        assert_eq!(seen.to_wait_for(&seen), [&seen.children[0]]);
        seen.is_stopping = false;
        assert_eq!(seen.to_wait_for(&seen), [seen.postmaster.as_ref().unwrap()]);
        let last = activity(&["logger"]);
        assert_eq!(last.to_wait_for(&last), [last.postmaster.as_ref().unwrap()]);
    }

    #[test]
    fn sessions_are_what_ends_before_the_checkpoint() {
        let last = activity(&["checkpointer", "walsender u h(1)", "archiver", "logger"]);
        assert!(!last.has_sessions(&last));
        let session = activity(&["checkpointer", "u db [local] ROLLBACK"]);
        assert!(session.has_sessions(&session));
        // It knocks, and is sent away.
        let first = activity(&[]);
        assert!(!session.has_sessions(&first));
        assert_eq!(session.to_wait_for(&first), [&session.children[0]]);
    }
}

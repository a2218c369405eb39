//! Files in which a node remembers what it said or did last. No other node reads
//! them.
//!
//! All but the mark of a rewind may vanish at any time: they lie in a directory
//! of root's that a reboot empties. Without them the agent looks, or says,
//! something once more.

use super::name::{Life, Name};

/// What the primary's monitor saw when there was nothing left to do.
pub const SETTLED: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.settled",
    "the replication state in which the primary's monitor last found all scores right, \
     so that it need not ask again",
);

/// What a diverged standby said last, so that it says it once.
pub const DIVERGED: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.diverged",
    "what a diverged standby logged last",
);

/// What the primary said last of other nodes that diverged.
pub const DIVERGED_OTHERS: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.diverged-others",
    "what the primary logged last about diverged standbys",
);

/// The restarts for a rewind. See `instance::rejoin::attempts`.
pub const REWINDS: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.rewinds",
    "how often a standby was restarted to be rewound",
);

/// Why a diverged standby was not rewound.
pub const NOT_REWOUND: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.not-rewound",
    "why it was not rewound",
);

/// How many monitors in a row got an answer that nobody knows.
pub const UNKNOWN_ERROR: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.unknown-error",
    "how many monitors in a row got an error that the agent does not know",
);

/// How many monitors in a row a primary let nobody in.
pub const NOT_YET: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.not-yet",
    "how many monitors in a row found a primary that lets nobody in",
);

/// What an impaired standby said last, so that it says it once.
pub const IMPAIRED: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.impaired",
    "what a standby logged last of why it is not sound",
);

/// What the last election left to do on this node, and since when.
pub const AFTERMATH: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.aftermath",
    "that the vote of the last election is to be taken back",
);

/// That this node could not vote, until it can or follows a primary.
pub const MUTE: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.mute",
    "that this node could not vote in the last election",
);

/// What was said last of standbys that could not be promoted.
pub const UNREADY: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.unready",
    "what was logged last of standbys that could not be promoted",
);

/// How many monitors in a row found a standby paused that receives nothing any more.
pub const STRANDED: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.stranded",
    "how many monitors in a row found a standby that PostgreSQL has paused, and that streams no \
     more",
);

/// Which configuration of the cluster a standby has in its ledger.
pub const COPIED: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.copied",
    "of which configuration of the cluster this node's ledger has what was elected",
);

/// The promotion scores by hand that the primary named last.
pub const FOREIGN_SCORES: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.foreign-scores",
    "what the primary logged last about promotion scores with the lifetime reboot",
);

/// To whom this node gave way when it was to be promoted, and in which term: once in a term
/// is enough.
pub const YIELDED: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.yielded",
    "the node that this one gave way to in an election, its term, and when",
);

/// From whom this node fetched WAL before its promotion, and in which term: once is enough.
pub const FETCHED: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.fetched",
    "the node from which this one fetched WAL before a promotion, and the term",
);

/// For which nodes there are replication slots, by which configuration of the cluster.
pub const HOSTS: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.hosts",
    "for which nodes there are replication slots, and of which configuration of the cluster that is",
);

/// What was said last of replication slots that could not be looked after.
pub const SLOTS: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.slots",
    "what was logged last of replication slots that could not be looked after",
);

/// What the primary said last of how far its standbys are.
pub const CONFIRMED: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.confirmed",
    "what the primary published last of what its standbys have",
);

/// A directory that must outlive a reboot. While it is there nothing is started.
pub const REWIND_MARK: Name = Name::new(
    Life::File,
    "RESOURCE.rewind",
    "the mark of an unfinished rewind; do not remove it by hand",
);

/// The mark of a rebuild that was begun.
pub const REBUILD_MARK: Name = Name::new(
    Life::File,
    "RESOURCE.rebuild",
    "the mark of an unfinished rebuild; `pgsqlms rebuild --give-up` removes it",
);

/// Held by who rebuilds.
pub const REBUILD_LOCK: Name = Name::new(
    Life::File,
    "RESOURCE.rebuild.lock",
    "locked while this node is rebuilt",
);

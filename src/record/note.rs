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
    "what the primary's monitor settled last, so that it need not ask again",
);

/// What a diverged standby said last, so that it says it once.
pub const DIVERGED: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.diverged",
    "what a diverged standby said last",
);

/// What the primary said last of other nodes that diverged.
pub const DIVERGED_OTHERS: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.diverged-others",
    "what the primary said last of diverged standbys",
);

/// The restarts for a rewind. See `instance::rejoin::attempts`.
pub const REWINDS: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.rewinds",
    "how often a standby was restarted to be rewound",
);

/// Why a diverged standby was not rewound.
pub const NOT_REWOUND: Name =
    Name::new(Life::File, "pgsqlms-RESOURCE.not-rewound", "why it was not");

/// How many monitors in a row got an answer that nobody knows.
pub const UNANSWERED: Name = Name::new(
    Life::File,
    "pgsqlms-RESOURCE.unanswered",
    "how many monitors in a row got an answer that nobody knows",
);

/// A directory that must outlive a reboot. While it is there nothing is started.
pub const REWIND_MARK: Name = Name::new(
    Life::File,
    "RESOURCE.rewind",
    "a rewind has begun here and not ended; do not remove it by hand",
);

//! What speaks against a rebuild, in a sentence that says what to do.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::ocf::NodeName;
use crate::wal::Timeline;

/// Why nothing is rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The files of the agent are root's.
    #[error("only root can rebuild a node")]
    NotRoot,
    /// Its data are in use.
    #[error("PostgreSQL runs here: {0}")]
    Runs(String),
    /// In doubt it runs.
    #[error("it is not known whether PostgreSQL runs here: {0}")]
    CannotTell(String),
    /// Nobody says who the primary is, and what may be started.
    #[error("the cluster does not answer here ({0}): start it, with this node in standby")]
    NoCluster(String),
    /// The record is about nodes.
    #[error("Pacemaker's name of this node is not known")]
    NoName,
    /// It would be started in the middle.
    #[error("Pacemaker may start it here at any time: {0}")]
    MayStart(String),
    /// The data here may be the best that there are.
    #[error("no primary runs: what this node holds may be needed. To give it up: --discard")]
    NoPrimary,
    /// All that the others lack is here.
    #[error(
        "{0} was elected last: what it wrote and nobody else has would be lost. Bring it back, or \
         give it up: --discard"
    )]
    Elected(NodeName),
    /// In doubt this node was elected.
    #[error(
        "what is on record of elections cannot all be read (pgsqlms status): this node's data may \
         be needed. To give them up: --discard"
    )]
    Unreadable,
    /// The switch would put a directory in the place of a link.
    #[error("the data directory is a link: give parameter datadir the directory itself")]
    Link,
    /// The switch is a rename, which does not work there.
    #[error(
        "a file system is mounted on the data directory itself, so that nothing can be made beside \
         it: rebuild it by hand"
    )]
    Mount,
    /// It would be lost in silence that it has a disk of its own.
    #[error("pg_wal is a link to {}: give its new place, an empty directory: --waldir", .0.display())]
    WalElsewhere(PathBuf),
    /// Two versions of it cannot be in one place.
    #[error(
        "there is a table space in {}: --tablespace-mapping {}={}", .0.display(), .0.display(),
        beside(.0).display()
    )]
    TableSpace(PathBuf),
    /// A tool of PostgreSQL is missing.
    #[error("{} cannot be run: install it, or correct parameter bindir", .0.display())]
    NoProgram(PathBuf),
    /// Nobody says from where.
    #[error("primary_conninfo names no host or cannot be read: --from NODE or --conninfo STRING")]
    NoSource,
    /// The source cannot be reached.
    #[error("the server to copy from does not answer: {0}")]
    Silent(String),
    /// The source is of no use here.
    #[error("the server to copy from has another database than {0}, elected last")]
    OtherSystem(NodeName),
    /// The same.
    #[error(
        "the server to copy from is on timeline {found}, but {primary}, elected last, is on \
         {elected}"
    )]
    OtherBranch {
        /// Its timeline.
        found: Timeline,
        /// The one of the branch that was elected.
        elected: Timeline,
        /// Who was elected.
        primary: NodeName,
    },
}

/// A new place that is on the same disk.
fn beside(place: &Path) -> PathBuf {
    let mut text = place.as_os_str().to_owned();
    text.push(".new");
    PathBuf::from(text)
}

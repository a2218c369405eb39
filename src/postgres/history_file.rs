//! Reading a timeline's history file from `pg_wal`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::wal::{History, Timeline};

/// The history of `timeline`. Without a readable file it is unknown, which
/// never makes a node better than another one.
pub fn read(datadir: &Path, timeline: Timeline) -> History {
    if timeline == Timeline::FIRST {
        return History::root();
    }
    let path = datadir.join("pg_wal").join(timeline.history_file_name());
    match fs::read_to_string(&path) {
        Ok(text) => History::parse(&text, timeline).unwrap_or_else(|error| {
            log::warn!("{}: {error}", path.display());
            History::unknown()
        }),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                log::warn!("Cannot read {}: {error}", path.display());
            }
            History::unknown()
        }
    }
}

//! Can the primary still write?

use std::time::Duration;

use crate::instance::NoAnswer;
use crate::ocf::{Deadline, Failure};
use crate::postgres::Server;

const LONGEST_WRITE: Duration = Duration::from_secs(5);

/// A primary that cannot write is no primary. One that is busy, or whose answer says
/// nothing of its storage, is.
pub fn run(server: &dyn Server, deadline: Deadline) -> Result<(), Failure> {
    match server.write_record(deadline.within(LONGEST_WRITE)) {
        Ok(None) => match server.full_directory() {
            None => Ok(()),
            Some(path) => Err(Failure::soft(format!(
                "The primary cannot write: no space left in {}",
                path.display()
            ))),
        },
        Ok(Some(text)) => Err(Failure::soft(format!("The primary cannot write: {text}"))),
        Err(NoAnswer::Silent) => Err(Failure::soft(
            "The primary cannot write: no WAL record reached its disk in time",
        )),
        Err(why) => {
            log::warn!("Cannot check whether the primary can write: {why}");
            Ok(())
        }
    }
}

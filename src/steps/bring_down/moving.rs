//! Waits for the end of a server as long as anything of it moves.

use std::time::{Duration, Instant};

use super::ask::POLL;
use super::clean::End;
use super::patience;
use super::watch::Watch;
use crate::instance::Postmaster;
use crate::ocf::{Deadline, time};
use crate::postgres::Server;

/// Waits until nothing runs, the time is over, or nothing has moved for so long.
pub fn wait_until_gone_or_hung(server: &dyn Server, limit: Duration, deadline: Deadline) -> End {
    let mut watch: Option<Watch> = None;
    let mut looked: Option<Instant> = None;
    loop {
        let is_due = looked.is_none_or(|at| time::since(at) >= patience::LOOK);
        match server.postmaster() {
            Ok(Postmaster::None) => return End::Gone,
            Ok(Postmaster::Alive(postmaster)) if is_due => {
                looked = Some(time::now());
                if hangs_for(server, &mut watch, postmaster) >= limit {
                    return End::Hung;
                }
            }
            _ => {}
        }
        if !deadline.sleep(POLL) {
            return End::Late;
        }
    }
}

fn hangs_for(server: &dyn Server, watch: &mut Option<Watch>, postmaster: i32) -> Duration {
    let seen = server.activity(postmaster);
    match watch {
        None => {
            *watch = Some(Watch::begin(seen));
            Duration::ZERO
        }
        Some(watch) => {
            watch.look(seen);
            watch.hangs_for()
        }
    }
}

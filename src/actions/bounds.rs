//! How long a monitor may take: when it is given up that hangs with the storage, and what one
//! that waits has besides.

use std::time::Duration;

use crate::instance::watch::Operation;
use crate::ocf::ClusterRole;
use crate::ocf::{Deadline, Environment, Parameters, Request};
use crate::postgres::RealServer;

/// How long an action has beyond its deadline to give its own answer.
const GRACE: Duration = Duration::from_secs(1);

/// By when a monitor is given up that may ask something of a storage that hangs; `None` if it
/// does not. It seldom does, but one that waits cannot know what it will ask then.
pub fn of_monitor(environment: &Environment, request: &Request) -> Option<Deadline> {
    let parameters = Parameters::from_environment(environment).ok();
    let Some(parameters) = parameters.or_else(|| Parameters::of_datadir(environment)) else {
        return Some(request.watch);
    };
    let operation = operation(request, parameters.watch);
    if let Some(longest) = operation.longest_run() {
        return Some(request.watch.within(longest + GRACE));
    }
    let may_hang = !RealServer::is_in_memory(&parameters.datadir);
    may_hang.then_some(request.watch)
}

/// The recurring operation that a run of the monitor is one of, which is to wait so long for a
/// crash.
pub fn operation(request: &Request, wait: Duration) -> Operation {
    Operation {
        of_primary: request.role == Some(ClusterRole::Promoted),
        interval: request.interval,
        timeout: request.timeout,
        wait,
    }
}

/// The time-out of a monitor that waits is longer than what it does besides should take.
pub fn bounded(request: Request, parameters: &Parameters) -> Request {
    let operation = operation(&request, parameters.watch);
    match operation.longest_run() {
        Some(longest) => Request {
            deadline: request.deadline.within(longest),
            ..request
        },
        None => request,
    }
}

//! What monitor and stop do with parameters that cannot be what they are set to. A typo
//! is in effect at the next call, on all nodes at once: it must not cost a server that
//! runs, nor fence a node.
//!
//! The data directory and the process table are enough for both.

use crate::instance::{Postmaster, Role};
use crate::ocf::{Environment, Failure, OcfExit, Outcome, Parameters, Request};
use crate::postgres::{RealServer, Server};
use crate::steps::{bring_down, single_user};

/// Says what can be seen without asking the server.
pub fn monitor(environment: &Environment, request: &Request, failure: Failure) -> Outcome {
    let server = server(environment, request);
    let found = server.as_ref().and_then(|server| server.postmaster().ok());
    match (server, found) {
        (Some(server), Some(Postmaster::Alive(_))) => {
            log::error!(
                "{failure}: the instance runs, but cannot be queried until this is corrected"
            );
            Ok(match server.role_files().role() {
                Role::Primary => OcfExit::Promoted,
                Role::Standby => OcfExit::Success,
            })
        }
        (_, Some(Postmaster::SingleUser(_))) if request.probe => Ok(OcfExit::NotRunning),
        (_, Some(Postmaster::None)) if !request.probe => {
            Err(Failure::new(OcfExit::NotRunning, failure.reason))
        }
        _ => Err(failure),
    }
}

/// Stops the server by its files and its processes alone.
pub fn stop(environment: &Environment, request: &Request, failure: &Failure) -> Outcome {
    let Some(server) = server(environment, request) else {
        return Err(Failure::soft(failure.reason.clone()));
    };
    let found = server.postmaster()?;
    if found == Postmaster::None {
        log::info!("No process of the instance is running");
        return Ok(OcfExit::Success);
    }
    if let Postmaster::SingleUser(_) = found {
        return single_user::end(&server, request.deadline);
    }
    log::error!("{failure}: stopping without the parameters");
    if matches!(found, Postmaster::LeftBehind(_)) {
        return bring_down::left_behind(&server, request.deadline);
    }
    bring_down::by_files(&server, request.deadline)
}

fn server(environment: &Environment, request: &Request) -> Option<RealServer> {
    let parameters = Parameters::of_datadir(environment)?;
    Some(RealServer::of_owner(parameters, &request.resource))
}

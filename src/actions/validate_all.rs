//! validate-all: judges parameters, programs, directories and configuration on this node,
//! for people and for pcs. Silent when all is well, since pcs shows every line as a
//! warning.
//!
//! pcs asks on whichever node it runs on, perhaps one without PostgreSQL: at
//! `OCF_CHECK_LEVEL` 0 a node without its programs has nothing to judge.

use super::Call;
use crate::ocf::{Environment, OcfExit, Outcome, Parameters, Request, clone};
use crate::steps::slots::settings;
use crate::steps::{foreign_scores, rights, validation, watch};

/// From this level on everything must be there.
const THOROUGH: u32 = 10;

/// Judges everything that can be judged without a running server, and what its role may do where
/// one runs.
pub fn run(environment: &Environment, request: Request) -> Outcome {
    let parameters = Parameters::from_environment(environment)?;
    let thorough = request.check_level >= THOROUGH;
    if !thorough && !validation::has_programs(&parameters) {
        return Ok(OcfExit::Success);
    }
    let call = Call::prepare(environment, request)?;
    if thorough {
        clone::judge(call.request.clone_options.as_ref())?;
    }
    let (server, node) = (&*call.server, call.request.node.as_ref());
    validation::judge(server, node, call.request.deadline)?;
    settings::demand(server, &*call.cluster, node, call.request.deadline)?;
    rights::demand(server, call.request.deadline)?;
    foreign_scores::say(&*call.cluster);
    if thorough {
        watch::say(&*call.cluster, call.server.parameters().watch);
    }
    Ok(OcfExit::Success)
}

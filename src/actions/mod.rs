//! The verbs, one file each: look, plan, perform. Nothing else lives here.
//!
//! A verb runs no program, asks no SQL and sends no signal: steps do.

mod call;
pub mod demote;
pub mod monitor;
pub mod notify;
mod perform;
pub mod promote;
pub mod start;
pub mod stop;
mod validate_all;
mod wrong_parameters;

use clap::Subcommand;

pub use call::Call;

use crate::ocf::{Environment, Failure, OcfExit, Outcome, Parameters, Request, metadata};

/// The actions this agent knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Action {
    /// Start the instance as a standby
    Start,
    /// Stop the instance
    Stop,
    /// Report the state of the instance
    Monitor,
    /// Promote the standby to primary, if it wins the election
    Promote,
    /// Demote the primary to standby
    Demote,
    /// Vote before a promotion, copy the shutdown checkpoint after a demotion
    Notify,
    /// Accept changed parameters (nothing to do: each call reads them)
    Reload,
    /// Same as reload, under its OCF 1.1 name
    ReloadAgent,
    /// Print the agent's metadata as XML
    MetaData,
    /// Validate the parameters on this node
    ValidateAll,
    /// List the actions
    Methods,
}

impl Action {
    /// The names of all actions, as they are called.
    pub fn names() -> Vec<String> {
        let all = Self::augment_subcommands(clap::Command::new("pgsqlms"));
        let names = all.get_subcommands().map(clap::Command::get_name);
        names.map(str::to_owned).collect()
    }
}

/// Runs `action` and returns what Pacemaker is told.
pub fn run(action: Action, environment: &Environment, request: Request) -> Outcome {
    let on_instance = match action {
        Action::MetaData => return metadata::print(),
        Action::Methods => return metadata::print_methods(&Action::names()),
        Action::Reload | Action::ReloadAgent => return reload(environment),
        Action::Stop => return stop::run(environment, request),
        Action::ValidateAll => return validate_all::run(environment, request),
        Action::Start => start::run,
        Action::Monitor => monitor::run,
        Action::Promote => promote::run,
        Action::Demote => demote::run,
        Action::Notify => notify::run,
    };
    match Call::prepare(environment, request.clone()) {
        Ok(call) => on_instance(&call),
        Err(failure) if action == Action::Start => Err(failure),
        Err(failure) if action == Action::Monitor => {
            wrong_parameters::monitor(environment, &request, failure)
        }
        // Not 2: that would ban the node, and the typo is there on all nodes.
        Err(failure) => Err(Failure::soft(failure.reason)),
    }
}

/// Never fails: Pacemaker would take that for a failure of the instance.
fn reload(environment: &Environment) -> Outcome {
    match Parameters::from_environment(environment) {
        Ok(_) => log::info!("Nothing to do: parameters are read at every call"),
        Err(error) => log::error!("{error}: correct this before the next start"),
    }
    Ok(OcfExit::Success)
}

//! One file an action: observe, decide, act.

mod call;
mod check_branch;
mod demote;
pub mod evidence;
mod give_scores;
mod monitor;
mod names;
mod notify;
mod observe;
mod offer;
pub mod position;
mod promote;
mod rejoin;
mod report_diverged;
mod shutdown;
mod start;
mod stop;
mod validate_all;

pub use call::Call;

use crate::ocf::{Environment, Failure, OcfExit, Outcome, metadata};

/// The actions this agent knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Subcommand)]
pub enum Action {
    /// Start the instance as a standby
    Start,
    /// Stop the instance
    Stop,
    /// Say what the instance is
    Monitor,
    /// Make a primary of the standby, if it wins the election
    Promote,
    /// Make a standby of the primary
    Demote,
    /// Take part in what the cluster is about to do or did
    Notify,
    /// Make changed parameters effective (they are read at every call)
    Reload,
    /// The same, under its OCF 1.1 name
    ReloadAgent,
    /// Print the agent's description as XML
    MetaData,
    /// Judge the parameters on this node
    ValidateAll,
    /// List the actions
    Methods,
}

/// Runs `action` and returns what Pacemaker is told.
pub fn run(action: Action, environment: &Environment) -> Outcome {
    let on_instance = match action {
        Action::MetaData => return metadata::print(),
        Action::Methods => return metadata::print_methods(),
        Action::Reload | Action::ReloadAgent => return reload(),
        Action::Stop => return stop::run(environment),
        Action::ValidateAll => return validate_all::run(environment),
        Action::Start => start::run,
        Action::Monitor => monitor::run,
        Action::Promote => promote::run,
        Action::Demote => demote::run,
        Action::Notify => notify::run,
    };
    on_instance(&Call::prepare(environment)?)
}

fn reload() -> Outcome {
    log::info!("Nothing to do: parameters are read at every call");
    Ok(OcfExit::Success)
}

impl From<crate::postgres::server::ServerError> for Failure {
    fn from(error: crate::postgres::server::ServerError) -> Self {
        Failure::soft(error.to_string())
    }
}

impl From<crate::pacemaker::tool::ToolError> for Failure {
    fn from(error: crate::pacemaker::tool::ToolError) -> Self {
        Failure::soft(error.to_string())
    }
}

//! The verbs, one file each, and what they share: `call`, `perform`, `bounds`, `wrong_parameters`.
//! Start, stop, promote and demote look, plan, perform; monitor and notify call steps.
//!
//! A verb runs no program, asks no SQL and sends no signal: steps do.

mod bounds;
mod call;
mod demote;
mod monitor;
mod notify;
mod perform;
mod promote;
mod start;
mod stop;
mod validate_all;
mod wrong_parameters;

use clap::Subcommand;

use call::Call;

use crate::ocf::{Deadline, Environment, Failure, OcfExit, Outcome, Parameters, Request, metadata};
#[cfg(test)]
use crate::{ocf::time, pacemaker::Cluster, postgres::Server};
use crate::{steps::watch, system::Notes};

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

/// What an action needs.
enum Kind {
    /// A server and a cluster: the action is a verb.
    Verb(fn(&Call) -> Outcome),
    /// What the caller said.
    Words(fn(&Environment, Request) -> Outcome),
}

fn kind(action: Action) -> Kind {
    match action {
        Action::MetaData => Kind::Words(|_, _| metadata::print()),
        Action::Methods => Kind::Words(|_, _| metadata::print_methods(&Action::names())),
        Action::Reload | Action::ReloadAgent => Kind::Words(reload),
        Action::ValidateAll => Kind::Words(validate_all::run),
        Action::Start => Kind::Verb(start::run),
        Action::Stop => Kind::Verb(stop::run),
        Action::Monitor => Kind::Verb(monitor::run),
        Action::Promote => Kind::Verb(promote::run),
        Action::Demote => Kind::Verb(demote::run),
        Action::Notify => Kind::Verb(notify::run),
    }
}

/// Runs `action` and returns what Pacemaker is told.
pub fn run(action: Action, environment: &Environment, request: Request) -> Outcome {
    let verb = match kind(action) {
        Kind::Verb(verb) => verb,
        Kind::Words(answer) => return answer(environment, request),
    };
    match Call::prepare(environment, request.clone()) {
        Ok(call) => verb(&call),
        Err(failure) if action == Action::Start => Err(failure),
        Err(failure) if action == Action::Stop => {
            wrong_parameters::stop(environment, &request, &failure)
        }
        Err(failure) if action == Action::Monitor => {
            wrong_parameters::monitor(environment, &request, failure)
        }
        // Not 2: that would ban the node, and the typo is there on all nodes.
        Err(failure) => Err(Failure::soft(failure.reason)),
    }
}

/// By when an action is given up that may ask something of a storage that hangs, if it may.
pub fn given_up_at(action: Action, of: &Environment, request: &Request) -> Option<Deadline> {
    match action {
        Action::MetaData | Action::Methods | Action::Reload | Action::ReloadAgent => None,
        Action::Monitor => bounds::of_monitor(of, request),
        _ => Some(request.watch),
    }
}

/// Never fails: Pacemaker would take that for a failure of the instance.
fn reload(environment: &Environment, request: Request) -> Outcome {
    watch::forget(&Notes::new(environment, &request.resource));
    match Parameters::from_environment(environment) {
        Ok(_) => log::info!("Nothing to do: parameters are read at every call"),
        Err(error) => log::error!("{error}: correct this before the next start"),
    }
    Ok(OcfExit::Success)
}

/// What a verb works with.
#[cfg(test)]
pub type Handles = (Box<dyn Server>, Box<dyn Cluster>, Notes);

#[cfg(test)]
impl Action {
    /// Runs this verb on handles of a test.
    pub fn on(self, environment: &Environment, (server, cluster, notes): Handles) -> Outcome {
        let request = Request::from_environment(environment, time::now());
        let environment = environment.clone();
        match kind(self) {
            Kind::Verb(verb) => verb(&Call {
                environment,
                request,
                server,
                cluster,
                notes,
            }),
            Kind::Words(_) => panic!("{self:?} is no verb"),
        }
    }
}

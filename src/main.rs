//! `pgsqlms`, the OCF resource agent: one call, one action, one exit code.
//!
//! This file is the door: logger, panic guard, arguments, exit code. It
//! decides nothing about PostgreSQL or the cluster.

mod actions;
mod election;
mod instance;
mod ocf;
mod pacemaker;
mod postgres;
mod wal;

use std::panic;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use actions::Action;
use ocf::{Environment, Failure, OcfExit, Outcome, Request};

/// OCF resource agent for PostgreSQL streaming replication under Pacemaker.
#[derive(Debug, Parser)]
#[command(name = "pgsqlms", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

fn main() -> ExitCode {
    let environment = Environment::of_this_process();
    let resource = Request::from_environment(&environment, std::time::Instant::now()).resource;
    ocf::log::install(&environment, &resource);
    panic::set_hook(Box::new(|panic| log::error!("Bug in pgsqlms: {panic}")));
    // The standard has callers pass more one day: only the action is ours.
    let arguments = std::env::args_os().take(2);
    let exit = match Arguments::try_parse_from(arguments) {
        Ok(Arguments { action }) => report(guarded(action, &environment), &environment),
        Err(error) => usage(&error),
    };
    ExitCode::from(exit.code())
}

/// A bug ends in an OCF code with a message, never in a code of Rust's own.
fn guarded(action: Action, environment: &Environment) -> Outcome {
    panic::catch_unwind(|| actions::run(action, environment))
        .unwrap_or_else(|_| Err(Failure::soft("Bug in pgsqlms: see the log of this node")))
}

fn report(outcome: Outcome, environment: &Environment) -> OcfExit {
    match outcome {
        Ok(exit) => exit,
        Err(failure) => {
            log::error!("{failure}");
            ocf::log::exit_reason(environment, &failure.reason);
            failure.exit
        }
    }
}

/// clap's own code for a usage error is 2, which bans a node.
fn usage(error: &clap::Error) -> OcfExit {
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => OcfExit::Success,
        ErrorKind::InvalidSubcommand | ErrorKind::MissingSubcommand => OcfExit::Unimplemented,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => OcfExit::Unimplemented,
        _ => OcfExit::Arguments,
    }
}

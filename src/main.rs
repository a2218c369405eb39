//! `pgsqlms`, the OCF resource agent: one call, one action, one exit code.
//!
//! This file is the door: logger, panic guard, arguments, exit code. It
//! decides nothing about PostgreSQL or the cluster.

mod actions;
mod admin;
mod election;
mod instance;
mod ocf;
mod pacemaker;
#[cfg(test)]
mod packaged;
mod postgres;
mod record;
mod steps;
mod system;
#[cfg(test)]
mod testing;
mod wal;

use std::env;
use std::ffi::OsString;
use std::panic;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use clap::error::ErrorKind;

use actions::Action;
use admin::ForcePromotion;
use ocf::{Environment, Failure, OcfExit, Outcome, Request};

/// OCF resource agent for PostgreSQL streaming replication under Pacemaker.
#[derive(Debug, Parser)]
#[command(name = "pgsqlms", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    #[command(flatten)]
    Action(Action),
    /// Allow one promotion that was refused, although commits may be lost
    ForcePromotion(ForcePromotion),
}

fn main() -> ExitCode {
    let environment = Environment::of_this_process();
    let resource = Request::from_environment(&environment, Instant::now()).resource;
    ocf::log::install(&environment, &resource);
    panic::set_hook(Box::new(|panic| log::error!("Bug in pgsqlms: {panic}")));
    let exit = match Arguments::try_parse_from(arguments()) {
        Ok(Arguments { command }) => report(guarded(&command, &environment), &environment),
        Err(error) => usage(&error),
    };
    ExitCode::from(exit.code())
}

/// Of an OCF call only the action counts: the standard has callers pass more
/// one day.
fn arguments() -> Vec<OsString> {
    let all: Vec<_> = env::args_os().collect();
    let is_admins = all.get(1).is_some_and(|word| word == "force-promotion");
    let count = if is_admins { all.len() } else { 2 };
    all.into_iter().take(count).collect()
}

/// A bug ends in an OCF code with a message, never in a code of Rust's own.
fn guarded(command: &Command, environment: &Environment) -> Outcome {
    let run = || match command {
        Command::Action(action) => actions::run(*action, environment),
        Command::ForcePromotion(wish) => admin::force_promotion(wish, environment),
    };
    panic::catch_unwind(run)
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

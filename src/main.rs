//! `pgsqlms`, the OCF resource agent: one call, one action, one exit code.
//!
//! This file is the door: logger, panic guard, arguments, exit code. It
//! decides nothing about PostgreSQL or the cluster.

// A fuzzer brings a `main` of its own, and calls only what parses.
#![cfg_attr(fuzzing, no_main, allow(dead_code))]

mod actions;
mod admin;
mod election;
#[cfg(any(test, fuzzing))]
mod fuzzing;
mod instance;
mod ocf;
mod pacemaker;
#[cfg(test)]
mod packaged;
mod postgres;
mod record;
#[cfg(test)]
mod simulation;
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

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use actions::Action;
use admin::ForcePromotion;
use ocf::{Environment, Failure, OcfExit, Outcome, Request};
use system::guardian::{self, End};

/// OCF resource agent for PostgreSQL streaming replication under Pacemaker.
#[derive(Debug, Parser)]
#[command(name = "pgsqlms", version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Action(Action),
    /// Allow one promotion that was refused, even if commits may be lost
    ForcePromotion(ForcePromotion),
}

fn main() -> ExitCode {
    let environment = Environment::of_this_process();
    let request = Request::from_environment(&environment, Instant::now());
    ocf::log::install(&environment, &request.resource);
    panic::set_hook(Box::new(|panic| log::error!("Bug in pgsqlms: {panic}")));
    let exit = match Arguments::try_parse_from(arguments(env::args_os())) {
        Ok(typed) => return watched(&typed.command, &environment, request),
        Err(error) => usage(&error),
    };
    ExitCode::from(exit.code())
}

/// An action that may hang is done in a child, so that there is an answer in any case.
fn watched(command: &Command, environment: &Environment, request: Request) -> ExitCode {
    let given_up_at = match command {
        Command::Action(action) => actions::given_up_at(*action, environment, &request),
        Command::ForcePromotion(_) => None,
    };
    let act = || {
        let exit = report(guarded(command, environment, request), environment);
        ExitCode::from(exit.code())
    };
    let Some(deadline) = given_up_at else {
        return act();
    };
    let lost = match guardian::watch(deadline, act) {
        Err(done) => return done,
        Ok(End::Exit(code)) => return ExitCode::from(code),
        Ok(End::Hung) => Failure::soft(
            "The action hangs in the operating system and was given up: is the storage hung?",
        ),
        Ok(End::Killed(signal)) => {
            Failure::soft(format!("The action was killed (signal {signal})"))
        }
    };
    ExitCode::from(report(Err(lost), environment).code())
}

/// Of an OCF call only the action counts: the standard has callers pass more
/// one day. A command for people keeps all that was typed, so that a typo in it
/// is an error.
fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut given: Vec<_> = given.collect();
    let word = given.get(1).and_then(|word| word.to_str());
    if word.is_some_and(Action::has_subcommand) {
        given.truncate(2);
    }
    given
}

/// A bug ends in an OCF code with a message, never in a code of Rust's own.
fn guarded(command: &Command, environment: &Environment, request: Request) -> Outcome {
    let run = || match command {
        Command::Action(action) => actions::run(*action, environment, request),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(typed: &str) -> String {
        let given = typed.split(' ').map(OsString::from);
        let kept: Vec<_> = arguments(given).into_iter().collect();
        kept.join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn of_an_action_only_its_name_is_kept() {
        for action in Action::names() {
            let typed = format!("pgsqlms {action} --and more");
            assert_eq!(kept(&typed), format!("pgsqlms {action}"));
        }
    }

    #[test]
    fn every_other_word_keeps_what_follows() {
        for typed in [
            "pgsqlms",
            "pgsqlms status --json srv1",
            "pgsqlms force-promotion --resource pgsqld --yes",
            "pgsqlms dance start",
            "pgsqlms --version start",
        ] {
            assert_eq!(kept(typed), typed);
        }
    }
}

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
mod view;
mod wal;

use std::env;
use std::ffi::OsString;
use std::panic;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use actions::Action;
use admin::{
    AlertAgent, Check, Explain, ForcePromotion, Forget, History, Lost, Metrics, Rebuild, Role,
    Status, Switchover, exit_codes,
};
use ocf::{Deadline, Environment, Failure, OcfExit, Request};
use system::guardian::{self, End};
use view::Health;

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
    #[command(after_help = exit_codes::FORCE_PROMOTION)]
    ForcePromotion(ForcePromotion),
    /// Show the role and position of each node, what is wrong, and what cures it
    #[command(after_help = exit_codes::STATUS)]
    Status(Status),
    /// Show who would be promoted if nodes were lost now, and why
    #[command(after_help = exit_codes::EXPLAIN)]
    Explain(Explain),
    /// List the elections and promotions that are on record
    #[command(after_help = exit_codes::HISTORY)]
    History(History),
    /// Check as a monitoring plugin, with thresholds and performance data
    #[command(after_help = exit_codes::CHECK)]
    Check(Check),
    /// Print metrics for Prometheus
    #[command(after_help = exit_codes::METRICS)]
    Metrics(Metrics),
    /// Report an event (Pacemaker calls this as an alert agent)
    #[command(after_help = exit_codes::ALERT)]
    Alert(AlertAgent),
    /// Print the role of the local server in one word, for load balancers
    #[command(after_help = exit_codes::ROLE)]
    Role(Role),
    /// Move the primary to another node, after checking that it can take over
    #[command(after_help = exit_codes::SWITCHOVER)]
    Switchover(Switchover),
    /// Make this node's standby anew, from the primary, a standby or a backup
    #[command(after_help = exit_codes::REBUILD)]
    Rebuild(Rebuild),
    /// Show what a rewind or a rebuild has thrown away on this node
    #[command(after_help = exit_codes::LOST)]
    Lost(Lost),
    /// Put the database of this node in the place of all that was elected before
    #[command(after_help = exit_codes::FORGET)]
    Forget(Forget),
}

fn main() -> ExitCode {
    let environment = Environment::of_this_process();
    let request = Request::from_environment(&environment, Instant::now());
    ocf::log::install(&environment, &request.resource);
    panic::set_hook(Box::new(|panic| log::error!("Bug in pgsqlms: {panic}")));
    let given = arguments(env::args_os(), &environment);
    match Arguments::try_parse_from(&given) {
        Ok(typed) => watched(&typed.command, &environment, request),
        Err(error) => ExitCode::from(usage(&error, &given)),
    }
}

impl Command {
    /// By when it must have answered although it may hang with the storage: Pacemaker waits, or
    /// monitoring does. A person at a terminal has Ctrl-C.
    fn given_up_at(&self, environment: &Environment, request: &Request) -> Option<Deadline> {
        match self {
            Self::Action(action) => actions::given_up_at(*action, environment, request),
            Self::ForcePromotion(_)
            | Self::Switchover(_)
            | Self::Rebuild(_)
            | Self::Lost(_)
            | Self::Forget(_) => None,
            Self::Role(_) => Some(Deadline::after(LONGEST_ROLE)),
            Self::Alert(_) => Some(Deadline::after(admin::LONGEST_ALERT * 2)),
            Self::Status(wish) if wish.goes_on() => None,
            Self::Status(_)
            | Self::Explain(_)
            | Self::History(_)
            | Self::Check(_)
            | Self::Metrics(_) => Some(Deadline::after(LONGEST_LOOK)),
        }
    }

    /// Whether it only looks, and answers as monitoring plugins do.
    fn only_looks(&self) -> bool {
        !matches!(
            self,
            Self::Action(_)
                | Self::ForcePromotion(_)
                | Self::Switchover(_)
                | Self::Rebuild(_)
                | Self::Forget(_)
        )
    }
}

/// What a command that only looks may take, so that monitoring has its answer before it gives
/// the command up.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// The same of a load balancer, which asks each second.
const LONGEST_ROLE: Duration = Duration::from_secs(3);

/// What may hang is done in a child, so that there is an answer in any case.
fn watched(command: &Command, environment: &Environment, request: Request) -> ExitCode {
    let given_up_at = command.given_up_at(environment, &request);
    let act = || ExitCode::from(report(guarded(command, environment, request), environment));
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
    let outcome = if command.only_looks() {
        told(Err(lost))
    } else {
        Err(lost)
    };
    ExitCode::from(report(outcome, environment))
}

/// Of an OCF call only the action counts: the standard has callers pass more
/// one day. A command for people keeps all that was typed, so that a typo in it
/// is an error.
///
/// `status` is both: Pacemaker's callers name the resource, and mean what `monitor` does.
fn arguments(given: impl Iterator<Item = OsString>, environment: &Environment) -> Vec<OsString> {
    let mut given: Vec<_> = given.collect();
    let is_called = environment.get("OCF_RESOURCE_INSTANCE").is_some();
    match given.get_mut(1) {
        Some(word) if word == "status" && is_called => *word = "monitor".into(),
        _ => {}
    }
    let word = given.get(1).and_then(|word| word.to_str());
    if word.is_some_and(Action::has_subcommand) {
        given.truncate(2);
    }
    given
}

/// A bug ends in an OCF code with a message, never in a code of Rust's own.
fn guarded(command: &Command, environment: &Environment, request: Request) -> Result<u8, Failure> {
    let run = || match command {
        Command::Action(action) => actions::run(*action, environment, request).map(OcfExit::code),
        Command::ForcePromotion(wish) => {
            admin::force_promotion(wish, environment).map(OcfExit::code)
        }
        Command::Status(wish) => told(admin::status(wish, environment)),
        Command::Explain(wish) => told(admin::explain(wish, environment)),
        Command::History(wish) => told(admin::history(wish, environment)),
        Command::Check(wish) => told(admin::check(wish, environment)),
        Command::Metrics(wish) => told(admin::metrics(wish, environment)),
        Command::Alert(_) => Ok(alerted(admin::alert(environment))),
        Command::Role(wish) => told(admin::role(wish, environment)),
        Command::Switchover(wish) => told(admin::switchover(wish, environment)),
        Command::Rebuild(wish) => told(admin::rebuild(wish, environment)),
        Command::Lost(wish) => told(admin::lost(wish, environment)),
        Command::Forget(wish) => told(admin::forget(wish, environment)),
    };
    panic::catch_unwind(run)
        .unwrap_or_else(|_| Err(Failure::soft("Bug in pgsqlms: see the log of this node")))
}

/// Pacemaker does nothing about a failure but log it.
fn alerted(outcome: Result<(), Failure>) -> u8 {
    let Err(failure) = outcome else {
        return OcfExit::Success.code();
    };
    admin::complain_of_alert(&failure);
    failure.exit.code()
}

/// A command that only looks answers as monitoring plugins do: what it cannot look at is 3.
fn told(looked: Result<Health, Failure>) -> Result<u8, Failure> {
    let health = looked.unwrap_or_else(|failure| {
        ocf::screen::complain(&failure.reason);
        Health::Unknown
    });
    Ok(health.code())
}

fn report(outcome: Result<u8, Failure>, environment: &Environment) -> u8 {
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            log::error!("{failure}");
            ocf::log::exit_reason(environment, &failure.reason);
            failure.exit.code()
        }
    }
}

/// clap's own code for a usage error is 2, which bans a node, and which monitoring takes for a
/// service that is down.
fn usage(error: &clap::Error, given: &[OsString]) -> u8 {
    let exit = usage_of_action(error);
    let only_looks = given
        .get(1)
        .is_some_and(|word| LOOKS.iter().any(|one| word == one));
    match exit {
        OcfExit::Arguments if only_looks => Health::Unknown.code(),
        exit => exit.code(),
    }
}

/// The commands that only look.
const LOOKS: [&str; 7] = [
    "status", "explain", "history", "check", "metrics", "role", "lost",
];

fn usage_of_action(error: &clap::Error) -> OcfExit {
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
        let kept = arguments(given, &Environment::default());
        kept.join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn of_an_action_only_its_name_is_kept() {
        for action in Action::names() {
            let typed = format!("pgsqlms {action} --and more");
            assert_eq!(kept(&typed), format!("pgsqlms {action}"));
        }
    }

    /// `status` is an action of the standard, and a command for people.
    #[test]
    fn status_of_a_resource_that_is_named_is_the_monitor() {
        let called = Environment::of(&[("OCF_RESOURCE_INSTANCE", "pgsqld")]);
        let given = ["pgsqlms", "status", "--more"].map(OsString::from);
        assert_eq!(
            arguments(given.into_iter(), &called),
            ["pgsqlms", "monitor"]
        );
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

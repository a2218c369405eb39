//! The command line of `lab`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::host::requirements;
use crate::machine::warden::{self, Plan};

mod bench;
mod build;
mod demo;
mod hand;
mod matrix;
mod package;
mod picture;
mod prove;
mod soak;
mod test;
mod up;
mod wishes;

use wishes::Wishes;

/// Name of the cluster that `lab up` runs.
const BY_HAND: &str = "up";

/// Real PostgreSQL clusters under Pacemaker on one machine, to try pgsqlms and to test it.
///
/// Needs root on a Debian host. Nodes are containers with power switches and network cables of
/// their own, in namespaces that nothing leaves.
#[derive(Parser, Debug)]
#[command(name = "lab", max_term_width = 96)]
struct Arguments {
    /// Name of the cluster; several run side by side
    #[arg(long, global = true, default_value = BY_HAND, value_parser = cluster_name)]
    cluster: String,
    #[command(subcommand)]
    command: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Start a cluster that stays up until `lab down`
    Up(Wishes),
    /// Show what Pacemaker and PostgreSQL say about the cluster
    Status,
    /// Open a shell on a node
    Shell {
        /// srv1, srv2, …
        node: String,
    },
    /// Run a command on a node
    Run {
        /// srv1, srv2, …
        node: String,
        /// The command and its words, after --
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Break something on a node
    Break {
        /// What to break
        what: hand::Fault,
        /// srv1, srv2, …
        node: String,
    },
    /// Undo all that `lab break` did: power, network, fencing, cluster stack
    Heal,
    /// Take the cluster down
    Down,
    /// Watch a primary lose its power: what happens, how long it takes, what is lost
    Demo,
    /// Measure the Perl agent and ours, each in the same way
    Bench(bench::Choice),
    /// Draw the dashboard for Grafana from a real run, as an SVG
    Picture(picture::Choice),
    /// Prove by many rounds, at random moments, that nothing is lost and nobody gets stuck
    Prove(prove::Choice),
    /// Deal random faults for a long time and watch that nothing is lost
    Soak(soak::Choice),
    /// Run tests, each on a freshly booted cluster of its own
    Test(test::Choice),
    /// Build the agent so that it runs on every release, as packages need it; print its path
    Build,
    /// Build the .deb and the .rpm, check them with lintian and rpm, and print their paths
    Package,
    /// Run the core of the tests on every Debian release
    Matrix(matrix::Choice),
    /// Remove root file systems and prepared clusters
    Clean,
    /// Internal: the process that owns the nodes of a cluster
    #[command(hide = true)]
    Warden(Plan),
}

/// Parses the command line and runs it.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command, &arguments.cluster) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: What, id: &str) -> Result<ExitCode> {
    let only_words = match &what {
        What::Warden(_) => true,
        What::Test(choice) => choice.list(),
        _ => false,
    };
    if !only_words {
        requirements::check()?;
    }
    match what {
        What::Up(wishes) => up::up(&wishes, id)?,
        What::Down => up::down(id)?,
        What::Status => hand::status(id)?,
        What::Shell { node } => return hand::shell(id, &node),
        What::Run { node, command } => return hand::run(id, &node, &command),
        What::Break { what, node } => hand::break_it(id, what, &node)?,
        What::Heal => hand::heal(id)?,
        What::Demo => demo::demo()?,
        What::Bench(choice) => bench::bench(&choice)?,
        What::Picture(choice) => picture::picture(&choice)?,
        What::Prove(choice) => return prove::prove(&choice),
        What::Soak(choice) => return soak::soak(&choice),
        What::Test(choice) => return test::test(&choice),
        What::Build => build::build()?,
        What::Package => package::package()?,
        What::Matrix(choice) => return matrix::matrix(&choice),
        What::Clean => up::clean()?,
        What::Warden(plan) => warden::run(&plan)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The name is part of interface names, which have at most 15 characters.
fn cluster_name(name: &str) -> Result<String, String> {
    let fits = (1..=6).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    if fits {
        Ok(name.to_owned())
    } else {
        Err("1 to 6 letters and digits".to_owned())
    }
}

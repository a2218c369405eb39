//! The fuzz targets: everything that reads what others wrote, called as the verbs call it.
//!
//! One table serves two runs. `cargo test` changes each seed some thousand times, always in
//! the same way; `fuzz/run` hands the same functions to libFuzzer. Where a value can be
//! written again, the target also holds that it comes back.
//!
//! No part of the agent: compiled for tests and for fuzzing only.

mod cluster;
#[cfg(fuzzing)]
mod driver;
mod facts;
#[cfg(test)]
mod mutation;
mod programs;
mod server;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Debug;

/// Is shown what became of an input that was understood.
type See<'a> = &'a mut dyn FnMut(&dyn Debug);

/// One function that parses.
struct Target {
    /// Its name, for the command line.
    name: &'static str,
    /// Inputs that are understood.
    seeds: fn() -> Vec<Vec<u8>>,
    /// Calls it; panics where something does not hold.
    run: fn(&[u8], See<'_>),
}

/// All of them.
fn targets() -> impl Iterator<Item = &'static Target> {
    let rooms = [
        facts::TARGETS,
        server::TARGETS,
        programs::TARGETS,
        cluster::TARGETS,
    ];
    rooms.into_iter().flatten()
}

/// As programs' output and the environment are read.
fn text(input: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(input)
}

/// Seeds that are text.
fn texts(seeds: &[&str]) -> Vec<Vec<u8>> {
    seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect()
}

/// A value that was read must come back from what is written of it.
fn comes_back<T: Debug + PartialEq>(value: &T, again: Option<T>, see: See<'_>) {
    see(value);
    assert_eq!(again.as_ref(), Some(value), "it does not come back");
}

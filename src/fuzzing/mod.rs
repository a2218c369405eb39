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
mod target;
#[cfg(test)]
mod tests;

use target::Target;

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

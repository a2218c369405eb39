//! An exploration that takes hours is kept in a file after each depth, and goes on from there:
//! `PGSQLMS_MODEL_STATE=FILE`, which each scenario gives an ending of its own.
//!
//! Worlds are not kept. Each is made again from the beginning, by the choices that lead to it.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::made::fingerprint;
use super::scenario::Scenario;
use super::seen::{Seen, Trail};

/// What is kept of a search.
pub(super) struct Kept {
    pub(super) trail: Trail,
    /// How many worlds of the trail are of the last depth.
    pub(super) last: usize,
    pub(super) seen: Seen,
    pub(super) settled: Seen,
    /// Elections, promotions, depths.
    pub(super) counts: [u64; 3],
}

/// Where a scenario is kept, if anybody wants that.
pub(super) fn file_of(scenario: &Scenario) -> Option<PathBuf> {
    let file = std::env::var("PGSQLMS_MODEL_STATE").ok()?;
    let key = fingerprint(&format!("{scenario:?}"));
    Some(format!("{file}.{key:016x}").into())
}

/// Writes it whole, beside the old one first.
pub(super) fn save(file: &Path, kept: &Kept) -> io::Result<()> {
    let draft = file.with_extension("draft");
    let mut out = BufWriter::new(File::create(&draft)?);
    for count in kept.counts {
        put(&mut out, count)?;
    }
    put(&mut out, kept.last as u64)?;
    put(&mut out, kept.trail.len() as u64)?;
    for (from, choice) in kept.trail.steps() {
        put(&mut out, u64::from(from) << 16 | u64::from(choice))?;
    }
    for set in [&kept.seen, &kept.settled] {
        let all = set.all();
        put(&mut out, all.len() as u64)?;
        all.into_iter().try_for_each(|one| put(&mut out, one))?;
    }
    out.flush()?;
    fs::rename(draft, file)
}

/// What was kept before.
pub(super) fn load(file: &Path) -> io::Result<Kept> {
    let mut from = BufReader::new(File::open(file)?);
    let counts = [get(&mut from)?, get(&mut from)?, get(&mut from)?];
    let last = get(&mut from)? as usize;
    let mut trail = Trail::default();
    for _ in 0..get(&mut from)? {
        let step = get(&mut from)?;
        trail.push((step >> 16) as u32, step as u16);
    }
    let (seen, settled) = (Seen::new(), Seen::new());
    for set in [&seen, &settled] {
        for _ in 0..get(&mut from)? {
            set.insert(get(&mut from)?);
        }
    }
    Ok(Kept {
        trail,
        last,
        seen,
        settled,
        counts,
    })
}

fn put(out: &mut impl Write, number: u64) -> io::Result<()> {
    out.write_all(&number.to_le_bytes())
}

fn get(from: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

//! What libFuzzer calls. The environment says which target is meant.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::Path;
use std::sync::OnceLock;
use std::{env, fs, process};

use super::target::Target;
use super::targets;

/// The target of this process, and the values of its seeds if a bug is planted.
struct Run {
    target: &'static Target,
    planted: Option<BTreeSet<u64>>,
}

static RUN: OnceLock<Run> = OnceLock::new();

/// One in so many values that are not a seed's is the planted bug.
const ONE_IN: u64 = 64;

libfuzzer_sys::fuzz_target!(init: begin(), |input: &[u8]| {
    let Some(run) = RUN.get() else { return };
    (run.target.run)(input, &mut |value| {
        let Some(known) = &run.planted else { return };
        let hash = hash_of(value);
        assert!(hash % ONE_IN != 0 || known.contains(&hash), "the planted bug: {value:?}");
    });
});

fn begin() {
    if let Ok(folder) = env::var("PGSQLMS_FUZZ_SEEDS") {
        write_seeds(Path::new(&folder));
        process::exit(0);
    }
    let name = env::var("PGSQLMS_FUZZ_TARGET").unwrap_or_default();
    let Some(target) = targets().find(|target| target.name == name) else {
        eprintln!("PGSQLMS_FUZZ_TARGET={name} is no target");
        process::exit(2);
    };
    let planted = env::var_os("PGSQLMS_FUZZ_PLANTED").map(|_| values_of_seeds(target));
    let _ = RUN.set(Run { target, planted });
}

/// A folder for each target.
fn write_seeds(folder: &Path) {
    for target in targets() {
        let place = folder.join(target.name);
        fs::create_dir_all(&place).expect("a folder for seeds");
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(place.join(format!("seed-{number}")), seed).expect("a seed");
        }
        println!("{}", target.name);
    }
}

fn values_of_seeds(target: &Target) -> BTreeSet<u64> {
    let mut known = BTreeSet::new();
    for seed in (target.seeds)() {
        (target.run)(&seed, &mut |value| drop(known.insert(hash_of(value))));
    }
    known
}

fn hash_of(value: &dyn std::fmt::Debug) -> u64 {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    hasher.hash_one(format!("{value:?}"))
}

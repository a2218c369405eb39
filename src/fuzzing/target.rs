//! What a target is, and what all of them use.

use std::borrow::Cow;
use std::fmt::Debug;

/// Is shown what became of an input that was understood.
pub type See<'a> = &'a mut dyn FnMut(&dyn Debug);

/// One function that parses.
pub struct Target {
    /// Its name, for the command line.
    pub name: &'static str,
    /// Inputs that are understood.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Calls it; panics where something does not hold.
    pub run: fn(&[u8], See<'_>),
}

/// As programs' output and the environment are read.
pub fn text(input: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(input)
}

/// Seeds that are text.
pub fn texts(seeds: &[&str]) -> Vec<Vec<u8>> {
    seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect()
}

/// A value that was read must come back from what is written of it.
pub fn comes_back<T: Debug + PartialEq>(value: &T, again: Option<T>, see: See<'_>) {
    see(value);
    assert_eq!(again.as_ref(), Some(value), "it does not come back");
}

//! What this machine calls itself: the name of its node, unless somebody gave the node another.

use std::fs;
use std::path::Path;

/// The kernel's answer to `uname -n`.
const NAME: &str = "/proc/sys/kernel/hostname";

/// The name; `None` where `/proc` is hidden.
pub fn get() -> Option<String> {
    let text = fs::read_to_string(Path::new(NAME)).ok()?;
    let name = text.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[test]
fn a_machine_has_a_name() {
    assert!(get().is_some_and(|name| !name.contains(char::is_whitespace)));
}

//! Which boot of the machine this is.

use std::fs;
use std::sync::OnceLock;

/// The kernel's number of this boot; in a container it is the host's.
const ID: &str = "/proc/sys/kernel/random/boot_id";

/// A text that is another one after each start of the machine; `None` where `/proc` is hidden.
pub fn id() -> Option<String> {
    // No process outlives its boot.
    static OF_THIS_PROCESS: OnceLock<Option<String>> = OnceLock::new();
    OF_THIS_PROCESS.get_or_init(read).clone()
}

fn read() -> Option<String> {
    let text = fs::read_to_string(ID).ok()?;
    let id = text.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_the_same() {
        assert!(id().is_some_and(|id| id.len() == 36));
        assert_eq!(id(), id());
    }
}

//! Which boot of the machine this is.

use std::fs;
use std::path::Path;

/// The kernel's number of this boot; in a container it is the host's.
const ID: &str = "/proc/sys/kernel/random/boot_id";

/// A text that is another one after each start of the machine; `None` where `/proc` is hidden.
pub fn id() -> Option<String> {
    let text = fs::read_to_string(Path::new(ID)).ok()?;
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

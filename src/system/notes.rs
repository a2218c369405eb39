//! Notes in a directory of root's own that a reboot may take: what was said or settled
//! last, so that an action that comes every few seconds need not do it again.

use std::fs;
use std::path::{Path, PathBuf};

#[cfg(test)]
use super::FakeNotes;
use crate::ocf::Environment;

/// The notes of one resource.
#[derive(Debug, Clone)]
pub struct Notes {
    place: Place,
    resource: String,
}

/// Where they are.
#[derive(Debug, Clone)]
enum Place {
    Folder(PathBuf),
    #[cfg(test)]
    Memory(FakeNotes),
}

impl Notes {
    /// The notes of `resource` where the environment says (`HA_RSCTMP`).
    pub fn new(environment: &Environment, resource: &str) -> Self {
        let folder = environment
            .get("HA_RSCTMP")
            .unwrap_or("/run/resource-agents");
        Self {
            place: Place::Folder(PathBuf::from(folder)),
            resource: resource.to_owned(),
        }
    }

    /// What was noted under `name`, if anything. A name has `RESOURCE` where the resource
    /// belongs.
    pub fn read(&self, name: &impl AsRef<str>) -> Option<String> {
        let file = self.file(name);
        match &self.place {
            Place::Folder(folder) => fs::read_to_string(folder.join(file)).ok(),
            #[cfg(test)]
            Place::Memory(notes) => notes.read(&file),
        }
    }

    /// Whether just `text` was noted under `name`.
    pub fn is(&self, name: &impl AsRef<str>, text: &str) -> bool {
        self.read(name).is_some_and(|noted| noted == text)
    }

    /// Notes `text`; `false` if that failed. Then the same is done once more next time.
    pub fn write(&self, name: &impl AsRef<str>, text: &str) -> bool {
        let file = self.file(name);
        match &self.place {
            Place::Folder(folder) => write(&folder.join(file), text),
            #[cfg(test)]
            Place::Memory(notes) => {
                notes.write(&file, text);
                true
            }
        }
    }

    /// Counts one more under `name`, and returns how many that makes. What cannot be noted
    /// begins anew each time.
    pub fn count(&self, name: &impl AsRef<str>) -> u32 {
        let before = self.read(name).and_then(|text| text.parse().ok());
        let count = before.unwrap_or(0_u32).saturating_add(1);
        self.write(name, &count.to_string());
        count
    }

    /// Forgets a note.
    pub fn forget(&self, name: &impl AsRef<str>) {
        let file = self.file(name);
        match &self.place {
            Place::Folder(folder) => drop(fs::remove_file(folder.join(file))),
            #[cfg(test)]
            Place::Memory(notes) => notes.forget(&file),
        }
    }

    fn file(&self, name: &impl AsRef<str>) -> String {
        name.as_ref().replace("RESOURCE", &self.resource)
    }
}

fn write(path: &Path, text: &str) -> bool {
    let written = fs::write(path, text);
    if let Err(error) = &written {
        log::debug!("{}: {error}", path.display());
    }
    written.is_ok()
}

#[cfg(test)]
impl Notes {
    /// The notes of a test, in a folder of its own.
    pub fn of_a_test(folder: &Path) -> Self {
        Self::at(Place::Folder(folder.to_owned()))
    }

    /// Those of a simulation.
    pub fn in_memory(notes: &FakeNotes) -> Self {
        Self::at(Place::Memory(notes.clone()))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            resource: "pgsqld".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "pgsqlms-RESOURCE.diverged";

    #[test]
    fn a_note_stays_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::of_a_test(folder.path());
        assert_eq!(notes.read(&NAME), None);
        assert!(notes.write(&NAME, "at 0/1"));
        assert!(notes.is(&NAME, "at 0/1") && !notes.is(&NAME, "at 0/2"));
        assert!(folder.path().join("pgsqlms-pgsqld.diverged").exists());
        notes.forget(&NAME);
        assert!(!notes.is(&NAME, "at 0/1"));
    }

    #[test]
    fn a_note_that_cannot_be_written_is_told() {
        let notes = Notes::of_a_test(std::path::Path::new("/nonexistent"));
        assert!(!notes.write(&NAME, "x"));
    }
}

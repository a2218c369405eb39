//! Notes of a test that are nowhere but in memory: a simulation makes thousands a second.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What was noted, by the names of the files that it would be in.
#[derive(Debug, Clone, Default)]
pub struct FakeNotes(Rc<RefCell<BTreeMap<String, String>>>);

impl FakeNotes {
    /// What was noted.
    pub fn read(&self, file: &str) -> Option<String> {
        self.0.borrow().get(file).cloned()
    }

    /// Notes this.
    pub fn write(&self, file: &str, text: &str) {
        self.0.borrow_mut().insert(file.to_owned(), text.to_owned());
    }

    /// Forgets one.
    pub fn forget(&self, file: &str) {
        self.0.borrow_mut().remove(file);
    }

    /// The node loses power, which takes them all.
    pub fn lose(&self) {
        self.0.borrow_mut().clear();
    }
}

//! Says what the lab does and what it waits for, with the seconds that passed.
//!
//! Every wait of the lab goes through [`Steps::wait`], so none is unbounded and
//! each one that fails tells what it waited for and what it saw last.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at while waiting.
const POLL: Duration = Duration::from_millis(200);
/// A wait that lasts longer says so in this interval.
const REMIND: Duration = Duration::from_secs(15);

/// Writes steps to the terminal, to a file, or to both.
#[derive(Clone)]
pub struct Steps {
    inner: Arc<Inner>,
}

struct Inner {
    label: String,
    start: Instant,
    print: bool,
    file: Mutex<Option<std::fs::File>>,
    doing: Mutex<String>,
}

impl Steps {
    /// Steps with a label before each line; `print` shows them on the terminal.
    pub fn new(label: &str, print: bool) -> Self {
        let inner = Inner {
            label: label.to_owned(),
            start: Instant::now(),
            print,
            file: Mutex::new(None),
            doing: Mutex::new(String::from("starting")),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Keeps all further lines in `path` as well.
    pub fn record(&self, path: &Path) -> Result<()> {
        let file = std::fs::File::create(path)?;
        *self
            .inner
            .file
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(())
    }

    /// Announces what is done now.
    pub fn say(&self, text: &str) {
        *self
            .inner
            .doing
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = text.to_owned();
        let line = format!(
            "[{:6.1} s] {}{text}",
            self.elapsed().as_secs_f64(),
            self.inner.label
        );
        if self.inner.print {
            println!("{line}");
        }
        self.note(&line);
    }

    /// Keeps a text in the file of these steps without showing it.
    pub fn note(&self, text: &str) {
        let mut file = self
            .inner
            .file
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = file.as_mut() {
            // A full disk must not end a test here; the test has its own reasons to fail.
            let _ = writeln!(file, "{text}");
        }
    }

    /// What was announced last.
    pub fn doing(&self) -> String {
        self.inner
            .doing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Time since these steps began.
    pub fn elapsed(&self) -> Duration {
        self.inner.start.elapsed()
    }

    /// Waits until `look` finds something; `Err` from it is "not yet, because".
    pub fn wait<T>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        self.say(&format!(
            "waiting for {what} (at most {} s)",
            limit.as_secs()
        ));
        let start = Instant::now();
        let mut reminded = start;
        loop {
            let reason = match look() {
                Ok(found) => {
                    self.say(&format!(
                        "{what}: after {:.1} s",
                        start.elapsed().as_secs_f64()
                    ));
                    return Ok(found);
                }
                Err(reason) => reason,
            };
            if start.elapsed() > limit {
                bail!("waited {} s for {what}: {reason:#}", limit.as_secs());
            }
            if reminded.elapsed() > REMIND {
                reminded = Instant::now();
                let waited = start.elapsed().as_secs();
                self.say(&format!(
                    "still waiting for {what} ({waited} s): {reason:#}"
                ));
            }
            std::thread::sleep(POLL);
        }
    }
}

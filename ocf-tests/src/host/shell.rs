//! Runs programs on the host and turns a failure into an error that says what was run.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long output is read after the end of a program whose children hold its pipes open.
const LEFTOVERS: Duration = Duration::from_millis(500);

/// What a finished program left behind.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit code; 128 + number when a signal ended it.
    pub code: i32,
    /// Standard output, without trailing white space.
    pub stdout: String,
    /// Standard error, without trailing white space.
    pub stderr: String,
}

impl Output {
    /// True when the exit code is 0.
    pub fn success(&self) -> bool {
        self.code == 0
    }

    /// Both streams in one text, for messages.
    pub fn text(&self) -> String {
        [self.stdout.as_str(), self.stderr.as_str()]
            .join("\n")
            .trim()
            .to_owned()
    }
}

/// Fails unless it ended with this exit code, and all these words are on its standard output.
pub fn ends_with(said: &Output, code: i32, words: &[&str]) -> Result<()> {
    let all = words.iter().all(|word| said.stdout.contains(word));
    ensure!(
        said.code == code && all,
        "exit code {}, not {code} and {words:?}:\n{}{}",
        said.code,
        said.stdout,
        said.stderr
    );
    Ok(())
}

/// Runs `command` to its end and returns what it left, whatever its exit code.
pub fn output(command: &mut Command) -> Result<Output> {
    use std::os::unix::process::ExitStatusExt;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", describe(command)))?;
    let stdout = child.stdout.take().map(Collector::start);
    let stderr = child.stderr.take().map(Collector::start);
    let status = child.wait()?;
    let signal = || 128 + status.signal().unwrap_or(0);
    Ok(Output {
        code: status.code().unwrap_or_else(signal),
        stdout: stdout.map(Collector::text).unwrap_or_default(),
        stderr: stderr.map(Collector::text).unwrap_or_default(),
    })
}

/// Reads a pipe in a thread of its own.
///
/// A daemon that a program started may keep the pipe open for ever (a server started by an
/// agent, for one): what has been read a moment after the program's end is its output.
struct Collector {
    thread: JoinHandle<()>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    fn start(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let thread = std::thread::spawn(move || {
            let mut part = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut part) {
                let mut all = shared.lock().unwrap_or_else(PoisonError::into_inner);
                all.extend_from_slice(&part[..length]);
            }
        });
        Self { thread, bytes }
    }

    fn text(self) -> String {
        let start = Instant::now();
        while !self.thread.is_finished() && start.elapsed() < LEFTOVERS {
            std::thread::sleep(Duration::from_millis(1));
        }
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }
}

/// Runs `command`; a non-zero exit code is an error that quotes what it printed.
pub fn run(command: &mut Command) -> Result<String> {
    let out = output(command)?;
    if !out.success() {
        bail!(
            "{} ended with {}: {}",
            describe(command),
            out.code,
            out.text()
        );
    }
    Ok(out.stdout)
}

/// `run` for a program and its words.
pub fn run_words(words: &[&str]) -> Result<String> {
    let (program, arguments) = words.split_first().context("empty command")?;
    run(Command::new(program).args(arguments))
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

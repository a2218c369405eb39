//! Running a program to its end, within a deadline, without a shell.

use std::io::{self, Read};
use std::mem;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::string::FromUtf8Error;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use thiserror::Error;

use crate::ocf::Deadline;

/// Most programs end within 10 ms, and clients wait for several of them in a failover.
const SHORT_POLL: Duration = Duration::from_millis(1);
const SHORT_POLLS: usize = 50;
const POLL: Duration = Duration::from_millis(5);
/// After the program's end: a child of it may hold the pipe open for ever.
const PIPE_GRACE: Duration = Duration::from_secs(1);

/// Longer than anything that a program has to say (bytes). Some are asked many questions at
/// once, and what they answer may be quoted from files of postgres.
const LONGEST_OUTPUT: u64 = 2 * 1024 * 1024;

/// How long a killed program may take to die.
const DEATH: Duration = Duration::from_millis(500);

/// What a program that ended left.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
    /// Whether both were read to their end. If not they are empty.
    pub whole: bool,
}

/// Why there is no end to report.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// It could not be started.
    #[error("cannot run {}: {source}", program.display())]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was still running at the deadline and has been killed.
    #[error("{} did not end in time and was killed", program.display())]
    TooSlow {
        /// The program.
        program: PathBuf,
    },
}

/// Runs `command` with an empty stdin, in the C locale, from `/`.
pub fn run(command: &mut Command, deadline: Deadline) -> Result<Ended, ProgramError> {
    in_c_locale(command);
    run_in_its_locale(command, deadline)
}

/// The same in the locale that `command` was given.
pub fn run_in_its_locale(command: &mut Command, deadline: Deadline) -> Result<Ended, ProgramError> {
    Running::begin(command, deadline)?.finish(deadline)
}

/// Begins what `run` does, and does not wait for the end.
pub fn begin(command: &mut Command, deadline: Deadline) -> Result<Running, ProgramError> {
    in_c_locale(command);
    Running::begin(command, deadline)
}

fn in_c_locale(command: &mut Command) {
    command
        .env("LC_ALL", "C")
        .env_remove("LANG")
        .env_remove("LANGUAGE");
}

type Text = mpsc::Receiver<String>;

/// A program that has been started. One that is dropped goes on, and nobody hears of its end.
pub struct Running {
    program: PathBuf,
    child: Child,
    /// What it writes to stdout and stderr.
    pipes: io::Result<(Text, Text)>,
}

impl Running {
    fn begin(command: &mut Command, deadline: Deadline) -> Result<Self, ProgramError> {
        let program = PathBuf::from(command.get_program());
        let Some(child) = start(command, deadline) else {
            return Err(ProgramError::TooSlow { program });
        };
        match child {
            Ok(mut child) => Ok(Self {
                pipes: collect(child.stdout.take())
                    .and_then(|stdout| Ok((stdout, collect(child.stderr.take())?))),
                program,
                child,
            }),
            Err(source) => Err(ProgramError::NotStarted { program, source }),
        }
    }

    /// Waits for its end.
    pub fn finish(self, deadline: Deadline) -> Result<Ended, ProgramError> {
        let Self {
            program,
            mut child,
            pipes,
        } = self;
        let failed = |source| ProgramError::NotStarted {
            program: program.clone(),
            source,
        };
        let Some(status) = wait(&mut child, deadline).map_err(failed)? else {
            let _ = child.kill();
            // One that sleeps in a write to hung storage does not die of it: it is left behind.
            let _ = wait(&mut child, Deadline::after(DEATH));
            return Err(ProgramError::TooSlow { program });
        };
        let (stdout, stderr) = pipes.map_err(failed)?;
        let text = |pipe: Text| pipe.recv_timeout(PIPE_GRACE).ok();
        let (stdout, stderr) = (text(stdout), text(stderr));
        Ok(Ended {
            status,
            whole: stdout.is_some() && stderr.is_some(),
            stdout: stdout.unwrap_or_default(),
            stderr: stderr.unwrap_or_default(),
        })
    }
}

/// Starting ends only once the program has been read, which from a hung disk takes for ever:
/// so it is done in a thread, which waits for that where a signal ends it. `None` if the time
/// is over before.
fn start(command: &mut Command, deadline: Deadline) -> Option<io::Result<Child>> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .current_dir("/");
    let mut command = mem::replace(command, Command::new(""));
    let (sender, receiver) = mpsc::channel();
    let started = thread::Builder::new().spawn(move || {
        if let Err(mpsc::SendError(Ok(late))) = sender.send(command.spawn()) {
            kill_late(late);
        }
    });
    match started {
        Ok(_) => receiver.recv_timeout(deadline.left()).ok(),
        Err(error) => Some(Err(error)),
    }
}

/// Nobody waits for it any more.
fn kill_late(mut child: Child) {
    let _ = child.kill();
}

fn wait(child: &mut Child, deadline: Deadline) -> io::Result<Option<ExitStatus>> {
    for polls in 0.. {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let pause = if polls < SHORT_POLLS {
            SHORT_POLL
        } else {
            POLL
        };
        if !deadline.sleep(pause) {
            break;
        }
    }
    Ok(None)
}

/// Reads a pipe to its end beside us, so that a full one never blocks. Without a
/// thread for that (the limit of processes is reached) the pipe is closed.
fn collect(pipe: Option<impl Read + Send + 'static>) -> io::Result<Text> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut pipe) = pipe {
        thread::Builder::new().spawn(move || {
            let mut bytes = Vec::new();
            let _ = (&mut pipe).take(LONGEST_OUTPUT).read_to_end(&mut bytes);
            let text = String::from_utf8(bytes);
            let lossy =
                |error: FromUtf8Error| String::from_utf8_lossy(error.as_bytes()).into_owned();
            let _ = sender.send(text.unwrap_or_else(lossy));
        })?;
    }
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::in_ms;

    #[test]
    fn of_a_program_that_talks_without_end_a_little_is_kept() {
        let mut command = Command::new("head");
        command.args(["-c", "9000000", "/dev/zero"]);
        let ended = run(&mut command, in_ms(20_000)).unwrap();
        assert_eq!(ended.stdout.len() as u64, LONGEST_OUTPUT);
    }
}

//! Running a program that may take hours: what it says is handed on line by line, and a person
//! may end it at any time.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How often it is asked whether to go on while the program says nothing.
const TICK: Duration = Duration::from_millis(200);
/// How long it may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(10);
/// Between two looks whether it has ended.
const POLL: Duration = Duration::from_millis(20);
/// A longer line (bytes) is handed on in pieces.
const LONGEST_LINE: usize = 8192;

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// It does.
    On,
    /// It is ended.
    NoFurther,
}

/// Runs it to its end in a process group of its own, from `/`, in the C locale. `each` gets every
/// line, and `None` while there is none. What it starts is ended with it.
pub fn run(
    command: &mut Command,
    each: impl FnMut(Option<(From, &str)>) -> Goes,
) -> io::Result<ExitStatus> {
    command
        .env("LC_ALL", "C")
        .env_remove("LANG")
        .env_remove("LANGUAGE")
        .current_dir("/")
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (sender, lines) = mpsc::sync_channel(1024);
    let begun = read(child.stdout.take(), From::Out, sender.clone())
        .and_then(|()| read(child.stderr.take(), From::Err, sender));
    if let Err(error) = begun {
        end(&mut child);
        return Err(error);
    }
    attend(&mut child, &lines, each)
}

/// Hands on what it says until it has ended.
fn attend(
    child: &mut Child,
    lines: &mpsc::Receiver<(From, String)>,
    mut each: impl FnMut(Option<(From, &str)>) -> Goes,
) -> io::Result<ExitStatus> {
    loop {
        let goes = match lines.recv_timeout(TICK) {
            Ok((from, line)) => each(Some((from, &line))),
            Err(RecvTimeoutError::Timeout) => each(None),
            // It has closed its pipes, and may go on all the same.
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(POLL);
                each(None)
            }
        };
        if goes == Goes::NoFurther {
            end(child);
            return child.wait();
        }
        // A child of it may hold the pipes open for ever.
        if let Some(status) = child.try_wait()? {
            hear_out(lines, each);
            return Ok(status);
        }
    }
}

/// What is still on its way; a child that writes on and on is left.
fn hear_out(
    lines: &mpsc::Receiver<(From, String)>,
    mut each: impl FnMut(Option<(From, &str)>) -> Goes,
) {
    let begun = Instant::now();
    while let Ok((from, line)) = lines.recv_timeout(TICK) {
        if each(Some((from, &line))) == Goes::NoFurther || begun.elapsed() > GRACE {
            return;
        }
    }
}

/// Asks the whole group to end, and makes it.
fn end(child: &mut Child) {
    let Ok(id) = i32::try_from(child.id()) else {
        return;
    };
    let _ = killpg(Pid::from_raw(id), Signal::SIGTERM);
    let begun = Instant::now();
    while begun.elapsed() < GRACE && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(POLL);
    }
    let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
}

type Lines = mpsc::SyncSender<(From, String)>;

fn read(pipe: Option<impl Read + Send + 'static>, from: From, lines: Lines) -> io::Result<()> {
    let Some(mut pipe) = pipe else {
        return Ok(());
    };
    let read = move || {
        let (mut buffer, mut line) = ([0; 4096], Vec::new());
        loop {
            let count = match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            for byte in buffer.iter().take(count) {
                // A program at a terminal ends a line of progress with a return.
                let is_end = matches!(byte, b'\n' | b'\r');
                if !is_end {
                    line.push(*byte);
                }
                if (is_end && !line.is_empty()) || line.len() >= LONGEST_LINE {
                    let text = String::from_utf8_lossy(&line).into_owned();
                    line.clear();
                    if lines.send((from, text)).is_err() {
                        return;
                    }
                }
            }
        }
        let _ = lines.send((from, String::from_utf8_lossy(&line).into_owned()));
    };
    thread::Builder::new().spawn(read).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn each_line_is_handed_on_and_the_end_told() {
        let mut lines = Vec::new();
        let script = "printf 'a\\rb\\n'; echo c >&2; exit 3";
        let status = run(&mut shell(script), |line| {
            lines.extend(line.map(|(from, text)| (from, text.to_owned())));
            Goes::On
        });
        assert_eq!(status.unwrap().code(), Some(3));
        let of = |from| {
            let all = lines
                .iter()
                .filter(move |(one, text)| *one == from && !text.is_empty());
            all.map(|(_, text)| text.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(of(From::Out), ["a", "b"]);
        assert_eq!(of(From::Err), ["c"]);
    }

    #[test]
    fn what_is_to_go_no_further_is_ended_with_all_that_it_started() {
        let begun = Instant::now();
        let status = run(&mut shell("sleep 600 & wait"), |_| Goes::NoFurther);
        assert!(!status.unwrap().success());
        assert!(begun.elapsed() < GRACE);
    }

    #[test]
    fn one_that_closes_its_pipes_can_be_ended() {
        let begun = Instant::now();
        let mut asked = 0;
        let status = run(&mut shell("exec >&- 2>&-; sleep 600"), |_| {
            asked += 1;
            if asked > 5 { Goes::NoFurther } else { Goes::On }
        });
        assert!(!status.unwrap().success());
        assert!(begun.elapsed() < GRACE);
    }

    #[test]
    fn a_child_that_writes_on_and_on_holds_up_nobody() {
        let begun = Instant::now();
        let script = "(while sleep 0.05; do echo on; done) & sleep 0.2";
        let status = run(&mut shell(script), |_| {
            if begun.elapsed() > Duration::from_secs(3) {
                Goes::NoFurther
            } else {
                Goes::On
            }
        });
        assert!(status.unwrap().success());
        assert!(begun.elapsed() < GRACE);
    }

    #[test]
    fn a_child_that_keeps_the_pipes_holds_up_nobody() {
        let begun = Instant::now();
        let status = run(&mut shell("sleep 30 & echo done"), |_| Goes::On);
        assert!(status.unwrap().success());
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

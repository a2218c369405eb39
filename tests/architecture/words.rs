//! What must not be named in some rooms: files, processes, clocks and the like
//! where only thinking is done; SQL, signals and programs outside of the wings.

use super::Violation;
use super::arrows::{Arrow, Foreign};
use super::paths::tokens;
use super::source::Source;
use super::tree::Tree;

/// Rooms that are told what was observed, and decide.
const PURE: [&str; 5] = ["wal", "record", "instance", "election", "view"];

/// What such a room must not name, and what that is.
const NOT_PURE: &[(&str, &str)] = &[
    ("std::fs", "files"),
    ("std::process", "processes"),
    ("std::env", "the environment"),
    ("std::net", "the network"),
    ("std::os", "the system"),
    ("std::thread", "threads"),
    ("std::time::Instant", "a clock"),
    ("std::time::SystemTime", "a clock"),
    ("std::io::stdin", "a terminal"),
    ("std::io::stdout", "a terminal"),
    ("std::io::stderr", "a terminal"),
    ("chrono", "a clock"),
    ("nix", "the system"),
    ("log", "the log"),
    ("syslog", "the log"),
    ("postgres", "a server"),
];
/// Files of `ocf` that bring the same in.
const NOT_PURE_OF_OCF: &[(&str, &str)] = &[
    ("src/ocf/deadline.rs", "a clock"),
    ("src/ocf/environment.rs", "the environment"),
    ("src/ocf/log.rs", "the log"),
    ("src/ocf/request.rs", "a clock"),
    ("src/ocf/screen.rs", "a terminal"),
    ("src/ocf/time.rs", "a clock"),
];
const MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];
/// Methods by which a path looks at the disk.
const METHODS: [&str; 10] = [
    "canonicalize",
    "exists",
    "is_dir",
    "is_file",
    "is_symlink",
    "metadata",
    "read_dir",
    "read_link",
    "symlink_metadata",
    "try_exists",
];

/// Rooms that act through the two wings alone, and why.
const HANDLESS: [(&str, &str); 3] = [
    ("actions", "whose verbs are made of steps"),
    (
        "steps",
        "which tests must be able to run without a server and a cluster",
    ),
    ("admin", "whose commands are made of steps"),
];
/// What such a room must not name, and what that is.
const HANDS: &[(&str, &str)] = &[
    ("nix", "signals and the system"),
    ("postgres", "a connection"),
    ("std::process::Command", "a program"),
];
/// Files that bring the same in.
const HANDS_OF_OURS: &[(&str, &str)] = &[
    ("src/postgres/session.rs", "a connection"),
    ("src/system/program.rs", "a program"),
];
/// What prints.
const PRINTS: &[(&str, &str)] = &[
    ("std::io::stdout", "a terminal"),
    ("std::io::stderr", "a terminal"),
];
/// Who prints, and what.
const PRINTERS: &[(&str, &str)] = &[
    ("src/ocf/log.rs", "lines without control characters"),
    ("src/ocf/metadata.rs", "the agent's own documents"),
    (
        "src/ocf/screen.rs",
        "lines without control characters but its own colours",
    ),
    ("src/fuzzing/driver.rs", "the names of targets"),
];
/// What opens a file, whatever it is.
const OPENINGS: &[(&str, &str)] = &[
    ("std::fs::copy", "files"),
    ("std::fs::read", "files"),
    ("std::fs::read_to_string", "files"),
    ("std::fs::write", "files"),
    ("std::fs::File::create", "files"),
    ("std::fs::File::create_new", "files"),
];
/// Files that open only what the kernel makes, and what that is.
const OF_THE_KERNEL: &[(&str, &str)] = &[
    ("src/postgres/activity.rs", "/proc/PID, /sys/dev/block"),
    ("src/postgres/children.rs", "/proc/PID"),
    ("src/postgres/postmaster.rs", "/proc/stat"),
    ("src/postgres/process_table.rs", "/proc/PID"),
    ("src/postgres/rewind_mark.rs", "the id of the boot"),
    ("src/postgres/shared_memory.rs", "/proc/sysvipc"),
    ("src/postgres/startup_process.rs", "/proc/PID"),
];
/// The words that statements of SQL begin with.
const SQL: [&str; 16] = [
    "ALTER",
    "BEGIN",
    "CALL",
    "CHECKPOINT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DELETE",
    "DROP",
    "INSERT",
    "RESET",
    "SELECT",
    "SET",
    "SHOW",
    "UPDATE",
    "WITH",
];

/// Whatever a pure room names that touches the world. Its tests may.
pub fn in_pure_rooms(sources: &[Source]) -> Vec<Violation> {
    let why = "which only thinks: what it must know is observed elsewhere and handed in";
    let tree = Tree::of("pgsqlms", sources);
    let pure = |file: &str| PURE.contains(&super::source::room(file));
    let (arrows, foreign) = tree.arrows();
    let mut found = named(&foreign, NOT_PURE, pure, why);
    found.extend(used(&arrows, NOT_PURE_OF_OCF, pure, why));
    let product = |source: &&Source| pure(&source.path) && !tree.is_test_file(&source.path);
    for source in sources.iter().filter(product) {
        found.extend(effects(source, why));
    }
    found
}

/// Macros that print, methods that look at the disk.
fn effects(source: &Source, why: &str) -> Vec<Violation> {
    let tokens = tokens(&source.product);
    let effect = |three: &[(&str, usize)]| {
        let [(first, _), (name, at), (last, _)] = *three else {
            return None;
        };
        let what = match (first, last) {
            (_, "!") if MACROS.contains(&name) => "a terminal",
            (".", "(") if METHODS.contains(&name) => "files",
            _ => return None,
        };
        Some(violation(&source.path, source.line(at), (name, what), why))
    };
    tokens.windows(3).filter_map(effect).collect()
}

/// Files that are opened in the room of the server other than by `system/plain_file.rs`.
pub fn opened_elsewhere(sources: &[Source]) -> Vec<Violation> {
    let why = "where postgres may put anything in the place of a file: \
               system/plain_file.rs opens it";
    let tree = Tree::of("pgsqlms", sources);
    let is_in = |file: &str| {
        let of_kernel = OF_THE_KERNEL.iter().any(|(name, _)| *name == file);
        super::source::room(file) == "postgres" && !of_kernel && !tree.is_test_file(file)
    };
    let (_, foreign) = tree.arrows();
    let mut found = named(&foreign, OPENINGS, is_in, why);
    for source in sources.iter().filter(|source| is_in(&source.path)) {
        let tokens = tokens(&source.product);
        let is_open = |t: &&[(&str, usize)]| (t[0].0, t[1].0, t[2].0) == (".", "open", "(");
        let places = tokens
            .windows(3)
            .filter(is_open)
            .map(|t| source.line(t[1].1));
        found.extend(places.map(|line| violation(&source.path, line, ("open", "files"), why)));
    }
    found
}

/// Places that print past the two files that may.
pub fn printed_elsewhere(sources: &[Source]) -> Vec<Violation> {
    let why = "where text of others would reach a terminal as it is: src/ocf/log.rs makes lines";
    let tree = Tree::of("pgsqlms", sources);
    let is_in =
        |file: &str| !PRINTERS.iter().any(|(name, _)| *name == file) && !tree.is_test_file(file);
    let mut found = named(&tree.arrows().1, PRINTS, is_in, why);
    for source in sources.iter().filter(|source| is_in(&source.path)) {
        let tokens = tokens(&source.product);
        let prints = tokens
            .windows(2)
            .filter(|two| MACROS.contains(&two[0].0) && two[1].0 == "!");
        let places = prints.map(|two| (source.line(two[0].1), two[0].0));
        found.extend(
            places.map(|(line, name)| violation(&source.path, line, (name, "a terminal"), why)),
        );
    }
    found
}

/// Hands outside of the two wings.
pub fn with_hands(sources: &[Source]) -> Vec<Violation> {
    let (arrows, foreign) = Tree::of("pgsqlms", sources).arrows();
    let of = |(handless, why): &(&str, &str)| {
        let is_in = |file: &str| super::source::room(file) == *handless;
        let mut found = named(&foreign, HANDS, is_in, why);
        found.extend(used(&arrows, HANDS_OF_OURS, is_in, why));
        let sources = sources.iter().filter(|source| is_in(&source.path));
        found.extend(sources.flat_map(|source| sql(source, why)));
        found
    };
    HANDLESS.iter().flat_map(of).collect()
}

fn sql(source: &Source, why: &str) -> Vec<Violation> {
    let statements = source.strings.iter().filter(|(at, text)| {
        let inside = text
            .trim_start_matches(['b', 'c', 'r', '#', '"'])
            .trim_start();
        let first = inside.split(|c: char| !c.is_alphabetic()).next();
        let is_sql = SQL.contains(&first.unwrap_or_default()) || inside.contains("pg_catalog.");
        is_sql && !in_a_test(source, *at)
    });
    let violation = |(at, _): &(usize, String)| {
        violation(&source.path, source.line(*at), ("SQL", "the database"), why)
    };
    statements.map(violation).collect()
}

/// Whether the literal at `at`, which is blank itself, is in a test.
fn in_a_test(source: &Source, at: usize) -> bool {
    let before = source.code[..at].rfind(|c: char| !c.is_whitespace());
    before.is_some_and(|before| source.is_test(before))
}

fn named(
    foreign: &[Foreign],
    forbidden: &[(&'static str, &'static str)],
    is_in: impl Fn(&str) -> bool,
    why: &str,
) -> Vec<Violation> {
    let of = |foreign: &Foreign| {
        let mut all = forbidden.iter();
        let what = all.find(|(path, _)| is_below(&foreign.path, path))?;
        Some(violation(&foreign.file, foreign.line, *what, why))
    };
    let places = foreign.iter().filter(|f| !f.is_test && is_in(&f.file));
    places.filter_map(of).collect()
}

fn used(
    arrows: &[Arrow],
    forbidden: &[(&'static str, &'static str)],
    is_in: impl Fn(&str) -> bool,
    why: &str,
) -> Vec<Violation> {
    let of = |arrow: &Arrow| {
        let what = forbidden.iter().find(|(file, _)| *file == arrow.to)?;
        Some(violation(&arrow.from, arrow.line, *what, why))
    };
    let places = arrows.iter().filter(|a| !a.is_test && is_in(&a.from));
    places.filter_map(of).collect()
}

fn is_below(path: &str, parent: &str) -> bool {
    let rest = path.strip_prefix(parent);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn violation(file: &str, line: usize, (what, thing): (&str, &str), why: &str) -> Violation {
    Violation {
        file: file.to_owned(),
        what: what.to_owned(),
        sentence: format!(
            "{file}:{line} reaches for {thing} ({what}), but it is in {}, {why}.",
            room_of(file)
        ),
    }
}

fn room_of(file: &str) -> String {
    format!("src/{}", super::source::room(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_main(path: &str, text: &str) -> Vec<Source> {
        let room = super::super::source::room(path);
        let main = Source::new("src/main.rs", &format!("mod {room};\nmod ocf;"));
        let ocf = Source::new("src/ocf/mod.rs", "mod log;");
        let log = Source::new("src/ocf/log.rs", "pub fn f() {}");
        vec![main, ocf, log, Source::new(path, text)]
    }

    fn found(path: &str, text: &str) -> Vec<String> {
        let sources = with_main(path, text);
        let mut all = in_pure_rooms(&sources);
        all.extend(with_hands(&sources));
        all.into_iter().map(|violation| violation.what).collect()
    }

    #[test]
    fn effects_in_a_room_that_thinks_are_seen() {
        for (text, what) in [
            ("use std::fs::read;", "std::fs"),
            (
                "use std::{fmt, time::{Duration, Instant}};",
                "std::time::Instant",
            ),
            ("fn f() { std::env::var(\"a\"); }", "std::env"),
            (
                "use std::time;\nfn f() { time::SystemTime::now(); }",
                "std::time::SystemTime",
            ),
            ("fn f() { log::warn!(\"a\"); }", "log"),
            ("fn f() { println!(\"a\"); }", "println"),
            ("fn f(p: &Path) { p.exists(); }", "exists"),
            ("fn f() { crate::ocf::log::f(); }", "src/ocf/log.rs"),
        ] {
            assert_eq!(found("src/wal/mod.rs", text), [what], "{text}");
            assert!(found("src/system/mod.rs", text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_file_that_is_opened_past_the_one_place_is_told() {
        let file = |text: &str| {
            let main = Source::new("src/main.rs", "mod postgres;");
            let room = Source::new("src/postgres/mod.rs", "mod a;");
            opened_elsewhere(&[main, room, Source::new("src/postgres/a.rs", text)]).len()
        };
        assert_eq!(file("use std::fs;\nfn f() { fs::read_to_string(x); }"), 1);
        assert_eq!(file("fn f() { OpenOptions::new().open(x); }"), 1);
        assert_eq!(file("fn f() { plain_file::open(o, x); }"), 0);
    }

    #[test]
    fn whoever_prints_past_the_one_place_is_told() {
        let file = |text: &str| {
            let main = Source::new("src/main.rs", "mod steps;");
            printed_elsewhere(&[main, Source::new("src/steps.rs", text)]).len()
        };
        assert_eq!(
            file("use std::io;\nfn f() { io::stdout().write_all(x); }"),
            1
        );
        assert_eq!(file("fn f() { println!(x); }"), 1);
        assert_eq!(file("fn f() { crate::ocf::log::say(x); }"), 0);
    }

    #[test]
    fn words_that_only_look_like_effects_are_none() {
        let text = "use std::time::Duration;\n// println!(\"std::fs\")\nfn exists(log: &str) {}\n\
                    #[cfg(test)]\nmod tests { use std::fs; }";
        assert!(found("src/wal/mod.rs", text).is_empty());
    }

    #[test]
    fn hands_outside_of_the_wings_are_seen() {
        for (text, what) in [
            ("fn f() { query(\"SELECT 1\"); }", "SQL"),
            ("const A: &str = \"x FROM pg_catalog.pg_class\";", "SQL"),
            ("use nix::sys::signal::kill;", "nix"),
            (
                "use std::process::{Command, Stdio};",
                "std::process::Command",
            ),
        ] {
            assert_eq!(found("src/actions/mod.rs", text), [what], "{text}");
        }
        let harmless = "fn f() { log(\"Set notify=true\"); }\n#[test]\nfn t() { q(\"SHOW x\"); }";
        assert!(found("src/actions/mod.rs", harmless).is_empty());
    }

    #[test]
    fn a_sentence_names_place_thing_and_reason() {
        let found = in_pure_rooms(&with_main("src/wal/mod.rs", "\nuse std::fs;"));
        assert_eq!(
            found[0].sentence,
            "src/wal/mod.rs:2 reaches for files (std::fs), but it is in src/wal, which only \
             thinks: what it must know is observed elsewhere and handed in."
        );
    }
}

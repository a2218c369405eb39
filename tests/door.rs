//! The agent from outside, as any caller sees it, without a cluster.

#![allow(clippy::unwrap_used)] // helpers of tests are outside #[test]

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use proptest::prelude::*;

fn agent(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgsqlms"));
    command.args(arguments).env_clear();
    command.envs(environment.iter().copied());
    command.output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_unknown_action_is_unimplemented() {
    for arguments in [
        vec!["dance"],
        vec!["dance", "--resource", "x"],
        vec!["status", "start"],
        vec!["help"],
        vec![],
    ] {
        assert_eq!(code(&agent(&arguments, &[])), 3, "{arguments:?}");
    }
}

#[test]
fn further_arguments_are_ignored() {
    let output = agent(&["meta-data", "and", "--more"], &[]);
    assert_eq!(code(&output), 0);
    assert!(output.stdout.starts_with(b"<?xml"));
    assert!(stderr(&output).is_empty());
}

#[test]
fn methods_are_the_actions_that_exist() {
    let output = agent(&["methods"], &[]);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(printed.lines().collect::<Vec<_>>(), ACTIONS);
    for action in ACTIONS {
        assert_ne!(code(&agent(&[action], &[])), 3, "{action}");
    }
}

#[test]
fn a_command_for_people_takes_no_argument_that_it_does_not_know() {
    for typed in [
        "force-promotion --resource x --yes --bogus",
        "force-promotion --resource x --yes more",
        "force-promotion",
    ] {
        let arguments: Vec<_> = typed.split(' ').collect();
        let output = agent(&arguments, &[]);
        let usage = stderr(&output).contains("Usage: pgsqlms force-promotion");
        assert!(code(&output) == 2 && usage, "{typed}: {}", stderr(&output));
    }
}

/// A check with a typo in it would be well for ever.
#[test]
fn a_problem_that_does_not_exist_is_an_error_that_names_those_that_do() {
    for option in ["--only", "--ignore"] {
        let output = agent(&["check", option, "offline,offlin"], &[]);
        let said = stderr(&output);
        let names_them = ["'offlin'", "offline", "own-address"].map(|word| said.contains(word));
        assert!(
            code(&output) == 3 && names_them == [true; 3],
            "{option}: {said}"
        );
    }
}

/// 2: nothing was touched.
#[test]
fn a_switchover_to_nobody_touches_nothing() {
    for arguments in [
        vec!["switchover"],
        vec!["switchover", "--to", "srv2", "--timeout", "0"],
    ] {
        let output = agent(&arguments, &[]);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", stderr(&output));
    }
}

const WRONG: [(&str, &str); 13] = [
    ("OCF_RESKEY_system_user", "nobody-has-this-name"),
    ("OCF_RESKEY_db_role", "a\tb"),
    ("OCF_RESKEY_bindir", "bin"),
    ("OCF_RESKEY_pgdata", "data"),
    ("OCF_RESKEY_datadir", "data"),
    ("OCF_RESKEY_pgport", "http"),
    ("OCF_RESKEY_maxlag", "1e6"),
    ("OCF_RESKEY_maxloss", "16MB"),
    ("OCF_RESKEY_sync_guard", "maybe"),
    ("OCF_RESKEY_rejoin", "somehow"),
    ("OCF_RESKEY_slots", "all"),
    ("OCF_RESKEY_watch", "5s"),
    ("OCF_RESKEY_recovery_template", "recovery.conf"),
];
/// Parameters of which every value can be right.
const NEVER_WRONG: [&str; 2] = ["pghost", "start_opts"];

#[test]
fn every_parameter_that_can_be_wrong_is_tried() {
    let output = agent(&["meta-data"], &[]);
    let metadata = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = metadata.lines().filter(|l| l.starts_with("<parameter "));
    let names: Vec<_> = names.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let is_tried = WRONG.iter().any(|(variable, _)| variable.ends_with(name));
        assert!(is_tried || NEVER_WRONG.contains(&name), "{name}");
    }
}

#[test]
fn a_bad_parameter_keeps_a_node_from_starting_with_one_reason() {
    for (name, value) in WRONG {
        for action in ["start", "validate-all"] {
            let environment = [(name, value), ("OCF_CHECK_LEVEL", "10")];
            let output = agent(&[action], &environment);
            assert_eq!(code(&output), 2, "{action} {name}={value}");
            let reasons = stderr(&output).matches("ocf-exit-reason:").count();
            assert_eq!(reasons, 1, "{action} {name}={value}: {}", stderr(&output));
        }
    }
}

/// It is in effect on all nodes at once: 2 would ban every node that runs.
#[test]
fn a_bad_parameter_bans_no_node_that_runs() {
    for wrong in WRONG {
        for action in ["promote", "demote"] {
            assert_eq!(code(&agent(&[action], &[wrong])), 1, "{action} {wrong:?}");
        }
        assert_ne!(code(&agent(&["notify"], &[wrong])), 2, "notify {wrong:?}");
        assert_eq!(code(&agent(&["reload"], &[wrong])), 0, "reload {wrong:?}");
    }
}

/// The data directory of a postmaster: a process called postgres that works there.
struct Postmaster {
    datadir: tempfile::TempDir,
    process: std::process::Child,
}

impl Postmaster {
    fn of_a(role: &str) -> Self {
        let datadir = tempfile::tempdir().unwrap();
        let program = datadir.path().join("postgres");
        // By another process: a file that this one wrote may still be open for writing in a child
        // that another thread has just forked, and then it cannot be run ("text file busy").
        let copy = Command::new("cp").arg("/bin/sleep").arg(&program).status();
        assert!(copy.unwrap().success());
        if role == "standby" {
            std::fs::write(datadir.path().join("standby.signal"), "").unwrap();
        }
        // Started in the background of a script, tests ignore SIGINT, and so would what they
        // start; a postmaster never does.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", program.to_str().unwrap(), "60"]);
        let process = command.current_dir(datadir.path()).spawn().unwrap();
        wait_until_called("postgres", process.id());
        let pid = datadir.path().join("postmaster.pid");
        std::fs::write(pid, format!("{}\n", process.id())).unwrap();
        Self { datadir, process }
    }

    fn call(&self, action: &str) -> i32 {
        let datadir = self.datadir.path().to_str().unwrap();
        let environment = [
            ("OCF_RESKEY_datadir", datadir),
            ("OCF_RESKEY_pgport", "http"),
            ("OCF_RESKEY_CRM_meta_interval", "15000"),
        ];
        code(&agent(&[action], &environment))
    }
}

/// Waits until the process runs the program of that name.
fn wait_until_called(name: &str, pid: u32) {
    let is_called = || {
        let comm = std::fs::read_to_string(format!("/proc/{pid}/comm"));
        comm.is_ok_and(|comm| comm.trim() == name)
    };
    let end = Instant::now() + Duration::from_secs(10);
    while !is_called() {
        assert!(Instant::now() < end, "no process {pid} called {name}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A typo must not take down what runs: it is seen, and it can be stopped.
#[test]
fn a_bad_parameter_costs_no_instance_that_runs() {
    for (role, seen) in [("standby", 0), ("primary", 8)] {
        let mut postmaster = Postmaster::of_a(role);
        assert_eq!(postmaster.call("monitor"), seen, "{role}");
        assert_eq!(postmaster.call("stop"), 0, "{role}");
        assert!(postmaster.process.try_wait().unwrap().is_some(), "{role}");
        assert_eq!(postmaster.call("monitor"), 7, "{role}");
    }
}

/// `pcs resource create` asks on whichever node it is run on.
#[test]
fn validation_is_silent_where_there_is_no_postgresql() {
    let nowhere = [
        ("OCF_RESKEY_bindir", "/nonexistent/bin"),
        ("OCF_RESKEY_system_user", "nobody-has-this-name"),
    ];
    let output = agent(&["validate-all"], &nowhere);
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    let [bindir, _] = nowhere;
    let root = ("OCF_RESKEY_system_user", "root");
    let output = agent(
        &["validate-all"],
        &[bindir, root, ("OCF_CHECK_LEVEL", "10")],
    );
    assert_eq!(code(&output), 5, "{}", stderr(&output));
}

#[test]
fn stop_of_what_does_not_run_succeeds_whatever_is_wrong() {
    let nowhere = ("OCF_RESKEY_pgdata", "/nonexistent/data");
    for wrong in [
        ("OCF_RESKEY_pgport", "http"),
        ("OCF_RESKEY_system_user", "nobody-has-it"),
    ] {
        assert_eq!(code(&agent(&["stop"], &[nowhere, wrong])), 0, "{wrong:?}");
    }
}

#[test]
fn a_probe_without_the_database_is_not_running() {
    let environment = [
        ("OCF_RESKEY_pgdata", "/nonexistent/data"),
        ("OCF_RESKEY_system_user", "root"),
    ];
    let output = agent(&["monitor"], &environment);
    assert_eq!(code(&output), 7, "{}", stderr(&output));
}

/// Codes of OCF that this agent uses.
const CODES: [i32; 8] = [0, 1, 2, 3, 5, 7, 8, 9];
const NAMES: [&str; 29] = [
    "OCF_CHECK_LEVEL",
    "OCF_EXIT_REASON_PREFIX",
    "OCF_RESOURCE_INSTANCE",
    "OCF_RESKEY_bindir",
    "OCF_RESKEY_crm_feature_set",
    "OCF_RESKEY_maxlag",
    "OCF_RESKEY_maxloss",
    "OCF_RESKEY_pghost",
    "OCF_RESKEY_pgport",
    "OCF_RESKEY_recovery_template",
    "OCF_RESKEY_rejoin",
    "OCF_RESKEY_start_opts",
    "OCF_RESKEY_sync_guard",
    "OCF_RESKEY_system_user",
    "OCF_RESKEY_CRM_meta_clone_max",
    "OCF_RESKEY_CRM_meta_interval",
    "OCF_RESKEY_CRM_meta_master_max",
    "OCF_RESKEY_CRM_meta_notify",
    "OCF_RESKEY_CRM_meta_notify_active_uname",
    "OCF_RESKEY_CRM_meta_notify_demote_uname",
    "OCF_RESKEY_CRM_meta_notify_operation",
    "OCF_RESKEY_CRM_meta_notify_promote_uname",
    "OCF_RESKEY_CRM_meta_notify_promoted_uname",
    "OCF_RESKEY_CRM_meta_notify_stop_uname",
    "OCF_RESKEY_CRM_meta_notify_type",
    "OCF_RESKEY_CRM_meta_on_node",
    "OCF_RESKEY_CRM_meta_promoted_max",
    "OCF_RESKEY_CRM_meta_timeout",
    "HA_debug",
];
const ACTIONS: [&str; 11] = [
    "start",
    "stop",
    "monitor",
    "promote",
    "demote",
    "notify",
    "reload",
    "reload-agent",
    "meta-data",
    "validate-all",
    "methods",
];

/// Values that are right somewhere, and values that are right nowhere.
fn value() -> impl Strategy<Value = String> {
    let known = [
        "",
        " ",
        "0",
        "1",
        "true",
        "pre",
        "post",
        "promote",
        "demote",
        "srv1",
        "srv1 srv2",
        "root",
        "10",
        "-1",
        "99999999999999999999",
        "rewind",
        "/nonexistent",
        "pgsqld:0",
    ];
    let known = proptest::sample::select(known.to_vec()).prop_map(str::to_owned);
    prop_oneof![known, "[^\0/]{0,20}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_environment_ends_in_a_panic_or_a_code_of_nobody(
        action in proptest::sample::select(&ACTIONS[..]),
        variables in proptest::collection::vec((proptest::sample::select(&NAMES[..]), value()), 0..8),
        files in proptest::collection::vec(
            (proptest::sample::select(&["PG_VERSION", "postmaster.pid", "standby.signal"][..]), "(?s).{0,30}"),
            0..3,
        ),
    ) {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in &files {
            std::fs::write(place.path().join(name), text).unwrap();
        }
        let path = place.path().to_str().unwrap();
        let mut environment: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        environment.extend([
            ("OCF_RESKEY_pgdata", path),
            ("HA_RSCTMP", path),
            ("HA_SBIN_DIR", "/nonexistent"),
        ]);
        let output = agent(&[action], &environment);
        let text = stderr(&output);
        prop_assert!(CODES.contains(&code(&output)), "{} ended with {}", action, code(&output));
        prop_assert!(!text.contains("panicked") && !text.contains("Bug in"), "{text}");
    }
}

/// A program of PostgreSQL's that stops its caller stands for a call that hangs.
#[test]
fn an_action_that_hangs_is_answered_for() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("pg_controldata");
    let script = format!(
        "printf '#!/bin/sh\\nkill -STOP $PPID\\n' > {0} && chmod 755 {0}",
        program.display()
    );
    let made = Command::new("sh").args(["-c", &script]).status();
    assert!(made.unwrap().success());
    let path = folder.path().to_str().unwrap();
    let user = own_name();
    let environment = [
        ("OCF_RESKEY_bindir", path),
        ("OCF_RESKEY_pgdata", path),
        ("OCF_RESKEY_system_user", user.as_str()),
        ("OCF_RESKEY_CRM_meta_timeout", "3000"),
    ];
    let begin = Instant::now();
    let output = agent(&["start"], &environment);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("hangs"), "{}", stderr(&output));
    assert!(begin.elapsed() < Duration::from_secs(3));
}

/// Monitoring takes 2 for a service that is down; what cannot be looked at is 3.
#[test]
fn a_command_that_cannot_look_says_so_with_code_3() {
    for word in ["status", "explain", "history", "check", "metrics"] {
        let typo = agent(&[word, "--nonsense"], &[]);
        assert_eq!(code(&typo), 3, "{word}: {}", stderr(&typo));
        let nothing = agent(&[word, "--cib", "/nonexistent"], &[]);
        assert_eq!(code(&nothing), 3, "{word}: {}", stderr(&nothing));
    }
    let check = agent(&["check", "--cib", "/nonexistent"], &[]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(
        said.starts_with("PGSQLMS UNKNOWN - Cannot read /nonexistent"),
        "{said}"
    );
}

/// A tool of Pacemaker's that stops its caller stands for a call that hangs.
#[test]
fn a_look_that_hangs_is_answered_for() {
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("cibadmin");
    let script = format!(
        "printf '#!/bin/sh\\nkill -STOP $PPID\\n' > {0} && chmod 755 {0}",
        tool.display()
    );
    let made = Command::new("sh").args(["-c", &script]).status();
    assert!(made.unwrap().success());
    let environment = [
        ("HA_SBIN_DIR", folder.path().to_str().unwrap()),
        ("OCF_RESKEY_CRM_meta_timeout", "3000"),
    ];
    let output = agent(&["status"], &environment);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains("hangs"), "{}", stderr(&output));
}

fn own_name() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Pacemaker logs what it says, and goes on.
#[test]
fn an_alert_that_is_none_says_so_and_ends() {
    let begin = Instant::now();
    let resource = [
        ("CRM_alert_kind", "resource"),
        ("CRM_alert_node", "srv1"),
        ("CRM_alert_rsc", "pgsqld"),
        ("CRM_alert_task", "promote"),
    ];
    let nobody = agent(&["alert"], &resource);
    let odd = agent(
        &["alert"],
        &[&resource[..], &[("CRM_alert_rc", "many")]].concat(),
    );
    for (output, text) in [
        (agent(&["alert"], &[]), "CRM_alert_kind is not set"),
        (nobody, "The alert has no recipient"),
        (odd, "CRM_alert_rc=many is not a number"),
    ] {
        assert_eq!(code(&output), 1);
        assert!(stderr(&output).contains(text), "{}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
    let other = [
        ("CRM_alert_kind", "node"),
        ("CRM_alert_node", "srv1"),
        ("CRM_alert_desc", "member"),
    ];
    let other = agent(
        &["alert"],
        &[&other[..], &[("CRM_alert_recipient", "syslog:")]].concat(),
    );
    assert_eq!((code(&other), stderr(&other)), (0, String::new()));
    assert!(begin.elapsed() < Duration::from_secs(10));
}

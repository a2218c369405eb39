//! The agent from outside, as any caller sees it, without a cluster.

#![allow(clippy::unwrap_used)] // helpers of tests are outside #[test]

use std::process::{Command, Output};

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
    for arguments in [vec!["dance"], vec![], vec!["help"]] {
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
    for action in String::from_utf8_lossy(&output.stdout).lines() {
        assert_ne!(code(&agent(&[action], &[])), 3, "{action}");
    }
}

#[test]
fn a_bad_parameter_ends_in_a_code_and_one_reason() {
    for (name, value) in [
        ("OCF_RESKEY_pgport", "http"),
        ("OCF_RESKEY_maxlag", "1e6"),
        ("OCF_RESKEY_pgdata", "data"),
        ("OCF_RESKEY_sync_guard", "maybe"),
        ("OCF_RESKEY_rejoin", "somehow"),
        ("OCF_RESKEY_system_user", "nobody-has-this-name"),
    ] {
        for action in [
            "start",
            "monitor",
            "promote",
            "demote",
            "notify",
            "validate-all",
        ] {
            let environment = [(name, value), ("OCF_CHECK_LEVEL", "10")];
            let output = agent(&[action], &environment);
            assert_eq!(code(&output), 2, "{action} {name}={value}");
            let reasons = stderr(&output).matches("ocf-exit-reason:").count();
            assert_eq!(reasons, 1, "{action} {name}={value}: {}", stderr(&output));
        }
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

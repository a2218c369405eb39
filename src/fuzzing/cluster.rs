//! What Pacemaker and people hand the agent: environment and command line; and what the agent
//! writes where others read it.

use std::ffi::OsString;
use std::time::Instant;

use clap::Parser;

use super::target::{See, Target, text, texts};
use crate::Arguments;
use crate::ocf::notify::{Transition, event};
use crate::ocf::{Environment, Parameters, Request, log};

/// The targets of this file.
pub const TARGETS: &[Target] = &[
    Target {
        name: "notify",
        seeds: || texts(&[NOTIFY]),
        run: notify,
    },
    Target {
        name: "request",
        seeds: || texts(&[REQUEST, NOTIFY]),
        run: request,
    },
    Target {
        name: "parameters",
        seeds: || texts(&[PARAMETERS]),
        run: parameters,
    },
    Target {
        name: "command-line",
        seeds: || {
            texts(&[
                "pgsqlms\nstart\n--and\nmore",
                "pgsqlms\nforce-promotion\n--resource\npgsqld\n--yes",
                "pgsqlms\n--help",
            ])
        },
        run: command_line,
    },
    Target {
        name: "log-line",
        seeds: || {
            texts(&[
                "FATAL:  no\nDETAIL:  why\n",
                "red \u{1b}[31m\ttext é\u{202e}",
            ])
        },
        run: log_line,
    },
];

const NOTIFY: &str = "OCF_RESKEY_CRM_meta_notify_type=pre\n\
    OCF_RESKEY_CRM_meta_notify_operation=promote\n\
    OCF_RESKEY_CRM_meta_notify_active_uname=srv1 srv2 srv3\n\
    OCF_RESKEY_CRM_meta_notify_master_uname=srv1\n\
    OCF_RESKEY_CRM_meta_notify_slave_uname=srv2  srv10\n\
    OCF_RESKEY_CRM_meta_notify_stop_uname=srv1\n\
    OCF_RESKEY_CRM_meta_notify_start_uname= \n\
    OCF_RESKEY_CRM_meta_notify_promote_uname=srv2\n";

const REQUEST: &str = "OCF_RESOURCE_INSTANCE=pgsqld:1\nOCF_CHECK_LEVEL=10\n\
    OCF_RESKEY_CRM_meta_timeout=20000\nOCF_RESKEY_CRM_meta_interval=15000\n\
    OCF_RESKEY_CRM_meta_role=Master\nOCF_RESKEY_CRM_meta_on_node=srv1\n\
    OCF_RESKEY_CRM_meta_clone_max=3\nOCF_RESKEY_CRM_meta_notify=true\n\
    OCF_RESKEY_CRM_meta_promoted_max=1\n";

const PARAMETERS: &str = "OCF_RESKEY_system_user=postgres\n\
    OCF_RESKEY_bindir=/usr/lib/postgresql/15/bin\nOCF_RESKEY_pgdata=/etc/postgresql/15/main\n\
    OCF_RESKEY_datadir=/var/lib/postgresql/15/main\nOCF_RESKEY_pghost=/var/run/postgresql\n\
    OCF_RESKEY_pgport=5432\nOCF_RESKEY_maxlag=1000000\nOCF_RESKEY_sync_guard=yes\n\
    OCF_RESKEY_rejoin=rewind\nOCF_RESKEY_start_opts=-c a=b\n";

/// One `NAME=VALUE` a line.
fn environment(input: &[u8]) -> Environment {
    let text = text(input);
    let pairs = text.split('\n').filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn notify(input: &[u8], see: See<'_>) {
    let environment = environment(input);
    if let Some(transition) = Transition::from_environment(&environment) {
        let after = transition.active_after();
        assert!(after.is_superset(&transition.start));
        see(&(event(&environment), transition));
    }
}

fn request(input: &[u8], see: See<'_>) {
    let request = Request::from_environment(&environment(input), Instant::now());
    assert!(!request.resource.is_empty() && !request.resource.contains('/'));
    let Request {
        resource,
        probe,
        check_level,
        clone_options,
        ..
    } = &request;
    see(&(resource, probe, check_level, clone_options));
}

fn parameters(input: &[u8], see: See<'_>) {
    let environment = environment(input);
    let of_datadir = Parameters::of_datadir(&environment);
    assert!(of_datadir.is_none_or(|all| all.datadir.is_absolute()));
    let strict = Parameters::from_environment(&environment);
    let in_effect = Parameters::in_effect(&environment);
    if let Ok(all) = &in_effect {
        assert!(all.datadir.is_absolute() && all.pgport > 0);
        see(all);
    }
    assert!(strict.is_err() || strict == in_effect);
}

fn command_line(input: &[u8], see: See<'_>) {
    let words = text(input).into_owned();
    let words = words.split('\n').map(OsString::from);
    if let Ok(typed) = Arguments::try_parse_from(crate::arguments(words, &Environment::default())) {
        see(&typed);
    }
}

fn log_line(input: &[u8], see: See<'_>) {
    let line = log::one_line(&text(input));
    assert!(!line.contains(char::is_control));
    assert!(line.chars().count() <= 8_000);
    let pieces = log::pieces(&line);
    assert!(pieces.iter().all(|piece| piece.len() <= 900));
    assert_eq!(pieces.concat(), line);
    see(&line);
}

//! What lies in the data directory and in `/proc`, and what an instance is configured with.

use std::collections::BTreeMap;

use super::target::{See, Target, comes_back, text, texts};
use crate::instance::ProcessStat;
use crate::instance::capacity::Capacity;
use crate::instance::configuration::{self, Conninfo, Facts, SETTINGS, words};
use crate::instance::control_data::{ClusterState, STATE_WITHIN};
use crate::instance::postmaster_pid::PostmasterPid;
use crate::ocf::Rejoin;
use crate::postgres::fuzzed::{between, segment_name, timeline_of_segment, timeline_of_wal_file};
use crate::wal::{History, Timeline};

/// The targets of this file.
pub const TARGETS: &[Target] = &[
    Target {
        name: "pg-control",
        seeds: control_files,
        run: control_file,
    },
    Target {
        name: "pg-version",
        seeds: || {
            texts(&[
                "15\n",
                "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n",
            ])
        },
        run: |input, see| {
            if let Some(major) = configuration::major(&text(input)) {
                see(&major);
            }
        },
    },
    Target {
        name: "lock-file",
        seeds: || {
            texts(&[
                "4711\n/var/lib/postgresql/15/main\n1795000000\n5432\n/var/run/postgresql\n*\n  5432001    32768\nready   \n",
                "-42\n/data\n",
            ])
        },
        run: lock_file,
    },
    Target {
        name: "process-stat",
        seeds: || {
            texts(&[
                "42 (postgres) S 1 42 42 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 5000 1 1",
                "7 (a) b) Z 1 42 42 0 -1 4 1 0 0 0 0 0 0 0 20 0 1 0 18446744073709551615 1",
            ])
        },
        run: process_stat,
    },
    Target {
        name: "history",
        seeds: || {
            texts(&[
                "1\t0/5000000\tno recovery target specified\n\n# a remark\n2\t1/A0000028\tbefore 2026-01-01 00:00:00+00\n",
                "2\t0/1\treserved by pgsqlms: another node may have opened it\n",
            ])
        },
        run: history,
    },
    Target {
        name: "wal-file",
        seeds: || {
            texts(&[
                "83886080 16777216 000000020000000000000005",
                "0 0 00000002.history",
            ])
        },
        run: wal_file,
    },
    Target {
        name: "conninfo",
        seeds: || {
            texts(&[
                r"host=10.0.0.1 application_name = 'srv 1' password='it\'s \\ secret' port= 5433",
                "postgresql://user@host/db",
            ])
        },
        run: conninfo,
    },
    Target {
        name: "start-opts",
        seeds: || {
            texts(&[
                "-c config_file=/etc/postgresql/15/main/postgresql.conf",
                r#" -c 'a b'  -c "c \"d\"" e\ f '' "#,
            ])
        },
        run: start_opts,
    },
    Target {
        name: "configuration",
        seeds: configurations,
        run: judged,
    },
];

fn control_files() -> Vec<Vec<u8>> {
    let file = |version: u32, state: u32| {
        let numbers = [0, 0, version, 202_209_061, state];
        numbers.into_iter().flat_map(u32::to_ne_bytes).collect()
    };
    vec![file(1300, 6), file(1201, 0), file(1800, 5)]
}

fn control_file(input: &[u8], see: See<'_>) {
    let Some(begin) = input.first_chunk::<STATE_WITHIN>() else {
        return;
    };
    if let Some(state) = ClusterState::of_control_file(begin) {
        see(&(state, &begin[..8]));
    }
}

fn lock_file(input: &[u8], see: See<'_>) {
    match PostmasterPid::parse(&text(input)) {
        Ok(file) => {
            assert!(file.pid > 0);
            see(&(file.is_stopping(), &file));
        }
        Err(error) => assert!(error.to_string().chars().count() < 120),
    }
}

fn process_stat(input: &[u8], see: See<'_>) {
    let line = text(input);
    if let Some(stat) = ProcessStat::parse(&line) {
        let age = between(stat.start_ticks, "60.50 100.0\n");
        see(&(stat.lives() && stat.has_servers_name(), age, &stat));
    }
    let _ = between(5000, &line);
}

fn history(input: &[u8], see: See<'_>) {
    let child = Timeline::new(9).unwrap_or(Timeline::FIRST);
    let Ok(history) = History::parse(&text(input), child) else {
        return;
    };
    let steps = history.switches().iter();
    let lines = steps.map(|step| format!("{}\t{}\twhy\n", step.timeline, step.at));
    let again = History::parse(&lines.collect::<String>(), child);
    comes_back(&history, again.ok(), see);
}

fn wal_file(input: &[u8], see: See<'_>) {
    let line = text(input);
    let mut words = line.split(' ');
    let mut number = || words.next()?.parse().ok();
    if let (Some(byte), Some(size)) = (number(), number()) {
        let segment = segment_name(byte, size);
        assert!(segment.is_none_or(|name| name.len() >= 16));
    }
    let file = words.next().unwrap_or_default();
    let segment = file.get(8..).unwrap_or_default();
    if let Some(timeline) = timeline_of_segment(file, segment) {
        assert_eq!(file, format!("{timeline:X}{segment}"));
        assert_eq!(timeline_of_wal_file(file), Some(timeline));
        see(&timeline);
    }
}

fn conninfo(input: &[u8], see: See<'_>) {
    if let Ok(info) = Conninfo::parse(&text(input)) {
        comes_back(&info, Conninfo::parse(&info.render()).ok(), see);
    }
}

fn start_opts(input: &[u8], see: See<'_>) {
    let Some(all) = words::split(&text(input)) else {
        return;
    };
    let quoted: Vec<_> = all
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
        .collect();
    comes_back(&all, words::split(&quoted.join(" ")), see);
}

fn configurations() -> Vec<Vec<u8>> {
    texts(&[
        "port=5432\nwal_level=replica\nrecovery_target_timeline=latest\nprimary_conninfo=host=a application_name=srv1\n\
         unix_socket_directories=/var/run/postgresql, /tmp\ndata_directory=/data\nhba_file=x\n\
         host replication postgres 10.0.0.0/8 reject\nhost all all 0.0.0.0/0 md5 # all\n",
        "fsync=off\nfull_page_writes=off\ncluster_name=main\nprimary_conninfo=x='\nlocal all @file\n",
    ])
}

/// Lines `NAME=VALUE` are settings, all of them together is what `pg_hba.conf` has.
fn judged(input: &[u8], see: See<'_>) {
    let text = text(input);
    let setting = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let name = SETTINGS.into_iter().find(|known| *known == name)?;
        Some((name, value.to_owned()))
    };
    let settings: BTreeMap<_, _> = text.lines().filter_map(setting).collect();
    let findings = configuration::judge(&Facts {
        settings: &settings,
        node: Some("srv1"),
        pghost: "/sockets",
        pgport: 5432,
        rejoin: Rejoin::Rewind,
        is_datadir: false,
        hints_logged: Some(true),
        hba: Some(&text),
        needed: Some(Capacity([100, 8, 10, 0, 64])),
    });
    see(&findings);
}

//! What PostgreSQL's and Pacemaker's programs print.

use super::target::{See, Target, comes_back, text, texts};
use crate::instance::ControlData;
use crate::instance::rejoin::preview::{self, Preview};
use crate::pacemaker::fuzzed::{attributes, constraints, names, operations, permanent, scores};
use crate::postgres::fuzzed::{error_line, first_fatal};
use crate::wal::{Lsn, last_record};

/// The targets of this file.
pub const TARGETS: &[Target] = &[
    Target {
        name: "pg_controldata",
        seeds: || vec![CONTROL_DATA.as_bytes().to_vec()],
        run: control_data,
    },
    Target {
        name: "pg_waldump",
        seeds: || texts(&[WAL_DUMP]),
        run: wal_dump,
    },
    Target {
        name: "pg_rewind",
        seeds: || {
            texts(&[
                "pg_rewind: servers diverged at WAL location 0/5000110 on timeline 1\npg_rewind: need to copy 52 MB (total source directory size is 68 MB)\n",
                "pg_rewind: error: could not connect\n",
            ])
        },
        run: |input, see| {
            let output = text(input);
            assert!(!preview::error_line(&output).is_empty());
            if let Some(preview) = Preview::parse(&output) {
                see(&preview);
            }
        },
    },
    Target {
        name: "server-output",
        seeds: || {
            texts(&[
                "2026-11-24 19:00:00 UTC [7] LOG:  syntax error in file \"/etc/x.conf\" line 3\n2026-11-24 19:00:00 UTC [7] FATAL:  configuration file contains errors\n",
                "2 [8] PANIC:  could not locate a valid checkpoint record\n",
            ])
        },
        run: |input, see| {
            let output = text(input);
            see(&(first_fatal(&output), error_line(&output)));
        },
    },
    Target {
        name: "attrd_updater",
        seeds: || {
            texts(&[
                "name=\"lsn\" host=\"srv1\" value=\"1#100\"\nname=\"lsn\" host=\"srv2\" value=\"\"\n",
            ])
        },
        run: published,
    },
    Target {
        name: "cibadmin",
        seeds: || texts(&[CIB]),
        run: cib,
    },
    Target {
        name: "cibadmin-resources",
        seeds: || {
            texts(&[
                "<resources><primitive id=\"pgsqld\"><operations><op name=\"monitor\" interval=\"1s\" \
                 role=\"Promoted\" timeout=\"60\"/></operations></primitive></resources>",
            ])
        },
        run: |input, see| {
            if let Ok(monitors) = operations(&text(input), "pgsqld") {
                monitors.iter().for_each(|monitor| see(monitor));
            }
        },
    },
    Target {
        name: "crm_simulate",
        seeds: || {
            texts(&[
                "pgsqld:0 promotion score on srv1: 1021\npgsqld:1 promotion score on none: 0\npgsqld:2 promotion score on srv3: -INFINITY\n",
                "  * pgsqld:0 promotion score on srv1: 1021\n",
            ])
        },
        run: |input, see| see(&scores(&text(input), "pgsqld")),
    },
    Target {
        name: "constraints",
        seeds: || texts(&[CONSTRAINTS]),
        run: |input, see| {
            if let Ok(found) = constraints(&text(input), "pgsqld") {
                see(&found);
            }
        },
    },
    Target {
        name: "crm_node",
        seeds: || texts(&["srv1 srv2  srv10\n", "a.b-c\n"]),
        run: |input, see| {
            let members = names(&text(input));
            let list: Vec<_> = members.iter().map(|node| node.as_str()).collect();
            comes_back(&members, Some(names(&list.join(" "))), see);
        },
    },
];

const CONTROL_DATA: &str = "pg_control version number:            1300\n\
    Database system identifier:           7301234567890123456\n\
    Database cluster state:               in archive recovery\n\
    Latest checkpoint location:           0/5000110\n\
    Latest checkpoint's TimeLineID:       2\n\
    Minimum recovery ending location:     0/50001F8\n\
    Min recovery ending loc's timeline:   3\n\
    wal_level setting:                    replica\n\
    wal_log_hints setting:                off\n\
    max_connections setting:              100\n\
    max_worker_processes setting:         8\n\
    max_wal_senders setting:              10\n\
    max_prepared_xacts setting:           0\n\
    max_locks_per_xact setting:           64\n\
    Bytes per WAL segment:                16777216\n\
    Data page checksum version:           1\n";

const WAL_DUMP: &str = "22176376\n\
    rmgr: Standby     len (rec/tot):     50/    50, tx:          0, lsn: 0/015261C8, prev 0/01526068, desc: RUNNING_XACTS nextXid 725\n\
    rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/01526200, prev 0/015261C8, desc: CHECKPOINT_SHUTDOWN redo 0/1526200; tli 1; shutdown\n";

const CIB: &str = r#"<nodes><node id="1" uname="srv1"><instance_attributes id="nodes-1">
    <nvpair id="a" name="master-pgsqld" value="1001"/><nvpair id="b" name="reign-pgsqld" value="1;term=1"/>
    </instance_attributes></node><node id="2" uname="srv2"><instance_attributes id="nodes-2">
    <nvpair id="c" name="master-pgsqld" value="-INFINITY"/></instance_attributes></node><node uname="srv3"/></nodes>"#;

const CONSTRAINTS: &str = r##"<configuration><resources><clone id="pgsqld-clone"><primitive id="pgsqld"/></clone></resources>
    <constraints><rsc_location id="cli-ban-a" rsc="pgsqld-clone" role="Promoted" node="srv2" score="-INFINITY"/>
    <rsc_location id="b" rsc="dbs"><rule id="r" role="Master" score="-INFINITY"><expression id="e" attribute="#uname" operation="eq" value="srv3"/></rule></rsc_location>
    </constraints><tags><tag id="dbs"><obj_ref id="pgsqld-clone"/></tag></tags></configuration>"##;

fn control_data(input: &[u8], see: See<'_>) {
    let Ok(data) = ControlData::parse(&text(input)) else {
        return;
    };
    assert!(data.timeline() >= data.checkpoint_timeline);
    let _ = (data.can_be_rewound(), data.checkpoint_start(), data.held());
    see(&data);
}

/// The first line is where the WAL ends.
fn wal_dump(input: &[u8], see: See<'_>) {
    let text = text(input);
    let (end, output) = text.split_once('\n').unwrap_or_default();
    let Ok(end) = Lsn::from_decimal(end) else {
        return;
    };
    if last_record::is_shutdown_checkpoint(output, end) {
        see(&(end, output.len()));
    }
}

fn published(input: &[u8], see: See<'_>) {
    let values = attributes(&text(input));
    let lines = values.iter();
    let lines =
        lines.map(|(node, value)| format!("name=\"x\" host=\"{node}\" value=\"{value}\"\n"));
    comes_back(&values, Some(attributes(&lines.collect::<String>())), see);
}

fn cib(input: &[u8], see: See<'_>) {
    if let Ok(permanent) = permanent(&text(input)) {
        assert!(permanent.scores("pgsqld").len() <= permanent.nodes().len());
        see(&permanent);
    }
}

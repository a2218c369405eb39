//! Which settings are found fault with, and how gravely.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::instance::capacity::Capacity;
use crate::instance::configuration::*;
use crate::ocf::Rejoin;

const GOOD: [(&str, &str); 13] = [
    ("data_directory", "/var/lib/postgresql/15/main"),
    ("port", "5432"),
    ("unix_socket_directories", "/tmp, /srv/sockets"),
    ("wal_level", "replica"),
    ("hot_standby", "on"),
    ("recovery_target_timeline", "latest"),
    ("recovery_target", ""),
    ("recovery_target_xid", ""),
    ("primary_conninfo", "host=10.0.0.1 application_name=srv1"),
    ("cluster_name", "15/main"),
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("hba_file", "/etc/pg_hba.conf"),
];
const HBA: &str = "# TYPE DATABASE\nhost replication all 10.0.0.1/32 reject\n";

fn facts<'a>(settings: &'a BTreeMap<&'static str, String>) -> Facts<'a> {
    Facts {
        settings,
        node: Some("srv1"),
        pghost: "/tmp",
        pgport: 5432,
        rejoin: Rejoin::Rewind,
        is_datadir: true,
        hints_logged: Some(true),
        needed: Some(Capacity([100, 8, 10, 0, 64])),
        hba: Some(HBA),
    }
}

fn settings(name: &'static str, value: &str) -> BTreeMap<&'static str, String> {
    let all = GOOD
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    all.chain([(name, value.to_owned())]).collect()
}

fn found(name: &'static str, value: &str) -> Vec<Finding> {
    judge(&facts(&settings(name, value)))
}

#[test]
fn a_good_configuration_is_silent() {
    assert_eq!(found("port", "5432"), []);
}

#[test]
fn what_makes_a_start_pointless_is_an_error() {
    for (name, value) in [
        ("port", "5433"),
        ("unix_socket_directories", "/srv/sockets"),
        ("wal_level", "minimal"),
        ("hot_standby", "off"),
        ("recovery_target_timeline", "current"),
        ("recovery_target_timeline", "3"),
        ("recovery_target", "immediate"),
        ("recovery_target_xid", "42"),
    ] {
        let found = found(name, value);
        assert!(
            matches!(found[..], [Finding::Error(_)]),
            "{name}={value}: {found:?}"
        );
    }
    let settings = settings("port", "5432");
    let elsewhere = Facts {
        is_datadir: false,
        ..facts(&settings)
    };
    assert!(matches!(judge(&elsewhere)[..], [Finding::Error(_)]));
}

#[test]
fn what_is_doubtful_is_a_warning() {
    for (name, value) in [
        ("primary_conninfo", ""),
        ("primary_conninfo", "host"),
        ("primary_conninfo", "host=a application_name=srv10"),
        ("primary_conninfo", "host=a"),
        ("fsync", "off"),
        ("full_page_writes", "off"),
    ] {
        let found = found(name, value);
        assert!(
            matches!(found[..], [Finding::Warning(_)]),
            "{name}={value}: {found:?}"
        );
    }
}

#[test]
fn several_hosts_lead_to_the_primary_and_not_to_this_node() {
    let judged = |hosts: &str| {
        found(
            "primary_conninfo",
            &format!("{hosts} application_name=srv1"),
        )
    };
    let good = "host=srv2,srv3 target_session_attrs=";
    assert_eq!(judged(&format!("{good}read-write")), []);
    assert_eq!(judged(&format!("{good}primary")), []);
    assert_eq!(judged("host=srv1"), []);
    for doubtful in [
        "host=srv2,srv3",
        "host=srv2,srv3 target_session_attrs=any",
        "host=srv2,srv3 target_session_attrs=prefer-standby",
        "hostaddr=10.0.0.2,10.0.0.3",
        "host=srv2 target_session_attrs=standby",
        "host=srv2,srv3 target_session_attrs=read-only",
        "host=srv2,srv1 target_session_attrs=read-write",
    ] {
        let found = judged(doubtful);
        assert!(
            matches!(found[..], [Finding::Warning(_)]),
            "{doubtful}: {found:?}"
        );
    }
}

#[test]
fn a_standby_that_wants_a_primary_cannot_stream_from_itself() {
    let text = "host=10.0.0.9 target_session_attrs=read-write application_name=srv1";
    let settings = settings("primary_conninfo", text);
    let facts = Facts {
        hba: Some("host replication all 10.0.0.0/24 trust\n"),
        ..facts(&settings)
    };
    assert_eq!(judge(&facts), []);
}

#[test]
fn cluster_name_stands_in_for_application_name() {
    let mut settings = settings("primary_conninfo", "host=a");
    settings.insert("cluster_name", "srv1".to_owned());
    assert_eq!(judge(&facts(&settings)), []);
}

#[test]
fn what_cannot_be_read_is_not_judged() {
    let nothing = BTreeMap::new();
    let unknown = Facts {
        hba: None,
        hints_logged: None,
        node: None,
        ..facts(&nothing)
    };
    assert_eq!(judge(&unknown), []);
}

#[test]
fn replication_from_itself_must_be_rejected_somewhere() {
    let settings = settings("port", "5432");
    let warned = |hba| {
        let facts = Facts {
            hba: Some(hba),
            ..facts(&settings)
        };
        !judge(&facts).is_empty()
    };
    assert!(warned("host replication all 10.0.0.0/24 trust\n"));
    assert!(warned("#host replication all 10.0.0.1/32 reject\n"));
    assert!(warned("local replication all reject\n"));
    assert!(!warned("host all,replication all srv1 reject # own\n"));
    assert!(!warned("include more.conf\n"));
}

#[test]
fn versions_are_compared_by_their_major_number() {
    assert_eq!(
        major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"),
        Some(15)
    );
    assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
    assert_eq!(major("9.6\n"), Some(9));
    assert_eq!(major("17\n"), Some(17));
    assert_eq!(major("no version"), None);
}

proptest! {
    #[test]
    fn no_text_panics(text in "(?s).*") {
        let mut settings = settings("primary_conninfo", &text);
        settings.insert("unix_socket_directories", text.clone());
        let facts = Facts { hba: Some(&text), ..facts(&settings) };
        let _ = judge(&facts);
        let _ = major(&text);
    }
}

//! What `pg_controldata` prints, and what is never taken for it.

use proptest::prelude::*;

use crate::instance::control_data::{ClusterState, ControlData, STATE_WITHIN};
use crate::wal::{History, Lsn, Timeline};

const STANDBY: &str = "\
pg_control version number:            1300
Database system identifier:           7301234567890123456
Database cluster state:               in archive recovery
pg_control last modified:             Mon 23 Nov 2026 03:00:00 AM UTC
Latest checkpoint location:           0/3000060
Latest checkpoint's REDO location:    0/3000028
Latest checkpoint's TimeLineID:       1
Minimum recovery ending location:     0/4000148
Min recovery ending loc's timeline:   2
wal_level setting:                    replica
max_connections setting:              100
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           0
max_locks_per_xact setting:           64
wal_log_hints setting:                off
Data page checksum version:           0
Bytes per WAL segment:                16777216
";

#[test]
fn without_a_checkpoint_on_its_timeline_it_must_recover_before_a_rewind() {
    let rewindable = |text: &str| ControlData::parse(text).unwrap().can_be_rewound();
    let stopped = STANDBY.replace("in archive recovery", "shut down in recovery");
    assert!(!rewindable(STANDBY) && !rewindable(&stopped));
    let ready = stopped.replace("TimeLineID:       1", "TimeLineID:       2");
    assert!(rewindable(&ready));
    assert!(rewindable(
        &STANDBY.replace("in archive recovery", "shut down")
    ));
}

#[test]
fn a_standby_is_on_the_timeline_that_its_recovery_must_reach() {
    let data = ControlData::parse(STANDBY).unwrap();
    assert_eq!(data.state, ClusterState::InArchiveRecovery);
    assert_eq!(data.timeline(), Timeline::new(2).unwrap());
    assert_eq!(data.wal_level, "replica");
    assert_eq!(data.held(), Lsn::from(0x400_0148));
}

#[test]
fn wal_replayed_beyond_a_fork_shows() {
    let data = ControlData::parse(STANDBY).unwrap();
    let child = Timeline::new(3).unwrap();
    let history = |text: &str| History::parse(text, child).unwrap();
    let beside = |text| data.replayed_beside(&history(text));
    let replayed = (Timeline::new(2).unwrap(), Lsn::from(0x400_0148));
    assert_eq!(beside("1\t0/3000000\tx\n2\t0/4000090\tx\n"), Some(replayed));
    assert_eq!(beside("1\t0/3000000\tx\n2\t0/4000148\tx\n"), None);
    assert_eq!(beside("1\t0/3000000\tx\n"), None);
}

#[test]
fn either_setting_makes_a_rewind_possible() {
    let hints = |from, to| {
        let output = STANDBY.replace(from, to);
        ControlData::parse(&output).unwrap().hints_logged
    };
    assert!(!hints("", ""));
    assert!(hints("setting:                off", "setting: on"));
    assert!(hints("version:           0", "version: 1"));
}

/// The beginning of the file on a standby of PostgreSQL 15 that was stopped.
const FILE: [u8; STATE_WITHIN] = [
    0xc2, 0x28, 0xaa, 0x0f, 0xf2, 0xe0, 0x0d, 0x6a, 0x14, 0x05, 0, 0, 0x25, 0x77, 0x0d, 0x0c, 2, 0,
    0, 0,
];

#[test]
#[cfg(target_endian = "little")]
fn the_state_is_read_from_the_file_itself() {
    let with = |at: usize, byte: u8| {
        let mut file = FILE;
        file[at] = byte;
        ClusterState::of_control_file(&file)
    };
    assert_eq!(with(16, 2), Some(ClusterState::ShutDownInRecovery));
    assert_eq!(with(16, 6), Some(ClusterState::InProduction));
    assert_eq!(with(16, 7), None);
    // Not the version of a control file.
    assert_eq!(with(10, 9), None);
}

#[test]
fn every_field_is_needed() {
    for missing in STANDBY
        .lines()
        .filter(|line| !line.starts_with("pg_control"))
    {
        if missing.contains("REDO") {
            continue;
        }
        let output = STANDBY.replace(missing, "");
        assert!(ControlData::parse(&output).is_err(), "{missing}");
    }
}

#[test]
fn a_value_that_cannot_be_is_named() {
    let error = ControlData::parse(&STANDBY.replace("in archive recovery", "dreaming"));
    assert_eq!(
        error.unwrap_err().to_string(),
        "pg_controldata printed \"dreaming\" as \"Database cluster state\""
    );
}

proptest! {
    /// What is spoilt in the output is an error or does not matter; it is
    /// never read as something else.
    #[test]
    fn spoilt_output_is_no_other_output(line in 0usize..13, text in ".{0,20}") {
        let spoilt: Vec<_> = STANDBY.lines().enumerate().map(|(number, old)| {
            if number == line { text.as_str() } else { old }
        }).collect();
        if let Ok(data) = ControlData::parse(&spoilt.join("\n")) {
            prop_assert_eq!(data, ControlData::parse(STANDBY).unwrap());
        }
    }

    #[test]
    fn no_output_panics(output in "(?s).*", value in ".*") {
        let _ = ControlData::parse(&output);
        let _ = ControlData::parse(&STANDBY.replace("0/4000148", &value));
    }
}

//! The role of an instance that cannot be asked: the table.

use crate::instance::control_data::ClusterState;
use crate::instance::role::{Files, Role};
use crate::testing::check_rows;

fn files(words: &[&str]) -> Files {
    let [signal, control, more @ ..] = words else {
        panic!("two columns wanted: {words:?}")
    };
    let state = control.replace('-', " ");
    Files {
        standby_signal: *signal == "signal",
        control: (*control != "unread").then(|| ClusterState::named(&state).unwrap()),
        starting: more.contains(&"starting"),
    }
}

#[test]
fn every_row_of_the_table_of_roles_holds() {
    check_rows(include_str!("../testdata/roles.txt"), |words| {
        let files = files(words);
        let hard = if files.is_surely_standby() {
            "yes"
        } else {
            "no"
        };
        let ended = if files.was_surely_standby() {
            Role::Standby
        } else {
            Role::Primary
        };
        format!("{} {hard} | {ended}", files.role())
    });
}

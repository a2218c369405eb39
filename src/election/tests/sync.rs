//! `synchronous_standby_names`: what PostgreSQL accepts, and what it means.

use crate::record::{Confirmers, SyncRule};
use crate::testing::{check, node};

#[test]
fn the_setting_is_read_as_postgresql_reads_it() {
    check(
        include_str!("../testdata/sync_rules.txt"),
        |facts| match SyncRule::parse(facts[0].trim_start_matches("setting")) {
            Ok(Some(rule)) => {
                let any = ["n1", "n2", "n3"].map(str::to_owned).into();
                let standbys = Confirmers::of(&rule, &node("n1"), &any).names;
                let standbys: Vec<_> = standbys.into_iter().collect();
                format!("{rule}\nstandbys of n1: {}", standbys.join(" "))
            }
            Ok(None) => "asynchronous".to_owned(),
            Err(error) => error.to_string(),
        },
    );
}

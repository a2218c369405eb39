//! `synchronous_standby_names`: what PostgreSQL accepts, and what it means.

use crate::election::guard::standbys;
use crate::record::SyncRule;
use crate::testing::{check, node};

#[test]
fn the_setting_is_read_as_postgresql_reads_it() {
    check(
        include_str!("../testdata/sync_rules.txt"),
        |facts| match SyncRule::parse(facts[0].trim_start_matches("setting")) {
            Ok(Some(rule)) => {
                let known = ["n1", "n2", "n3"].map(node).into();
                let standbys: Vec<_> = standbys(&rule, &node("n1"), &known).into_iter().collect();
                format!("{rule}\nstandbys of n1: {}", standbys.join(" "))
            }
            Ok(None) => "asynchronous".to_owned(),
            Err(error) => error.to_string(),
        },
    );
}

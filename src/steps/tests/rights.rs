//! What validate-all says of the role that the agent logs in as.

use super::bench::{Bench, soon};
use crate::instance::rights::Rights;
use crate::instance::{NoAnswer, Role};
use crate::ocf::{OcfExit, Slots};
use crate::steps::rights::demand;

const HELD: &str = "1@0/3000000";

fn bench(role: Option<&str>) -> Bench {
    let mut bench = Bench::running(Role::Primary, HELD);
    bench.server.parameters.db_role = role.map(str::to_owned);
    bench
}

fn lacking(rights: Rights) -> String {
    let bench = bench(Some("pgsqlms"));
    bench.server.data().rights = rights;
    let failure = demand(&bench.server, soon()).unwrap_err();
    assert_eq!(failure.exit, OcfExit::Arguments);
    failure.reason
}

#[test]
fn what_it_lacks_is_named_with_what_gives_it() {
    let reason = lacking(Rights {
        statistics: false,
        resume: false,
        ..Rights::enough()
    });
    let grants = "GRANT pg_read_all_stats TO pgsqlms; GRANT EXECUTE ON FUNCTION \
                  pg_catalog.pg_wal_replay_resume() TO pgsqlms;";
    assert!(reason.ends_with(grants), "{reason}");
}

#[test]
fn slots_need_one_right_more() {
    let mut bench = bench(Some("pgsqlms"));
    bench.server.data().rights.replication = false;
    assert_eq!(demand(&bench.server, soon()), Ok(()));
    bench.server.parameters.slots = Slots::Nodes;
    let failure = demand(&bench.server, soon()).unwrap_err();
    assert!(failure.reason.ends_with("REPLICATION;"), "{failure}");
}

#[test]
fn a_role_that_cannot_log_in_is_wrong_and_a_busy_server_is_not() {
    let refusing = |why: NoAnswer| {
        let bench = bench(Some("pgsqlms"));
        bench.server.instance().refuses = Some(why);
        demand(&bench.server, soon()).map_err(|failure| failure.reason)
    };
    let said = refusing(NoAnswer::Login("no such role".to_owned()));
    let wanted = "db_role pgsqlms cannot log in: no such role".to_owned();
    assert_eq!(said, Err(wanted));
    assert_eq!(refusing(NoAnswer::Full), Ok(()));
}

/// The superuser of before is not asked; nor is a server that does not run.
#[test]
fn without_the_parameter_nothing_is_asked() {
    let usual = bench(None);
    usual.server.data().rights.statistics = false;
    assert_eq!(demand(&usual.server, soon()), Ok(()));
    assert_eq!(usual.journal.count("rights"), 0);
    let mut stopped = Bench::stopped(HELD);
    stopped.server.parameters.db_role = Some("pgsqlms".to_owned());
    assert_eq!(demand(&stopped.server, soon()), Ok(()));
}

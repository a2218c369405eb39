//! Is it set up well: the machine before the first start, and the cluster after it.
//!
//! The faults by which clusters of newcomers fail, each with what repairs it. Some of them are
//! judged before a start too (`crate::instance::configuration`); nothing here keeps anything from
//! starting.

mod cluster;
mod corosync;
mod database;
mod machine;
mod options;
mod seen;

use serde_json::{Value, json};

use super::checked::{Checked, checked_json, worst_checked};
use super::problem::Health;
pub use options::Options;
pub use seen::{Database, Machine, Setup};

/// The ids of all that is checked.
pub const SETUP: [&str; 21] = [
    "address",
    "boot-start",
    "clock",
    "clone",
    "cluster",
    "configuration",
    "failures",
    "fence-tools",
    "fencing",
    "firewall",
    "listen",
    "load-threshold",
    "monitors",
    "name",
    "own-address",
    "pg-hba",
    "postgresql",
    "rights",
    "rings",
    "timeouts",
    "upgrades",
];

/// All that is checked.
pub fn check_setup(setup: &Setup) -> Vec<Checked> {
    let mut all = machine::check(&setup.machine, &setup.nodes);
    match &setup.database {
        Some(database) => all.extend(database::check(database)),
        None => all.push(unknown_database(setup.no_database.as_deref())),
    }
    if let Some(options) = &setup.options {
        all.extend(cluster::check(options, &setup.machine));
    }
    all.extend(setup.no_cluster.as_ref().map(|why| no_cluster(why)));
    debug_assert!(all.iter().all(|one| SETUP.contains(&one.id)));
    all.sort_by_key(|one| one.health);
    all
}

/// For programs.
pub fn setup_json(all: &[Checked]) -> Value {
    json!({
        "schema": "pgsqlms.setup/1",
        "health": worst_checked(all).word(),
        "checked": checked_json(all),
    })
}

fn no_cluster(why: &str) -> Checked {
    let text = format!("the cluster was not checked: {why}");
    Checked::new("cluster", Health::Attention, text).cure("docs/quick-start-pcs.md: the cluster")
}

fn unknown_database(why: Option<&str>) -> Checked {
    let why = why.unwrap_or(
        "no resource says where it is, and there is not just one instance of Debian's here",
    );
    let text = format!("PostgreSQL was not checked: {why}");
    Checked::warn("postgresql", text).cure("docs/quick-start-pcs.md: PostgreSQL")
}

//! Where the lab keeps its files on the host, and how it names machines there.
//!
//! ```text
//! BASE/rootfs/RELEASE-HASH        root file systems, read only once made
//! BASE/sysroot/RELEASE            libraries that the agent is linked with
//! BASE/agents/HASH                agents of earlier commits of this project
//! BASE/prepared/RELEASE-…-HASH    prepared clusters: one saved overlay layer per node
//! BASE/run/ID                     a cluster that runs (or was left behind by a killed run)
//! BASE/logs/WHEN/TEST             logs of failed tests
//! ```

use std::path::PathBuf;

/// The folder that holds everything, `PGSQLMS_LAB_DIR` or a folder under /var/lib.
pub fn base() -> PathBuf {
    std::env::var_os("PGSQLMS_LAB_DIR")
        .map_or_else(|| PathBuf::from("/var/lib/pgsqlms-lab"), PathBuf::from)
}

/// Root file systems.
pub fn rootfs() -> PathBuf {
    base().join("rootfs")
}

/// Prepared clusters.
pub fn prepared() -> PathBuf {
    base().join("prepared")
}

/// Agents of earlier commits, each named after its commit.
pub fn agents() -> PathBuf {
    base().join("agents")
}

/// Folder of the running cluster `id`.
pub fn run(id: &str) -> PathBuf {
    base().join("run").join(id)
}

/// Logs of failed tests.
pub fn logs() -> PathBuf {
    base().join("logs")
}

/// The workspace this program was built from: where the agent is built and docs are written.
pub fn workspace() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map_or(own.clone(), PathBuf::from)
}

/// Name of the container of node `name` of cluster `id`: also names its cable, hence short.
pub fn machine_name(id: &str, name: &str) -> String {
    format!("{id}-{name}")
}

//! What differs between Debian releases, in one table.

use anyhow::{Result, bail};

/// One Debian release and the words its packages use.
#[derive(Debug)]
pub struct Release {
    /// Code name, as mmdebstrap wants it.
    pub name: &'static str,
    /// Major version of PostgreSQL.
    pub postgresql: &'static str,
    /// How `pcs` calls the promoted role: in `--promoted`, in constraints and in `role=`.
    pub promoted: &'static str,
    /// How `role=` of a monitor is written for the primary.
    pub role_promoted: &'static str,
    /// How `role=` of a monitor is written for a standby.
    pub role_unpromoted: &'static str,
    /// Whether PostgreSQL's configuration names a folder for statistics under /run that only
    /// Debian's own start script makes.
    pub statistics_folder: bool,
    /// Further apt options for mmdebstrap.
    pub apt_options: &'static [&'static str],
}

const RELEASES: &[Release] = &[
    Release {
        name: "bullseye",
        postgresql: "13",
        promoted: "master",
        role_promoted: "Master",
        role_unpromoted: "Slave",
        statistics_folder: true,
        apt_options: &[],
    },
    Release {
        name: "bookworm",
        postgresql: "15",
        promoted: "promoted",
        role_promoted: "Promoted",
        role_unpromoted: "Unpromoted",
        statistics_folder: false,
        apt_options: &[],
    },
    Release {
        name: "trixie",
        postgresql: "17",
        promoted: "promoted",
        role_promoted: "Promoted",
        role_unpromoted: "Unpromoted",
        statistics_folder: false,
        apt_options: &[],
    },
    Release {
        name: "forky",
        postgresql: "18",
        promoted: "promoted",
        role_promoted: "Promoted",
        role_unpromoted: "Unpromoted",
        statistics_folder: false,
        // A mirror may be older than the validity of its Release file.
        apt_options: &["Acquire::Check-Valid-Until \"false\";"],
    },
];

/// Names of the known releases, for help texts.
pub const NAMES: [&str; 4] = ["bullseye", "bookworm", "trixie", "forky"];

/// The one that tests and clusters run on unless asked otherwise.
pub const DEFAULT: &str = NAMES[1];

/// The oldest one: what is linked with its libc runs on all.
pub const OLDEST: &str = NAMES[0];

/// Version of its libc.
pub const OLDEST_LIBC: (u32, u32) = (2, 31);

/// The release called `name`.
pub fn find(name: &str) -> Result<&'static Release> {
    match RELEASES.iter().find(|release| release.name == name) {
        Some(release) => Ok(release),
        None => bail!(
            "unknown Debian release {name}; known are {}",
            NAMES.join(", ")
        ),
    }
}

impl Release {
    /// Folder of PostgreSQL's programs.
    pub fn bindir(&self) -> String {
        format!("/usr/lib/postgresql/{}/bin", self.postgresql)
    }

    /// Debian's configuration folder of the instance `name`.
    pub fn confdir(&self, name: &str) -> String {
        format!("/etc/postgresql/{}/{name}", self.postgresql)
    }

    /// Data directory of the instance `name`.
    pub fn datadir(&self, name: &str) -> String {
        format!("/var/lib/postgresql/{}/{name}", self.postgresql)
    }

    /// Lines of tmpfiles.d that PostgreSQL needs before any agent starts it.
    pub fn tmpfiles(&self) -> String {
        let line = |name: &str| {
            let version = self.postgresql;
            format!("d /run/postgresql/{version}-{name}.pg_stat_tmp 2750 postgres postgres\n")
        };
        if self.statistics_folder {
            line("main") + &line("second")
        } else {
            String::new()
        }
    }

    /// The option of `pcs resource move` and `ban` that limits it to the promoted role.
    pub fn promoted_flag(&self) -> String {
        format!("--{}", self.promoted)
    }
}

//! The resource parameters: PAF's names and defaults, parsed strictly.
//!
//! Reading never touches the host: whether a directory exists is a question
//! for validate-all and start.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::{Environment, Failure, OcfExit};

/// The names of all parameters, as metadata.xml has them.
pub const NAMES: [&str; 11] = [
    "system_user",
    "bindir",
    "pgdata",
    "datadir",
    "pghost",
    "pgport",
    "maxlag",
    "sync_guard",
    "rejoin",
    "recovery_template",
    "start_opts",
];

const PGDATA: &str = "/var/lib/pgsql/data";

/// What becomes of a node whose data left the branch of the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejoin {
    /// It stays a standby that follows nobody, until an admin repairs it.
    Follow,
    /// `start` runs pg_rewind, which throws away what only this node holds.
    Rewind,
}

impl fmt::Display for Rejoin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rejoin::Follow => "follow",
            Rejoin::Rewind => "rewind",
        })
    }
}

/// A parameter that cannot be what it is set to, on any node.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ParameterError {
    /// Not a port.
    #[error("pgport \"{0}\" is not a port number (1-65535)")]
    Port(String),
    /// Not a number of bytes.
    #[error("maxlag \"{0}\" is not a whole number of bytes (0 = no limit)")]
    MaxLag(String),
    /// Not a boolean.
    #[error("{name} \"{value}\" is neither true nor false")]
    Boolean {
        /// The parameter.
        name: &'static str,
        /// What it is set to.
        value: String,
    },
    /// Not a way to rejoin.
    #[error("rejoin \"{0}\" is neither follow nor rewind")]
    Rejoin(String),
    /// A directory parameter that is not absolute.
    #[error("{name} \"{value}\" is not an absolute path")]
    Relative {
        /// The parameter.
        name: &'static str,
        /// What it is set to.
        value: String,
    },
}

impl ParameterError {
    /// The parameter, if it does not say where or how the instance runs.
    fn policy(&self) -> Option<&'static str> {
        match self {
            Self::MaxLag(_) => Some("maxlag"),
            Self::Boolean { name, .. } => Some(name),
            Self::Rejoin(_) => Some("rejoin"),
            Self::Port(_) | Self::Relative { .. } => None,
        }
    }
}

impl From<ParameterError> for Failure {
    /// 2, not 6: the clone on other nodes must not stop for it, since
    /// a running instance goes on with the parameters it was started with.
    fn from(error: ParameterError) -> Self {
        Failure::new(OcfExit::Arguments, error.to_string())
    }
}

/// The parameters of the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// The account PostgreSQL runs as; also the database role we log in as.
    pub system_user: String,
    /// Directory of `postgres`, `pg_ctl`, `pg_controldata`.
    pub bindir: PathBuf,
    /// Directory given to `pg_ctl --pgdata`; Debian's configuration directory.
    pub pgdata: PathBuf,
    /// The data directory proper.
    pub datadir: PathBuf,
    /// Socket directory, or host name or address.
    pub pghost: String,
    /// Port, also part of the socket's name.
    pub pgport: u16,
    /// Bytes of write lag beyond which a standby is no candidate; 0 = no limit.
    pub maxlag: u64,
    /// Refuse a promotion that may lose an acknowledged synchronous commit.
    pub sync_guard: bool,
    /// What becomes of a node whose data has diverged.
    pub rejoin: Rejoin,
    /// Extra options of the server (`pg_ctl -o`).
    pub start_opts: Option<String>,
    /// The template of `recovery.conf`, which PostgreSQL 12 no longer knows.
    pub recovery_template: PathBuf,
}

impl Parameters {
    /// Reads `OCF_RESKEY_*`.
    pub fn from_environment(environment: &Environment) -> Result<Self, ParameterError> {
        let text =
            |name: &str, default: &str| environment.parameter(name).unwrap_or(default).to_owned();
        let path = |name: &'static str, default: PathBuf| match environment.parameter(name) {
            None => Ok(default),
            Some(value) => absolute(name, value),
        };
        let pgdata = path("pgdata", PathBuf::from(PGDATA))?;
        Ok(Self {
            system_user: text("system_user", "postgres"),
            bindir: path("bindir", PathBuf::from("/usr/bin"))?,
            datadir: path("datadir", pgdata.clone())?,
            recovery_template: path("recovery_template", pgdata.join("recovery.conf.pcmk"))?,
            pgdata,
            pghost: text("pghost", "/var/run/postgresql"),
            pgport: port(environment.parameter("pgport"))?,
            maxlag: maxlag(environment.parameter("maxlag"))?,
            sync_guard: boolean("sync_guard", environment.parameter("sync_guard"), true)?,
            rejoin: rejoin(environment.parameter("rejoin"))?,
            start_opts: environment.parameter("start_opts").map(str::to_owned),
        })
    }

    /// The defaults, for one data directory: all that is known where another parameter
    /// is wrong.
    pub fn of_datadir(datadir: PathBuf) -> Self {
        Self {
            system_user: "postgres".to_owned(),
            bindir: PathBuf::from("/usr/bin"),
            recovery_template: datadir.join("recovery.conf.pcmk"),
            pgdata: datadir.clone(),
            datadir,
            pghost: "/var/run/postgresql".to_owned(),
            pgport: 5432,
            maxlag: 0,
            sync_guard: true,
            rejoin: Rejoin::Follow,
            start_opts: None,
        }
    }

    /// The same for an instance that may run: a typo in a parameter that only
    /// says what is allowed counts as its default, which is the safe side.
    pub fn in_effect(environment: &Environment) -> Result<Self, ParameterError> {
        let mut environment = environment.clone();
        loop {
            let error = match Self::from_environment(&environment) {
                Ok(parameters) => return Ok(parameters),
                Err(error) => error,
            };
            let Some(name) = error.policy() else {
                return Err(error);
            };
            log::error!("{error}: using the default");
            environment.remove(&format!("OCF_RESKEY_{name}"));
        }
    }

    /// A program of this PostgreSQL.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bindir.join(name)
    }
}

/// The data directory alone, where another parameter is wrong.
pub fn datadir(environment: &Environment) -> Option<PathBuf> {
    let value = environment.parameter("datadir");
    let value = value.or_else(|| environment.parameter("pgdata"));
    let value = value.unwrap_or(PGDATA);
    absolute("datadir", value).ok()
}

fn absolute(name: &'static str, value: &str) -> Result<PathBuf, ParameterError> {
    let path = PathBuf::from(value);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(ParameterError::Relative {
        name,
        value: value.to_owned(),
    })
}

/// PAF reads "0" as "default", for every parameter.
fn port(value: Option<&str>) -> Result<u16, ParameterError> {
    match value {
        None | Some("0") => Ok(5432),
        Some(text) => strict_number(text).ok_or_else(|| ParameterError::Port(text.to_owned())),
    }
}

fn maxlag(value: Option<&str>) -> Result<u64, ParameterError> {
    match value {
        None => Ok(0),
        Some(text) => strict_number(text).ok_or_else(|| ParameterError::MaxLag(text.to_owned())),
    }
}

/// The words that Pacemaker takes for a boolean (`crm_str_to_boolean`).
fn boolean(name: &'static str, value: Option<&str>, default: bool) -> Result<bool, ParameterError> {
    let Some(value) = value else {
        return Ok(default);
    };
    match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "y" | "1" => Ok(true),
        "false" | "off" | "no" | "n" | "0" => Ok(false),
        _ => Err(ParameterError::Boolean {
            name,
            value: value.to_owned(),
        }),
    }
}

fn rejoin(value: Option<&str>) -> Result<Rejoin, ParameterError> {
    match value {
        None | Some("follow") => Ok(Rejoin::Follow),
        Some("rewind") => Ok(Rejoin::Rewind),
        Some(other) => Err(ParameterError::Rejoin(other.to_owned())),
    }
}

/// Digits only: `parse` alone would take a sign.
fn strict_number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parameters(variables: &[(&str, &str)]) -> Result<Parameters, ParameterError> {
        Parameters::from_environment(&Environment::of(variables))
    }

    #[test]
    fn the_defaults_are_those_of_paf() {
        let defaults = parameters(&[]).unwrap();
        assert_eq!(defaults.system_user, "postgres");
        assert_eq!(defaults.bindir, PathBuf::from("/usr/bin"));
        assert_eq!(defaults.datadir, PathBuf::from("/var/lib/pgsql/data"));
        assert_eq!(defaults.pgport, 5432);
        assert_eq!(defaults.maxlag, 0);
        assert_eq!(parameters(&[("OCF_RESKEY_pgport", "0")]).unwrap(), defaults);
        assert_eq!(parameters(&[("OCF_RESKEY_pgport", "")]).unwrap(), defaults);
    }

    #[test]
    fn datadir_and_template_follow_pgdata() {
        let split = parameters(&[("OCF_RESKEY_pgdata", "/etc/postgresql/15/main")]).unwrap();
        assert_eq!(split.datadir, PathBuf::from("/etc/postgresql/15/main"));
        assert!(
            split
                .recovery_template
                .starts_with("/etc/postgresql/15/main")
        );
    }

    #[test]
    fn numbers_are_digits_and_nothing_else() {
        for bad in [
            "1e6",
            "0x10",
            "inf",
            "nan",
            "-1",
            "+1",
            "1 000",
            "99999999999999999999",
        ] {
            let error = parameters(&[("OCF_RESKEY_maxlag", bad)]).unwrap_err();
            assert_eq!(error, ParameterError::MaxLag(bad.to_owned()));
        }
        for bad in ["65536", "+5432", "http"] {
            assert!(parameters(&[("OCF_RESKEY_pgport", bad)]).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_guard_is_on_unless_it_is_clearly_off() {
        let guard = |value| parameters(&[("OCF_RESKEY_sync_guard", value)]).map(|p| p.sync_guard);
        assert_eq!(
            [guard(""), guard("No"), guard("1")],
            [Ok(true), Ok(false), Ok(true)]
        );
        assert!(guard("maybe").is_err());
    }

    #[test]
    fn a_node_is_only_rewound_where_asked_for() {
        let rejoin = |value| parameters(&[("OCF_RESKEY_rejoin", value)]).map(|p| p.rejoin);
        assert_eq!(rejoin(""), Ok(Rejoin::Follow));
        assert_eq!(rejoin("rewind"), Ok(Rejoin::Rewind));
        assert!(rejoin("Rewind please").is_err());
    }

    #[test]
    fn a_typo_in_a_policy_costs_no_instance_that_runs() {
        let typos = Environment::of(&[
            ("OCF_RESKEY_maxlag", "1e6"),
            ("OCF_RESKEY_sync_guard", "maybe"),
            ("OCF_RESKEY_rejoin", "somehow"),
            ("OCF_RESKEY_pgport", "5433"),
        ]);
        let parsed = Parameters::in_effect(&typos).unwrap();
        assert_eq!((parsed.maxlag, parsed.sync_guard), (0, true));
        assert_eq!((parsed.rejoin, parsed.pgport), (Rejoin::Follow, 5433));
        let lost = Environment::of(&[("OCF_RESKEY_pgport", "http")]);
        assert!(Parameters::in_effect(&lost).is_err());
    }

    #[test]
    fn a_relative_directory_is_refused() {
        assert!(parameters(&[("OCF_RESKEY_pgdata", "data")]).is_err());
    }

    proptest! {
        #[test]
        fn a_number_is_read_as_it_is(number: u64, port in 1..=u16::MAX) {
            let (number, port) = (number.to_string(), port.to_string());
            let read = parameters(&[("OCF_RESKEY_maxlag", &number), ("OCF_RESKEY_pgport", &port)]);
            let read = read.unwrap();
            prop_assert_eq!((read.maxlag.to_string(), read.pgport.to_string()), (number, port));
        }

        #[test]
        fn no_value_panics_or_hides(name in proptest::sample::select(&NAMES[..]), text in "(?s).*") {
            let variable = format!("OCF_RESKEY_{name}");
            let read = parameters(&[(&variable, &text)]);
            if let Err(error) = read {
                prop_assert!(error.to_string().contains(text.trim()), "{error}");
            }
            let _ = Parameters::in_effect(&Environment::of(&[(&variable, &text)]));
        }
    }
}

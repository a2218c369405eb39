//! The resource parameters: PAF's names and defaults, parsed strictly.
//!
//! Reading never touches the host: whether a directory exists is a question
//! for validate-all and start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Environment;
use super::parameter::{Kind, Parameter, ParameterError};
use super::values::{absolute, boolean, number, role};

const SYSTEM_USER: Parameter = Parameter::place("system_user", "postgres", Kind::Text);
const DB_ROLE: Parameter = Parameter::place("db_role", "", Kind::Role);
const BINDIR: Parameter = Parameter::place("bindir", "/usr/bin", Kind::Directory);
const PGDATA: Parameter = Parameter::place("pgdata", "/var/lib/pgsql/data", Kind::Directory);
const DATADIR: Parameter = Parameter::place("datadir", "", Kind::Directory);
const PGHOST: Parameter = Parameter::place("pghost", "/var/run/postgresql", Kind::Text);
const PGPORT: Parameter = Parameter::place("pgport", "5432", Kind::Port);
const MAXLAG: Parameter = Parameter::policy("maxlag", "0", Kind::Bytes);
const MAXLOSS: Parameter = Parameter::policy("maxloss", "16777216", Kind::Bytes);
const SYNC_GUARD: Parameter = Parameter::policy("sync_guard", "true", Kind::Boolean);
const REJOIN: Parameter = Parameter::policy("rejoin", "follow", Kind::Rejoin);
const SLOTS: Parameter = Parameter::policy("slots", "none", Kind::Slots);
const WATCH: Parameter = Parameter::policy("watch", "5", Kind::Seconds);
const TEMPLATE: Parameter = Parameter::place("recovery_template", "", Kind::Directory);
const START_OPTS: Parameter = Parameter::place("start_opts", "", Kind::Text);

/// All parameters, in the order of metadata.xml.
#[cfg(test)]
pub const ALL: [Parameter; 15] = [
    SYSTEM_USER,
    DB_ROLE,
    BINDIR,
    PGDATA,
    DATADIR,
    PGHOST,
    PGPORT,
    MAXLAG,
    MAXLOSS,
    SYNC_GUARD,
    REJOIN,
    SLOTS,
    WATCH,
    TEMPLATE,
    START_OPTS,
];

/// What becomes of a node whose data left the branch of the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejoin {
    /// It stays a standby that follows nobody, until an admin repairs it.
    Follow,
    /// `start` runs pg_rewind, which throws away what only this node holds.
    Rewind,
}

impl Rejoin {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "follow" => Some(Self::Follow),
            "rewind" => Some(Self::Rewind),
            _ => None,
        }
    }
}

/// For whom the agent keeps replication slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slots {
    /// For nobody.
    None,
    /// On every node, for every other node.
    Nodes,
}

impl Slots {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "nodes" => Some(Self::Nodes),
            _ => None,
        }
    }
}

/// The parameters of the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// The account PostgreSQL runs as; also the database role we log in as, without `db_role`.
    pub system_user: String,
    /// The database role we log in as, which need not be a superuser.
    pub db_role: Option<String>,
    /// The variable PGPASSFILE: where the password of `db_role` is, if not in the home directory
    /// of `system_user`.
    pub passfile: Option<PathBuf>,
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
    /// Bytes that a node which Pacemaker may not promote may hold more than the one that is
    /// promoted in its place; 0 = none.
    pub maxloss: u64,
    /// Refuse a promotion that may lose an acknowledged synchronous commit.
    pub sync_guard: bool,
    /// What becomes of a node whose data has diverged.
    pub rejoin: Rejoin,
    /// For whom it keeps replication slots.
    pub slots: Slots,
    /// How long a monitor of the primary waits for the end of the postmaster; zero = never.
    pub watch: Duration,
    /// Extra options of the server (`pg_ctl -o`).
    pub start_opts: Option<String>,
    /// The template of `recovery.conf`, which PostgreSQL 12 no longer knows.
    pub recovery_template: PathBuf,
}

impl Parameters {
    /// Reads `OCF_RESKEY_*`.
    pub fn from_environment(environment: &Environment) -> Result<Self, ParameterError> {
        let text = |parameter: &Parameter| parameter.text(environment).to_owned();
        let pgdata = PGDATA.read(environment, absolute)?;
        let template = pgdata.join("recovery.conf.pcmk");
        Ok(Self {
            system_user: text(&SYSTEM_USER),
            db_role: DB_ROLE.read(environment, role)?,
            passfile: environment.get("PGPASSFILE").and_then(absolute),
            bindir: BINDIR.read(environment, absolute)?,
            datadir: DATADIR.read(environment, |text| absolute_or(&pgdata, text))?,
            recovery_template: TEMPLATE.read(environment, |text| absolute_or(&template, text))?,
            pgdata,
            pghost: text(&PGHOST),
            pgport: PGPORT.read(environment, port)?,
            maxlag: MAXLAG.read(environment, number)?,
            maxloss: MAXLOSS.read(environment, number)?,
            sync_guard: SYNC_GUARD.read(environment, boolean)?,
            rejoin: REJOIN.read(environment, Rejoin::parse)?,
            slots: SLOTS.read(environment, Slots::parse)?,
            watch: Duration::from_secs(WATCH.read(environment, number::<u32>)?.into()),
            start_opts: Some(text(&START_OPTS)).filter(|options| !options.is_empty()),
        })
    }

    /// The same for an instance that may run: a typo in a parameter that only
    /// says what is allowed counts as its default, which is the safe side.
    pub fn in_effect(environment: &Environment) -> Result<Self, ParameterError> {
        let mut environment = environment.clone();
        loop {
            let error = match Self::from_environment(&environment) {
                Err(error) if error.parameter().is_policy() => error,
                read => return read,
            };
            log::error!("{error}: using the default");
            environment.remove(&format!("OCF_RESKEY_{}", error.parameter().name));
        }
    }

    /// The data directory, with everything else by default: all that is known where
    /// another parameter is wrong. `None` if the data directory is wrong as well.
    pub fn of_datadir(environment: &Environment) -> Option<Self> {
        let datadir = Some(DATADIR.text(environment)).filter(|text| !text.is_empty());
        let datadir = datadir.unwrap_or_else(|| PGDATA.text(environment));
        let variable = format!("OCF_RESKEY_{}", PGDATA.name);
        let alone = Environment::from_iter([(variable, datadir.to_owned())]);
        Self::from_environment(&alone).ok()
    }

    /// A program of this PostgreSQL.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bindir.join(name)
    }
}

fn absolute_or(default: &Path, text: &str) -> Option<PathBuf> {
    if text.is_empty() {
        return Some(default.to_owned());
    }
    absolute(text)
}

/// PAF reads "0" as "default".
fn port(text: &str) -> Option<u16> {
    number(if text == "0" { PGPORT.default } else { text }).filter(|port| *port > 0)
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
        assert_eq!(defaults.maxloss, 16 * 1024 * 1024);
        assert_eq!(defaults.watch, Duration::from_secs(5));
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
            assert_eq!((error.parameter(), error.value()), (&MAXLAG, bad));
        }
        for bad in ["65536", "+5432", "00", "http"] {
            assert!(parameters(&[("OCF_RESKEY_pgport", bad)]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_role_is_any_name_that_postgresql_may_have() {
        let role = |value: &str| parameters(&[("OCF_RESKEY_db_role", value)]).map(|p| p.db_role);
        assert_eq!(role(""), Ok(None));
        assert_eq!(role("The agent"), Ok(Some("The agent".to_owned())));
        assert!(role(&"x".repeat(64)).is_err() && role("a\u{7}").is_err());
        let elsewhere = Environment::of(&[("PGPASSFILE", "/root/pass")]);
        let read = Parameters::from_environment(&elsewhere).unwrap();
        assert_eq!(read.passfile, Some(PathBuf::from("/root/pass")));
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
            ("OCF_RESKEY_watch", "5s"),
            ("OCF_RESKEY_slots", "all"),
            ("OCF_RESKEY_pgport", "5433"),
        ]);
        let parsed = Parameters::in_effect(&typos).unwrap();
        assert_eq!((parsed.maxlag, parsed.sync_guard), (0, true));
        assert_eq!((parsed.rejoin, parsed.pgport), (Rejoin::Follow, 5433));
        assert_eq!(parsed.slots, Slots::None);
        let lost = Environment::of(&[("OCF_RESKEY_pgport", "http")]);
        assert!(Parameters::in_effect(&lost).is_err());
    }

    #[test]
    fn a_value_of_no_kind_is_refused_with_name_and_value() {
        let words = [Kind::Text, Kind::Role];
        for parameter in ALL.iter().filter(|one| !words.contains(&one.kind)) {
            let variable = format!("OCF_RESKEY_{}", parameter.name);
            let error = parameters(&[(&variable, "no such")]).unwrap_err();
            assert_eq!(error.parameter(), parameter);
            let reason = format!("{} \"no such\" is ", parameter.name);
            assert!(error.to_string().starts_with(&reason), "{error}");
        }
    }

    #[test]
    fn where_a_parameter_is_wrong_the_data_directory_is_still_known() {
        fn datadir(variables: &[(&str, &str)]) -> Option<Parameters> {
            Parameters::of_datadir(&Environment::of(variables))
        }
        let wrong = ("OCF_RESKEY_pgport", "http");
        let pgdata = ("OCF_RESKEY_pgdata", "/conf");
        let both = datadir(&[wrong, pgdata, ("OCF_RESKEY_datadir", "/data")]).unwrap();
        assert_eq!(both.datadir, PathBuf::from("/data"));
        let one = datadir(&[wrong, pgdata]).unwrap();
        assert_eq!((one.datadir, one.pgport), (PathBuf::from("/conf"), 5432));
        let none = datadir(&[wrong]).unwrap();
        assert_eq!(none.datadir, PathBuf::from("/var/lib/pgsql/data"));
        assert_eq!(datadir(&[("OCF_RESKEY_datadir", "data")]), None);
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
        fn no_value_panics_or_hides(name in proptest::sample::select(ALL.map(|one| one.name).to_vec()), text in "(?s).*") {
            let variable = format!("OCF_RESKEY_{name}");
            let read = parameters(&[(&variable, &text)]);
            if let Err(error) = read {
                prop_assert!(error.to_string().contains(text.trim()), "{error}");
            }
            let _ = Parameters::in_effect(&Environment::of(&[(&variable, &text)]));
        }
    }
}

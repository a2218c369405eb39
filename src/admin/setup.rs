//! check --setup: looks at the machine, the server's configuration and the cluster's, before the
//! first start and after it. Nothing is changed, and PostgreSQL need not run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::look::{Where, environment, this_node};
use crate::instance::configuration::{Facts, Finding, SETTINGS, judge};
use crate::ocf::{Deadline, Environment, NodeName, Parameters};
use crate::pacemaker::Tools;
use crate::postgres::{RealServer, Server, SettingError};
use crate::steps::{rights, validation};
use crate::system::{host_name, machine};
use crate::view::cib::Cib;
use crate::view::setup::{Database, Machine, Options, Setup};

/// How long all of it may take.
const LONGEST: Duration = Duration::from_secs(25);
/// What is asked besides what a start judges.
const LISTEN: &str = "listen_addresses";
/// Agents that run `ipmitool`, by how their names begin.
const OF_IPMI: [&str; 4] = ["fence_ipmilan", "fence_ilo", "fence_idrac", "fence_imm"];

/// Looks.
pub fn look(place: &Where, shell: &Environment) -> Setup {
    let root = Path::new("/");
    let deadline = Deadline::after(LONGEST);
    let name = host_name::get();
    let seen = cluster(place, shell, deadline);
    let (parameters, node) = match &seen {
        Ok((cib, here, _)) => (Some(of_cluster(cib, here.as_ref(), shell)), here.clone()),
        Err(_) => (by_guess(root), name.as_deref().and_then(NodeName::new)),
    };
    let port = match &parameters {
        Some(Ok((parameters, _))) => parameters.pgport,
        Some(Err(_)) | None => 5432,
    };
    let looked = parameters.map(|instance| look_at(instance, node.as_ref(), deadline));
    let (database, no_database) = match looked {
        Some(Ok(database)) => (Some(database), None),
        Some(Err(why)) => (None, Some(why)),
        None => (None, None),
    };
    let (nodes, options, no_cluster) = match seen {
        Ok((cib, _, options)) => (cib.nodes.into_keys().collect(), options, None),
        Err(why) => (Vec::new(), None, Some(why)),
    };
    Setup {
        machine: machine_of(root, name, (port, options.as_ref())),
        nodes,
        options,
        no_cluster,
        database,
        no_database,
    }
}

fn machine_of(
    root: &Path,
    name: Option<String>,
    (port, options): (u16, Option<&Options>),
) -> Machine {
    let (corosync, no_corosync) = match machine::corosync(root) {
        Ok(text) => (text, None),
        Err(error) => (None, Some(error.to_string())),
    };
    Machine {
        addresses: name.as_deref().map(machine::addresses).unwrap_or_default(),
        corosync,
        no_corosync,
        has_clock: machine::has_clock(root),
        firewalls: machine::firewalls(root, port),
        upgrades: machine::upgrades(root),
        missing: options.map(|one| missing(root, one)).unwrap_or_default(),
        name,
    }
}

type Cluster = (Cib, Option<NodeName>, Option<Options>);

fn cluster(place: &Where, shell: &Environment, deadline: Deadline) -> Result<Cluster, String> {
    let tools = Tools::new(shell, deadline);
    let (xml, answers) = place.xml(&tools).map_err(|failure| failure.reason)?;
    let cib = Cib::parse(&xml, place.resource.as_deref()).map_err(|error| error.to_string())?;
    let here = this_node(&cib, answers, &tools);
    let options = Options::parse(&xml, &cib.resource.id);
    Ok((cib, here, options))
}

/// The parameters of an instance and a name for its files, or why they cannot be told.
type Instance = Result<(Parameters, String), String>;

fn of_cluster(cib: &Cib, here: Option<&NodeName>, shell: &Environment) -> Instance {
    instance(&environment(cib, here, shell), &cib.resource.id)
}

fn instance(environment: &Environment, id: &str) -> Instance {
    let parameters = Parameters::in_effect(environment).map_err(|error| error.to_string())?;
    Ok((parameters, id.to_owned()))
}

/// Before there is a resource: Debian's instance, if there is one alone.
fn by_guess(root: &Path) -> Option<Instance> {
    let instances = machine::instances_of_debian(root);
    let [(version, name)] = instances.as_slice() else {
        return None;
    };
    let guessed = [
        ("bindir", format!("/usr/lib/postgresql/{version}/bin")),
        ("pgdata", format!("/etc/postgresql/{version}/{name}")),
        ("datadir", format!("/var/lib/postgresql/{version}/{name}")),
    ];
    let guessed = guessed.map(|(name, value)| (format!("OCF_RESKEY_{name}"), value));
    Some(instance(&guessed.into_iter().collect(), "setup"))
}

/// The agents of the cluster's fence devices, and their tools, that this machine lacks.
fn missing(root: &Path, options: &Options) -> Vec<String> {
    let agents = options.fence_agents.iter();
    let mut wanted: Vec<_> = agents.map(String::as_str).collect();
    let is_ipmi = |agent: &&str| OF_IPMI.iter().any(|begin| agent.starts_with(begin));
    let ipmi = wanted.iter().any(is_ipmi).then_some("ipmitool");
    wanted.extend(ipmi);
    wanted.sort_unstable();
    wanted.dedup();
    // Those that are not programs in the usual folder are Pacemaker's own.
    let lacks = |name: &&str| {
        let is_ours = name.starts_with("fence_") || *name == "ipmitool";
        is_ours && *name != "fence_watchdog" && !machine::has_program(root, name)
    };
    wanted.retain(|name| lacks(name));
    wanted.into_iter().map(str::to_owned).collect()
}

fn look_at(
    instance: Instance,
    node: Option<&NodeName>,
    deadline: Deadline,
) -> Result<Database, String> {
    let (parameters, id) = instance?;
    let server = RealServer::look_up(parameters, &id).map_err(|error| error.to_string())?;
    Ok(database(&server, node, deadline))
}

fn database(server: &dyn Server, node: Option<&NodeName>, deadline: Deadline) -> Database {
    let parameters = server.parameters();
    let version = server.data_version().ok().flatten();
    let version = version
        .map(|version| format!(" {version}"))
        .unwrap_or_default();
    let broken = validation::files(server)
        .err()
        .map(|failure| failure.reason);
    let mut seen = Database {
        what: format!(
            "PostgreSQL{version} in {}, data in {}",
            parameters.bindir.display(),
            parameters.datadir.display()
        ),
        boot_start: server.boot_start().map(|file| file.display().to_string()),
        grants: rights::lacking(server, deadline)
            .map_err(|why| why.to_string())
            .transpose(),
        ..Database::default()
    };
    if broken.is_none() {
        configuration(server, &mut seen, (node, deadline));
    }
    seen.broken = broken;
    seen
}

/// As a start reads and judges it.
fn configuration(
    server: &dyn Server,
    seen: &mut Database,
    (node, deadline): (Option<&NodeName>, Deadline),
) {
    let settings = match settings(server, deadline) {
        Ok(settings) => settings,
        Err(finding) => return seen.findings.push(finding),
    };
    let parameters = server.parameters();
    let control = server.control_data(deadline).ok();
    let directory = settings.get("data_directory");
    seen.listen = settings.get(LISTEN).cloned();
    seen.hba = settings
        .get("hba_file")
        .and_then(|path| server.text_of(path));
    seen.findings = judge(&Facts {
        settings: &settings,
        node: node.map(NodeName::as_str),
        pghost: &parameters.pghost,
        pgport: parameters.pgport,
        rejoin: parameters.rejoin,
        is_datadir: directory.is_none_or(|path| server.is_datadir(Path::new(path))),
        hints_logged: control.as_ref().map(|control| control.hints_logged),
        needed: control.map(|control| control.needed),
        hba: seen.hba.as_deref(),
    });
}

fn settings(
    server: &dyn Server,
    deadline: Deadline,
) -> Result<BTreeMap<&'static str, String>, Finding> {
    let names = [&SETTINGS[..], &[LISTEN]].concat();
    let read = server.settings(&names, deadline).into_iter();
    let read = read.map(|(name, value)| Ok((name, value?)));
    read.collect::<Result<_, _>>().map_err(|error| match error {
        SettingError::Refused(text) => Finding::Error(text),
        error => Finding::Warning(format!("the configuration was not checked: {error}")),
    })
}

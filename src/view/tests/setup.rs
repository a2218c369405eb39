//! What `check --setup` says of machines and clusters.

use crate::instance::configuration::Finding;
use crate::testing::{check, node};
use crate::view::setup::{Database, Machine, Options, Setup, check_setup, setup_json};
use crate::view::{checked_lines, worst_checked};

/// As the quick start has it, in three parts that a case may take from or add to.
const CLUSTER: &str = r#"<cib><configuration>
    <crm_config><cluster_property_set>
      <nvpair name="stonith-enabled" value="true"/>
      <nvpair name="load-threshold" value="400%"/></cluster_property_set></crm_config>
    <resources>
      <primitive id="fence-srv1" class="stonith" type="fence_ipmilan"/>
      <clone id="pgsqld-clone"><meta_attributes id="m">
          <nvpair name="promotable" value="true"/><nvpair name="notify" value="true"/></meta_attributes>
        <primitive id="pgsqld" class="ocf" provider="heartbeat" type="pgsqlms"><operations>
          <op name="start" interval="0s" timeout="60s"/><op name="stop" interval="0s" timeout="60s"/>
          <op name="promote" interval="0s" timeout="30s"/><op name="demote" interval="0s" timeout="120s"/>
          <op name="notify" interval="0s" timeout="60s"/>
          <op name="monitor" interval="1s" timeout="60s" role="Promoted"/>
          <op name="monitor" interval="16s" timeout="10s" role="Unpromoted"/></operations></primitive></clone>
      <primitive id="ip" class="ocf" type="IPaddr2"><meta_attributes id="a">
          <nvpair name="priority" value="INFINITY"/></meta_attributes></primitive></resources>
    <constraints>
      <rsc_colocation id="c" rsc="ip" with-rsc="pgsqld-clone" with-rsc-role="Promoted"/>
      <rsc_order id="o" first="pgsqld-clone" first-action="demote" then="ip" then-action="stop" kind="Optional"/>
    </constraints></configuration></cib>"#;

/// A machine and a cluster in which nothing is wrong.
fn well() -> Setup {
    Setup {
        machine: Machine {
            name: Some("srv1".to_owned()),
            addresses: vec!["10.0.0.1".to_owned()],
            corosync: Some("ring0_addr: 10.0.0.1\nring1_addr: 10.0.1.1\n".to_owned()),
            has_clock: true,
            ..Machine::default()
        },
        nodes: vec![node("srv1"), node("srv2")],
        options: Options::parse(CLUSTER, "pgsqld"),
        no_cluster: None,
        no_database: None,
        database: Some(Database {
            what: "PostgreSQL 17".to_owned(),
            listen: Some("*".to_owned()),
            hba: Some("host replication all samenet scram-sha-256\n".to_owned()),
            ..Database::default()
        }),
    }
}

/// `cib OLD => NEW` changes the text of the cluster.
fn of(facts: &[&str]) -> Setup {
    let mut setup = well();
    let mut cib = CLUSTER.to_owned();
    for fact in facts {
        let (kind, rest) = fact.split_once(' ').unwrap_or((fact, ""));
        let database = setup.database.as_mut().unwrap();
        match kind {
            "name" => setup.machine.name = Some(rest.to_owned()),
            "address" => setup.machine.addresses = vec![rest.to_owned()],
            "corosync" => setup.machine.corosync = Some(rest.replace("; ", "\n")),
            "no-corosync" => setup.machine.corosync = None,
            "unreadable-corosync" => {
                setup.machine.corosync = None;
                setup.machine.no_corosync = Some(rest.to_owned());
            }
            "no-clock" => setup.machine.has_clock = false,
            "firewall" => setup.machine.firewalls.push("firewalld"),
            "upgrades" => setup.machine.upgrades = true,
            "missing" => setup.machine.missing.push(rest.to_owned()),
            "no-cluster" => (setup.no_cluster, setup.nodes) = (Some(rest.to_owned()), vec![]),
            "cib" => {
                let (old, new) = rest.split_once("=>").unwrap();
                assert!(cib.contains(old.trim()), "{old}");
                cib = cib.replace(old.trim(), new.trim());
            }
            "boot" => database.boot_start = Some(rest.to_owned()),
            "broken" => database.broken = Some(rest.to_owned()),
            "error" => database.findings.push(Finding::Error(rest.to_owned())),
            "warning" => database.findings.push(Finding::Warning(rest.to_owned())),
            "listen" => database.listen = Some(rest.to_owned()),
            "rights" => database.grants = Some(Ok(Vec::new())),
            "grant" => database.grants = Some(Ok(vec![rest.to_owned()])),
            "no-rights" => database.grants = Some(Err(rest.to_owned())),
            "hba" => database.hba = Some(rest.to_owned()),
            other => panic!("{other:?}"),
        }
    }
    setup.options = Options::parse(&cib, "pgsqld").filter(|_| setup.no_cluster.is_none());
    setup
}

/// What is well is left out where a case names a fault.
#[test]
fn table_of_setup() {
    check(include_str!("../testdata/setup.txt"), |facts| {
        let all = check_setup(&of(facts));
        let lines = checked_lines(&all);
        let lines = lines.iter().map(crate::ocf::Line::text);
        let shown = lines.filter(|line| facts.is_empty() || !line.starts_with("ok "));
        let shown: Vec<_> = shown.collect();
        format!("{}\nexit {}", shown.join("\n"), worst_checked(&all).code())
    });
}

#[test]
fn a_machine_without_postgresql_is_told_so() {
    let setup = |why: Option<&str>| Setup {
        database: None,
        no_database: why.map(str::to_owned),
        ..well()
    };
    let json = setup_json(&check_setup(&setup(None)));
    assert_eq!(json["health"], "attention");
    let told = |setup: Setup| {
        let all = check_setup(&setup).into_iter();
        let of_server = all.filter(|one| one.id == "postgresql");
        of_server.map(|one| one.text).collect::<String>()
    };
    assert!(told(setup(None)).contains("no resource says where it is"));
    let why = "system user \"pg\" does not exist";
    let wanted = format!("PostgreSQL was not checked: {why}");
    assert_eq!(told(setup(Some(why))), wanted);
}

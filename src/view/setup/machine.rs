//! The machine: its name, its clock, its ways to the others.

use super::corosync::Corosync;
use super::seen::Machine;
use crate::ocf::NodeName;
use crate::view::checked::Checked;

/// All of it.
pub fn check(machine: &Machine, nodes: &[NodeName]) -> Vec<Checked> {
    let mut all = vec![
        name(machine, nodes),
        own_address(machine),
        rings(machine),
        clock(machine),
    ];
    all.extend(firewalls(machine));
    all.extend(upgrades(machine));
    all
}

/// Standbys are known by this name, and `$(uname -n)` is what people write.
fn name(machine: &Machine, nodes: &[NodeName]) -> Checked {
    let Some(name) = &machine.name else {
        return Checked::unknown("name", "what this machine calls itself is not known");
    };
    if nodes.is_empty() || nodes.iter().any(|node| node.as_str() == name) {
        return Checked::ok(
            "name",
            format!("this machine calls itself {name}, as its node does"),
        );
    }
    let names: Vec<_> = nodes.iter().map(|node| node.as_str()).collect();
    let text = format!(
        "this machine calls itself {name}, and the nodes are {}: application_name must be the \
         name of the node",
        names.join(", ")
    );
    Checked::warn("name", text).cure("hostnamectl set-hostname NODE")
}

/// Debian's installer writes `127.0.1.1 srv1` to /etc/hosts: corosync and PostgreSQL would
/// listen where nobody else reaches them.
fn own_address(machine: &Machine) -> Checked {
    let name = machine.name.as_deref().unwrap_or("this machine");
    let is_own = |address: &&String| address.starts_with("127.") || *address == "::1";
    let cure = format!("/etc/hosts on each node: ADDRESS {name}, and no line 127.0.1.1 {name}");
    if let Some(address) = machine.addresses.iter().find(is_own) {
        let text = format!("{name} is {address} on this node: corosync would talk to itself");
        return Checked::fail("own-address", text).cure(cure);
    }
    match machine.addresses.first() {
        Some(address) => Checked::ok("own-address", format!("{name} is {address} here")),
        None => Checked::warn("own-address", format!("{name} leads to no address")).cure(cure),
    }
}

fn rings(machine: &Machine) -> Checked {
    if let Some(why) = &machine.no_corosync {
        let text = format!("/etc/corosync/corosync.conf cannot be read: {why}");
        return Checked::unknown("rings", text).cure("corosync-cfgtool -s");
    }
    let Some(text) = &machine.corosync else {
        let text = "there is no /etc/corosync/corosync.conf: this machine is in no cluster yet";
        return Checked::warn("rings", text).cure("pcs cluster setup NAME NODE addr=… addr=… …");
    };
    let corosync = Corosync::parse(text);
    if let Some(address) = corosync.loopback() {
        let text = format!("corosync.conf has {address} as the address of a node");
        return Checked::fail("rings", text)
            .cure("pcs cluster setup with addresses of the network");
    }
    match corosync.rings() {
        0 | 1 => {
            let text = "corosync has one link: a switch that fails has nodes fenced";
            Checked::warn("rings", text).cure("pcs cluster link add NODE=ADDRESS …")
        }
        many => Checked::ok("rings", format!("corosync has {many} links")),
    }
}

fn clock(machine: &Machine) -> Checked {
    if machine.has_clock {
        return Checked::ok("clock", "the clock is kept right");
    }
    let text = "nothing that keeps the clock right runs here: logs of nodes cannot be compared";
    Checked::warn("clock", text).cure("apt install chrony")
}

fn firewalls(machine: &Machine) -> Vec<Checked> {
    let told = machine.firewalls.iter().map(|name| {
        let text = format!(
            "{name} is on, and no rule for PostgreSQL was found: nodes need 5405/udp and 2224/tcp, \
             standbys and clients the port of PostgreSQL"
        );
        let cure = match *name {
            "firewalld" => "firewall-cmd --permanent --add-service={high-availability,postgresql}",
            _ => "ufw allow proto udp to any port 5405; ufw allow 2224,5432/tcp",
        };
        Checked::warn("firewall", text).cure(cure)
    });
    told.collect()
}

fn upgrades(machine: &Machine) -> Option<Checked> {
    let text = "unattended-upgrades may restart PostgreSQL, Pacemaker or corosync at any time";
    let cure = "apt-mark hold postgresql-VERSION pacemaker corosync";
    machine
        .upgrades
        .then(|| Checked::warn("upgrades", text).cure(cure))
}

//! Addresses of the lab, and cutting and healing the network of a node.
//!
//! All of it lives in the network namespace of the cluster's warden, which has no
//! way out: the same addresses serve every cluster and nothing can leak.

use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::Result;

use crate::host::shell;

/// Most nodes a cluster may have.
pub const MAX_NODES: u8 = 9;
/// The bridge all nodes are plugged into.
pub const BRIDGE: &str = "lab0";
/// Address of the bridge: the warden listens here for fencing requests.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
/// Port of the warden's power switch.
pub const POWER_PORT: u16 = 7000;
/// The address that follows the primary.
pub const VIP: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 50);
/// The address that follows the primary of a second instance.
pub const VIP2: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 51);

/// Address of node number `index`, which counts from 1.
pub fn address(index: usize) -> Ipv4Addr {
    let last = u8::try_from(index).unwrap_or(u8::MAX - 10) + 10;
    Ipv4Addr::new(10, 99, 0, last)
}

/// Hardware address of the bridge. Without one of its own a bridge takes that of a port, another
/// one whenever a node comes or goes: requests to the power switch then got no answer for 2 s.
const BRIDGE_HARDWARE: &str = "02:00:0a:63:00:01";

/// Makes the bridge; called by the warden in its own fresh network namespace.
pub fn set_up() -> Result<()> {
    shell::run_words(&["ip", "link", "set", "lo", "up"])?;
    shell::run_words(&[
        "ip",
        "link",
        "add",
        BRIDGE,
        "address",
        BRIDGE_HARDWARE,
        "type",
        "bridge",
    ])?;
    shell::run_words(&["ip", "addr", "add", &format!("{GATEWAY}/24"), "dev", BRIDGE])?;
    shell::run_words(&["ip", "link", "set", BRIDGE, "up"])?;
    Ok(())
}

/// Name of the host side of the cable of a node; nspawn makes it from the machine name.
pub fn cable(machine: &str) -> String {
    format!("vb-{machine}")
}

/// Pulls (`up` false) or plugs (`up` true) the cable of a machine of the cluster of `warden`.
pub fn plug(warden: i32, machine: &str, up: bool) -> Result<()> {
    let state = if up { "up" } else { "down" };
    inside(warden, &["ip", "link", "set", &cable(machine), state])?;
    Ok(())
}

/// Drops packets that match `rule` (words of nft, such as `ip saddr 10.99.0.11 drop`) on the
/// bridge between the nodes of the cluster of `warden`.
pub fn filter(warden: i32, rule: &str) -> Result<()> {
    inside(warden, &["nft", "add table bridge lab"])?;
    let hook = "add chain bridge lab forward { type filter hook forward priority 0; }";
    inside(warden, &["nft", hook])?;
    inside(
        warden,
        &["nft", &format!("add rule bridge lab forward {rule}")],
    )?;
    Ok(())
}

/// Takes back all that [`filter`] did.
pub fn clear_filters(warden: i32) -> Result<()> {
    inside(warden, &["nft", "flush ruleset"]).map(drop)
}

/// Runs a program of the host in the network namespace of `warden`.
pub fn inside(warden: i32, words: &[&str]) -> Result<String> {
    // Not `ip netns exec`: it remounts /sys.
    let namespace = format!("--net=/proc/{warden}/ns/net");
    shell::run(Command::new("nsenter").arg(namespace).arg("--").args(words))
}

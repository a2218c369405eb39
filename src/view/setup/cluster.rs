//! The cluster: fencing, the clone, its operations, the address of the primary.

use std::collections::BTreeMap;
use std::time::Duration;

use super::options::Options;
use super::seen::Machine;
use crate::ocf::values::{boolean, time};
use crate::record::score::INFINITY;
use crate::view::checked::Checked;

/// The least that an operation needs, in seconds; as the documents have it.
const LEAST: [(&str, u64); 5] = [
    ("start", 60),
    ("stop", 60),
    ("promote", 30),
    ("demote", 120),
    ("notify", 60),
];
/// What Pacemaker gives an operation that has no time-out.
const BY_DEFAULT: Duration = Duration::from_secs(20);
/// From here on a stop that hangs costs more than the fencing that ends it.
const LONG_STOP: Duration = Duration::from_secs(300);

/// What sets both monitors.
const MONITORS: &str = "pcs resource update RESOURCE op monitor interval=15s role=Promoted \
                        timeout=10s op monitor interval=16s role=Unpromoted timeout=10s";

/// All of it.
pub fn check(options: &Options, machine: &Machine) -> Vec<Checked> {
    let mut all = vec![fencing(options)];
    all.extend(fence_tools(machine));
    all.push(clone(options));
    all.extend(timeouts(options));
    all.push(monitors(options));
    all.push(load_threshold(options));
    all.push(failures(options));
    all.extend(addresses(options));
    all
}

fn fencing(options: &Options) -> Checked {
    if !options.has_fencing() {
        let text = "fencing is off: a primary that hangs is not made sure to be off";
        return Checked::fail("fencing", text).cure("pcs property set stonith-enabled=true");
    }
    match options.fence_agents.len() {
        0 if options.has_watchdog() => Checked::ok("fencing", "a watchdog fences nodes"),
        0 => {
            let text = "there is no fence device: Pacemaker starts nothing, or fences nobody";
            Checked::fail("fencing", text).cure("pcs stonith create … for each node")
        }
        many => Checked::ok("fencing", format!("fencing is on (devices: {many})")),
    }
}

fn fence_tools(machine: &Machine) -> Option<Checked> {
    let missing = machine.missing.join(", ");
    let text = format!("{missing} is not installed here, which a fence device needs");
    let cure = format!("apt install fence-agents {}", package_of(&machine.missing));
    (!machine.missing.is_empty()).then(|| Checked::fail("fence-tools", text).cure(cure.trim_end()))
}

fn package_of(missing: &[String]) -> &'static str {
    let is_ipmitool = |name: &String| name == "ipmitool";
    if missing.iter().any(is_ipmitool) {
        "ipmitool"
    } else {
        ""
    }
}

fn clone(options: &Options) -> Checked {
    let Some(name) = &options.clone else {
        let text = "the resource is no clone: it would run on one node alone";
        return Checked::fail("clone", text).cure("pcs resource promotable RESOURCE notify=true");
    };
    let wrong = wrong_meta(options).join(" ");
    if wrong.is_empty() {
        return Checked::ok(
            "clone",
            format!("{name} is promotable once, with notify=true"),
        );
    }
    let text = format!("{name} lacks {wrong}: nobody would be promoted, or without an election");
    Checked::fail("clone", text).cure(format!("pcs resource meta {name} {wrong}"))
}

fn wrong_meta(options: &Options) -> Vec<&'static str> {
    let is = |meta: &str| options.meta.get(meta).and_then(|value| boolean(value)) == Some(true);
    let most = options
        .meta
        .get("promoted-max")
        .or(options.meta.get("master-max"));
    let wanted = [
        ("promotable=true", is("promotable")),
        ("notify=true", is("notify")),
        ("promoted-max=1", most.is_none_or(|most| most.trim() == "1")),
    ];
    let wrong = wanted.into_iter().filter(|(_, is)| !is);
    wrong.map(|(what, _)| what).collect()
}

fn timeouts(options: &Options) -> Vec<Checked> {
    let short = LEAST
        .iter()
        .filter_map(|(name, least)| too_short(options, name, *least));
    let mut all: Vec<_> = short.chain(too_long_a_stop(options)).collect();
    if all.is_empty() {
        all.push(Checked::ok(
            "timeouts",
            "each operation has the time that it may need",
        ));
    }
    all
}

fn time_of(options: &Options, name: &str) -> Duration {
    let mut all = options.operations.iter().filter(|one| one.name == name);
    let own = all.next().and_then(|one| one.timeout);
    own.or(options.default_timeout).unwrap_or(BY_DEFAULT)
}

fn too_short(options: &Options, name: &str, least: u64) -> Option<Checked> {
    let time = time_of(options, name);
    let text = format!("{name} has {} s, and may need {least} s", time.as_secs());
    let cure = format!("pcs resource update RESOURCE op {name} timeout={least}s");
    let is_short = time < Duration::from_secs(least);
    is_short.then(|| Checked::warn("timeouts", text).cure(cure))
}

fn too_long_a_stop(options: &Options) -> Option<Checked> {
    let stop = time_of(options, "stop");
    let text = format!(
        "stop has {} s: a node whose storage hangs is fenced only after that",
        stop.as_secs()
    );
    let cure = "pcs resource update RESOURCE op stop timeout=60s";
    (stop > LONG_STOP).then(|| Checked::warn("timeouts", text).cure(cure))
}

/// One for each role. Of two with the same interval Pacemaker keeps one.
fn monitors(options: &Options) -> Checked {
    let of = |role| interval_of_monitor(options, role);
    let text = match (of("promoted"), of("unpromoted")) {
        (Some(one), Some(other)) if one == other => {
            "both monitors have the same interval: Pacemaker keeps one of them"
        }
        (Some(_), Some(_)) => return Checked::ok("monitors", "each role has a monitor"),
        (None, _) => "the promoted role has no monitor: a primary that fails is not noticed",
        (_, None) => "the unpromoted role has no monitor: a standby that fails is not noticed",
    };
    Checked::fail("monitors", text).cure(MONITORS)
}

/// One without a role is not for a promoted instance.
fn interval_of_monitor(options: &Options, role: &str) -> Option<Duration> {
    let mut all = options.operations.iter();
    let found = all.find(|one| {
        let has_role = one.role.unwrap_or("unpromoted") == role;
        one.name == "monitor" && !one.interval.is_zero() && has_role
    });
    found.map(|one| one.interval)
}

fn load_threshold(options: &Options) -> Checked {
    if let Some(value) = options.properties.get("load-threshold") {
        return Checked::ok("load-threshold", format!("load-threshold is {value}"));
    }
    let text = "load-threshold is 80 %: on a busy database server Pacemaker does one thing at a \
                time in the whole cluster";
    Checked::warn("load-threshold", text).cure("pcs property set load-threshold=400%")
}

/// A refused promotion is a failure too, and Pacemaker may repeat it every second.
fn failures(options: &Options) -> Checked {
    let threshold = options.meta.get("migration-threshold");
    // Pacemaker takes 0 for "no threshold", as it does INFINITY.
    let Some(most) = threshold.filter(|text| is_limit(text)) else {
        return Checked::ok("failures", "no number of failures bars a node");
    };
    let expiry = options.meta.get("failure-timeout");
    let expiry = expiry.and_then(|text| time(text)).unwrap_or_default();
    if !expiry.is_zero() {
        let text = format!("a failure is forgotten after {} s", expiry.as_secs());
        return Checked::ok("failures", text);
    }
    let text = format!(
        "migration-threshold is {most} and there is no failure-timeout: failures count until \
         somebody cleans up, and so many of them, or refused promotions, bar a node"
    );
    Checked::warn("failures", text).cure("pcs resource defaults update failure-timeout=600s")
}

fn is_limit(text: &str) -> bool {
    let most = text.trim().parse().unwrap_or(INFINITY);
    (1..INFINITY).contains(&most)
}

fn addresses(options: &Options) -> Vec<Checked> {
    let late = options.addresses.iter().filter_map(late);
    let ordered = options.stopped_in_order.iter().map(|id| in_order(id));
    let mut all: Vec<_> = late.chain(ordered).collect();
    if all.is_empty() && !options.addresses.is_empty() {
        let ids: Vec<_> = options
            .addresses
            .iter()
            .map(|(id, _)| id.as_str())
            .collect();
        let text = format!("{} follows the primary at once", ids.join(", "));
        all.push(Checked::ok("address", text));
    }
    all
}

fn late((id, meta): &(String, BTreeMap<String, String>)) -> Option<Checked> {
    let is_first = meta
        .get("priority")
        .is_some_and(|value| value.trim() != "0");
    let text = format!("{id} has no priority: it waits for whatever else the cluster does");
    let cure = format!("pcs resource meta {id} priority=INFINITY");
    (!is_first).then(|| Checked::warn("address", text).cure(cure))
}

fn in_order(id: &str) -> Checked {
    let text = format!(
        "the order of demotion and stop of {id} is mandatory: it can block the stop of a cluster"
    );
    Checked::warn("address", text).cure(format!(
        "make it anew with kind=Optional: pcs constraint order demote … then stop {id}"
    ))
}

//! Whether the cluster could fence a node now, by what its fence devices did last. That a device
//! runs means that Pacemaker watches it: it could reach it when it last asked.

use super::cib::{Cib, Device};
use super::problem::{Health, Problem};
use super::seen::Seen;
use crate::ocf::NodeName;

/// The problems of fencing: what is none of them is well.
pub const PROBLEMS_OF_FENCING: [&str; 3] = ["fencing-failed", "fencing-off", "no-fence-device"];

/// `on (3 devices run)`, `on (1 of 2 devices runs)`, `off`.
pub fn fencing_words(cib: &Cib) -> String {
    if !cib.has_fencing() {
        return "off".to_owned();
    }
    let all = cib.devices.len();
    let run = cib.devices.iter().filter(|one| one.runs_on.is_some());
    let how = match (run.count(), all) {
        (0, 0) if cib.has_watchdog() => "watchdog".to_owned(),
        (0, 0) => "no device".to_owned(),
        (1, 1) => "1 device runs".to_owned(),
        (run, all) if run == all => format!("{all} devices run"),
        (1, all) => format!("1 of {all} devices runs"),
        (run, all) => format!("{run} of {all} devices run"),
    };
    format!("on ({how})")
}

/// All that is wrong with it.
pub fn problems(seen: &Seen) -> Vec<Problem> {
    let cib = &seen.cib;
    if !cib.has_fencing() {
        return vec![off()];
    }
    let mut all: Vec<_> = no_device(cib).into_iter().collect();
    if cib.has_state && seen.silence.is_none() {
        let stopped = cib.devices.iter().filter_map(|one| stopped(cib, one));
        all.extend(stopped);
        all.extend(cib.devices.iter().filter_map(failed));
    }
    all
}

fn off() -> Problem {
    let text = "the cluster has no fencing: a primary that hangs is not made sure to be off";
    let cure = "pcs property set stonith-enabled=true (with a fence device for each node)";
    Problem::new("fencing-off", Health::Attention, text).cure(cure)
}

/// No node, or one, could be fenced by anything that is configured.
fn no_device(cib: &Cib) -> Vec<Problem> {
    if cib.has_watchdog() {
        return Vec::new();
    }
    let problem = |text: String| Problem::new("no-fence-device", Health::Attention, text);
    if cib.devices.is_empty() {
        let text = "fencing is on, and there is no fence device: Pacemaker cannot fence a node";
        let cure = "pcs stonith create … for each node";
        return vec![problem(text.to_owned()).cure(cure)];
    }
    let is_for = |node: &NodeName| {
        cib.devices
            .iter()
            .all(|one| one.is_for(node) == Some(false))
    };
    let without = cib.nodes.keys().filter(|node| is_for(node));
    let told = without.map(|node| {
        let text = format!("no fence device is for {node}: if it is lost, nobody takes over");
        problem(text)
            .of(node)
            .cure(format!("pcs stonith create … pcmk_host_list={node}"))
    });
    told.collect()
}

/// Nothing watches it, and starting it did not succeed; or it may not be used.
fn stopped(cib: &Cib, device: &Device) -> Option<Problem> {
    let id = &device.id;
    let problem = |text: String| Problem::new("fencing-failed", Health::Attention, text);
    if device.is_disabled {
        let text = format!("the fence device {id} is disabled: Pacemaker does not use it");
        return Some(problem(text).cure(format!("pcs stonith enable {id}")));
    }
    if device.runs_on.is_some() || device.is_moving || is_needless(cib, device) {
        return None;
    }
    let why = device.failed.last().map(words);
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    let text = format!(
        "the fence device {id} runs on no node{why}: a node that it is for may not be fenced"
    );
    Some(
        problem(text)
            .cure(format!("pcs stonith cleanup {id}"))
            .cure(format!("pcs stonith config {id}")),
    )
}

/// On the last node it would be for that node alone, which does not fence itself.
fn is_needless(cib: &Cib, device: &Device) -> bool {
    let mut online = cib.nodes.iter().filter(|(_, facts)| facts.online);
    let (first, second) = (online.next(), online.next());
    let is_own = |node: &NodeName| device.is_for(node) == Some(true);
    second.is_none() && first.is_none_or(|(node, _)| is_own(node))
}

/// It runs, and did not always.
fn failed(device: &Device) -> Option<Problem> {
    let (id, node) = (&device.id, device.runs_on.as_ref()?);
    let failed = words(device.failed.last()?);
    let text = format!("the fence device {id}: {failed}; it runs on {node}");
    let problem = Problem::new("fencing-failed", Health::Attention, text);
    Some(problem.cure(format!("pcs stonith cleanup {id}")))
}

fn words((node, failed): &(NodeName, super::cib::Failed)) -> String {
    let reason = match failed.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    format!("{} failed on {node}{reason}", failed.action)
}

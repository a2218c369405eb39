//! alert: Pacemaker's interface of alert agents. Pacemaker calls it for each event, as `hacluster`,
//! with the event in the environment; what concerns a resource of ours goes on as a line of JSON.
//!
//! It asks the cluster's configuration and never a server, writes nothing into the cluster, and
//! ends soon: Pacemaker kills an agent after 30 s, and stops calling none for that.

use std::thread;
use std::time::Duration;

use super::look::seen_in;
use crate::ocf::{Deadline, Environment, Failure, log, screen};
use crate::pacemaker::{Tools, whole_cib};
use crate::system::{delivery, host_name};
use crate::view::{Alert, Event, Recipient, Seen, event_json};

/// How long all of it may take.
pub const LONGEST: Duration = Duration::from_secs(10);
/// How long the reason of a failure may take to be in the configuration.
const REASON: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(200);

/// What was typed: nothing, for all is in the environment.
#[derive(Debug, clap::Args)]
pub struct AlertAgent {}

/// Passes the event on, if it is one of ours.
pub fn run(environment: &Environment) -> Result<(), Failure> {
    let soft = |error: &dyn ToString| Failure::soft(error.to_string());
    let get = |name: &'static str| environment.get(name);
    let alert = Alert::of(get).map_err(|error| soft(&error))?;
    let recipient = Recipient::parse(get("CRM_alert_recipient")).map_err(|error| soft(&error))?;
    let Some(alert) = alert.filter(|alert| Event::may_be(&alert.what)) else {
        return Ok(());
    };
    let deadline = Deadline::after(LONGEST);
    for seen in look(environment, &alert, deadline)? {
        for event in Event::of(&alert, &seen) {
            let line = event_json(&event, &seen).to_string();
            deliver(&recipient, &seen.cib.resource.id, &line, deadline)?;
        }
    }
    Ok(())
}

/// The cluster, once for each resource of ours that the alert may be about.
fn look(
    environment: &Environment,
    alert: &Alert,
    deadline: Deadline,
) -> Result<Vec<Seen>, Failure> {
    let tools = Tools::new(environment, deadline);
    let until = deadline.within(REASON);
    loop {
        let xml = whole_cib::ask(&tools)
            .map_err(|error| Failure::soft(format!("Pacemaker does not answer: {error}")))?;
        let wanted = Event::resource_of(&alert.what);
        let all = seen_in(&xml, wanted, environment)?;
        let is_explained = all.iter().all(|seen| Event::is_explained(alert, seen));
        if is_explained || until.left().is_zero() {
            let concerned = |seen: &Seen| is_to_tell(alert, seen);
            return Ok(all.into_iter().filter(concerned).collect());
        }
        thread::sleep(POLL);
    }
}

/// Of what all nodes are told, the cluster's coordinator tells: else an event came as often as
/// there are nodes.
fn is_to_tell(alert: &Alert, seen: &Seen) -> bool {
    let here = host_name::get();
    let is_of_cluster = |name: &String| seen.cib.nodes.keys().any(|node| node.as_str() == name);
    match (&seen.cib.coordinator, here.filter(is_of_cluster)) {
        (Some(coordinator), Some(here)) if Event::is_told_to_all(&alert.what) => {
            coordinator.as_str() == here
        }
        _ => true,
    }
}

fn deliver(
    recipient: &Recipient,
    resource: &str,
    line: &str,
    deadline: Deadline,
) -> Result<(), Failure> {
    let delivered = match recipient {
        Recipient::Syslog => {
            log::hand_over(resource, line);
            Ok(())
        }
        Recipient::File(path) => delivery::append(path, line)
            .map_err(|error| format!("Cannot write {}: {error}", path.display())),
        Recipient::Command(words) => delivery::run(words, line, deadline),
    };
    delivered.map_err(Failure::soft)
}

/// Says why it was not passed on. Pacemaker logs it, and goes on as if nothing had happened.
pub fn complain(failure: &Failure) {
    screen::complain(&failure.reason);
}

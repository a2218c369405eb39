//! forget: an admin says that the database of this node is the one that the cluster has, whatever
//! was elected before.
//!
//! Looks whether anything runs, shows what would be forgotten, asks, looks once more, and does it.
//! Pacemaker starts and promotes; nothing is started or promoted here.

use std::time::Instant;

use super::look::Where;
use super::resource::Resource;
use super::stakes::{is_typed, stakes};
use crate::election::Unreadable;
use crate::ocf::{self, Environment, Failure, NodeName, Request, Style, screen};
use crate::pacemaker::{RealCluster, Tools};
use crate::steps::forget::Forgetting;
use crate::view::{self, Health, Seen};

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Forget {
    /// Id of the resource (the primitive, not the clone); may be left out where there is one
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// Only show what would be forgotten
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Looks, shows, asks, and forgets.
pub fn run(wish: &Forget, shell: &Environment) -> Result<Health, Failure> {
    let found = match look(wish, shell)? {
        Ok(found) => found,
        Err(health) => return Ok(health),
    };
    if let Some(health) = goes_no_further(wish, &found) {
        return Ok(health);
    }
    // Whoever was asked took their time.
    Ok(match look(wish, shell)? {
        Ok(found) => carry_out(&found, shell),
        Err(health) => health,
    })
}

/// What was seen, and what would be done about it.
struct Found {
    seen: Seen,
    forgetting: Forgetting,
}

/// That; or how it is, where it was said why nothing may be done.
fn look(wish: &Forget, shell: &Environment) -> Result<Result<Found, Health>, Failure> {
    let place = Where {
        resource: wish.resource.clone(),
        cib: None,
    };
    let seen = place.look(shell)?;
    let checked = view::before_forget(&seen);
    let health = view::may_move(&checked);
    if health != Health::Well {
        let _ = screen::show(&view::checked_lines(&checked));
        return Ok(Err(untouched("Not forgotten", health)));
    }
    let Resource {
        server,
        cluster,
        deadline,
    } = Resource::of_cluster(&seen.cib.resource.id, shell)?;
    let forgetting = Forgetting::look(&server, &cluster, deadline)?;
    Ok(Ok(Found { seen, forgetting }))
}

fn goes_no_further(wish: &Forget, found: &Found) -> Option<Health> {
    if found.forgetting.is_done() {
        screen::tell(Style::Good, "There is nothing to forget.");
        return Some(Health::Well);
    }
    show(found);
    if wish.dry_run {
        screen::tell(Style::Good, "Nothing was touched.".to_owned());
        return Some(Health::Well);
    }
    let resource = &found.seen.cib.resource.id;
    let question = format!("To have all of this forgotten, type {resource}:");
    let is_wanted = wish.yes || is_typed(&question, resource);
    (!is_wanted).then(|| untouched("Not confirmed", Health::Attention))
}

fn untouched(why: &str, health: Health) -> Health {
    screen::tell(Style::Bad, format!("{why}: nothing was touched."));
    health
}

fn show(
    Found {
        seen,
        forgetting: found,
    }: &Found,
) {
    let is_member = |node: &NodeName| seen.cib.nodes.get(node).is_some_and(|node| node.online);
    for line in stakes(&found.node, &found.held, found.before.as_ref(), is_member) {
        screen::tell(Style::Plain, line);
    }
    for Unreadable { node, what } in &found.unreadable {
        screen::tell(
            Style::Warn,
            format!("the {what} of {node}, which cannot be read, is forgotten"),
        );
    }
    for (node, name, value) in &found.attributes {
        screen::tell(
            Style::Plain,
            format!("forgotten of {node}: {name} = {value}"),
        );
    }
    screen::tell(Style::Plain, put_in_place(found));
}

fn put_in_place(found: &Forgetting) -> String {
    let system = found
        .held
        .system
        .map(|system| format!(" (system {system})"));
    format!(
        "In its place: the database of {}{}, as election {}",
        found.node,
        system.unwrap_or_default(),
        found.anew.term
    )
}

/// Reading and asking took time: what follows has a time of its own.
fn carry_out(found: &Found, shell: &Environment) -> Health {
    let deadline = Request::from_environment(shell, Instant::now()).deadline;
    let resource = &found.seen.cib.resource.id;
    let cluster = RealCluster::new(Tools::new(shell, deadline), resource);
    leave_a_record(&found.forgetting, resource);
    if let Err(failure) = found.forgetting.carry_out(&cluster) {
        let text = format!("Not all of it is forgotten: {failure}. Run it again.");
        screen::tell(Style::Bad, text);
        return Health::Attention;
    }
    let text = format!("Forgotten. Pacemaker starts it after: pcs resource enable {resource}");
    screen::tell(Style::Good, text);
    Health::Well
}

fn leave_a_record(found: &Forgetting, resource: &str) {
    let (node, term) = (&found.node, found.anew.term);
    let record = format!(
        "An admin has the database of {node} take the place of all that was elected before \
         election {term}"
    );
    ocf::log::record(resource, &record);
}

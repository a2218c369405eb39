//! role: what this node's server is, in one word and an exit code, for load balancers.
//!
//! It is asked every second, and by another user than root: one question to the server, one to
//! Pacemaker, and no file.

use std::time::Duration;

use super::look::{environment, this_node};
use crate::instance::Role as Kind;
use crate::ocf::{Deadline, Environment, Failure, Line, NodeName, Parameters, screen};
use crate::pacemaker::{Permanent, Tools, whole_cib};
use crate::postgres::{Address, RealServer, Server};
use crate::record::last_reign;
use crate::steps::evidence;
use crate::view::{Cib, Health, Record, Word, word};

/// Who asks has asked again by then.
const LONGEST: Duration = Duration::from_secs(2);

/// What was typed.
#[derive(Debug, clap::Args)]
pub struct Role {
    /// Id of the resource (the primitive, not the clone); may be left out where there is one
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// Answer as an agent of HAProxy does: up ready, maint or down
    #[arg(long)]
    haproxy: bool,
    /// Believe the server alone, and do not ask Pacemaker who was elected
    #[arg(long)]
    sql_only: bool,
    /// The server's socket directory, where Pacemaker is not asked or does not answer
    #[arg(long, value_name = "DIRECTORY", default_value = "/var/run/postgresql")]
    host: String,
    /// The server's port, the same
    #[arg(long, value_name = "PORT", default_value = "5432")]
    port: u16,
}

/// What Pacemaker said.
struct Told {
    record: Record,
    here: Option<NodeName>,
    parameters: Option<Parameters>,
}

/// Says it.
pub fn run(wish: &Role, shell: &Environment) -> Result<Health, Failure> {
    let deadline = Deadline::after(LONGEST);
    let told = ask_pacemaker(wish, shell, deadline);
    let server = ask_server(wish, told.parameters, deadline);
    let word = word(server, &told.record, told.here.as_ref());
    say(wish, word);
    Ok(word.health())
}

fn say(wish: &Role, word: Word) {
    let text = if wish.haproxy {
        word.for_haproxy()
    } else {
        word.text()
    };
    // Who asked may be gone.
    let _ = screen::show(&[Line::plain(text)]);
}

fn ask_pacemaker(wish: &Role, shell: &Environment, deadline: Deadline) -> Told {
    if wish.sql_only {
        return Told::nothing(Record::NotAsked);
    }
    let tools = Tools::new(shell, deadline.within(LONGEST / 2));
    let seen = whole_cib::ask(&tools).ok().and_then(|xml| {
        let cib = Cib::parse(&xml, wish.resource.as_deref()).ok()?;
        let here = this_node(&cib, true, &tools);
        Some(Told::by(&xml, &cib, (here, shell)))
    });
    seen.unwrap_or_else(|| Told::nothing(Record::Unreadable))
}

impl Told {
    fn nothing(record: Record) -> Self {
        Self {
            record,
            here: None,
            parameters: None,
        }
    }

    fn by(xml: &str, cib: &Cib, (here, shell): (Option<NodeName>, &Environment)) -> Self {
        let permanent = Permanent::of_text(xml);
        let (published, unreadable) = evidence::published(&cib.resource.id, &permanent);
        let elected = last_reign(&published.reigns()).map(|last| last.primary.clone());
        Self {
            record: Record::of(elected, cib.quorate, unreadable.is_empty()),
            parameters: Parameters::in_effect(&environment(cib, here.as_ref(), shell)).ok(),
            here,
        }
    }
}

fn ask_server(wish: &Role, known: Option<Parameters>, deadline: Deadline) -> Option<Kind> {
    let by_default = || {
        let defaults = Parameters::in_effect(&Environment::default()).ok()?;
        Some(Parameters {
            pghost: wish.host.clone(),
            pgport: wish.port,
            ..defaults
        })
    };
    let parameters = known.or_else(by_default)?;
    let address = Address {
        host: parameters.pghost.clone(),
        port: parameters.pgport,
    };
    let server = RealServer::look_up(parameters, "role").ok()?;
    server.role(&address, deadline).ok()
}

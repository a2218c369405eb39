//! One look at all that commands for people show: the cluster by one query, this node's server
//! by one connection, and what is on record of elections. Nothing is written, and nobody is
//! held up.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::local;
use crate::election::Choice;
use crate::ocf::{Deadline, Environment, Failure, NodeName, OcfExit, Parameters, Request};
use crate::pacemaker::{self, Cluster, Permanent, RealCluster, Tools, whole_cib};
use crate::postgres::RealServer;
use crate::record::{Constraint, score};
use crate::steps::{ballot, evidence};
use crate::system::{clock, host_name};
use crate::view::{Cib, CibError, Known, Local, Policy, Seen};

/// How long a person waits for all answers together.
const LONGEST_LOOK: Duration = Duration::from_secs(20);

/// What all commands that look are told.
#[derive(Debug, clap::Args)]
pub struct Where {
    /// Id of the resource (the primitive, not the clone); may be left out where there is one
    #[arg(long, value_name = "RESOURCE")]
    pub resource: Option<String>,
    /// Look at a saved cluster instead of the live one; - is standard input
    #[arg(long, value_name = "FILE")]
    pub cib: Option<PathBuf>,
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// By no other tool of Pacemaker than the one query: every few seconds, for monitoring.
    Glance,
    /// Pacemaker's scheduler is asked where something may bar a node.
    Usual,
    /// All timelines besides.
    Files,
}

/// The text of the configuration, and why it is not that of a Pacemaker that runs here.
struct Text {
    xml: String,
    silence: Option<String>,
}

impl Where {
    /// Looks.
    pub fn look(&self, shell: &Environment) -> Result<Seen, Failure> {
        self.look_at(shell, Depth::Usual)
    }

    /// The same by one tool of Pacemaker alone.
    pub fn glance(&self, shell: &Environment) -> Result<Seen, Failure> {
        self.look_at(shell, Depth::Glance)
    }

    /// The same, and at the timelines that the server's files tell of.
    pub fn look_back(&self, shell: &Environment) -> Result<Seen, Failure> {
        self.look_at(shell, Depth::Files)
    }

    /// The text of the cluster's configuration, and whether it is that of a Pacemaker that runs
    /// here.
    pub fn xml(&self, tools: &Tools) -> Result<(String, bool), Failure> {
        let text = self.text(tools)?;
        Ok((text.xml, text.silence.is_none()))
    }

    fn look_at(&self, shell: &Environment, depth: Depth) -> Result<Seen, Failure> {
        let deadline = Request::from_environment(shell, Instant::now()).deadline;
        let deadline = deadline.within(LONGEST_LOOK);
        let text = self.text(&Tools::new(shell, deadline))?;
        let cib = Cib::parse(&text.xml, self.resource.as_deref()).map_err(unreadable)?;
        let here = match self.cib {
            None => this_node(&cib, text.silence.is_none(), &Tools::new(shell, deadline)),
            Some(_) => None,
        };
        let environment = environment(&cib, here.as_ref(), shell);
        let parameters = Parameters::in_effect(&environment);
        let parameters = parameters.map_err(|error| Failure::soft(error.to_string()))?;
        let look = Look {
            permanent: Permanent::of_text(&text.xml),
            tools: Tools::new(&environment, deadline),
            is_live: self.cib.is_none(),
            depth,
            here,
            deadline,
            cib,
        };
        look.seen(&text, parameters)
    }

    fn text(&self, tools: &Tools) -> Result<Text, Failure> {
        if let Some(file) = &self.cib {
            let xml = saved(file);
            let xml = xml.map_err(|error| {
                Failure::soft(format!("Cannot read {}: {error}", file.display()))
            })?;
            return Ok(Text { xml, silence: None });
        }
        let error = match whole_cib::ask(tools) {
            Ok(xml) => return Ok(Text { xml, silence: None }),
            Err(error) => error.to_string(),
        };
        let on_disk = whole_cib::on_disk();
        let xml =
            on_disk.map_err(|_| Failure::soft(format!("Pacemaker does not answer: {error}")))?;
        Ok(Text {
            xml,
            silence: Some(error),
        })
    }
}

/// The cluster as a text has it, for each resource of ours in it, or for one: none, where that
/// one is not ours.
pub fn seen_in(xml: &str, wanted: Option<&str>, shell: &Environment) -> Result<Vec<Seen>, Failure> {
    let mut ours = Cib::resources(xml);
    ours.retain(|id| wanted.is_none_or(|wanted| wanted == id));
    let text = Text {
        xml: xml.to_owned(),
        silence: None,
    };
    ours.iter().map(|id| of_text(&text, id, shell)).collect()
}

fn of_text(text: &Text, resource: &str, shell: &Environment) -> Result<Seen, Failure> {
    let cib = Cib::parse(&text.xml, Some(resource)).map_err(unreadable)?;
    let environment = environment(&cib, None, shell);
    let parameters = Parameters::in_effect(&environment);
    let parameters = parameters.map_err(|error| Failure::soft(error.to_string()))?;
    let deadline = Request::from_environment(shell, Instant::now()).deadline;
    let look = Look {
        permanent: Permanent::of_text(&text.xml),
        tools: Tools::new(&environment, deadline),
        is_live: false,
        depth: Depth::Glance,
        here: None,
        deadline,
        cib,
    };
    look.seen(text, parameters)
}

fn saved(file: &PathBuf) -> io::Result<String> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        bytes = fs::read(file)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn unreadable(error: CibError) -> Failure {
    Failure::new(OcfExit::Generic, error.to_string())
}

/// By the name of the machine, which costs nothing; Pacemaker is asked where no node has it.
pub fn this_node(cib: &Cib, answers: bool, tools: &Tools) -> Option<NodeName> {
    let by_host = host_name::get().and_then(|name| NodeName::new(&name));
    let by_host = by_host.filter(|name| cib.nodes.contains_key(name));
    if by_host.is_some() || !answers {
        return by_host;
    }
    pacemaker::this_node(tools).ok().flatten()
}

/// What Pacemaker would give an action of the resource on this node.
pub fn environment(cib: &Cib, here: Option<&NodeName>, shell: &Environment) -> Environment {
    let parameters = cib.resource.parameters.iter();
    let parameters = parameters.map(|(name, value)| (format!("OCF_RESKEY_{name}"), value.clone()));
    let node = here.map(|node| ("OCF_RESKEY_CRM_meta_on_node".to_owned(), node.to_string()));
    let tools = shell.get("HA_SBIN_DIR");
    let tools = tools.map(|folder| ("HA_SBIN_DIR".to_owned(), folder.to_owned()));
    let name = ("OCF_RESOURCE_INSTANCE".to_owned(), cib.resource.id.clone());
    parameters.chain(node).chain(tools).chain([name]).collect()
}

/// A look with all that it needs.
struct Look {
    cib: Cib,
    permanent: Permanent,
    tools: Tools,
    here: Option<NodeName>,
    is_live: bool,
    depth: Depth,
    deadline: Deadline,
}

impl Look {
    fn seen(self, text: &Text, parameters: Parameters) -> Result<Seen, Failure> {
        let resource = self.cib.resource.id.clone();
        let policy = Policy {
            max_loss: parameters.maxloss,
            max_lag: parameters.maxlag,
            sync_guard: parameters.sync_guard,
        };
        let scores = self.permanent.scores(&resource);
        let cluster = RealCluster::new(self.tools.clone(), &resource);
        let (local, known) = self.of_this_node(parameters, &cluster)?;
        let choice = self.choice(&text.xml, &cluster, &scores);
        Ok(Seen {
            at: clock::since_epoch(),
            silence: text.silence.clone(),
            bars: choice.barred(),
            bars_once_tried: choice.barred_once_tried(),
            forces: ballot::forces(&resource, &self.permanent),
            here: self.here,
            cib: self.cib,
            local,
            known,
            scores,
            policy,
        })
    }

    fn of_this_node(
        &self,
        parameters: Parameters,
        cluster: &RealCluster,
    ) -> Result<(Option<Local>, Known), Failure> {
        let resource = &self.cib.resource.id;
        if !self.is_live || self.here.is_none() {
            let (published, unreadable) = evidence::published(resource, &self.permanent);
            let known = Known {
                all: published.clone(),
                published,
                unreadable,
            };
            return Ok((None, known));
        }
        let server = RealServer::look_up(parameters, resource)?;
        let known = evidence::Known::gather(&server, cluster, &self.permanent)?;
        let known = Known {
            published: known.published,
            all: known.all,
            unreadable: known.unreadable,
        };
        let mut local = local::look(&server, &self.cib, self.deadline);
        if self.depth == Depth::Files {
            local.timelines = local::timelines(&server);
        }
        Ok((Some(local), known))
    }

    /// By what Pacemaker chooses. Its scheduler is asked only where something may bar a node.
    fn choice(&self, xml: &str, cluster: &RealCluster, scores: &BTreeMap<NodeName, i32>) -> Choice {
        let resource = &self.cib.resource.id;
        let constraints = pacemaker::parse_constraints(xml, resource).unwrap_or_default();
        let foreign = self.cib.transient(&score::NAME.of(resource)).into_iter();
        let foreign: BTreeMap<_, _> = foreign
            .filter_map(|(node, value)| Some((node, score::decode(value)?)))
            .collect();
        if constraints.is_empty() && foreign.is_empty() {
            return Choice::default();
        }
        let asks = self.is_live && self.depth != Depth::Glance;
        let asked = asks.then(|| cluster.promotion_scores().ok()).flatten();
        Choice {
            resource: resource.clone(),
            of_pacemaker: asked.unwrap_or_else(|| named(&constraints, &foreign)),
            stored: scores.clone(),
            yielded_to: None,
            constraints,
            foreign,
        }
    }
}

/// What the constraints and the scores by hand say by themselves.
fn named(constraints: &[Constraint], foreign: &BTreeMap<NodeName, i32>) -> BTreeMap<NodeName, i32> {
    const FORBIDDEN: i32 = -1_000_000;
    let named = constraints.iter().filter_map(|one| one.node.clone());
    let by_hand = foreign.iter().filter(|(_, score)| **score < 0);
    let by_hand = by_hand.map(|(node, _)| node.clone());
    named.chain(by_hand).map(|node| (node, FORBIDDEN)).collect()
}

//! What a verb is given: the request, and the handles on the server and the cluster.
//! Steps are given those of them that they need, never the whole.

use super::bounds::bounded;
use crate::ocf::{Environment, Failure, Parameters, Request};
use crate::pacemaker::{Cluster, RealCluster, Tools};
use crate::postgres::{RealServer, Server};
use crate::steps::aftermath;
use crate::steps::bring_up::BringUp;
use crate::steps::slots::SlotCare;
use crate::system::Notes;

/// One call of the agent on this server.
pub struct Call {
    /// All that the caller said.
    pub environment: Environment,
    /// What Pacemaker asks for: resource, node, deadline, transition.
    pub request: Request,
    /// The server.
    pub server: Box<dyn Server>,
    /// Its cluster.
    pub cluster: Box<dyn Cluster>,
    /// What earlier calls noted.
    pub notes: Notes,
}

impl Call {
    /// Reads the parameters and looks the system user up.
    pub fn prepare(environment: &Environment, request: Request) -> Result<Self, Failure> {
        let parameters = Parameters::in_effect(environment)?;
        let request = bounded(request, &parameters);
        let tools = Tools::new(environment, request.deadline);
        let server = RealServer::look_up(parameters, &request.resource)?;
        Ok(Self {
            environment: environment.clone(),
            server: Box::new(server),
            cluster: Box::new(RealCluster::new(tools, &request.resource)),
            notes: Notes::new(environment, &request.resource),
            request,
        })
    }

    /// What a monitor looks after its replication slots with.
    pub fn slots(&self) -> SlotCare<'_> {
        SlotCare {
            server: &*self.server,
            cluster: &*self.cluster,
            notes: &self.notes,
            deadline: self.request.deadline,
        }
    }

    /// Where nothing runs: this node tells what it has seen of elections, since nobody asks it for
    /// its vote. Not where a person asks by hand, perhaps without a cluster.
    pub fn testify(&self) {
        if self.request.node.is_some() {
            aftermath::testify(&*self.cluster, &self.notes);
        }
    }

    /// The start of the server as a standby, within the time of this call.
    pub fn bring_up(&self) -> BringUp<'_> {
        BringUp {
            server: &*self.server,
            cluster: &*self.cluster,
            notes: &self.notes,
            deadline: self.request.deadline,
        }
    }
}

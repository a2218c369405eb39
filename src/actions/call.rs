//! What every action that looks at the instance needs.

use std::time::Instant;

use crate::ocf::{Environment, Failure, OcfExit, Parameters, Request};
use crate::postgres::SystemUser;

/// One call of the agent on this instance.
pub struct Call {
    /// The resource parameters.
    pub parameters: Parameters,
    /// Resource, node, deadline.
    pub request: Request,
    /// The account of PostgreSQL.
    pub user: SystemUser,
}

impl Call {
    /// Reads parameters and request and looks the system user up.
    pub fn prepare(environment: &Environment) -> Result<Self, Failure> {
        let request = Request::from_environment(environment, Instant::now());
        let parameters = Parameters::from_environment(environment)?;
        let user = SystemUser::look_up(&parameters.system_user)
            .map_err(|error| Failure::new(OcfExit::Arguments, error.to_string()))?;
        Ok(Self {
            parameters,
            request,
            user,
        })
    }
}

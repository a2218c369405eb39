//! The resource as the cluster has it configured: a person's shell has no
//! `OCF_RESKEY_*`.

use crate::ocf::Environment;
use crate::ocf::parameters::NAMES;
use crate::pacemaker::Tools;
use crate::pacemaker::tool::ToolError;

/// The environment that Pacemaker would give an action of `resource`, added to
/// what the shell has.
pub fn environment(tools: &Tools, resource: &str) -> Result<Environment, ToolError> {
    let mut variables = vec![("OCF_RESOURCE_INSTANCE".to_owned(), resource.to_owned())];
    for name in NAMES {
        let query = ["--resource", resource, "--get-parameter", name];
        let ended = tools.ask("crm_resource", &query)?;
        if ended.status.success() {
            variables.push((format!("OCF_RESKEY_{name}"), ended.stdout.trim().to_owned()));
        }
    }
    Ok(variables.into_iter().collect())
}

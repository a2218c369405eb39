//! One call of the agent: which resource, on which node, with how much time.

use std::time::{Duration, Instant};

use super::{Deadline, Environment, NodeName};

/// What the environment says about the call, besides the parameters.
#[derive(Debug, Clone)]
pub struct Request {
    /// The resource id without an instance number: `pgsqld`.
    pub resource: String,
    /// This node; `None` outside the cluster and before Pacemaker 1.1.17.
    pub node: Option<NodeName>,
    /// By when the action must have answered.
    pub deadline: Deadline,
    /// A one-time monitor that asks what is there, not whether all is well.
    pub probe: bool,
}

impl Request {
    /// Reads the request of an action that began at `start`.
    pub fn from_environment(environment: &Environment, start: Instant) -> Self {
        let timeout = environment
            .meta("timeout")
            .and_then(|text| text.parse().ok())
            .map(Duration::from_millis);
        Self {
            resource: resource(environment.get("OCF_RESOURCE_INSTANCE")),
            node: environment.meta("on_node").and_then(NodeName::new),
            deadline: Deadline::of_action(start, timeout),
            // A probe has no interval at all (Pacemaker 2.1.5) or 0.
            probe: matches!(environment.meta("interval"), None | Some("0")),
        }
    }
}

/// How thoroughly to look. Pacemaker before 2.0.5 passes it as a parameter.
pub fn check_level(environment: &Environment) -> u32 {
    let name = "OCF_CHECK_LEVEL";
    let value = environment
        .get(name)
        .or_else(|| environment.parameter(name));
    value.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// crmsh runs `validate-all` without naming a resource: that is no error.
fn resource(instance: Option<&str>) -> String {
    let instance = instance.unwrap_or("default");
    let id = instance.split_once(':').map_or(instance, |(id, _)| id);
    // Pacemaker's ids are XML names; this one becomes part of file names.
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    id.chars()
        .map(|c| if is_of_name(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_instance_number_is_not_part_of_the_resource() {
        assert_eq!(resource(Some("pgsqld:1")), "pgsqld");
        assert_eq!(resource(None), "default");
        assert_eq!(resource(Some("../etc/x")), ".._etc_x");
    }

    #[test]
    fn the_level_has_two_names() {
        let level = |variables| check_level(&Environment::of(variables));
        assert_eq!(level(&[]), 0);
        assert_eq!(level(&[("OCF_CHECK_LEVEL", "10")]), 10);
        assert_eq!(level(&[("OCF_RESKEY_OCF_CHECK_LEVEL", "20")]), 20);
        assert_eq!(level(&[("OCF_CHECK_LEVEL", "much")]), 0);
    }

    #[test]
    fn a_monitor_without_an_interval_is_a_probe() {
        let probe = |variables| {
            Request::from_environment(&Environment::of(variables), Instant::now()).probe
        };
        assert!(probe(&[]));
        assert!(probe(&[("OCF_RESKEY_CRM_meta_interval", "0")]));
        assert!(!probe(&[("OCF_RESKEY_CRM_meta_interval", "15000")]));
    }

    proptest! {
        #[test]
        fn no_value_panics_or_leaves_a_directory(text in "(?s).*", number: u64) {
            for value in [text, number.to_string()] {
                let environment = Environment::of(&[
                    ("OCF_RESOURCE_INSTANCE", &value),
                    ("OCF_RESKEY_CRM_meta_timeout", &value),
                    ("OCF_RESKEY_CRM_meta_interval", &value),
                    ("OCF_RESKEY_CRM_meta_on_node", &value),
                    ("OCF_CHECK_LEVEL", &value),
                ]);
                let request = Request::from_environment(&environment, Instant::now());
                prop_assert!(!request.resource.contains('/'));
                let _ = check_level(&environment);
            }
        }
    }
}

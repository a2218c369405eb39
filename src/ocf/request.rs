//! One call of the agent: which resource, on which node, with how much time, and
//! what the cluster is about to do. For an action it is read once, in main; commands for
//! people make their own.

use std::time::{Duration, Instant};

use super::clone::CloneOptions;
use super::notify::{Operation, Transition, When, event};
use super::{ClusterRole, Deadline, Environment, NodeName};

/// What the environment says about the call, besides the parameters.
#[derive(Debug, Clone)]
pub struct Request {
    /// The resource id without an instance number: `pgsqld`.
    pub resource: String,
    /// This node; `None` outside the cluster and before Pacemaker 1.1.17.
    pub node: Option<NodeName>,
    /// By when the action must have answered.
    pub deadline: Deadline,
    /// By when it is given up by who watches it.
    pub watch: Deadline,
    /// How much time Pacemaker gives the action.
    pub timeout: Duration,
    /// How long after its end a recurring monitor is run again; zero of a probe.
    pub interval: Duration,
    /// A one-time monitor that asks what is there, not whether all is well.
    pub probe: bool,
    /// The role that a recurring monitor is for.
    pub role: Option<ClusterRole>,
    /// How thoroughly to look: `OCF_CHECK_LEVEL`.
    pub check_level: u32,
    /// What the running transition does; `None` if Pacemaker sent no notify lists.
    pub transition: Option<Transition>,
    /// What a notification is about.
    pub event: Option<(When, Operation)>,
    /// The options of the clone; `None` without a cluster.
    pub clone_options: Option<CloneOptions>,
}

impl Request {
    /// Reads the request of an action that began at `start`.
    pub fn from_environment(environment: &Environment, start: Instant) -> Self {
        let timeout = milliseconds(environment, "timeout");
        Self {
            resource: resource(environment.get("OCF_RESOURCE_INSTANCE")),
            node: environment.meta("on_node").and_then(NodeName::new),
            deadline: Deadline::of_action(start, timeout),
            watch: Deadline::of_watch(start, timeout),
            timeout: timeout.unwrap_or_default(),
            interval: milliseconds(environment, "interval").unwrap_or_default(),
            // A probe has no interval at all (Pacemaker 2.1.5) or 0.
            probe: matches!(environment.meta("interval"), None | Some("0")),
            role: environment.meta("role").and_then(ClusterRole::named),
            check_level: check_level(environment),
            transition: Transition::from_environment(environment),
            event: event(environment),
            clone_options: CloneOptions::from_environment(environment),
        }
    }
}

fn milliseconds(environment: &Environment, name: &str) -> Option<Duration> {
    let number = environment.meta(name)?.parse().ok()?;
    Some(Duration::from_millis(number))
}

/// Pacemaker before 2.0.5 passes it as a parameter.
fn check_level(environment: &Environment) -> u32 {
    let name = "OCF_CHECK_LEVEL";
    let value = environment
        .get(name)
        .or_else(|| environment.parameter(name));
    value.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// crmsh runs `validate-all` without naming a resource: that is no error.
fn resource(instance: Option<&str>) -> String {
    let instance = instance.unwrap_or_default();
    let id = instance.split_once(':').map_or(instance, |(id, _)| id);
    let id = if id.is_empty() { "default" } else { id };
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
        assert_eq!(
            [resource(None), resource(Some(":1"))],
            ["default", "default"]
        );
        assert_eq!(resource(Some("../etc/x")), ".._etc_x");
    }

    fn request(variables: &[(&str, &str)]) -> Request {
        Request::from_environment(&Environment::of(variables), Instant::now())
    }

    #[test]
    fn the_level_has_two_names() {
        let level = |variables: &[(&str, &str)]| request(variables).check_level;
        assert_eq!(level(&[]), 0);
        assert_eq!(level(&[("OCF_CHECK_LEVEL", "10")]), 10);
        assert_eq!(level(&[("OCF_RESKEY_OCF_CHECK_LEVEL", "20")]), 20);
        assert_eq!(level(&[("OCF_CHECK_LEVEL", "much")]), 0);
    }

    #[test]
    fn a_monitor_without_an_interval_is_a_probe() {
        let probe = |variables: &[(&str, &str)]| request(variables).probe;
        assert!(probe(&[]));
        assert!(probe(&[("OCF_RESKEY_CRM_meta_interval", "0")]));
        assert!(!probe(&[("OCF_RESKEY_CRM_meta_interval", "15000")]));
    }

    #[test]
    fn a_role_has_a_name_of_today_and_one_of_old() {
        let role = |name: &str| request(&[("OCF_RESKEY_CRM_meta_role", name)]).role;
        for (names, wanted) in [
            (["Promoted", "Master"], Some(ClusterRole::Promoted)),
            (["Unpromoted", "Slave"], Some(ClusterRole::Unpromoted)),
            (["promoted", "MASTER"], Some(ClusterRole::Promoted)),
            (["unpromoted", "SLAVE"], Some(ClusterRole::Unpromoted)),
            (["Started", ""], None),
        ] {
            assert_eq!(names.map(role), [wanted, wanted]);
        }
    }

    #[test]
    fn a_notification_has_its_event_and_its_lists() {
        let request = request(&[
            ("OCF_RESKEY_CRM_meta_notify_type", "pre"),
            ("OCF_RESKEY_CRM_meta_notify_operation", "promote"),
            ("OCF_RESKEY_CRM_meta_notify_promote_uname", "srv2"),
        ]);
        assert_eq!(request.event, Some((When::Before, Operation::Promote)));
        let promote = request.transition.unwrap().promote;
        assert_eq!(promote, [NodeName::new("srv2").unwrap()].into());
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
            }
        }
    }
}

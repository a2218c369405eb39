//! Is the resource set up as the clone that this agent needs? Judged before
//! start and promote, never of a running instance.

use super::values::boolean;
use super::{Environment, Failure, OcfExit};

/// The options of the clone that are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloneOptions {
    /// Whether each node is told what happens to the others.
    notifies: bool,
    /// How many nodes may have a primary.
    promoted_max: Option<String>,
}

impl CloneOptions {
    /// Reads them; `None` without a cluster (ocf-tester, `crm_resource --force-*`).
    pub fn from_environment(environment: &Environment) -> Option<Self> {
        environment.meta("clone_max")?;
        // Pacemaker up to 1.1 and from 3.0 on name only one of the two.
        let promoted = environment.meta("promoted_max");
        let promoted = promoted.or_else(|| environment.meta("master_max"));
        Some(Self {
            notifies: environment.meta("notify").and_then(boolean) == Some(true),
            promoted_max: promoted.map(str::to_owned),
        })
    }
}

/// Refuses a clone without notifications, or with several primaries. Without a cluster
/// there is none to judge.
pub fn judge(clone: Option<&CloneOptions>) -> Result<(), Failure> {
    let Some(clone) = clone else {
        return Ok(());
    };
    if !clone.notifies {
        return Err(wrong("notify", "true"));
    }
    match clone.promoted_max.as_deref() {
        None | Some("1") => Ok(()),
        Some(_) => Err(wrong("promoted-max", "1")),
    }
}

fn wrong(name: &str, value: &str) -> Failure {
    let reason = format!("Set {name}={value}: pcs resource meta CLONE {name}={value}");
    Failure::new(OcfExit::Arguments, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(variables: &[(&str, &str)]) -> bool {
        judge(CloneOptions::from_environment(&Environment::of(variables)).as_ref()).is_err()
    }

    const CLONE: (&str, &str) = ("OCF_RESKEY_CRM_meta_clone_max", "3");
    const NOTIFY: (&str, &str) = ("OCF_RESKEY_CRM_meta_notify", "true");

    #[test]
    fn a_clone_must_notify() {
        assert!(refused(&[CLONE]));
        assert!(refused(&[CLONE, ("OCF_RESKEY_CRM_meta_notify", "false")]));
        assert!(!refused(&[CLONE, NOTIFY]));
    }

    #[test]
    fn only_one_may_be_promoted() {
        for name in ["promoted_max", "master_max"] {
            let name = format!("OCF_RESKEY_CRM_meta_{name}");
            assert!(refused(&[CLONE, NOTIFY, (&name, "2")]), "{name}");
            assert!(!refused(&[CLONE, NOTIFY, (&name, "1")]), "{name}");
        }
    }

    #[test]
    fn without_a_cluster_there_is_nothing_to_judge() {
        assert!(!refused(&[]));
    }
}

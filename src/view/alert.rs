//! What Pacemaker tells an alert agent of one event (`CRM_alert_…`). The names are the same in
//! Pacemaker 2.0, 2.1 and 3.0 (`lib/common/alerts.c`, `lib/lrmd/lrmd_alerts.c`); up to 2.1 each
//! comes a second time as `CRM_notify_…`, which is not read.

use std::time::Duration;

use thiserror::Error;

use crate::ocf::NodeName;

/// `PCMK_EXEC_DONE` and `PCMK_EXEC_CANCELLED` (`include/crm/common/results.h`).
const DONE: i64 = 0;
const CANCELLED: i64 = 1;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The node that it is about.
    pub node: NodeName,
    /// When, since the epoch.
    pub at: Duration,
    /// What happened.
    pub what: What,
}

/// What happened, of that which may concern us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An action of a resource came to an end.
    Action {
        /// The resource, without the number of an instance.
        resource: String,
        /// What was done: `promote`.
        task: String,
        /// Its exit code.
        code: i64,
        /// Whether that was expected, in time.
        is_expected: bool,
        /// How long it took, where that is known.
        took: Option<Duration>,
        /// In Pacemaker's words.
        words: String,
    },
    /// A node was fenced.
    Fencing {
        /// Whether it is known to be off.
        succeeded: bool,
        /// In Pacemaker's words.
        words: String,
    },
    /// A node is lost, or a member again.
    Membership {
        /// Whether it is lost.
        is_lost: bool,
    },
    /// An attribute of a node has another value.
    Attribute {
        /// Which.
        name: String,
        /// The value; `None`: it was deleted.
        value: Option<String>,
    },
}

/// Why an environment tells of no event.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AlertError {
    /// Nobody but Pacemaker has it.
    #[error("{0} is not set: Pacemaker calls this command, by pcs alert create path=…")]
    NotAnAlert(&'static str),
    /// It has it in another form.
    #[error("{name}={value} is not a number")]
    NotANumber {
        /// Which variable.
        name: &'static str,
        /// What it has.
        value: String,
    },
}

impl Alert {
    /// Reads the environment; `None` for what never concerns us: a run that is not over, a kind
    /// of a later version.
    pub fn of<'a>(
        get: impl Fn(&'static str) -> Option<&'a str>,
    ) -> Result<Option<Self>, AlertError> {
        let get = &get;
        let what = match wanted(get, "CRM_alert_kind")? {
            "resource" => action(get)?,
            "fencing" => Some(fencing(get)?),
            "node" => Some(What::Membership {
                is_lost: get("CRM_alert_desc") == Some("lost"),
            }),
            "attribute" => Some(attribute(get)?),
            _ => None,
        };
        let Some(what) = what else { return Ok(None) };
        let name = wanted(get, "CRM_alert_node")?;
        let node = NodeName::new(name).ok_or(AlertError::NotAnAlert("CRM_alert_node"))?;
        let at = number(get, "CRM_alert_timestamp_epoch")?.unwrap_or_default();
        let at = Duration::from_secs(at.unsigned_abs());
        Ok(Some(Self { node, at, what }))
    }
}

fn wanted<'a>(
    get: &impl Fn(&'static str) -> Option<&'a str>,
    name: &'static str,
) -> Result<&'a str, AlertError> {
    get(name).ok_or(AlertError::NotAnAlert(name))
}

fn number<'a>(
    get: &impl Fn(&'static str) -> Option<&'a str>,
    name: &'static str,
) -> Result<Option<i64>, AlertError> {
    let Some(text) = get(name) else {
        return Ok(None);
    };
    let value = text.to_owned();
    text.parse()
        .map(Some)
        .map_err(|_| AlertError::NotANumber { name, value })
}

/// A probe that found something is no failure; notifies have no result that counts.
fn action<'a>(get: &impl Fn(&'static str) -> Option<&'a str>) -> Result<Option<What>, AlertError> {
    let (resource, task) = (
        wanted(get, "CRM_alert_rsc")?,
        wanted(get, "CRM_alert_task")?,
    );
    let status = number(get, "CRM_alert_status")?.unwrap_or(DONE);
    let code = number(get, "CRM_alert_rc")?.unwrap_or(-1);
    let wanted = number(get, "CRM_alert_target_rc")?.unwrap_or(0);
    let interval = number(get, "CRM_alert_interval")?.unwrap_or(0);
    let is_probe = task == "monitor" && interval == 0;
    if is_probe || task == "notify" || status < DONE || status == CANCELLED {
        return Ok(None);
    }
    let took = number(get, "CRM_alert_exec_time")?;
    let instance = resource.rsplit_once(':');
    let instance = instance.filter(|(_, number)| number.parse::<u32>().is_ok());
    Ok(Some(What::Action {
        resource: instance.map_or(resource, |(name, _)| name).to_owned(),
        task: task.to_owned(),
        code,
        is_expected: status == DONE && code == wanted,
        took: took.map(|time| Duration::from_millis(time.unsigned_abs())),
        words: get("CRM_alert_desc").unwrap_or_default().to_owned(),
    }))
}

fn fencing<'a>(get: &impl Fn(&'static str) -> Option<&'a str>) -> Result<What, AlertError> {
    Ok(What::Fencing {
        succeeded: number(get, "CRM_alert_rc")? == Some(0),
        words: get("CRM_alert_desc").unwrap_or_default().to_owned(),
    })
}

fn attribute<'a>(get: &impl Fn(&'static str) -> Option<&'a str>) -> Result<What, AlertError> {
    Ok(What::Attribute {
        name: wanted(get, "CRM_alert_attribute_name")?.to_owned(),
        value: get("CRM_alert_attribute_value").map(str::to_owned),
    })
}

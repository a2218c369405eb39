//! The recurring monitors of a resource as they are configured.

use std::time::Duration;

use roxmltree::{Document, Node};

use super::tools::{ToolError, Tools};
use crate::ocf::ClusterRole;
use crate::ocf::values::{boolean, time};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Monitor {
    /// For which role it is; `None` for any.
    pub role: Option<ClusterRole>,
    /// Its interval.
    pub interval: Duration,
    /// Its time-out; `None` where it has none of its own.
    pub timeout: Option<Duration>,
}

/// The monitors of a resource.
pub fn monitors(tools: &Tools, resource: &str) -> Result<Vec<Monitor>, ToolError> {
    let xml = tools.tell("cibadmin", &["--query", "--scope", "resources"])?;
    parse(&xml, resource).map_err(|error| ToolError::Failed {
        tool: "cibadmin",
        text: format!("unreadable answer: {error}"),
    })
}

/// Reads the section `resources` of the CIB. What is turned off is left out.
pub fn parse(xml: &str, resource: &str) -> Result<Vec<Monitor>, roxmltree::Error> {
    let document = Document::parse(xml)?;
    let is_of_it = |element: &Node<'_, '_>| {
        let mut above = element.ancestors();
        above.any(|one| one.has_tag_name("primitive") && one.attribute("id") == Some(resource))
    };
    let all = document.descendants();
    let operations = all.filter(|element| element.has_tag_name("op") && is_of_it(element));
    Ok(operations.filter_map(monitor).collect())
}

fn monitor(element: Node<'_, '_>) -> Option<Monitor> {
    let is_off = element.attribute("enabled").and_then(boolean) == Some(false);
    if is_off || element.attribute("name") != Some("monitor") {
        return None;
    }
    Some(Monitor {
        role: element.attribute("role").and_then(ClusterRole::named),
        interval: time(element.attribute("interval")?)?,
        timeout: element.attribute("timeout").and_then(time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOURCES: &str = r#"<resources><clone id="pgsqld-clone"><primitive id="pgsqld">
        <operations>
          <op id="a" name="monitor" interval="1s" role="Promoted" timeout="60s" on-fail="demote"/>
          <op id="b" name="monitor" interval="16" role="Slave"/>
          <op id="c" name="monitor" interval="100ms" role="Master" enabled="false"/>
          <op id="d" name="start" interval="0s" timeout="60s"/>
          <op id="e" name="monitor" interval="PT1M" role="Master"/>
        </operations></primitive></clone>
        <primitive id="other"><operations><op name="monitor" interval="2min"/></operations>
        </primitive></resources>"#;

    #[test]
    fn monitors_are_those_of_the_resource_that_are_on() {
        let seconds = Duration::from_secs;
        let promoted = Monitor {
            role: Some(ClusterRole::Promoted),
            interval: seconds(1),
            timeout: Some(seconds(60)),
        };
        let unpromoted = Monitor {
            role: Some(ClusterRole::Unpromoted),
            interval: seconds(16),
            timeout: None,
        };
        let by_iso8601 = Monitor {
            role: Some(ClusterRole::Promoted),
            interval: seconds(60),
            timeout: None,
        };
        let all = [promoted, unpromoted, by_iso8601];
        assert_eq!(parse(RESOURCES, "pgsqld").unwrap(), all);
        let other = parse(RESOURCES, "other").unwrap();
        assert_eq!(other.len(), 1);
        assert_eq!((other[0].role, other[0].interval), (None, seconds(120)));
        assert_eq!(parse(RESOURCES, "none").unwrap(), []);
        assert!(parse("no XML", "pgsqld").is_err());
    }
}

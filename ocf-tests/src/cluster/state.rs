//! What Pacemaker says about the cluster: `crm_mon` as XML, read into plain data.

use anyhow::{Context, Result};
use roxmltree::{Document, Node as Element};

/// Role of an instance of a resource on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Promoted (or Master).
    Promoted,
    /// Unpromoted (or Slave).
    Unpromoted,
    /// Started, for resources without roles.
    Started,
    /// Anything else, in Pacemaker's words.
    Other(String),
}

/// One active instance of a resource.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Id of the resource, without instance number.
    pub resource: String,
    /// Its role.
    pub role: Role,
    /// Node it is on.
    pub node: String,
    /// Whether Pacemaker calls it failed or blocked, or has an action pending on it.
    pub trouble: Option<String>,
}

/// A node as Pacemaker sees it.
#[derive(Debug, Clone)]
pub struct NodeState {
    /// Its name.
    pub name: String,
    /// Member of the cluster and able to run things.
    pub online: bool,
    /// In standby.
    pub standby: bool,
    /// Not known to be dead although it should be.
    pub unclean: bool,
    /// Joining.
    pub pending: bool,
}

/// Everything of interest in one look.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// All known nodes.
    pub nodes: Vec<NodeState>,
    /// All active instances.
    pub instances: Vec<Instance>,
    /// Failed actions, one line each.
    pub failures: Vec<String>,
    /// Fail counts that are not zero, one line each.
    pub fail_counts: Vec<String>,
    /// Bans, as `constraint on node`.
    pub bans: Vec<String>,
    /// Attributes of nodes: node, name, value.
    pub attributes: Vec<(String, String, String)>,
    /// Whether the partition that was asked has quorum.
    pub quorum: bool,
    /// Name of the node that coordinates the cluster.
    pub coordinator: String,
}

impl State {
    /// Reads the output of `crm_mon -1 --output-as=xml`.
    pub fn parse(xml: &str) -> Result<Self> {
        let document = Document::parse(xml).context("output of crm_mon")?;
        let mut state = Self::default();
        for element in document.descendants().filter(Element::is_element) {
            state.take(element);
        }
        Ok(state)
    }

    fn take(&mut self, element: Element) {
        let text = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
        let parent = element.parent();
        let owner = parent.and_then(|p| p.attribute("name")).unwrap_or("?");
        let parent = parent.map_or("", |p| p.tag_name().name());
        match (element.tag_name().name(), parent) {
            ("node", "nodes") => self.nodes.push(node_state(element)),
            ("node", "resource") => self.instances.extend(instance(element)),
            ("failure", _) => self.failures.push(format!(
                "{} on {}: {} ({})",
                text("op_key"),
                text("node"),
                text("exitstatus"),
                text("exitreason")
            )),
            ("resource_history", _) => {
                if let Some(count) = element.attribute("fail-count").filter(|c| *c != "0") {
                    self.fail_counts
                        .push(format!("{} on {owner}: {count}", text("id")));
                }
            }
            ("attribute", "node") => {
                self.attributes
                    .push((owner.to_owned(), text("name"), text("value")));
            }
            ("ban", _) => self
                .bans
                .push(format!("{} on {}", text("id"), text("node"))),
            ("current_dc", _) => {
                self.quorum = text("with_quorum") == "true";
                self.coordinator = text("name");
            }
            _ => {}
        }
    }

    /// Node on which `resource` has `role`, when it is exactly one.
    pub fn only(&self, resource: &str, role: &Role) -> Result<String> {
        let found = self.on(resource, role);
        match found.as_slice() {
            [node] => Ok(node.clone()),
            [] => anyhow::bail!("{resource} is {role:?} nowhere"),
            many => anyhow::bail!("{resource} is {role:?} on {}", many.join(", ")),
        }
    }

    /// Promotion score of `resource` on `node`, if it has one.
    pub fn score(&self, resource: &str, node: &str) -> Option<&str> {
        let name = format!("master-{resource}");
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(on, attribute, _)| on == node && *attribute == name);
        found.map(|(_, _, value)| value.as_str())
    }

    /// Nodes on which `resource` has `role`, sorted.
    pub fn on(&self, resource: &str, role: &Role) -> Vec<String> {
        let matching = self
            .instances
            .iter()
            .filter(|i| i.resource == resource && i.role == *role);
        let mut nodes: Vec<String> = matching.map(|i| i.node.clone()).collect();
        nodes.sort();
        nodes
    }
}

fn node_state(element: Element) -> NodeState {
    let is = |name: &str| element.attribute(name) == Some("true");
    NodeState {
        name: element.attribute("name").unwrap_or_default().to_owned(),
        online: is("online"),
        standby: is("standby"),
        unclean: is("unclean"),
        pending: is("pending"),
    }
}

/// The instance that has `element` as its node; stopped ones have none.
fn instance(element: Element) -> Option<Instance> {
    let resource = element.parent()?;
    let is = |name: &str| resource.attribute(name) == Some("true");
    let trouble = match (is("failed"), is("blocked"), resource.attribute("pending")) {
        (true, _, _) => Some("failed".to_owned()),
        (_, true, _) => Some("blocked".to_owned()),
        (_, _, Some(action)) => Some(format!("pending: {action}")),
        _ => None,
    };
    let id = resource.attribute("id")?;
    Some(Instance {
        resource: id.split(':').next().unwrap_or(id).to_owned(),
        role: match resource.attribute("role")? {
            "Promoted" | "Master" => Role::Promoted,
            "Unpromoted" | "Slave" => Role::Unpromoted,
            "Started" => Role::Started,
            other => Role::Other(other.to_owned()),
        },
        node: element.attribute("name")?.to_owned(),
        trouble,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<pacemaker-result><summary>
      <current_dc present="true" name="srv2" with_quorum="true"/></summary>
      <nodes><node name="srv1" online="true" standby="false" unclean="false" pending="false"/></nodes>
      <resources><clone id="pgsqld-clone">
        <resource id="pgsqld" role="Promoted" failed="false"><node name="srv1"/></resource>
        <resource id="pgsqld" role="Unpromoted" failed="true"><node name="srv2"/></resource>
      </clone></resources>
      <node_attributes><node name="srv1"><attribute name="master-pgsqld" value="1001"/></node>
      </node_attributes><node_history><node name="srv2"><resource_history id="pgsqld" fail-count="2"/></node></node_history>
      </pacemaker-result>"#;

    #[test]
    fn roles_and_trouble_are_read() {
        let state = State::parse(XML).unwrap();
        assert_eq!(state.only("pgsqld", &Role::Promoted).unwrap(), "srv1");
        assert_eq!(state.on("pgsqld", &Role::Unpromoted), ["srv2"]);
        assert_eq!(state.instances[1].trouble.as_deref(), Some("failed"));
        assert_eq!(state.score("pgsqld", "srv1"), Some("1001"));
        assert_eq!(state.score("pgsqld", "srv2"), None);
        assert_eq!(state.fail_counts, ["pgsqld on srv2: 2"]);
        assert!(state.nodes[0].online && state.quorum && state.coordinator == "srv2");
    }
}

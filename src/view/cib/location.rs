//! The location constraints of the resource: what an admin, or a command of an admin, wants where.

use roxmltree::Node as Element;

use super::resource::Resource;
use super::xml::{children, configuration};
use crate::ocf::ClusterRole;
use crate::ocf::NodeName;
use crate::record::score::keeps_away;

/// One constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Its id.
    pub id: String,
    /// What it names: the clone, or the primitive.
    pub resource: String,
    /// The node that it is about, where it names one.
    pub node: Option<NodeName>,
    /// Whether it forbids that node.
    pub forbids: bool,
    /// Whether it is about the role of the primary alone.
    pub is_of_role: bool,
}

impl Location {
    /// All that are about the resource.
    pub(super) fn all(root: Element<'_, '_>, resource: &Resource) -> Vec<Self> {
        let all = children(configuration(root, "constraints"), "rsc_location");
        let all = all.filter_map(Self::of);
        let is_ours = |one: &Self| {
            one.resource == resource.id || resource.clone.as_ref() == Some(&one.resource)
        };
        all.filter(is_ours).collect()
    }

    fn of(element: Element<'_, '_>) -> Option<Self> {
        // With a lifetime both stand in a rule.
        let parts = || element.descendants();
        let of_any = |name: &str| parts().find_map(|one| one.attribute(name));
        let role = of_any("role").and_then(ClusterRole::named);
        Some(Self {
            id: element.attribute("id")?.to_owned(),
            resource: element.attribute("rsc")?.to_owned(),
            node: element
                .attribute("node")
                .or_else(|| named(element))
                .and_then(NodeName::new),
            forbids: of_any("score").is_some_and(keeps_away),
            is_of_role: role == Some(ClusterRole::Promoted),
        })
    }

    /// Whether a command left it behind.
    pub fn is_left(&self) -> bool {
        self.id.starts_with("cli-")
    }

    /// Whether it keeps the resource as a whole away from a node.
    pub fn keeps_off(&self, node: &NodeName) -> bool {
        self.forbids && !self.is_of_role && self.node.as_ref() == Some(node)
    }

    /// What takes it away, if a command left it.
    pub fn clear(&self) -> String {
        let node = self.node.as_ref().map(|node| format!(" {node}"));
        format!(
            "pcs resource clear {}{}",
            self.resource,
            node.unwrap_or_default()
        )
    }
}

/// By a rule whose only condition on nodes is a name.
fn named<'a>(element: Element<'a, '_>) -> Option<&'a str> {
    let mut conditions = element
        .descendants()
        .filter(|one| one.has_tag_name("expression"));
    let first = conditions.next().filter(|one| {
        one.attribute("attribute") == Some("#uname") && one.attribute("operation") == Some("eq")
    })?;
    conditions
        .next()
        .is_none()
        .then(|| first.attribute("value"))?
}

//! Permanent node attributes: they survive reboots and are known of nodes
//! that are away. Each write is a write of the CIB, aborts the running
//! transition and reaches every node's disk: write only what changed.

use std::collections::{BTreeMap, BTreeSet};

use super::tools::{Begun, ToolError, Tools};
use crate::ocf::NodeName;
use crate::record::score;

/// The permanent attributes of all nodes, read by one process.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Permanent(BTreeMap<NodeName, BTreeMap<String, String>>);

impl Permanent {
    /// Asks for the section `nodes` of the CIB.
    pub fn read(tools: &Tools) -> Result<Self, ToolError> {
        let (tool, words) = query();
        Self::of_answer(tools.tell(tool, &words))
    }

    /// What the call of `query` answered.
    pub fn of_answer(answer: Result<String, ToolError>) -> Result<Self, ToolError> {
        parse(&answer?).map_err(|error| ToolError::Failed {
            tool: CIBADMIN,
            text: format!("unreadable answer: {error}"),
        })
    }

    /// Reads them from the text of the CIB, whole or in parts; of a text that is none nothing.
    pub fn of_text(xml: &str) -> Self {
        parse(xml).unwrap_or_default()
    }

    /// All nodes of the cluster, present or not.
    pub fn nodes(&self) -> BTreeSet<NodeName> {
        self.0.keys().cloned().collect()
    }

    /// The attribute's value on each node that has it.
    pub fn values(&self, name: &str) -> BTreeMap<NodeName, &str> {
        self.0
            .iter()
            .filter_map(|(node, attributes)| Some((node.clone(), attributes.get(name)?.as_str())))
            .collect()
    }

    /// The promotion scores of a resource.
    pub fn scores(&self, resource: &str) -> BTreeMap<NodeName, i32> {
        let values = self.values(&score::NAME.of(resource));
        values
            .into_iter()
            .filter_map(|(node, value)| Some((node, score::decode(value)?)))
            .collect()
    }
}

const CIBADMIN: &str = "cibadmin";

/// The call that asks for the section `nodes` of the CIB.
pub fn query() -> (&'static str, Vec<&'static str>) {
    (CIBADMIN, vec!["--query", "--scope", "nodes"])
}

/// Sets an attribute of a node.
pub fn set(tools: &Tools, node: &NodeName, name: &str, value: &str) -> Result<(), ToolError> {
    tools
        .finish(begin_to_set(tools, node, name, value))
        .map(drop)
}

/// The same, without waiting for it. `--update=`, since a negative value would be
/// taken for an option before Pacemaker 2.1.1.
pub fn begin_to_set(tools: &Tools, node: &NodeName, name: &str, value: &str) -> Begun {
    change(tools, node, name, &format!("--update={value}"))
}

/// Deletes an attribute of a node.
pub fn delete(tools: &Tools, node: &NodeName, name: &str) -> Result<(), ToolError> {
    tools
        .finish(change(tools, node, name, "--delete"))
        .map(drop)
}

fn change(tools: &Tools, node: &NodeName, name: &str, what: &str) -> Begun {
    let node = node.as_str();
    let change = [
        "--lifetime",
        "forever",
        "--node",
        node,
        "--name",
        name,
        what,
    ];
    tools.begin("crm_attribute", &change)
}

/// Reads the section `nodes` of the CIB.
pub fn parse(xml: &str) -> Result<Permanent, roxmltree::Error> {
    let document = roxmltree::Document::parse(xml)?;
    let nodes = document
        .descendants()
        .filter(|element| element.has_tag_name("node"));
    Ok(Permanent(nodes.filter_map(node).collect()))
}

fn node(element: roxmltree::Node<'_, '_>) -> Option<(NodeName, BTreeMap<String, String>)> {
    let name = NodeName::new(element.attribute("uname")?)?;
    let pairs = element
        .descendants()
        .filter(|pair| pair.has_tag_name("nvpair"));
    let attributes = pairs.filter_map(|pair| {
        let name = pair.attribute("name")?;
        Some((name.to_owned(), pair.attribute("value")?.to_owned()))
    });
    Some((name, attributes.collect()))
}

#[cfg(test)]
impl Permanent {
    /// What the cluster of a test has.
    pub fn of_a_test(nodes: BTreeMap<NodeName, BTreeMap<String, String>>) -> Self {
        Self(nodes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NODES: &str = r#"<nodes>
        <node id="1" uname="srv1"><instance_attributes id="nodes-1">
          <nvpair id="a" name="master-pgsqld" value="1001"/>
          <nvpair id="b" name="reign-pgsqld" value="term=1"/></instance_attributes></node>
        <node id="2" uname="srv2"><instance_attributes id="nodes-2">
          <nvpair id="c" name="master-pgsqld" value="-INFINITY"/>
          <nvpair id="d" name="master-other" value="5"/></instance_attributes></node>
        <node id="3" uname="srv3"/></nodes>"#;

    #[test]
    fn scores_are_those_of_the_resource() {
        let permanent = parse(NODES).unwrap();
        let scores: Vec<_> = permanent.scores("pgsqld").into_values().collect();
        assert_eq!(scores, [1001, -1_000_000]);
        assert_eq!(permanent.nodes().len(), 3);
        assert_eq!(permanent.values("reign-pgsqld").len(), 1);
    }

    #[test]
    fn an_answer_that_is_no_xml_is_an_error() {
        assert!(parse("").is_err());
        assert!(parse("<nodes>").is_err());
        assert_eq!(parse("<nodes/>").unwrap(), Permanent::default());
    }

    proptest! {
        #[test]
        fn any_value_comes_back(value in "[ -~]{0,30}") {
            let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            let xml = format!(
                "<nodes><node uname=\"srv1\"><i><nvpair name=\"x\" value=\"{escaped}\"/></i>\
                 </node></nodes>"
            );
            let read = parse(&xml).unwrap();
            prop_assert_eq!(read.values("x").into_values().next(), Some(value.as_str()));
        }

        #[test]
        fn no_answer_panics(
            xml in "(?s).*",
            cut in 0..NODES.len(),
            text in "[<>\"'&/=a-z ]{0,9}",
        ) {
            let _ = parse(&xml);
            let _ = parse(&format!("{}{text}{}", &NODES[..cut], &NODES[cut..]));
        }
    }
}

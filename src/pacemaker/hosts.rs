//! The nodes on which a resource may run, by the configuration: all but those that an admin has kept
//! it away from, for good or for now, and those without corosync.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};

use super::placement::names_of;
use super::tools::{ToolError, Tools};
use crate::ocf::NodeName;
use crate::record::score;

/// The nodes, present or not.
pub fn read(tools: &Tools, resource: &str) -> Result<BTreeSet<NodeName>, ToolError> {
    let xml = tools.tell("cibadmin", &["--query", "--scope", "configuration"])?;
    parse(&xml, resource).map_err(|error| ToolError::Failed {
        tool: "cibadmin",
        text: format!("unreadable answer: {error}"),
    })
}

/// Reads the section `configuration` of the CIB. Rules are not evaluated: a node that only one of
/// them excludes counts as one where it may run.
pub fn parse(xml: &str, resource: &str) -> Result<BTreeSet<NodeName>, roxmltree::Error> {
    let document = Document::parse(xml)?;
    let names = names_of(&document, resource);
    let all = || document.descendants();
    let barred: BTreeSet<_> = all()
        .filter(|one| is_barrier(one, &names))
        .filter_map(|one| NodeName::new(one.attribute("node")?))
        .collect();
    // Of the cluster itself; Pacemaker 1.1 has `normal`.
    let of_cluster = [None, Some("member"), Some("normal")];
    let is_member = |one: &Node<'_, '_>| of_cluster.contains(&one.attribute("type"));
    let nodes = all().filter(|one| one.has_tag_name("node") && is_member(one));
    let nodes = nodes.filter_map(|one| NodeName::new(one.attribute("uname")?));
    Ok(nodes.filter(|node| !barred.contains(node)).collect())
}

/// Whether it keeps the resource away from a node in whatever role.
fn is_barrier(location: &Node<'_, '_>, names: &BTreeSet<&str>) -> bool {
    let of_it = |name: &str| names.contains(name);
    location.has_tag_name("rsc_location")
        && location.attribute("rsc").is_some_and(of_it)
        && matches!(location.attribute("role"), None | Some("Started"))
        && location.attribute("score").is_some_and(score::keeps_away)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONFIGURATION: &str = r#"<configuration>
        <nodes><node id="1" uname="srv1"/><node id="2" uname="srv2" type="member"/>
          <node id="3" uname="srv3"/><node id="4" uname="quorum"/>
          <node id="5" uname="far" type="remote"/></nodes>
        <resources><clone id="pgsqld-clone"><primitive id="pgsqld"/></clone>
          <primitive id="ip"/></resources>
        <constraints>
          <rsc_location id="a" rsc="pgsqld-clone" node="quorum" score="-INFINITY"/>
          <rsc_location id="b" rsc="ip" node="srv1" score="-INFINITY"/>
          <rsc_location id="c" rsc="pgsqld-clone" role="Promoted" node="srv2" score="-INFINITY"/>
          <rsc_location id="d" rsc="pgsqld-clone" node="srv3" score="-100"/>
        </constraints></configuration>"#;

    #[test]
    fn a_node_is_one_unless_the_resource_is_kept_away_from_it() {
        let found = parse(CONFIGURATION, "pgsqld").unwrap();
        let names: Vec<_> = found.iter().map(NodeName::as_str).collect();
        assert_eq!(names, ["srv1", "srv2", "srv3"]);
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in "(?s).*", end in 0..CONFIGURATION.len()) {
            let _ = parse(&text, "pgsqld");
            let _ = parse(&CONFIGURATION[..end], "pgsqld");
        }
    }
}

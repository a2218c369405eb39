//! Node attributes that live as long as Pacemaker runs on the node. Private
//! ones are seen by all nodes but never in the CIB, so they never abort a
//! transition; announcements are in the CIB, for people.

use std::collections::BTreeMap;

use super::tools::{ToolError, Tools};
use crate::ocf::NodeName;

const UPDATER: &str = "attrd_updater";

/// Sets an attribute of this node.
pub fn set(tools: &Tools, name: &str, value: &str) -> Result<(), ToolError> {
    change(tools, name, &["--update", value, "--private"])
}

/// Sets an attribute of this node that `crm_mon -A` shows, until Pacemaker
/// stops here. It reaches the CIB: only for what is rare.
pub fn announce(tools: &Tools, name: &str, value: &str) -> Result<(), ToolError> {
    change(tools, name, &["--update", value])
}

/// Takes an announcement back.
pub fn retract(tools: &Tools, name: &str) -> Result<(), ToolError> {
    change(tools, name, &["--delete"])
}

/// Deletes an attribute of this node.
pub fn delete(tools: &Tools, name: &str) -> Result<(), ToolError> {
    change(tools, name, &["--delete", "--private"])
}

/// Sets several attributes of this node at once.
pub fn set_each(tools: &Tools, values: &[(&str, &str)]) -> Result<(), ToolError> {
    let values = values.iter();
    change_each(
        tools,
        values.map(|(name, value)| (*name, vec!["--update", *value, "--private"])),
    )
}

/// Deletes several attributes of this node at once.
pub fn delete_each(tools: &Tools, names: &[&str]) -> Result<(), ToolError> {
    let names = names.iter();
    change_each(
        tools,
        names.map(|name| (*name, vec!["--delete", "--private"])),
    )
}

fn change_each<'a>(
    tools: &Tools,
    changes: impl Iterator<Item = (&'a str, Vec<&'a str>)>,
) -> Result<(), ToolError> {
    let words = changes.map(|(name, what)| (UPDATER, words(tools, name, &what)));
    let words: Vec<_> = words.collect();
    let answers = tools.tell_each(&words);
    answers.into_iter().try_for_each(|answer| answer.map(drop))
}

fn change(tools: &Tools, name: &str, what: &[&str]) -> Result<(), ToolError> {
    tools.tell(UPDATER, &words(tools, name, what)).map(drop)
}

/// On a node that runs Pacemaker Remote, attrd would take its own node for ours.
fn words<'a>(tools: &'a Tools, name: &'a str, what: &[&'a str]) -> Vec<&'a str> {
    let node = tools.node().map(NodeName::as_str);
    let node = node.map_or(Vec::new(), |node| vec!["--node", node]);
    [&["--name", name], what, &node].concat()
}

/// The attribute's value on each node that has one. An attribute that nobody
/// ever set is none, not an error; but a daemon that does not answer is one, or
/// a shutdown checkpoint would bind nobody and votes would seem mute.
pub fn of_all_nodes(tools: &Tools, name: &str) -> Result<BTreeMap<NodeName, String>, ToolError> {
    let (tool, words) = query(name);
    values(tools.tell(tool, &words))
}

/// The call that asks for an attribute on all nodes.
pub fn query(name: &str) -> (&'static str, Vec<&str>) {
    (UPDATER, vec!["--name", name, "--query", "--all"])
}

/// What such a call answered.
pub fn values(answer: Result<String, ToolError>) -> Result<BTreeMap<NodeName, String>, ToolError> {
    match answer {
        Err(ToolError::Failed { text, .. }) if is_of_no_attribute(&text) => Ok(BTreeMap::new()),
        answer => Ok(parse(&answer?)),
    }
}

/// `tools/attrd_updater.c` of all versions from 1.1.13 to 3.0. On 2.0.5 an attribute
/// whose only node has left the cluster is known and has no values.
fn is_of_no_attribute(text: &str) -> bool {
    let none = [
        "attribute does not exist",
        "No such device or address",
        "reply had attribute name but no host values",
    ];
    none.iter().any(|words| text.contains(words))
}

/// `name="X" host="n1" value="V"` a line; a deleted one has an empty value.
pub fn parse(output: &str) -> BTreeMap<NodeName, String> {
    output.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<(NodeName, String)> {
    let (node, rest) = quoted(line, " host=\"")?;
    let (value, _) = quoted(rest, " value=\"").filter(|(value, _)| !value.is_empty())?;
    Some((NodeName::new(node)?, value.to_owned()))
}

/// The value of a key, and what stands behind it.
fn quoted<'a>(line: &'a str, key: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = line.split_once(key)?;
    rest.split_once('"')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn deleted_and_broken_lines_are_no_values() {
        let output = "name=\"lsn\" host=\"srv1\" value=\"1#100\"\n\
                      name=\"lsn\" host=\"srv2\" value=\"\"\n\
                      name=\"lsn\" host=\"srv3\n\
                      name=\"lsn\" host=\"srv4 value=\"1#100\"\n\
                      Could not query value of lsn\n";
        let node = NodeName::new("srv1").unwrap();
        assert_eq!(parse(output), [(node, "1#100".to_owned())].into());
    }

    /// The second one on Pacemaker 2.0.5, once the only node with it was fenced: for good
    /// the new primary wrote no scores.
    #[test]
    fn an_attribute_that_nobody_has_is_no_error() {
        for text in [
            "Could not query value of vote: attribute does not exist",
            "Could not query value of missing-pgsqld: reply had attribute name but no host values",
        ] {
            assert!(is_of_no_attribute(text), "{text}");
        }
        let silent = "Could not query value of vote: Connection timed out (110)";
        assert!(!is_of_no_attribute(silent));
    }

    proptest! {
        #[test]
        fn every_value_of_every_node_is_found(
            all in proptest::collection::btree_map("[a-z0-9.-]{1,9}", "[!#-~]{1,30}", 0..6)
        ) {
            let line = |(node, value): (&String, &String)| {
                format!("name=\"x\" host=\"{node}\" value=\"{value}\"\n")
            };
            let output: String = all.iter().map(line).collect();
            let wanted = all.iter().map(|(node, value)| {
                (NodeName::new(node).unwrap(), value.clone())
            });
            prop_assert_eq!(parse(&output), wanted.collect());
        }

        #[test]
        fn no_output_panics(output in "(?s)[a-z=\" \n]*|.*") {
            let _ = parse(&output);
        }
    }
}

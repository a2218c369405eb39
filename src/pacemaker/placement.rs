//! How Pacemaker itself would place the role of the primary, and which constraints it has
//! for that.
//!
//! Its own scheduler is asked (`crm_simulate`), on the state of this moment: rules on
//! attributes and dates, resource sets, tags, tickets and failures are all in its answer,
//! and whatever a later version adds. To evaluate constraints here would be a second
//! scheduler, which is wrong where it differs. They are read only to name one.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};

use super::tools::{ToolError, Tools};
use crate::ocf::ClusterRole;
use crate::ocf::NodeName;
use crate::record::{Constraint, score};

/// The score by which Pacemaker would choose each node for the promotion now: the stored
/// one and all that is added to it. Instances that it would stop have none.
pub fn scores(tools: &Tools, resource: &str) -> Result<BTreeMap<NodeName, i32>, ToolError> {
    let answer = tools.tell("crm_simulate", &["--live-check", "--show-scores"])?;
    let scores = parse_scores(&answer, resource);
    if scores.is_empty() {
        return Err(ToolError::Failed {
            tool: "crm_simulate",
            text: format!("no promotion score of {resource} in its answer"),
        });
    }
    Ok(scores)
}

/// `pgsqld:2 promotion score on srv3: -INFINITY` (`"promotion-score"` in
/// `lib/pacemaker/pcmk_output.c`; before 2.0.4 in `pcmk_sched_promotable.c`). From 3.0 on it is an
/// item of a list: `  * pgsqld:2 promotion …`.
pub fn parse_scores(answer: &str, resource: &str) -> BTreeMap<NodeName, i32> {
    let score_of = |line: &str| {
        let line = line.trim();
        let item = line.strip_prefix("* ").unwrap_or(line);
        let (instance, rest) = item.split_once(" promotion score on ")?;
        let (node, value) = rest.rsplit_once(": ")?;
        let (name, _) = instance.split_once(':').unwrap_or((instance, ""));
        let node = NodeName::new(node).filter(|_| name == resource)?;
        Some((node, score::decode(value)?))
    };
    answer.lines().filter_map(score_of).collect()
}

/// The constraints that may keep the role of the primary away from a node.
pub fn constraints(tools: &Tools, resource: &str) -> Result<Vec<Constraint>, ToolError> {
    let xml = tools.tell("cibadmin", &["--query", "--scope", "configuration"])?;
    parse_constraints(&xml, resource).map_err(|error| ToolError::Failed {
        tool: "cibadmin",
        text: format!("unreadable answer: {error}"),
    })
}

/// Reads the section `configuration` of the CIB.
pub fn parse_constraints(xml: &str, resource: &str) -> Result<Vec<Constraint>, roxmltree::Error> {
    let document = Document::parse(xml)?;
    let names = names_of(&document, resource);
    let all = document.descendants();
    let locations = all.filter(|element| element.has_tag_name("rsc_location"));
    Ok(locations
        .filter_map(|one| constraint(one, &names))
        .collect())
}

/// The resource, the clone and the groups that it is in, and the tags on these.
pub(super) fn names_of<'a>(document: &'a Document<'_>, resource: &'a str) -> BTreeSet<&'a str> {
    let is_it = |element: &Node<'_, '_>| {
        element.has_tag_name("primitive") && element.attribute("id") == Some(resource)
    };
    let found = document.descendants().find(is_it);
    let around = found.into_iter().flat_map(|element| element.ancestors());
    let of_resource = around
        .filter(|element| !element.has_tag_name("resources"))
        .filter_map(|element| element.attribute("id"));
    let mut names: BTreeSet<_> = of_resource.chain([resource]).collect();
    let tags = document.descendants().filter(|one| one.has_tag_name("tag"));
    let mentions = |tag: &Node<'_, '_>| {
        let mut ids = tag.descendants().filter_map(|one| one.attribute("id"));
        ids.any(|id| names.contains(id))
    };
    let tagged: Vec<_> = tags
        .filter(mentions)
        .filter_map(|one| one.attribute("id"))
        .collect();
    names.extend(tagged);
    names
}

fn constraint(location: Node<'_, '_>, names: &BTreeSet<&str>) -> Option<Constraint> {
    let sets = location.descendants();
    let in_set = sets.filter(|one| one.has_tag_name("resource_ref"));
    let mut named = location
        .attribute("rsc")
        .into_iter()
        .chain(in_set.filter_map(|one| one.attribute("id")));
    let resource = named.find(|name| names.contains(name));
    // A pattern may match; which constraint it is, only Pacemaker knows.
    let resource = resource.or_else(|| location.attribute("rsc-pattern"))?;
    let forbids = location.descendants().any(|part| forbids(part, location));
    forbids.then(|| Constraint {
        id: location.attribute("id").unwrap_or_default().to_owned(),
        resource: resource.to_owned(),
        node: node_of(location),
    })
}

/// Whether a constraint, or a rule in it, is about the promoted role and against nodes.
fn forbids(part: Node<'_, '_>, location: Node<'_, '_>) -> bool {
    if !part.has_tag_name("rsc_location") && !part.has_tag_name("rule") {
        return false;
    }
    let role = part
        .attribute("role")
        .or_else(|| location.attribute("role"));
    let is_promoted = role.and_then(ClusterRole::named) == Some(ClusterRole::Promoted);
    let is_negative = part
        .attribute("score")
        .is_some_and(|score| score.trim().starts_with('-'));
    is_promoted && (is_negative || part.has_attribute("score-attribute"))
}

/// The node, where it is named: `ban` does so, and a rule whose only expression is about
/// the name.
fn node_of(location: Node<'_, '_>) -> Option<NodeName> {
    if let Some(node) = location.attribute("node") {
        return NodeName::new(node);
    }
    let all = location.descendants();
    let mut expressions = all.filter(|one| one.has_tag_name("expression"));
    let only = expressions
        .next()
        .filter(|_| expressions.next().is_none())?;
    let is_name = only.attribute("attribute") == Some("#uname");
    let is_equal = only.attribute("operation") == Some("eq");
    NodeName::new(only.attribute("value")?).filter(|_| is_name && is_equal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::node;

    const ANSWER: &str = "\
        pcmk__clone_allocate: pgsqld:2 allocation score on srv3: 1000\n\
        pgsqld:0 promotion score on srv1: 1021\n\
        pgsqld:1 promotion score on none: 0\n\
        pgsqld:2 promotion score on srv3: -INFINITY\n\
        pgsqld2:0 promotion score on srv1: 5\n";

    /// As Pacemaker 3.0.1 writes it.
    #[test]
    fn scores_may_be_items_of_a_list() {
        let answer = "\
              * pgsqld:1 promotion score on srv1: 1021\n\
              * pgsqld:2 promotion score (inactive): -INFINITY\n\
              * pgsqld2:1 promotion score on srv1: 5\n";
        assert_eq!(
            parse_scores(answer, "pgsqld"),
            [(node("srv1"), 1021)].into()
        );
    }

    #[test]
    fn the_scores_of_the_resource_are_read() {
        let mut scores = parse_scores(ANSWER, "pgsqld");
        scores.remove(&node("none"));
        assert_eq!(
            scores,
            [(node("srv1"), 1021), (node("srv3"), -1_000_000)].into()
        );
    }

    const CONFIGURATION: &str = r##"<configuration>
        <resources>
          <clone id="pgsqld-clone"><primitive id="pgsqld"/></clone>
          <primitive id="ip"/>
        </resources>
        <constraints>
          <rsc_location id="other" rsc="ip" role="Promoted" node="srv3" score="-INFINITY"/>
          <rsc_location id="wish" rsc="pgsqld-clone" role="Promoted" node="srv3" score="100"/>
          <rsc_location id="cli-ban-a" rsc="pgsqld-clone" role="Promoted" node="srv2" score="-INFINITY"/>
          <rsc_location id="old" rsc="pgsqld" role="Master" node="srv1" score="-100"/>
          <rsc_location id="by-name" rsc="pgsqld-clone">
            <rule id="r1" role="Promoted" score="-INFINITY">
              <expression id="e1" attribute="#uname" operation="eq" value="srv3"/></rule></rsc_location>
          <rsc_location id="by-site" rsc="pgsqld-clone">
            <rule id="r2" role="Promoted" score="-INFINITY">
              <expression id="e2" attribute="site" operation="eq" value="b"/></rule></rsc_location>
          <rsc_location id="by-set" node="srv3" role="Promoted" score="-INFINITY">
            <resource_set id="s"><resource_ref id="dbs"/></resource_set></rsc_location>
        </constraints>
        <tags><tag id="dbs"><obj_ref id="pgsqld-clone"/></tag></tags></configuration>"##;

    #[test]
    fn constraints_that_forbid_the_role_are_found_and_their_node() {
        let found = parse_constraints(CONFIGURATION, "pgsqld").unwrap();
        let told = |one: &Constraint| {
            let node = one.node.as_ref().map_or("any", |node| node.as_str());
            format!("{} {node}", one.id)
        };
        let found: Vec<_> = found.iter().map(told).collect();
        let wanted = [
            "cli-ban-a srv2",
            "old srv1",
            "by-name srv3",
            "by-site any",
            "by-set srv3",
        ];
        assert_eq!(found, wanted);
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in "(?s).*", cut in 0..ANSWER.len(), end in 0..CONFIGURATION.len()) {
            let _ = parse_scores(&text, "pgsqld");
            let _ = parse_scores(&ANSWER[cut..], "pgsqld");
            let _ = parse_constraints(&text, "pgsqld");
            let _ = parse_constraints(&CONFIGURATION[..end], "pgsqld");
        }
    }
}

//! Promotion scores: the permanent node attribute `master-<resource>`, named
//! so in every version (Pacemaker `pcmk_promotion_score_name`). A write ends
//! up in the CIB and aborts the running transition: write only what changed.

use super::NodeName;
use super::tool::{ToolError, Tools};

/// The stored score of a node; `None` if it has none.
pub fn get(tools: &Tools, resource: &str, node: &NodeName) -> Result<Option<i32>, ToolError> {
    let name = attribute(resource);
    let query = [
        "--lifetime",
        "forever",
        "--node",
        node.as_str(),
        "--name",
        &name,
        "--query",
        "--quiet",
    ];
    let ended = tools.ask("crm_attribute", &query)?;
    Ok(parse(&ended.stdout))
}

/// Stores the score of a node. `--update=`, since a negative value would be
/// taken for an option before Pacemaker 2.1.1.
pub fn set(tools: &Tools, resource: &str, node: &NodeName, score: i32) -> Result<(), ToolError> {
    let name = attribute(resource);
    let update = format!("--update={score}");
    let write = [
        "--lifetime",
        "forever",
        "--node",
        node.as_str(),
        "--name",
        &name,
        &update,
    ];
    tools.tell("crm_attribute", &write).map(drop)
}

fn attribute(resource: &str) -> String {
    format!("master-{resource}")
}

/// Admins may write INFINITY by hand.
fn parse(text: &str) -> Option<i32> {
    match text.trim() {
        "INFINITY" | "+INFINITY" => Some(1_000_000),
        "-INFINITY" => Some(-1_000_000),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_score_is_none() {
        let parsed = ["1001\n", "-1000", "INFINITY", "", "(null)"].map(parse);
        assert_eq!(
            parsed,
            [Some(1001), Some(-1000), Some(1_000_000), None, None]
        );
    }
}

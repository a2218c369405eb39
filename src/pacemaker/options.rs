//! The options of the whole cluster.

use super::tools::{ToolError, Tools};
use crate::ocf::values::turns_fencing_off;

/// Whether the cluster has fencing. It has unless an option says otherwise.
pub fn has_fencing(tools: &Tools) -> Result<bool, ToolError> {
    let xml = tools.tell("cibadmin", &["--query", "--scope", "crm_config"])?;
    parse(&xml).map_err(|error| ToolError::Failed {
        tool: "cibadmin",
        text: format!("unreadable answer: {error}"),
    })
}

fn parse(xml: &str) -> Result<bool, roxmltree::Error> {
    let document = roxmltree::Document::parse(xml)?;
    let turned_off = document.descendants().any(|element| {
        let pair = (element.attribute("name"), element.attribute("value"));
        element.has_tag_name("nvpair")
            && matches!(pair, (Some(name), Some(value)) if turns_fencing_off(name, value))
    });
    Ok(!turned_off)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fencing_is_there_unless_an_option_turns_it_off() {
        let with = |pairs: &str| {
            let xml = format!(
                "<crm_config><cluster_property_set id=\"a\">{pairs}</cluster_property_set></crm_config>"
            );
            parse(&xml).unwrap()
        };
        assert!(with(""));
        assert!(with(
            "<nvpair id=\"b\" name=\"stonith-enabled\" value=\"true\"/>"
        ));
        for value in ["false", "False", "off", "no", "0"] {
            let pair = format!("<nvpair id=\"b\" name=\"stonith-enabled\" value=\"{value}\"/>");
            assert!(!with(&pair), "{value}");
        }
        assert!(!with(
            "<nvpair id=\"b\" name=\"fencing-enabled\" value=\"false\"/>"
        ));
        assert!(with(
            "<nvpair id=\"b\" name=\"have-watchdog\" value=\"false\"/>"
        ));
        assert!(parse("no XML").is_err());
    }
}

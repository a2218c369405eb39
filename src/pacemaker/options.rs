//! The options of the whole cluster.

use super::tools::{ToolError, Tools};

/// The option that turns fencing off, and its name as of Pacemaker 3.0.2.
const FENCING: [&str; 2] = ["stonith-enabled", "fencing-enabled"];

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
        element.has_tag_name("nvpair")
            && FENCING.contains(&element.attribute("name").unwrap_or_default())
            && element.attribute("value").is_some_and(is_false)
    });
    Ok(!turned_off)
}

/// As Pacemaker reads it (`crm_str_to_boolean`).
pub fn is_false(value: &str) -> bool {
    ["false", "off", "no", "n", "0"].contains(&value.to_ascii_lowercase().as_str())
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

//! The document that `meta-data` prints. Must stay cheap and never touch the
//! cluster: the controller runs it in its own thread up to Pacemaker 2.1.4.

use std::io::Write;

use super::{OcfExit, Outcome};

/// OCF 1.0 on purpose: with `<version>1.1` a changed `maxlag` would restart
/// PostgreSQL on Pacemaker before 2.1.0, which never calls `reload-agent`.
const METADATA: &str = include_str!("../../metadata.xml");

/// Prints the document.
pub fn print() -> Outcome {
    write(METADATA)
}

/// Prints the names of the actions, one a line.
pub fn print_methods(names: &[String]) -> Outcome {
    write(&(names.join("\n") + "\n"))
}

/// A closed stdout is not our failure.
fn write(text: &str) -> Outcome {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
    Ok(OcfExit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocf::parameter::Kind;
    use crate::ocf::parameters::ALL;

    fn document(text: &str) -> roxmltree::Document<'_> {
        let options = roxmltree::ParsingOptions {
            allow_dtd: true,
            ..Default::default()
        };
        roxmltree::Document::parse_with_options(text, options).unwrap()
    }

    #[test]
    fn its_version_is_that_of_the_package() {
        let document = document(METADATA);
        let version = document.root_element().attribute("version");
        assert_eq!(version, Some(env!("CARGO_PKG_VERSION")));
    }

    /// Name, type and default.
    fn described(parameter: roxmltree::Node<'_, '_>) -> [String; 3] {
        let mut children = parameter.children();
        let content = children.find(|node| node.has_tag_name("content")).unwrap();
        [
            parameter.attribute("name"),
            content.attribute("type"),
            content.attribute("default"),
        ]
        .map(|text| text.unwrap().to_owned())
    }

    #[test]
    fn its_parameters_are_those_of_the_code() {
        let document = document(METADATA);
        let parameters = document.descendants();
        let parameters = parameters.filter(|node| node.has_tag_name("parameter"));
        let code = ALL.map(|parameter| {
            let type_of_value = match parameter.kind {
                Kind::Text | Kind::Role | Kind::Directory | Kind::Rejoin | Kind::Slots => "string",
                Kind::Port | Kind::Bytes | Kind::Seconds => "integer",
                Kind::Boolean => "boolean",
            };
            [parameter.name, type_of_value, parameter.default].map(str::to_owned)
        });
        assert_eq!(parameters.map(described).collect::<Vec<_>>(), code);
    }

    #[test]
    fn the_two_monitors_differ_in_their_interval() {
        let document = document(METADATA);
        let intervals: Vec<_> = document
            .descendants()
            .filter(|node| node.attribute("name") == Some("monitor"))
            .map(|node| (node.attribute("role"), node.attribute("interval")))
            .collect();
        let expected = [("Master", "15s"), ("Slave", "16s")]
            .map(|(role, interval)| (Some(role), Some(interval)));
        assert_eq!(intervals, expected);
    }
}

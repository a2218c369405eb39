//! The constraint by which the role of the primary is moved, as Pacemaker's own tool makes it.
//!
//! It forces the role to a node, so it must not outlive the move: it is deleted as soon as that
//! has ended, and expires by itself where nobody can.

use std::time::Duration;

use super::tools::{ToolError, Tools};
use crate::ocf::NodeName;

/// Since 2.1.0, and before that (`tools/crm_resource.c`). 3.0 still knows the second one.
const ROLE_OPTIONS: [&str; 2] = ["--promoted", "--master"];

/// Forces the role of `resource` (the clone) to the node, for so long at the most.
pub fn begin(
    tools: &Tools,
    resource: &str,
    (node, lifetime): (&NodeName, Duration),
) -> Result<(), ToolError> {
    let lifetime = duration(lifetime);
    let [new, old] = ROLE_OPTIONS.map(|role| {
        let words = ["--move", "--resource", resource, "--node", node.as_str()];
        [&words[..], &[role, "--lifetime", &lifetime]].concat()
    });
    match tools.tell("crm_resource", &new) {
        Err(ToolError::Failed { text, .. }) if text.contains(ROLE_OPTIONS[0]) => {
            tools.tell("crm_resource", &old).map(drop)
        }
        told => told.map(drop),
    }
}

/// The id that the tool gives the constraint (`cli_resource_prefer`).
pub fn id(resource: &str) -> String {
    format!("cli-prefer-{resource}")
}

/// Deletes the constraint, unless it is another one by now, which leads elsewhere. `clear` of
/// the tool deletes bans too, which may have come meanwhile.
pub fn end(tools: &Tools, resource: &str, node: &NodeName) -> Result<(), ToolError> {
    let path = format!(
        "//rsc_location[@id='{}'][rule/expression/@value='{node}']",
        id(resource)
    );
    let ended = tools.ask("cibadmin", &["--delete", "--xpath", &path])?;
    match ended.status.code() {
        // There is none (`ENXIO`, by itself up to 1.1 and as an exit code since).
        Some(0 | 6 | 105) => Ok(()),
        _ => Err(ToolError::Failed {
            tool: "cibadmin",
            text: ended.stderr,
        }),
    }
}

/// The command by which people end it.
pub fn end_by_hand(resource: &str, node: &NodeName) -> String {
    format!("crm_resource --clear --resource {resource} --node {node}")
}

/// As ISO 8601 has it, in whole minutes.
fn duration(limit: Duration) -> String {
    format!("PT{}M", limit.as_secs().div_ceil(60))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::ocf::{Deadline, Environment};
    use crate::testing::node;

    /// Tools that write down how they are called, and of which the old one knows `--master`.
    fn called(script: &str, act: impl FnOnce(&Tools)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        for tool in ["crm_resource", "cibadmin"] {
            let path = folder.path().join(tool);
            let text = format!(
                "#!/bin/sh\necho {tool} \"$@\" >> {}\n{script}\n",
                log.display()
            );
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let environment = Environment::of(&[("HA_SBIN_DIR", folder.path().to_str().unwrap())]);
        act(&Tools::new(
            &environment,
            Deadline::after(Duration::from_secs(60)),
        ));
        fs::read_to_string(log).unwrap()
    }

    const LIFETIME: Duration = Duration::from_secs(90);

    #[test]
    fn the_role_is_named_as_the_tool_knows_it() {
        let moves = |tools: &Tools| {
            begin(tools, "pgsqld-clone", (&node("srv2"), LIFETIME)).unwrap();
        };
        let words = "crm_resource --move --resource pgsqld-clone --node srv2";
        let new = format!("{words} --promoted --lifetime PT2M\n");
        assert_eq!(called("", moves), new);
        let old =
            "case \"$*\" in *--promoted*) echo \"Unknown option --promoted\" >&2; exit 64;; esac";
        assert_eq!(
            called(old, moves),
            format!("{new}{words} --master --lifetime PT2M\n")
        );
    }

    #[test]
    fn what_the_tool_refuses_is_not_tried_in_another_way() {
        let once = called("echo Error performing operation >&2; exit 1", |tools| {
            assert!(begin(tools, "pgsqld-clone", (&node("srv2"), LIFETIME)).is_err());
        });
        assert_eq!(once.lines().count(), 1);
    }

    #[test]
    fn only_the_constraint_to_this_node_is_deleted() {
        let deleted = called("exit 105", |tools| {
            end(tools, "pgsqld-clone", &node("srv2")).unwrap();
        });
        let path = "//rsc_location[@id='cli-prefer-pgsqld-clone'][rule/expression/@value='srv2']";
        assert_eq!(deleted, format!("cibadmin --delete --xpath {path}\n"));
    }
}

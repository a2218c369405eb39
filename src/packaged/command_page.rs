//! pgsqlms(8): the commands as the command line has them.

use clap::Command;

use super::roff::{bold, italic, item, paragraphs, section, title};
use crate::ocf::OcfExit;

const CALLED_BY: &str = "
Pacemaker runs it with one of the actions of the OCF standard and describes the
resource in environment variables. Further commands are for admins.
";

const LOOKING: &str = "
Those of the commands for admins are described with each command. Commands that only look answer
as monitoring plugins do: 3 means unknown.
";

/// What an exit code means, in a few words.
const CODES: &[(OcfExit, &str)] = &[
    (OcfExit::Success, "success; from monitor: runs as a standby"),
    (OcfExit::Generic, "failed; a retry may succeed"),
    (
        OcfExit::Arguments,
        "a parameter or setting is wrong on this node",
    ),
    (OcfExit::Unimplemented, "no such action"),
    (
        OcfExit::NotInstalled,
        "something is missing on this node: PostgreSQL, a permission",
    ),
    (
        OcfExit::NotRunning,
        "from monitor: the instance is not running",
    ),
    (OcfExit::Promoted, "from monitor: runs as the primary"),
    (
        OcfExit::PromotedFailed,
        "from monitor: was the primary and crashed",
    ),
];

/// The page of `command`.
pub fn page(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string);
    let about = about.unwrap_or_default();
    let synopsis = format!(
        "{} {}\n",
        bold(command.get_name()),
        italic("COMMAND [OPTIONS]")
    );
    let commands = command.get_subcommands().filter(|one| !one.is_hide_set());
    let codes = CODES
        .iter()
        .map(|(exit, text)| item(&bold(&exit.code().to_string()), &paragraphs(text)));
    [
        title("PGSQLMS", "8", "System administration"),
        section("NAME", &format!("pgsqlms \\- {}", paragraphs(&about))),
        section("SYNOPSIS", &synopsis),
        section("DESCRIPTION", &paragraphs(&format!("{about}.{CALLED_BY}"))),
        section("COMMANDS", &commands.map(subcommand).collect::<String>()),
        section(
            "EXIT STATUS",
            &(codes.collect::<String>() + ".PP\n" + &paragraphs(LOOKING)),
        ),
        section("SEE ALSO", "ocf_heartbeat_pgsqlms(7), crm_mon(8)\n"),
    ]
    .concat()
}

fn subcommand(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string);
    let mut options: String = command.get_arguments().filter_map(argument).collect();
    let more = command.get_after_help().map(ToString::to_string);
    options += &more
        .map(|more| format!(".PP\n{}", paragraphs(&more)))
        .unwrap_or_default();
    let head = item(
        &bold(command.get_name()),
        &paragraphs(&about.unwrap_or_default()),
    );
    if options.is_empty() {
        return head;
    }
    format!("{head}.RS\n{options}.RE\n")
}

fn argument(argument: &clap::Arg) -> Option<String> {
    let help = argument.get_help()?.to_string();
    let name = match argument.get_long() {
        Some(long) => bold(&format!("--{long}")),
        None => String::new(),
    };
    let takes_value = argument.get_action().takes_values();
    let values = argument.get_value_names().filter(|_| takes_value);
    let value = values.map(|names| names.join(" ")).unwrap_or_default();
    let term = format!("{name} {}", italic(&value));
    Some(item(term.trim(), &paragraphs(&help)))
}

/// Whoever asks a command for help is told what its answer means.
#[test]
fn every_command_for_people_tells_its_exit_codes() {
    use clap::CommandFactory;
    let command = crate::Arguments::command();
    let visible = command.get_subcommands().filter(|one| !one.is_hide_set());
    let mut count = 0;
    // An action of OCF has no arguments.
    for one in visible.filter(|one| one.get_arguments().count() > 0) {
        let told = one.get_after_help().map(ToString::to_string);
        assert!(
            told.is_some_and(|told| told.starts_with("Exit code: 0 ")),
            "{one}"
        );
        count += 1;
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn every_exit_code_is_explained() {
    let explained: Vec<u8> = CODES.iter().map(|(exit, _)| exit.code()).collect();
    assert_eq!(explained, [0, 1, 2, 3, 5, 7, 8, 9]);
}

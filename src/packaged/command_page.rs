//! pgsqlms(8) and a page for each command for people, as the command line has them.

use clap::Command;
use clap_mangen::Man;
use roff::{bold, italic, roman};

use super::page::{NO_DATE, Page, SOURCE, name};
use crate::ocf::OcfExit;

const SECTION: &str = "8";
const MANUAL: &str = "System administration";
/// Before the codes of a command, in its help.
const CODES_OF_A_COMMAND: &str = "Exit code: ";

const CALLED_BY: &str = "
Pacemaker runs it with one of the actions of the OCF standard and describes the
resource in environment variables. Further commands are for admins.
";

const LOOKING: &str = "
Those of the commands are on their pages. Commands that only look answer as monitoring plugins
do: 3 means unknown.
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

/// The pages of `command`, by their file names.
pub fn pages(command: Command) -> Vec<(String, String)> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let commands = command.get_subcommands().filter(|one| is_for_people(one));
    let own = commands.map(|one| (file(one), page_of_one(one)));
    let own: Vec<_> = own.collect();
    [vec![(file(&command), page_of_all(&command))], own].concat()
}

/// An action of OCF tells no exit codes of its own.
fn is_for_people(command: &Command) -> bool {
    command.get_after_help().is_some() && !command.is_hide_set()
}

fn full_name(command: &Command) -> &str {
    command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
}

fn file(command: &Command) -> String {
    format!("{}.{SECTION}", full_name(command))
}

fn about(command: &Command) -> String {
    command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn page_of_all(command: &Command) -> String {
    let mut page = Page::titled("PGSQLMS", SECTION, MANUAL);
    let about_all = about(command);
    page.section("NAME");
    page.paragraphs(&format!("pgsqlms - {about_all}"));
    let synopsis = vec![bold("pgsqlms"), roman(" "), italic("COMMAND [OPTIONS]")];
    page.section("SYNOPSIS").line(synopsis);
    page.section("DESCRIPTION");
    page.paragraphs(&format!("{about_all}.{CALLED_BY}"));
    lists(&mut page, command);
    page.paragraph().paragraphs(LOOKING);
    page.section("SEE ALSO");
    page.paragraphs("ocf_heartbeat_pgsqlms(7), crm_mon(8)");
    page.render()
}

/// The commands, the actions, and what their exit codes mean.
fn lists(page: &mut Page, command: &Command) {
    let visible = command.get_subcommands().filter(|one| !one.is_hide_set());
    let (commands, actions): (Vec<_>, Vec<_>) = visible.partition(|one| is_for_people(one));
    page.section("COMMANDS");
    for one in commands {
        let term = vec![bold(full_name(one)), roman(format!("({SECTION})"))];
        page.item(term, &about(one));
    }
    page.section("ACTIONS");
    for one in actions {
        page.item(name(one.get_name()), &about(one));
    }
    page.section("EXIT STATUS");
    for (exit, text) in CODES {
        page.item(name(&exit.code().to_string()), text);
    }
}

fn page_of_one(command: &Command) -> String {
    let told = command.get_after_help().map(ToString::to_string);
    let told = told.unwrap_or_default();
    let (codes, notes) = told.split_once("\n\n").unwrap_or((&told, ""));
    let mut rest = Page::default();
    rest.section("EXIT STATUS");
    rest.paragraphs(codes.strip_prefix(CODES_OF_A_COMMAND).unwrap_or(codes));
    if !notes.is_empty() {
        rest.section("NOTES").paragraphs(notes);
    }
    rest.section("SEE ALSO");
    rest.paragraphs("pgsqlms(8), ocf_heartbeat_pgsqlms(7)");
    arguments(command) + &rest.render()
}

/// Name, synopsis, description and options.
fn arguments(command: &Command) -> String {
    let man = Man::new(command.clone().after_help(None::<&str>));
    let man = man.title(full_name(command).to_uppercase());
    let man = man.section(SECTION).date(NO_DATE).source(SOURCE);
    let man = man.manual(MANUAL);
    let mut bytes = Vec::new();
    man.render(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
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
            told.is_some_and(|told| told.starts_with(&format!("{CODES_OF_A_COMMAND}0 "))),
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

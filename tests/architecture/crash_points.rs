//! Each method by which the agent looks at a server or the cluster, or acts on them, is in the
//! journal of the fakes, under its own name: so the simulator can kill the agent there, have
//! the call fail, and have its answer lost. A new method without that is told here.

use std::fs;

/// The traits, where they are, and where the fake of each is.
const HANDLES: [(&str, &str, &str); 5] = [
    (
        "Server",
        "src/postgres/server.rs",
        "src/postgres/fake_server.rs",
    ),
    (
        "Rewinder",
        "src/postgres/server.rs",
        "src/postgres/fake_stopped.rs",
    ),
    (
        "Installed",
        "src/postgres/server.rs",
        "src/postgres/fake_stopped.rs",
    ),
    (
        "Slots",
        "src/postgres/server.rs",
        "src/postgres/fake_slot_keeper.rs",
    ),
    (
        "Cluster",
        "src/pacemaker/cluster.rs",
        "src/pacemaker/fake_cluster.rs",
    ),
];

/// Methods that reach nothing outside of the agent, and why.
const INSIDE: [(&str, &str); 19] = [
    ("resource", "a name that it was given"),
    ("parameters", "the same"),
    ("mark_folder", "the same"),
    ("uid", "looked up before any verb runs"),
    ("named_node", "a name that it was given"),
    ("within", "the same handle with less time"),
    ("unshared", "the same handle with more time"),
    ("prepare_start", "the language of messages"),
    (
        "ask_ahead",
        "in the fake it calls `permanent` and `of_members`",
    ),
    ("remember_permanent", "in the fake it calls `permanent`"),
    (
        "set_permanent_during",
        "in the fake it calls `set_permanent`",
    ),
    ("prepare_output", "a file whose absence changes no decision"),
    ("not_archived", "a number for a message"),
    ("settings", "it calls `setting`"),
    ("set_score", "it calls `set_permanent`"),
    (
        "permanent_and_of_members",
        "in the fake it calls `permanent` and `of_members`",
    ),
    ("set_private_each", "in the fake it calls `set_private`"),
    (
        "delete_private_each",
        "in the fake it calls `delete_private`",
    ),
    ("program_version", "of files that no fault here changes"),
];

/// The text of a file between the braces that follow `begin`.
fn body<'a>(text: &'a str, begin: &str) -> &'a str {
    let start = text.find(begin).unwrap_or_else(|| panic!("no {begin:?}"));
    let rest = &text[start..];
    let end = rest.find("\n}").map_or(rest.len(), |at| at + 2);
    &rest[..end]
}

/// The methods in it, each with all that follows up to the next one.
fn methods(body: &str) -> Vec<(&str, &str)> {
    let parts = body.split("\n    fn ").skip(1);
    let named = parts.filter_map(|part| Some((part.split(['(', '<']).next()?, part)));
    named.collect()
}

/// The methods of a trait that its fake does not pass through the journal by their names.
fn without_a_crash_point(name: &str, of_trait: &str, of_fake: &str) -> Vec<String> {
    let declared = methods(body(of_trait, &format!("pub trait {name}")));
    assert!(
        declared.len() > 3,
        "{name} has only {} methods",
        declared.len()
    );
    let passed = methods(body(of_fake, &format!("impl {name} for Fake")));
    let is_passed = |method: &str| {
        let quoted = format!("\"{method}\"");
        passed
            .iter()
            .any(|(other, text)| *other == method && text.contains(&quoted))
    };
    let is_inside = |method: &str| INSIDE.iter().any(|(inside, _)| *inside == method);
    let missing = declared.iter().map(|(method, _)| *method);
    let missing = missing.filter(|method| !is_passed(method) && !is_inside(method));
    missing.map(str::to_owned).collect()
}

#[test]
fn every_method_of_a_handle_has_a_crash_point() {
    for (name, of_trait, of_fake) in HANDLES {
        let [of_trait, of_fake] = [of_trait, of_fake].map(|path| fs::read_to_string(path).unwrap());
        let missing = without_a_crash_point(name, &of_trait, &of_fake);
        assert!(
            missing.is_empty(),
            "{missing:?} of {name} must pass the journal of the fake (ask, act, …) under its name, \
             or no simulation ever kills the agent there"
        );
    }
}

#[test]
fn a_method_without_one_is_told() {
    let of_trait = "pub trait A {\n    fn a(&self);\n    fn b<T>(&self);\n    fn c();\n    fn d();\
                    \n    fn e();\n    fn uid();\n}\n";
    let of_fake = "impl A for FakeA {\n    fn a(&self) {\n        x.ask(\"a\");\n    }\n    fn b<T>() {\
                   \n        x.act(\"a\");\n    }\n    fn c() { \"c\" }\n    fn d() { \"d\" }\n}\n";
    assert_eq!(without_a_crash_point("A", of_trait, of_fake), ["b", "e"]);
}

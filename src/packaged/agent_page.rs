//! ocf_heartbeat_pgsqlms(7): the agent's description as its metadata have it.

use roff::{bold, italic, roman};
use roxmltree::{Document, Node, ParsingOptions};

use super::page::{Page, name};

const PCS: &str = "pcs resource create pgsqld ocf:heartbeat:pgsqlms \\
    bindir=/usr/lib/postgresql/15/bin \\
    pgdata=/etc/postgresql/15/main datadir=/var/lib/postgresql/15/main \\
    op monitor interval=1s timeout=60s role=Promoted on-fail=demote \\
    op monitor interval=16s timeout=10s role=Unpromoted \\
    promotable notify=true
";
const CRM: &str = "primitive pgsqld ocf:heartbeat:pgsqlms \\
    params bindir=/usr/lib/postgresql/15/bin \\
        pgdata=/etc/postgresql/15/main datadir=/var/lib/postgresql/15/main \\
    op start timeout=60s op stop timeout=60s op promote timeout=30s \\
    op demote timeout=120s op notify timeout=60s \\
    op monitor interval=1s timeout=60s role=Promoted on-fail=demote \\
    op monitor interval=16s timeout=10s role=Unpromoted
clone pgsqld-clone pgsqld meta promotable=true notify=true
";
const ROLES: &str = "\
Pacemaker before 2.1 and pcs before 0.11 call the roles Master and Slave. on-fail=demote needs
Pacemaker 2.0.5.
";

/// The page of `metadata`.
pub fn page(metadata: &str) -> String {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(metadata, options).unwrap();
    let root = document.root_element();
    let all = |name: &'static str| root.descendants().filter(move |n| n.has_tag_name(name));
    let mut page = Page::titled("OCF_HEARTBEAT_PGSQLMS", "7", "OCF resource agents");
    page.section("NAME");
    page.paragraphs(&format!(
        "ocf_heartbeat_pgsqlms - {}",
        text(root, "shortdesc")
    ));
    page.section("SYNOPSIS");
    page.line(name("ocf:heartbeat:pgsqlms [NAME=VALUE ...]"));
    page.section("DESCRIPTION");
    page.paragraphs(text(root, "longdesc"));
    page.section("SUPPORTED PARAMETERS");
    all("parameter").for_each(|node| parameter(&mut page, node));
    page.section("SUPPORTED ACTIONS");
    all("action").for_each(|node| action(&mut page, node));
    page.section("EXAMPLE WITH PCS").verbatim(PCS);
    page.section("EXAMPLE WITH CRMSH").verbatim(CRM);
    page.paragraph().paragraphs(ROLES);
    page.section("SEE ALSO");
    page.paragraphs("pgsqlms(8), pcs(8), crm(8), pacemaker(7)");
    page.render()
}

fn text<'a>(parent: Node<'a, '_>, name: &'static str) -> &'a str {
    let child = parent.children().find(|node| node.has_tag_name(name));
    child.and_then(|node| node.text()).unwrap_or_default()
}

fn parameter(page: &mut Page, node: Node<'_, '_>) {
    let name = node.attribute("name").unwrap_or_default();
    let content = node.children().find(|child| child.has_tag_name("content"));
    let of = |key| content.and_then(|content| content.attribute(key));
    let mut facts = vec![of("type").unwrap_or("string").to_owned()];
    facts.extend(
        of("default")
            .filter(|value| !value.is_empty())
            .map(|value| format!("default {value}")),
    );
    if node.attribute("unique") == Some("1") {
        facts.push("a change restarts the instance".to_owned());
    }
    let term = [
        bold(name),
        roman(" ("),
        italic(facts.join(", ")),
        roman(")"),
    ];
    page.item(term.to_vec(), text(node, "longdesc"));
}

fn action(page: &mut Page, node: Node<'_, '_>) {
    let of = |key| node.attribute(key);
    let role = of("role").map(|role| format!(" ({role})"));
    let called = of("name").unwrap_or_default().to_owned() + &role.unwrap_or_default();
    let times = ["timeout", "interval"].map(|key| Some(format!("{key} {}", of(key)?)));
    let times: Vec<String> = times.into_iter().flatten().collect();
    page.item(name(&called), &times.join(", "));
}

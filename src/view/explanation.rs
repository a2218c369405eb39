//! The next election before it is needed: who would be promoted, and why.

use serde_json::{Value, json};

use super::json::prospect;
use super::prospect::{Fate, Prospect};
use super::synchronous::can_confirm;
use super::text::style;
use super::time::rfc3339;
use super::{Seen, View};
use crate::ocf::{Line, Style};

/// For people, in the words of the log.
pub fn explanation(seen: &Seen, prospect: &Prospect) -> Vec<Line> {
    let begin = match prospect.names_of_lost().as_str() {
        "" => "If an election were held now:".to_owned(),
        names => format!("If {names} were lost now:"),
    };
    let mut all = vec![Line::of(Style::Strong, begin)];
    let said = prospect.lines.iter();
    all.extend(said.map(|line| Line::plain(format!("  {line}"))));
    let arrow = Line::plain("  -> ");
    all.push(arrow.and(style(prospect.health()), conclusion(prospect)));
    all.extend(cures(prospect));
    all.extend(stall(seen, prospect));
    all.push(Line::of(
        Style::Faint,
        "The election looks again when it is held.",
    ));
    all
}

/// Without what the lines before say.
fn conclusion(prospect: &Prospect) -> String {
    match prospect.fate {
        Fate::Nobody { .. } if !prospect.lines.is_empty() => "nobody is promoted".to_owned(),
        _ => prospect.sentence(),
    }
}

/// Those that the log does not have, since no election would be held.
fn cures(prospect: &Prospect) -> Vec<Line> {
    let Fate::Nobody { cures, .. } = &prospect.fate else {
        return Vec::new();
    };
    let unsaid = cures.iter().filter(|_| prospect.lines.is_empty());
    unsaid
        .map(|cure| Line::plain(format!("     {cure}")))
        .collect()
}

/// The primary stays, and commits wait for standbys that are lost.
fn stall(seen: &Seen, prospect: &Prospect) -> Option<Line> {
    let Fate::Stays(_) = prospect.fate else {
        return None;
    };
    let view = View::of(seen);
    let confirm = |name: &str| {
        let mut nodes = view.nodes.iter();
        nodes
            .any(|node| node.node.as_str() == name && node.sync.as_deref().is_some_and(can_confirm))
    };
    let lost = prospect.lost.iter();
    let lost = lost.filter(|node| confirm(node.as_str())).count();
    let stalls = view.synchronous.stalls_after_losing()?;
    let words = "     synchronous commits wait until one of its standbys is back";
    (lost >= stalls).then(|| Line::of(Style::Warn, words))
}

/// For programs.
pub fn explanation_json(seen: &Seen, what: &Prospect) -> Value {
    let mut document = prospect(what);
    let cures = match &what.fate {
        Fate::Nobody { cures, .. } => cures.clone(),
        _ => Vec::new(),
    };
    if let Some(object) = document.as_object_mut() {
        let more = [
            ("schema", json!("pgsqlms.explain/1")),
            ("resource", json!(seen.cib.resource.id)),
            ("checked_at", json!(rfc3339(seen.at))),
            ("lines", json!(what.lines)),
            ("cures", json!(cures)),
        ];
        object.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    document
}

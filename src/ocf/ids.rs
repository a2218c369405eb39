//! The ids of messages, by which programs know them whatever becomes of the words.
//!
//! A sentence is put together in up to three places: the step, the reason, the words of a tool. It
//! is known by its constant words, in a table beside; `cargo test --test troubleshooting` fails
//! where a message of the source has no row, or two rows fit equally well.

/// The table.
const TABLE: &str = include_str!("ids.txt");
/// What stands for values in a sentence of the table.
const GAP: char = '…';

/// The rows of the table: ids and sentences.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = TABLE.lines().filter(|row| !row.starts_with('#'));
    rows.filter_map(|row| row.split_once(": "))
}

/// The id of a message: of the sentences that it can be, the one with most words of its own; first
/// of all those that begin as it does.
pub fn of(message: &str) -> Option<&'static str> {
    let fitting = all().filter(|(_, sentence)| fits(sentence, message));
    let best = fitting.max_by_key(|(_, sentence)| (!sentence.starts_with(GAP), constant(sentence)));
    best.map(|(id, _)| id)
}

fn constant(sentence: &str) -> usize {
    sentence.chars().filter(|c| *c != GAP).count()
}

/// Whether a message consists of the constant parts of a sentence, with anything in its gaps.
fn fits(sentence: &str, message: &str) -> bool {
    let mut parts = sentence.split(GAP);
    let Some(mut rest) = parts.next().and_then(|first| message.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_fits_whatever_is_in_its_gaps() {
        for (sentence, message, wanted) in [
            ("a …", "a b", true),
            ("a …: …", "a b: c: d", true),
            ("a … d", "a b c d", true),
            ("a … d", "a b c de", false),
            ("a", "a b", false),
            ("… a … a", "x a", false),
            ("a", "a", true),
        ] {
            assert_eq!(fits(sentence, message), wanted, "{sentence} / {message}");
        }
    }

    /// What a tool said may be another message of ours.
    #[test]
    fn the_beginning_of_a_message_counts_most() {
        let all = "PostgreSQL runs, but: all connections are taken";
        assert_eq!(of(all), Some("runs-badly"));
        assert_eq!(of("all connections are taken"), Some("connections-taken"));
        assert_eq!(of("srv2 could be promoted now"), Some("ready"));
        assert_eq!(of("something else"), None);
    }

    #[test]
    fn an_id_is_short_and_has_one_row() {
        let mut ids: Vec<_> = all().map(|(id, _)| id).collect();
        let is_letter = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(
            ids.iter()
                .all(|id| id.len() <= 30 && id.chars().all(is_letter))
        );
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}

//! Does a command print what the document shows?
//!
//! Lines must come in the shown order; others may come between them, unless a blank line is
//! shown: then nothing does. White space within a line does not count, `…` stands for anything,
//! and what differs from run to run is not compared: positions in the WAL, times, and numbers
//! of five and more digits. Pure.

/// The first shown line that `printed` does not have.
pub fn missing<'a>(shown: &'a [String], printed: &str) -> Option<&'a str> {
    let printed: Vec<String> = printed.lines().map(plain).collect();
    let (mut next, mut at_once) = (0, false);
    for line in shown {
        let pattern = plain(line);
        if pattern == "…" {
            at_once = false;
            continue;
        }
        at_once |= pattern.is_empty();
        let mut candidates = printed.iter().skip(next);
        let found = if at_once {
            candidates
                .next()
                .filter(|text| fits(&pattern, text))
                .map(|_| 0)
        } else {
            candidates.position(|text| fits(&pattern, text))
        };
        let Some(found) = found else {
            return Some(line);
        };
        next += found + 1;
        at_once = pattern.is_empty();
    }
    None
}

/// `pattern` is `text` but for its `…`.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…').map(str::trim);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        last = Some(part);
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    match last {
        None => rest.is_empty(),
        Some(part) => part.is_empty() || text.ends_with(part),
    }
}

/// A line without what differs from run to run.
fn plain(line: &str) -> String {
    let words = line.split_whitespace().map(plain_word);
    words.collect::<Vec<_>>().join(" ")
}

fn plain_word(word: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | ':');
    let mut text = String::new();
    let mut token = String::new();
    for c in word.chars() {
        if is_part(c) {
            token.push(c);
            continue;
        }
        text.push_str(&plain_token(&token));
        token.clear();
        text.push(c);
    }
    text + &plain_token(&token)
}

fn plain_token(token: &str) -> String {
    let digits = !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit());
    if is_lsn(token) {
        "LSN".to_owned()
    } else if digits && token.len() >= 5 {
        "NUMBER".to_owned()
    } else if is_time(token) {
        "TIME".to_owned()
    } else {
        token.to_owned()
    }
}

fn is_lsn(token: &str) -> bool {
    let hex =
        |text: &str| (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let upper = !token.bytes().any(|b| b.is_ascii_lowercase());
    upper
        && token
            .split_once('/')
            .is_some_and(|(high, low)| hex(high) && hex(low) && low.len() > 1)
}

fn is_time(token: &str) -> bool {
    let parts: Vec<&str> = token.split(':').collect();
    parts.len() == 3
        && parts
            .iter()
            .all(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(shown: &str, printed: &str) -> bool {
        let shown: Vec<String> = shown.lines().map(str::to_owned).collect();
        missing(&shown, printed).is_none()
    }

    #[test]
    fn lines_come_in_order_and_others_may_come_between() {
        assert!(holds("a\nc", "a\nb\nc"));
        assert!(!holds("c\na", "a\nb\nc"));
        assert!(!holds("a\na", "a"));
    }

    #[test]
    fn nothing_comes_where_a_blank_line_is_shown() {
        assert!(holds("Summary:\n\nEnd:", "begin\nSummary:\n\nEnd:\nmore"));
        assert!(!holds("Summary:\n\nEnd:", "Summary:\n  * Stop\n\nEnd:"));
        assert!(!holds("Summary:\n\nEnd:", "Summary:\n\n  * Stop\nEnd:"));
    }

    #[test]
    fn white_space_does_not_count() {
        assert!(holds("  * Promoted:   [ srv1 ]", "* Promoted: [ srv1 ]"));
        assert!(!holds("* Promoted: [ srv1 ]", "* Promoted: [ srv2 ]"));
    }

    #[test]
    fn what_differs_from_run_to_run_is_not_compared() {
        assert!(holds("at 0/3000060, pid 12345", "at 1/AB, pid 998877"));
        assert!(holds("at 19:04:50 said", "at 20:00:00 said"));
        assert!(!holds("score 1001", "score 1000"));
        assert!(!holds("at 0/3000060", "at nothing"));
    }

    #[test]
    fn an_ellipsis_stands_for_anything() {
        assert!(holds("srv1: … bytes behind", "srv1: 17 bytes behind"));
        assert!(holds("…\nend", "x\nend"));
        assert!(holds("begin …", "begin of all"));
        assert!(!holds("… behind", "srv1: as much"));
        assert!(!holds("a … b", "a x c"));
    }
}

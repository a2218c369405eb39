//! The children of a process, and what they say of themselves in their titles.

use std::fs;

/// The ids of the children of a process, as far as they can be seen.
pub fn of(pid: i32) -> Vec<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let pids = children.unwrap_or_default();
    let pids = pids.split_whitespace();
    pids.filter_map(|pid| pid.parse().ok()).collect()
}

/// The child of a postmaster whose title has all these words:
/// `postgres: main: walreceiver streaming 0/5000148`.
pub fn with_title(postmaster: i32, words: &[&str]) -> Option<i32> {
    let has_title = |pid: &i32| is_title(&title(*pid), words);
    of(postmaster).into_iter().find(has_title)
}

/// How a process calls itself.
pub fn title(pid: i32) -> String {
    let title = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let title = String::from_utf8_lossy(&title);
    title.trim_end_matches(['\0', ' ']).replace('\0', " ")
}

fn is_title(title: &str, words: &[&str]) -> bool {
    let has = |wanted: &&str| title.split_whitespace().any(|word| word == *wanted);
    title.starts_with("postgres:") && words.iter().all(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_known_by_its_words() {
        let title = "postgres: main: walreceiver streaming 0/5000148";
        assert!(is_title(title, &["walreceiver", "streaming"]));
        assert!(!is_title(
            "postgres: main: walreceiver ",
            &["walreceiver", "streaming"]
        ));
        assert!(!is_title("grep walreceiver streaming", &["walreceiver"]));
        assert_eq!(with_title(i32::MAX, &["startup"]), None);
    }
}

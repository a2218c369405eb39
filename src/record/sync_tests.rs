//! `synchronous_standby_names`: what PostgreSQL accepts, and what it means.

use proptest::prelude::*;

use super::sync_grammar::SyncRuleError;
use crate::election::guard::standbys;
use crate::record::SyncRule;
use crate::record::line::{Fields, Line};
use crate::testing::{check, node};

fn read(setting: &str) -> Result<Option<SyncRule>, SyncRuleError> {
    SyncRule::parse(setting)
}

#[test]
fn the_setting_is_read_as_postgresql_reads_it() {
    check(include_str!("testdata/sync_rules.txt"), |facts| match read(
        facts[0].trim_start_matches("setting"),
    ) {
        Ok(Some(rule)) => {
            let known = ["n1", "n2", "n3"].map(node).into();
            let standbys: Vec<_> = standbys(&rule, &node("n1"), &known).into_iter().collect();
            format!("{rule}\nstandbys of n1: {}", standbys.join(" "))
        }
        Ok(None) => "asynchronous".to_owned(),
        Err(error) => error.to_string(),
    });
}

fn carried(rule: &SyncRule) -> SyncRule {
    let mut line = Line::new();
    line.push("sync", rule.encode());
    let line = line.finish();
    let plain = |c: char| c.is_ascii_alphanumeric() || ";=:,._%~-".contains(c);
    assert!(line.chars().all(plain), "{line}");
    SyncRule::decode(Fields::parse(&line).unwrap().get("sync").unwrap()).unwrap()
}

#[test]
fn odd_names_travel_unchanged() {
    let rule = read(r#"ANY 2 ("a b", "c""d", "é;=,:%", *)"#)
        .unwrap()
        .unwrap();
    assert_eq!(rule.names, ["a b", "c\"d", "é;=,:%", "*"]);
    assert_eq!(carried(&rule), rule);
}

proptest! {
    #[test]
    fn no_setting_panics(setting in ".*") {
        let _ = read(&setting);
    }

    #[test]
    fn words_in_any_order_never_panic(
        words in prop::collection::vec(prop::sample::select(
            vec!["ANY", "first", "2", "0", "(", ")", ",", "n2", "*", "\"", "\"x\""]), 0..9)
    ) {
        let _ = read(&words.join(" "));
    }

    #[test]
    fn every_rule_travels(count in 1_usize..9, names in prop::collection::vec(".{1,8}", 1..5)) {
        let quoted = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
        let list: Vec<_> = names.iter().map(quoted).collect();
        let rule = read(&format!("ANY {count} ({})", list.join(","))).unwrap().unwrap();
        prop_assert_eq!(&rule.names, &names);
        prop_assert_eq!(carried(&rule), rule);
    }
}

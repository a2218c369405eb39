//! `synchronous_standby_names`: no setting panics, and each travels unchanged. How
//! settings are read is in a table of the election, with what they mean for it.

use proptest::prelude::*;

use crate::record::SyncRule;
use crate::record::line::{Fields, Line};
use crate::record::sync_rule::SyncRuleError;

fn read(setting: &str) -> Result<Option<SyncRule>, SyncRuleError> {
    SyncRule::parse(setting)
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

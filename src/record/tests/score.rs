//! Promotion scores as Pacemaker and admins write them.

use proptest::prelude::*;

use crate::record::score::decode;

proptest! {
    #[test]
    fn every_number_is_a_score_and_nothing_else_is(number: i32, text in "[^0-9]*") {
        prop_assert_eq!(decode(&number.to_string()), Some(number));
        prop_assert!(decode(&text).is_none_or(|score| score.abs() == 1_000_000));
    }
}

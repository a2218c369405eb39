//! What a diverged node announces.

use proptest::prelude::*;

use crate::record::Divergence;
use crate::wal::{Lsn, Timeline};

proptest! {
    #[test]
    fn what_is_published_is_read_again(timeline in 1..=u32::MAX, lsn: u64, fork: u64) {
        let left = Divergence::Left {
            timeline: Timeline::new(timeline).unwrap(),
            lsn: Lsn::from(lsn),
            fork: Lsn::from(fork),
        };
        prop_assert_eq!(Divergence::decode(&left.encode()), Some(left));
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let _ = Divergence::decode(&text);
    }
}

#[test]
fn what_is_not_published_is_refused() {
    for text in ["", "1#2", "1#2#3#4", "0#2#3", "1#-2#3", "other"] {
        assert_eq!(Divergence::decode(text), None, "{text}");
    }
    let other = Divergence::OtherSystem;
    assert_eq!(Divergence::decode(&other.encode()), Some(other));
}

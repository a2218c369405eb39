//! The name of the replication slot of a node.
//!
//! PostgreSQL allows lower case letters, digits and `_`, at most 63 of them
//! (`ReplicationSlotValidateName` in `src/backend/replication/slot.c`); Pacemaker allows nearly
//! anything. A name of such characters alone is taken as it is. Any other one is made readable as far
//! as that goes, and a hash of the whole name tells it from those that look the same then: it has a
//! second `_`, so that it is never the name of a node of the first kind.

use crate::ocf::NodeName;

/// How the names of all our slots begin. No other slot is ever touched.
const PREFIX: &str = "pgsqlms_";
/// The longest name that PostgreSQL allows.
const LONGEST: usize = 63;
/// `_`, and a hash in hexadecimal.
const TAIL: usize = 9;

/// The slot for a node.
pub fn of(node: &NodeName) -> String {
    let name = node.as_str();
    if is_plain(name) {
        return format!("{PREFIX}{name}");
    }
    let room = LONGEST - PREFIX.len() - 1 - TAIL;
    let readable: String = name.chars().take(room).map(readable).collect();
    format!("{PREFIX}_{readable}_{:08x}", hash(name))
}

/// Whether it is a slot that this agent keeps, of whatever node.
pub fn is_ours(slot: &str) -> bool {
    slot.starts_with(PREFIX)
}

fn is_plain(name: &str) -> bool {
    let fits = PREFIX.len() + name.len() <= LONGEST;
    fits && !name.starts_with('_') && name.chars().all(is_allowed)
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

fn readable(c: char) -> char {
    let lower = c.to_ascii_lowercase();
    if is_allowed(lower) { lower } else { '_' }
}

/// FNV-1a, its halves put together: the same on all nodes, for ever.
fn hash(text: &str) -> u32 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    ((hash >> 32) ^ (hash & 0xffff_ffff)) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::node;

    #[test]
    fn names_can_be_read() {
        for (name, slot) in [
            ("srv1", "pgsqlms_srv1"),
            ("db_2", "pgsqlms_db_2"),
            ("pg-1.Example.org", "pgsqlms__pg_1_example_org_5bda264a"),
            ("_srv1", "pgsqlms___srv1_efd82359"),
        ] {
            assert_eq!(of(&node(name)), slot);
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_and_told_from_others() {
        let (one, other) = ("n".repeat(56), "n".repeat(57));
        let names = [&one, &other].map(|name| of(&node(name)));
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.len() == LONGEST));
        assert_eq!(of(&node(&"n".repeat(55))).len(), LONGEST);
    }

    proptest! {
        #[test]
        fn every_name_is_one_that_postgresql_takes(name in "\\PC{1,90}") {
            prop_assume!(!name.trim().is_empty());
            let slot = of(&node(&name));
            prop_assert!(slot.len() <= LONGEST && slot.chars().all(is_allowed) && is_ours(&slot));
        }

        /// Names as people give them, which differ in as little as they can.
        #[test]
        fn different_nodes_have_different_slots(
            one in "_?[aAbB1][aA1_.-]{0,6}(\\.example)?",
            other in "_?[aAbB1][aA1_.-]{0,6}(\\.example)?",
        ) {
            prop_assert_eq!(one == other, of(&node(&one)) == of(&node(&other)));
        }
    }
}

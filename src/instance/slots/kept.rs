//! What a server keeps for the nodes by the agent's slots, for people.

use super::{Slots, name};

/// The slot of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The name of the slot.
    pub slot: String,
    /// How many bytes of WAL before its end the server keeps for it; `None`: none.
    pub bytes: Option<u64>,
    /// Whether WAL is gone that it was to keep.
    pub is_lost: bool,
}

impl Slots {
    /// Those that the agent keeps.
    pub fn kept(&self) -> Vec<Kept> {
        let ours = self.all.iter();
        let ours = ours.filter(|slot| slot.is_physical && name::is_ours(&slot.name));
        ours.map(|slot| Kept {
            slot: slot.name.clone(),
            bytes: slot
                .restart
                .filter(|_| !slot.is_lost)
                .map(|from| self.end.bytes_since(from).unwrap_or_default()),
            is_lost: slot.is_lost,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Slot;
    use super::*;
    use crate::wal::Lsn;

    #[test]
    fn what_is_kept_for_nodes_is_counted_up_to_the_end() {
        let slot = |name: &str, restart: Option<u64>, is_lost| Slot {
            name: name.to_owned(),
            is_physical: true,
            is_active: false,
            restart: restart.map(Lsn::from),
            flushed: None,
            is_lost,
        };
        let slots = Slots {
            all: vec![
                slot("pgsqlms_srv2", Some(0x100), false),
                slot("pgsqlms_srv3", Some(0x100), true),
                slot("pgsqlms_srv4", None, false),
                slot("foreign", Some(0x1), false),
            ],
            bounded: true,
            segment: 1,
            end: Lsn::from(0x180),
            redo: None,
        };
        let kept: Vec<_> = slots
            .kept()
            .into_iter()
            .map(|one| (one.bytes, one.is_lost))
            .collect();
        assert_eq!(kept, [(Some(0x80), false), (None, true), (None, false)]);
    }
}

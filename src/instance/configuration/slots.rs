//! Whether a server is configured for the replication slots that the agent looks after.

use std::collections::BTreeMap;

/// The settings that are looked at.
pub const SETTINGS: [&str; 3] = [
    "primary_slot_name",
    "max_slot_wal_keep_size",
    "max_replication_slots",
];
/// One that only later versions know.
pub const IDLE_TIMEOUT: &str = "idle_replication_slot_timeout";

/// The first version that bounds the WAL kept for slots.
const OLDEST: u32 = 13;

/// All that is judged. What is not known is not judged.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The major version of the data.
    pub version: Option<u32>,
    /// Values by name, numbers in the unit of the setting.
    pub settings: &'a BTreeMap<&'static str, String>,
    /// The slot of this node on every other one.
    pub own_slot: Option<String>,
    /// How many slots there will be on this node.
    pub needed: Option<usize>,
}

/// Everything that is wrong.
pub fn judge(facts: &Facts<'_>) -> Vec<String> {
    if let Some(version) = facts.version.filter(|version| *version < OLDEST) {
        return vec![format!(
            "slots=nodes needs PostgreSQL {OLDEST} or later, which bounds the WAL kept for a slot; \
             this is {version}"
        )];
    }
    let all = [bound(facts), own(facts), room(facts), idle(facts)];
    all.into_iter().flatten().collect()
}

impl Facts<'_> {
    fn number(&self, name: &str) -> Option<i64> {
        self.settings.get(name)?.parse().ok()
    }
}

fn bound(facts: &Facts<'_>) -> Option<String> {
    let value = facts.number("max_slot_wal_keep_size")?;
    (value <= 0).then(|| {
        format!(
            "max_slot_wal_keep_size is {value}: slots=nodes needs a limit for the WAL that is kept \
             for a standby that is away, such as max_slot_wal_keep_size = '10GB'"
        )
    })
}

fn own(facts: &Facts<'_>) -> Option<String> {
    let value = facts.settings.get("primary_slot_name")?;
    let own = facts.own_slot.as_ref()?;
    (value != own).then(|| {
        format!("slots=nodes needs primary_slot_name = '{own}' on this node; it is '{value}'")
    })
}

fn room(facts: &Facts<'_>) -> Option<String> {
    let value = facts.number("max_replication_slots")?;
    let needed = i64::try_from(facts.needed?).ok()?;
    (value < needed).then(|| {
        format!("max_replication_slots is {value}: with slots=nodes this node needs {needed}")
    })
}

/// PostgreSQL would take the slot of a standby that is away for one that nobody needs.
fn idle(facts: &Facts<'_>) -> Option<String> {
    let value = facts.number(IDLE_TIMEOUT)?;
    (value != 0).then(|| {
        format!(
            "idle_replication_slot_timeout is {value}: with slots=nodes it must be 0, or the slot of \
             a standby that is away is given up"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: [(&str, &str); 4] = [
        ("primary_slot_name", "pgsqlms_srv1"),
        ("max_slot_wal_keep_size", "1024"),
        ("max_replication_slots", "10"),
        (IDLE_TIMEOUT, "0"),
    ];

    fn found(version: u32, changed: &[(&'static str, &str)]) -> Vec<String> {
        let all = WELL.iter().chain(changed);
        let settings = all.map(|(name, value)| (*name, (*value).to_owned()));
        judge(&Facts {
            version: Some(version),
            settings: &settings.collect(),
            own_slot: Some("pgsqlms_srv1".to_owned()),
            needed: Some(3),
        })
    }

    #[test]
    fn each_setting_is_judged_alone() {
        assert_eq!(found(15, &[]), [""; 0]);
        for (name, value, words) in [
            (
                "max_slot_wal_keep_size",
                "-1",
                "such as max_slot_wal_keep_size = '10GB'",
            ),
            (
                "max_slot_wal_keep_size",
                "0",
                "max_slot_wal_keep_size is 0: ",
            ),
            (
                "primary_slot_name",
                "",
                "primary_slot_name = 'pgsqlms_srv1' on this node; it is ''",
            ),
            ("primary_slot_name", "pgsqlms_srv2", "it is 'pgsqlms_srv2'"),
            ("max_replication_slots", "2", "this node needs 3"),
            (IDLE_TIMEOUT, "86400", "it must be 0"),
        ] {
            let found = found(18, &[(name, value)]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(words), "{found:?}");
        }
    }

    #[test]
    fn what_could_not_be_read_is_not_judged() {
        let nothing = BTreeMap::new();
        let facts = Facts {
            version: None,
            settings: &nothing,
            own_slot: None,
            needed: None,
        };
        assert_eq!(judge(&facts), [""; 0]);
        assert_eq!(found(12, &[("max_slot_wal_keep_size", "-1")]).len(), 1);
    }
}

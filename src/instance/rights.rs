//! What the role of parameter `db_role` may do, and what it lacks.
//!
//! Without the right to see statistics PostgreSQL does not refuse: it shows columns of nothing, as
//! if nobody streamed. So a question that is answered from them is not put by such a role.

use crate::ocf::Slots;

/// The rights of the role of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Its name.
    pub role: String,
    /// Whether it is a superuser: then nothing is lacking.
    pub is_superuser: bool,
    /// `pg_read_all_stats`: who streams, what the startup process waits for, what is received.
    pub statistics: bool,
    /// `pg_signal_backend`: sessions that hold up the replay before a promotion.
    pub signals: bool,
    /// The replay of a standby that somebody paused is resumed before its promotion.
    pub resume: bool,
    /// `pg_checkpoint`: before a planned stop. `None`: this version has no such role.
    pub checkpoint: Option<bool>,
    /// The attribute REPLICATION: replication slots.
    pub replication: bool,
}

impl Rights {
    /// What gives it what it lacks, in SQL.
    pub fn grants(&self, slots: Slots) -> Vec<String> {
        if self.is_superuser {
            return Vec::new();
        }
        let role = quoted(&self.role);
        let member = |of: &str| format!("GRANT {of} TO {role};");
        let resume = "EXECUTE ON FUNCTION pg_catalog.pg_wal_replay_resume()";
        let wanted = [
            (!self.statistics, member("pg_read_all_stats")),
            (!self.signals, member("pg_signal_backend")),
            (!self.resume, member(resume)),
            (self.checkpoint == Some(false), member("pg_checkpoint")),
            (
                slots == Slots::Nodes && !self.replication,
                format!("ALTER ROLE {role} REPLICATION;"),
            ),
        ];
        let lacking = wanted.into_iter().filter(|(lacks, _)| *lacks);
        lacking.map(|(_, grant)| grant).collect()
    }

    /// Why it is not asked what is answered from statistics.
    pub fn blindness(&self) -> Option<String> {
        let sees = self.is_superuser || self.statistics;
        (!sees).then(|| {
            let role = quoted(&self.role);
            format!(
                "{} may not see statistics: GRANT pg_read_all_stats TO {role};",
                self.role
            )
        })
    }
}

#[cfg(test)]
impl Rights {
    /// All that are asked for.
    pub fn enough() -> Self {
        Self {
            role: "pgsqlms".to_owned(),
            is_superuser: false,
            statistics: true,
            signals: true,
            resume: true,
            checkpoint: Some(true),
            replication: true,
        }
    }
}

/// As SQL wants a name that may be any.
fn quoted(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    if name.bytes().all(is_plain) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights() -> Rights {
        Rights {
            checkpoint: None,
            replication: false,
            ..Rights::enough()
        }
    }

    #[test]
    fn what_is_lacking_is_granted_and_nothing_else() {
        assert_eq!(rights().grants(Slots::None), Vec::<String>::new());
        assert_eq!(
            rights().grants(Slots::Nodes),
            ["ALTER ROLE pgsqlms REPLICATION;"]
        );
        let nothing = Rights {
            statistics: false,
            signals: false,
            resume: false,
            checkpoint: Some(false),
            ..rights()
        };
        let wanted = [
            "GRANT pg_read_all_stats TO pgsqlms;",
            "GRANT pg_signal_backend TO pgsqlms;",
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_wal_replay_resume() TO pgsqlms;",
            "GRANT pg_checkpoint TO pgsqlms;",
        ];
        assert_eq!(nothing.grants(Slots::None), wanted);
        let superuser = Rights {
            is_superuser: true,
            ..nothing
        };
        assert_eq!(superuser.grants(Slots::Nodes), Vec::<String>::new());
        assert_eq!(superuser.blindness(), None);
    }

    #[test]
    fn a_name_is_quoted_where_sql_would_read_another() {
        let blind = Rights {
            role: "Agent \"1\"".to_owned(),
            statistics: false,
            ..rights()
        };
        let why = blind.blindness().unwrap();
        assert!(why.ends_with("TO \"Agent \"\"1\"\"\";"), "{why}");
        assert_eq!(quoted("pgsqlms"), "pgsqlms");
    }
}

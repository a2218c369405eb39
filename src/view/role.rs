//! The role of this node's server in one word, for load balancers: in doubt it is no primary.

use super::problem::Health;
use crate::instance::Role;
use crate::ocf::NodeName;

/// What the cluster has on record, as far as it can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Who was elected last, and whether these nodes have quorum.
    Seen {
        /// The node of the newest reign or claim.
        elected: Option<NodeName>,
        /// Whether this partition has quorum.
        quorate: bool,
    },
    /// Pacemaker does not answer, or not to this user; or what it has of an election cannot be read.
    Unreadable,
    /// Nobody wants to know.
    NotAsked,
}

/// What is said of the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It takes writes, and was elected last.
    Primary,
    /// It replays.
    Standby,
    /// It does not answer, or takes writes without right.
    Unknown,
}

impl Record {
    /// What the cluster has: of several elections the one that cannot be read may be the last.
    pub fn of(elected: Option<NodeName>, quorate: bool, is_whole: bool) -> Self {
        if is_whole {
            Self::Seen { elected, quorate }
        } else {
            Self::Unreadable
        }
    }
}

/// By what the server says of itself, and by what is on record of elections. A standby is one
/// by its own word: whoever reads from it can lose nothing.
pub fn word(server: Option<Role>, record: &Record, here: Option<&NodeName>) -> Word {
    match (server, record) {
        (None, _) => Word::Unknown,
        (Some(Role::Standby), _) => Word::Standby,
        (Some(Role::Primary), Record::NotAsked) => Word::Primary,
        (Some(Role::Primary), Record::Unreadable) => Word::Unknown,
        (Some(Role::Primary), Record::Seen { elected, quorate }) => {
            let is_elected = elected.is_some() && elected.as_ref() == here;
            if is_elected && *quorate {
                Word::Primary
            } else {
                Word::Unknown
            }
        }
    }
}

impl Word {
    /// The word.
    pub fn text(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Standby => "standby",
            Self::Unknown => "unknown",
        }
    }

    /// The answer of an agent to HAProxy (`agent-check`): `maint` takes a standby out without
    /// calling it broken, and `ready` takes that back.
    pub fn for_haproxy(self) -> &'static str {
        match self {
            Self::Primary => "up ready",
            Self::Standby => "maint",
            Self::Unknown => "down",
        }
    }

    /// The exit code: 0 primary, 1 standby, 3 unknown.
    pub fn health(self) -> Health {
        match self {
            Self::Primary => Health::Well,
            Self::Standby => Health::Attention,
            Self::Unknown => Health::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_rows, node};

    /// What SQL says, who was elected last as far as it can be seen; the word, the one for
    /// HAProxy, the exit code.
    #[test]
    fn table_of_roles() {
        let table = "
            primary srv1       | primary up ready 0
            primary srv2       | unknown down 3
            primary nobody     | unknown down 3
            primary srv1,alone | unknown down 3
            primary unreadable | unknown down 3
            primary srv1,damaged | unknown down 3
            standby srv1,damaged | standby maint 1
            primary not-asked  | primary up ready 0
            standby srv2       | standby maint 1
            standby srv1       | standby maint 1
            standby unreadable | standby maint 1
            silent  srv1       | unknown down 3
            silent  not-asked  | unknown down 3
        ";
        check_rows(table, |facts| {
            let server = match facts[0] {
                "primary" => Some(Role::Primary),
                "standby" => Some(Role::Standby),
                _ => None,
            };
            let record = match facts[1] {
                "unreadable" => Record::Unreadable,
                "not-asked" => Record::NotAsked,
                text => {
                    let name = text.split(',').next().filter(|name| *name != "nobody");
                    let is_quorate = !text.ends_with(",alone");
                    Record::of(name.map(node), is_quorate, !text.ends_with(",damaged"))
                }
            };
            let word = word(server, &record, Some(&node("srv1")));
            let (text, code) = (word.text(), word.health().code());
            format!("{text} {} {code}", word.for_haproxy())
        });
    }
}

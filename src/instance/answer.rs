//! What the server said when it was asked, or why it did not.

use std::fmt;

/// Why a question has no answer: different facts, which `pg_isready` folds into four and
/// is wrong about when all connections are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// 57P03: starting, stopping, recovering, or `hot_standby` is off.
    NotYet(String),
    /// 53300: every connection is taken. Busy is not dead.
    Full,
    /// Class 28: the server is well but does not let us in.
    Login(String),
    /// It lets us in, and shows us nothing: the role lacks a right.
    Unprivileged(String),
    /// A refusal of a server that is well and has no means for this question now.
    Busy(String),
    /// The server says that its storage or its catalogs are broken.
    Broken(String),
    /// Nothing listens on the socket or port.
    NotListening,
    /// We may not reach the socket.
    Denied,
    /// No answer within the deadline: the server hangs.
    Silent,
    /// A signal has stopped the postmaster, which answers nobody until another one lets it go on.
    Frozen,
    /// The connection was closed while we asked.
    CutOff,
    /// The time was over before the question: that says nothing of the server.
    NotAsked,
    /// Anything else, in the server's words: neither well nor broken as far as is known.
    Unknown(String),
}

impl NoAnswer {
    /// What an error of the server's means, by its code (`errcodes.txt`, the same in all
    /// versions) and its text. Codes are compared, never texts: those follow `lc_messages`.
    pub fn of_code(code: &str, text: &str) -> Self {
        let said = || format!("{text} ({code})");
        match code {
            "57P03" => Self::NotYet(text.to_owned()),
            "53300" => Self::Full,
            // Told to stop, or the session was ended: the connection says nothing more.
            "57P01" | "57P02" | "57P05" => Self::CutOff,
            _ if code.starts_with("28") => Self::Login(text.to_owned()),
            _ if is_of_storage(code) => Self::Broken(said()),
            // No memory; a limit of the configuration; a lock; cancelled; not on a standby; no
            // such database, or closed, or not ours.
            "53200" | "53400" | "55P03" | "57014" | "0A000" | "3D000" | "55000" | "42501" => {
                Self::Busy(said())
            }
            _ => Self::Unknown(said()),
        }
    }
}

/// 53100 (disk full) and the classes 58 (system: I/O) and XX (corruption).
pub fn is_of_storage(code: &str) -> bool {
    code == "53100" || code.starts_with("58") || code.starts_with("XX")
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet(text) => write!(f, "not accepting connections: {text}"),
            Self::Full => f.write_str("all connections are taken"),
            Self::Login(text) => write!(f, "login refused: {text}"),
            Self::Unprivileged(text) => write!(f, "parameter db_role: {text}"),
            Self::NotListening => f.write_str("not listening on pghost and pgport"),
            Self::Denied => f.write_str("no permission to reach the socket"),
            Self::Silent => f.write_str("no answer in time"),
            Self::Frozen => f.write_str("a signal has stopped its postmaster (SIGSTOP)"),
            Self::CutOff => f.write_str("connection cut off"),
            Self::NotAsked => f.write_str("no time was left to query it"),
            Self::Busy(text) | Self::Broken(text) | Self::Unknown(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_tells_busy_from_broken_from_unknown() {
        let of = |code| NoAnswer::of_code(code, "text");
        for code in ["53200", "57014", "0A000", "3D000", "55000"] {
            assert!(matches!(of(code), NoAnswer::Busy(_)), "{code}");
        }
        for code in ["53100", "58030", "58P01", "XX000", "XX001"] {
            assert!(matches!(of(code), NoAnswer::Broken(_)), "{code}");
        }
        for code in ["P0001", "42883", "", "22012"] {
            assert!(matches!(of(code), NoAnswer::Unknown(_)), "{code}");
        }
        assert_eq!(of("53300"), NoAnswer::Full);
        assert_eq!(of("57P01"), NoAnswer::CutOff);
        assert_eq!(of("28000"), NoAnswer::Login("text".to_owned()));
    }
}

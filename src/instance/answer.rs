//! What the server said when it was asked, or why it did not.

use std::fmt;

/// Why a question has no answer: eight different facts, which `pg_isready`
/// folds into four and is wrong about when all connections are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// 57P03: starting, stopping, recovering, or `hot_standby` is off.
    NotYet(String),
    /// 53300: every connection is taken. Busy is not dead.
    Full,
    /// Class 28: the server is well but does not let us in.
    Login(String),
    /// Nothing listens on the socket or port.
    NotListening,
    /// We may not reach the socket.
    Denied,
    /// No answer within the deadline: the server hangs.
    Silent,
    /// The connection was closed while we asked.
    CutOff,
    /// Anything else, in the server's words.
    Other(String),
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet(text) => write!(f, "not accepting connections: {text}"),
            Self::Full => f.write_str("all connections are taken"),
            Self::Login(text) => write!(f, "login refused: {text}"),
            Self::NotListening => f.write_str("not listening on pghost and pgport"),
            Self::Denied => f.write_str("no permission to reach the socket"),
            Self::Silent => f.write_str("no answer in time"),
            Self::CutOff => f.write_str("connection cut off"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

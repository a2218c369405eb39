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
            NoAnswer::NotYet(text) => write!(f, "not accepting connections: {text}"),
            NoAnswer::Full => f.write_str("all connections are taken"),
            NoAnswer::Login(text) => write!(f, "login refused: {text}"),
            NoAnswer::NotListening => f.write_str("not listening on pghost and pgport"),
            NoAnswer::Denied => f.write_str("no permission to reach the socket"),
            NoAnswer::Silent => f.write_str("no answer in time"),
            NoAnswer::CutOff => f.write_str("connection cut off"),
            NoAnswer::Other(text) => f.write_str(text),
        }
    }
}

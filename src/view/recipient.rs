//! To whom an event goes, as the configuration names it.

use std::path::PathBuf;

use thiserror::Error;

/// One of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The system log of this node.
    Syslog,
    /// A file, a line for each event.
    File(PathBuf),
    /// A program with its first arguments; the event is the last one.
    Command(Vec<String>),
}

/// Why there is nobody to tell.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecipientError {
    /// Nobody is named.
    #[error("The alert has no recipient: pcs alert recipient add ALERT value=syslog:")]
    Missing,
    /// Nobody that is known.
    #[error("The recipient {0} is none of syslog:, file:/PATH and command:/PATH [ARGUMENT…]")]
    Unknown(String),
}

impl Recipient {
    /// Reads it. Words of a command are parted by blanks; no shell reads them.
    pub fn parse(text: Option<&str>) -> Result<Self, RecipientError> {
        let text = text.ok_or(RecipientError::Missing)?;
        let unknown = || RecipientError::Unknown(text.to_owned());
        let (kind, rest) = text.split_once(':').ok_or_else(unknown)?;
        let is_path = rest.starts_with('/');
        match kind {
            "syslog" if rest.is_empty() => Ok(Self::Syslog),
            "file" if is_path => Ok(Self::File(PathBuf::from(rest))),
            "command" if is_path => Ok(Self::Command(
                rest.split_whitespace().map(str::to_owned).collect(),
            )),
            _ => Err(unknown()),
        }
    }
}

#[test]
fn recipients_are_read() {
    let parse = |text| Recipient::parse(Some(text));
    assert_eq!(parse("syslog:"), Ok(Recipient::Syslog));
    assert_eq!(parse("file:/a b"), Ok(Recipient::File("/a b".into())));
    let words = ["/bin/page", "-x", "y"].map(str::to_owned).to_vec();
    assert_eq!(
        parse("command:/bin/page -x  y"),
        Ok(Recipient::Command(words))
    );
    for wrong in [
        "",
        "x",
        "https://hooks.example/x",
        "file:x",
        "command:page",
        "syslog:local0",
    ] {
        assert_eq!(parse(wrong), Err(RecipientError::Unknown(wrong.to_owned())));
    }
    assert_eq!(Recipient::parse(None), Err(RecipientError::Missing));
}

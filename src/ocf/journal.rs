//! The journal of systemd, where there is one: beside the text it takes the id of a message as a
//! field of its own (`journalctl PGSQLMS_ID=diverged`), and passes the text on to syslog.

use std::fmt::Write;
use std::os::unix::net::UnixDatagram;

/// Where journald takes fields (systemd, "Native Journal Protocol").
const SOCKET: &str = "/run/systemd/journal/socket";

/// A connection to it.
#[derive(Debug)]
pub struct Journal {
    socket: UnixDatagram,
    identifier: String,
    facility: u8,
}

/// One line for it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// As syslog numbers it.
    pub severity: u8,
    /// The line, without line breaks.
    pub text: &'a str,
    /// The id of the message.
    pub id: Option<&'static str>,
}

impl Journal {
    /// Where there is one. It does not block: a stuck journald must not time out a monitor.
    pub fn open(identifier: &str, facility: u8) -> Option<Self> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_nonblocking(true).ok()?;
        socket.connect(SOCKET).ok()?;
        Some(Self {
            socket,
            identifier: identifier.to_owned(),
            facility,
        })
    }

    /// Writes a line; that it cannot be written is no error.
    pub fn write(&self, entry: Entry<'_>) {
        let _ = self.socket.send(self.fields(entry).as_bytes());
    }

    fn fields(&self, entry: Entry<'_>) -> String {
        fields(&self.identifier, self.facility, entry)
    }
}

fn fields(identifier: &str, facility: u8, entry: Entry<'_>) -> String {
    let Entry { severity, text, id } = entry;
    let mut fields = format!(
        "PRIORITY={severity}\nSYSLOG_FACILITY={facility}\nSYSLOG_IDENTIFIER={identifier}\n\
         SYSLOG_PID={}\nMESSAGE={text}\n",
        std::process::id()
    );
    if let Some(id) = id {
        let _ = writeln!(fields, "PGSQLMS_ID={id}");
    }
    fields
}

#[test]
fn an_entry_has_its_id_as_a_field() {
    let entry = Entry {
        severity: 4,
        text: "WARNING: a=b [diverged]",
        id: Some("diverged"),
    };
    let text = fields("pgsqlms(pgsqld)", 3, entry);
    let wanted = format!(
        "PRIORITY=4\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=pgsqlms(pgsqld)\nSYSLOG_PID={}\n\
         MESSAGE=WARNING: a=b [diverged]\nPGSQLMS_ID=diverged\n",
        std::process::id()
    );
    assert_eq!(text, wanted);
}

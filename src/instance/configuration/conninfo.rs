//! A connection string in libpq's form `keyword = 'value'`
//! (`src/interfaces/libpq/fe-connect.c`, `conninfo_parse`).
//!
//! It may hold a password, so it is never printed as a whole.

use std::fmt::Write;

use thiserror::Error;

/// Besides `password`, which has a variable.
const SECRETS: [&str; 4] = [
    "sslpassword",
    "scram_client_key",
    "scram_server_key",
    "oauth_client_secret",
];

/// The settings of a connection string, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conninfo(Vec<(String, String)>);

/// A text that is not in that form. Says nothing of what it holds.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConninfoError {
    /// `postgresql://…`
    #[error("it is a URI, which the agent does not read: write it as keyword=value")]
    Uri,
    /// Neither.
    #[error("it is not a list of keyword=value (at character {0})")]
    Malformed(usize),
}

impl Conninfo {
    /// Parses a connection string.
    pub fn parse(text: &str) -> Result<Self, ConninfoError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Err(ConninfoError::Uri);
        }
        let mut settings = Vec::new();
        let mut rest = text.trim_start_matches(is_blank);
        while !rest.is_empty() {
            let (setting, after) = setting(rest)
                .ok_or_else(|| ConninfoError::Malformed(text.len() - rest.len() + 1))?;
            settings.push(setting);
            rest = after.trim_start_matches(is_blank);
        }
        Ok(Self(settings))
    }

    /// The value of a keyword: the last one counts.
    pub fn get(&self, keyword: &str) -> Option<&str> {
        let mut all = self.0.iter().rev();
        let (_, value) = all.find(|(name, _)| name == keyword)?;
        Some(value)
    }

    /// Sets a keyword in the place of whatever it was.
    pub fn with(mut self, keyword: &str, value: &str) -> Self {
        self.0.retain(|(name, _)| name != keyword);
        self.0.push((keyword.to_owned(), value.to_owned()));
        self
    }

    /// Takes a keyword out.
    pub fn take(&mut self, keyword: &str) -> Option<String> {
        let value = self.get(keyword).map(str::to_owned);
        self.0.retain(|(name, _)| name != keyword);
        value
    }

    /// The hosts that it names, in their order; libpq tries one after the other.
    pub fn hosts(&self) -> Vec<&str> {
        let listed = |keyword| self.get(keyword).filter(|list| !list.is_empty());
        let list = listed("host").or_else(|| listed("hostaddr"));
        list.map(|list| list.split(',').map(str::trim).collect())
            .unwrap_or_default()
    }

    /// Whether it leads to a server that takes writes, and to no other.
    pub fn wants_a_primary(&self) -> bool {
        let wanted = self.get("target_session_attrs");
        wanted.is_some_and(|wanted| ["read-write", "primary"].contains(&wanted))
    }

    /// The same at one node, whatever role that has: what says where to look, and what for, goes.
    pub fn at(self, node: &str) -> Self {
        let port = self.port_of(node).map(str::to_owned);
        let mut source = self.with("host", node);
        for keyword in ["hostaddr", "target_session_attrs", "load_balance_hosts"] {
            source.take(keyword);
        }
        match port.filter(|port| !port.is_empty()) {
            Some(port) => source.with("port", &port),
            None => {
                source.take("port");
                source
            }
        }
    }

    /// Of several, that of the host with this name, else the first.
    fn port_of(&self, node: &str) -> Option<&str> {
        let ports: Vec<&str> = self.get("port")?.split(',').map(str::trim).collect();
        let named = self.hosts().iter().position(|host| *host == node);
        let own = named.and_then(|at| ports.get(at)).or(ports.first());
        own.copied()
    }

    /// A keyword with a secret that libpq takes from nowhere but a connection string
    /// (`PQconninfoOptions` in `fe-connect.c`, versions 12 to 18: marked `*` and without a
    /// variable).
    pub fn secret_without_variable(&self) -> Option<&'static str> {
        let is_set = |keyword: &&str| self.get(keyword).is_some_and(|value| !value.is_empty());
        SECRETS.into_iter().find(is_set)
    }

    /// The string to pass on, every value quoted.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            let value = value.replace('\\', "\\\\").replace('\'', "\\'");
            let blank = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{blank}{name}='{value}'");
        }
        text
    }
}

type Setting = (String, String);

/// As `isspace` has it in the C locale: other blanks may be part of a password.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

fn setting(text: &str) -> Option<(Setting, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim_end_matches(is_blank);
    let is_of_keyword = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_of_keyword) {
        return None;
    }
    let (value, rest) = value(rest.trim_start_matches(is_blank))?;
    Some(((name.to_owned(), value), rest))
}

fn value(text: &str) -> Option<(String, &str)> {
    let quoted = text.strip_prefix('\'');
    let mut rest = quoted.unwrap_or(text).char_indices();
    let source = quoted.unwrap_or(text);
    let mut value = String::new();
    while let Some((at, next)) = rest.next() {
        match next {
            '\\' => value.push(rest.next()?.1),
            '\'' if quoted.is_some() => return Some((value, &source[at + 1..])),
            blank if quoted.is_none() && is_blank(blank) => {
                return Some((value, &source[at..]));
            }
            other => value.push(other),
        }
    }
    quoted.is_none().then_some((value, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_read_as_libpq_reads_them() {
        let text =
            r"host=10.0.0.1 application_name = 'srv 1' password='it\'s \\ secret' port= 5433";
        let parsed = Conninfo::parse(text).unwrap();
        assert_eq!(parsed.get("application_name"), Some("srv 1"));
        assert_eq!(parsed.get("password"), Some(r"it's \ secret"));
        assert_eq!(parsed.get("port"), Some("5433"));
        assert_eq!(parsed.get("dbname"), None);
        let parsed = Conninfo::parse("password=a\u{a0}b\u{b}host=c").unwrap();
        assert_eq!(parsed.get("password"), Some("a\u{a0}b"));
    }

    #[test]
    fn the_last_one_counts_and_is_replaced() {
        let parsed = Conninfo::parse("dbname=a dbname=b").unwrap();
        assert_eq!(parsed.get("dbname"), Some("b"));
        assert_eq!(parsed.with("dbname", "c").render(), "dbname='c'");
    }

    #[test]
    fn of_several_hosts_one_is_meant() {
        let all = "host=srv2,srv3 hostaddr=10.0.0.2,10.0.0.3 port=5432,5433 user=r \
                   target_session_attrs=read-write load_balance_hosts=random";
        let all = || Conninfo::parse(all).unwrap();
        assert_eq!(all().hosts(), ["srv2", "srv3"]);
        assert!(all().wants_a_primary());
        let rendered = |node| all().at(node).render();
        assert_eq!(rendered("srv3"), "user='r' host='srv3' port='5433'");
        assert_eq!(rendered("srv9"), "user='r' host='srv9' port='5432'");
    }

    #[test]
    fn of_one_host_the_port_stays() {
        let at = |text: &str| Conninfo::parse(text).unwrap().at("b").render();
        assert_eq!(at("host=a port=5433"), "host='b' port='5433'");
        assert_eq!(at("host=a"), "host='b'");
        assert_eq!(at("host=a,b port=5433,"), "host='b'");
        let any = Conninfo::parse("hostaddr=10.0.0.1 target_session_attrs=any").unwrap();
        assert_eq!(any.hosts(), ["10.0.0.1"]);
        assert!(!any.wants_a_primary());
        assert_eq!(Conninfo::default().hosts(), [""; 0]);
    }

    #[test]
    fn a_password_is_taken_out() {
        let mut parsed = Conninfo::parse("host=a password=x").unwrap();
        assert_eq!(parsed.take("password"), Some("x".to_owned()));
        assert_eq!(parsed.render(), "host='a'");
    }

    #[test]
    fn a_secret_for_the_arguments_alone_is_told() {
        let of = |text| Conninfo::parse(text).unwrap().secret_without_variable();
        assert_eq!(of("host=a password=x sslkey=/k sslpassword=''"), None);
        assert_eq!(of("host=a sslpassword=x"), Some("sslpassword"));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in [
            "host",
            "=x",
            "a b=c",
            " postgres://a=b",
            "a-b=c",
            "host='open",
            "host=a \\",
            "x='a\\",
        ] {
            assert!(Conninfo::parse(text).is_err(), "{text}");
        }
        assert_eq!(Conninfo::parse("postgresql://a/b"), Err(ConninfoError::Uri));
    }

    proptest! {
        #[test]
        fn what_is_rendered_is_read_again(
            all in proptest::collection::vec(("[a-z_]{1,8}", ".{0,12}"), 0..6)
        ) {
            let info = all.iter().fold(Conninfo::default(), |info, (k, v)| info.with(k, v));
            prop_assert_eq!(Conninfo::parse(&info.render()), Ok(info));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Conninfo::parse(&text);
        }
    }
}

//! How parameter `db_role` logs in: with the password that the system user has for it, if it has
//! one. Without that parameter the agent has no password, and asks for none.

use ::postgres::Config;

use super::password_file;
use crate::instance::NoAnswer;
use crate::instance::configuration::password_file::{Wanted, find};
use crate::ocf::Parameters;
use crate::system::SystemUser;

/// Errors of the client's own when a server wants what it does not have.
const OF_LOGIN: [&str; 2] = ["invalid configuration", "authentication error"];

/// The text of the password file, or why it is not used; `None` where none is looked for.
pub struct Secrets(Option<Result<Vec<u8>, String>>);

impl Secrets {
    /// Reads the file. A login that needs no password does not suffer from one that is unfit.
    pub fn of(parameters: &Parameters, user: &SystemUser) -> Self {
        let role = parameters.db_role.as_ref();
        Self(role.map(|_| password_file::read(parameters, user)))
    }

    /// Adds the password for this database, if there is one.
    pub fn add_to(&self, config: &mut Config, parameters: &Parameters, database: &str) {
        let (Some(Ok(text)), Some(role)) = (&self.0, &parameters.db_role) else {
            return;
        };
        let wanted = Wanted {
            host: &parameters.pghost,
            port: parameters.pgport,
            database,
            role,
        };
        if let Some(password) = find(text, &wanted) {
            config.password(password);
        }
    }

    /// What a refusal means: a server that wants another password is well, and does not let us in.
    pub fn explain(&self, answer: NoAnswer) -> NoAnswer {
        let Some(file) = &self.0 else {
            return answer;
        };
        let text = match answer {
            NoAnswer::Login(text) => text,
            NoAnswer::Unknown(text) if OF_LOGIN.iter().any(|of| text.starts_with(of)) => text,
            other => return other,
        };
        match file {
            Ok(_) => NoAnswer::Login(text),
            Err(why) => NoAnswer::Login(format!("{text}; {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else a primary would fail after some monitors, for a password that was changed.
    #[test]
    fn a_password_that_is_missing_is_a_login_that_is_refused() {
        let unknown = || NoAnswer::Unknown("invalid configuration: password missing".to_owned());
        let named = Secrets(Some(Ok(Vec::new())));
        let login = |text: &str| NoAnswer::Login(text.to_owned());
        let text = "invalid configuration: password missing";
        assert_eq!(named.explain(unknown()), login(text));
        assert_eq!(Secrets(None).explain(unknown()), unknown());
        let why = "/home/.pgpass: it has mode 644: chmod 0600";
        let unfit = Secrets(Some(Err(why.to_owned())));
        assert_eq!(unfit.explain(login("no")), login(&format!("no; {why}")));
        assert_eq!(unfit.explain(NoAnswer::Full), NoAnswer::Full);
    }
}

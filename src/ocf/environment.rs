//! The environment of one call, taken once and then only read.
//!
//! Everything that Pacemaker says comes by environment variables
//! (Pacemaker 2.1.5 `lib/services/services_linux.c`, `set_ocf_env`).

use std::collections::BTreeMap;

/// Environment variables by name.
#[derive(Debug, Default, Clone)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Takes the environment of this process. Bytes that are not UTF-8 are
    /// replaced: a bad value must end in a message, not in a panic.
    pub fn of_this_process() -> Self {
        std::env::vars_os()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .collect()
    }

    /// The value of a variable; `None` if it is unset or blank.
    /// An empty parameter means "default", as it always did with PAF.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Forgets a variable.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The value of the resource parameter or meta attribute `name`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.get(&format!("OCF_RESKEY_{name}"))
    }

    /// The value of the meta attribute `name` (`CRM_meta_<name>`).
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.parameter(&format!("CRM_meta_{name}"))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

#[cfg(test)]
impl Environment {
    /// An environment for a test table.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }
}

//! What a parameter of the resource is: name, default, what can be written there,
//! and what a wrong value costs.

use std::fmt;

use thiserror::Error;

use super::{Environment, Failure, OcfExit};

/// A parameter of the resource.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as in metadata.xml.
    pub name: &'static str,
    /// Its default, as in metadata.xml; blank where it follows another parameter.
    pub default: &'static str,
    /// What can be written there.
    pub kind: Kind,
    concern: Concern,
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything.
    Text,
    /// An absolute path.
    Directory,
    /// A port number.
    Port,
    /// A number of bytes.
    Bytes,
    /// A number of seconds.
    Seconds,
    /// Yes or no.
    Boolean,
    /// A way to rejoin.
    Rejoin,
    /// For whom there are replication slots.
    Slots,
    /// A database role.
    Role,
}

/// What a parameter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Concern {
    /// Where or how the instance runs. No other value will do for a wrong one.
    Place,
    /// What is allowed. A wrong one counts as its default, which is the safe side.
    Policy,
}

impl Parameter {
    /// One that says where or how the instance runs.
    pub const fn place(name: &'static str, default: &'static str, kind: Kind) -> Self {
        let concern = Concern::Place;
        Self {
            name,
            default,
            kind,
            concern,
        }
    }

    /// One that only says what is allowed.
    pub const fn policy(name: &'static str, default: &'static str, kind: Kind) -> Self {
        let concern = Concern::Policy;
        Self {
            name,
            default,
            kind,
            concern,
        }
    }

    /// Whether a wrong value counts as the default, which is the safe side.
    pub fn is_policy(&self) -> bool {
        self.concern == Concern::Policy
    }

    /// What it is set to, or its default.
    pub fn text<'e>(&self, environment: &'e Environment) -> &'e str {
        environment.parameter(self.name).unwrap_or(self.default)
    }

    /// The value, parsed.
    pub fn read<T>(
        &'static self,
        environment: &Environment,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ParameterError> {
        let text = self.text(environment);
        parse(text).ok_or_else(|| ParameterError {
            parameter: self,
            value: text.to_owned(),
        })
    }
}

/// A parameter that cannot be what it is set to, on any node.
#[derive(Debug, Error, PartialEq, Eq)]
pub struct ParameterError {
    parameter: &'static Parameter,
    value: String,
}

impl ParameterError {
    /// The parameter.
    pub fn parameter(&self) -> &'static Parameter {
        self.parameter
    }

    /// What it is set to.
    #[cfg(test)]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = (self.parameter.name, &self.value);
        match self.parameter.kind {
            // Never wrong.
            Kind::Text => write!(f, "{name} \"{value}\""),
            Kind::Directory => write!(f, "{name} \"{value}\" is not an absolute path"),
            Kind::Port => write!(f, "{name} \"{value}\" is not a port number (1-65535)"),
            Kind::Bytes => write!(
                f,
                "{name} \"{value}\" is not a whole number of bytes (0 = no limit)"
            ),
            Kind::Seconds => write!(
                f,
                "{name} \"{value}\" is not a whole number of seconds (0 = never)"
            ),
            Kind::Boolean => write!(f, "{name} \"{value}\" is neither true nor false"),
            Kind::Rejoin => write!(f, "{name} \"{value}\" is neither follow nor rewind"),
            Kind::Role => write!(
                f,
                "{name} \"{value}\" is no name of a role (63 bytes at most, no control characters)"
            ),
            Kind::Slots => write!(f, "{name} \"{value}\" is neither none nor nodes"),
        }
    }
}

impl From<ParameterError> for Failure {
    /// 2, not 6: the clone on other nodes must not stop for it, since
    /// a running instance goes on with the parameters it was started with.
    fn from(error: ParameterError) -> Self {
        Failure::new(OcfExit::Arguments, error.to_string())
    }
}

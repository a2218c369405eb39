//! Why a text tells nothing about a resource.

use thiserror::Error;

/// Why the text tells nothing about the resource.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CibError {
    /// It is not one.
    #[error("no cluster configuration: {0}")]
    NotXml(String),
    /// It is a file that was packed.
    #[error("the file is compressed: unpack it with bzcat, and pass that on with --cib -")]
    Compressed,
    /// Nothing in it is ours.
    #[error("this cluster has no resource of the agent pgsqlms")]
    NoResource,
    /// Several are.
    #[error("this cluster has several resources of the agent: name one with --resource ({0})")]
    Several(String),
    /// None has that name.
    #[error("this cluster has no resource {0} of the agent pgsqlms")]
    Unknown(String),
}

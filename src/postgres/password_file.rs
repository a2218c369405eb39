//! The password of parameter `db_role`, from the file where libpq would look for it: as the user
//! to whom that belongs, and only where it is private.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::instance::configuration::password_file::why_not_used;
use crate::ocf::Parameters;
use crate::system::{SystemUser, plain_file};

/// What is in it; nothing where it is not there. Else why it is not used.
pub fn read(parameters: &Parameters, user: &SystemUser) -> Result<Vec<u8>, String> {
    let path = path(parameters, user);
    let why = |text: &str| format!("{}: {text}", path.display());
    let read = user.act(|| plain_file::read_behind_links_with_mode(&path));
    match read {
        Ok((bytes, mode)) => match why_not_used(mode) {
            None => Ok(bytes),
            Some(text) => Err(why(&text)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(why(&error.to_string())),
    }
}

/// Where libpq looks: the variable PGPASSFILE goes before the home directory.
pub fn path(parameters: &Parameters, user: &SystemUser) -> PathBuf {
    let in_home = || user.home.join(".pgpass");
    parameters.passfile.clone().unwrap_or_else(in_home)
}

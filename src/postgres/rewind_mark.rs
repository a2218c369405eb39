//! The mark of a rewind that has begun: on disk before pg_rewind changes
//! anything, gone when the instance may be started again. Power may go at any
//! moment between.
//!
//! It lives outside of the data directory, where pg_rewind would remove it, in
//! a directory of root's own. Beside it lie copies of the instance's own files
//! in the data directory (configuration, certificates), which pg_rewind
//! replaces by the primary's.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::control_file::identity;
use super::own_files;
use crate::record::note::REWIND_MARK;
use crate::system::{SystemUser, kept_file, plain_file};
use crate::wal::Lsn;

/// What is remembered of a rewind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Which data directory.
    datadir: PathBuf,
    /// Which control file: another one means that the directory was rebuilt.
    control: String,
    /// Under which boot of the system it began.
    boot: String,
    /// Where the branches part.
    fork: Lsn,
}

impl Mark {
    /// The mark of a rewind that begins now.
    fn now(datadir: &Path, fork: Lsn) -> io::Result<Self> {
        Ok(Self {
            datadir: datadir.to_owned(),
            control: identity(datadir)?,
            boot: boot_id(),
            fork,
        })
    }

    /// The mark's text.
    pub fn encode(&self) -> String {
        let Self {
            control,
            boot,
            fork,
            ..
        } = self;
        let datadir = self.datadir.display();
        format!("{fork}\n{control}\n{boot}\n{datadir}\n")
    }

    /// Reads the mark's text; `None` if it is damaged.
    pub fn decode(text: &str) -> Option<Self> {
        // Not `lines`: a path may end with a carriage return.
        let mut lines = text.split('\n');
        Some(Self {
            fork: Lsn::from_hex(lines.next()?).ok()?,
            // The first version wrote a space between the numbers.
            control: lines.next()?.replace(' ', "."),
            boot: lines.next()?.to_owned(),
            datadir: PathBuf::from(lines.next()?),
        })
    }
}

/// What was found of an earlier rewind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No mark.
    Nothing,
    /// A mark on a data directory that was rebuilt since, or another one.
    OfOtherData,
    /// A rewind of this data directory has begun and was not seen to end.
    Here {
        /// Where the branches part.
        fork: Lsn,
        /// Whether the system has been up all the time since.
        same_boot: bool,
    },
}

/// The place of the mark of one resource.
pub struct MarkFolder(PathBuf);

impl MarkFolder {
    /// The place for `resource`.
    pub fn of(resource: &str) -> Self {
        Self(Path::new(kept_file::FOLDER).join(REWIND_MARK.of(resource)))
    }

    /// Where it is, for messages.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The mark on `datadir` as it is now. One that cannot be read is an error: in
    /// doubt nothing is started.
    pub fn look(&self, datadir: &Path, user: &SystemUser) -> io::Result<Found> {
        let text = match plain_file::read(&self.0.join("marker")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error),
        };
        let mark = Mark::decode(&text).ok_or_else(|| io::Error::other("it is damaged"))?;
        let control = user.act(|| identity(datadir))?;
        if mark.datadir != datadir || mark.control != control {
            return Ok(Found::OfOtherData);
        }
        Ok(Found::Here {
            fork: mark.fork,
            same_boot: mark.boot == boot_id(),
        })
    }

    /// Copies the instance's own files and sets the mark; on disk when it returns.
    pub fn set(&self, datadir: &Path, fork: Lsn, user: &SystemUser) -> io::Result<()> {
        let mark = user.act(|| Mark::now(datadir, fork))?;
        let files = self.0.join("files");
        if self.0.exists() {
            fs::remove_dir_all(&self.0)?;
        }
        fs::create_dir_all(&files)?;
        fs::set_permissions(&self.0, PermissionsExt::from_mode(0o700))?;
        own_files::keep(&mark.datadir, &files, user)?;
        kept_file::write(&self.0, "marker", &mark.encode())?;
        // Up to what was there before.
        self.0.ancestors().take(3).try_for_each(sync)
    }

    /// Puts the instance's own files back.
    pub fn restore(&self, datadir: &Path, user: &SystemUser) -> io::Result<()> {
        own_files::put_back(&self.0.join("files"), datadir, user)
    }

    /// Removes the mark: the data directory is whole.
    pub fn remove(&self) -> io::Result<()> {
        fs::remove_file(self.0.join("marker"))?;
        sync(&self.0)?;
        fs::remove_dir_all(&self.0)
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Place {
        folder: MarkFolder,
        datadir: PathBuf,
        user: SystemUser,
        _root: tempfile::TempDir,
    }

    fn place() -> Place {
        let root = tempfile::tempdir().unwrap();
        let datadir = root.path().join("data");
        fs::create_dir_all(datadir.join("global")).unwrap();
        fs::write(datadir.join("global/pg_control"), "x").unwrap();
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid());
        Place {
            folder: MarkFolder(root.path().join("pgsqld.rewind")),
            datadir,
            user: SystemUser::look_up(&user.unwrap().unwrap().name).unwrap(),
            _root: root,
        }
    }

    fn begin(place: &Place) {
        let fork = Lsn::from(0x500_0110);
        place.folder.set(&place.datadir, fork, &place.user).unwrap();
    }

    fn look(place: &Place) -> Found {
        place.folder.look(&place.datadir, &place.user).unwrap()
    }

    #[test]
    fn the_mark_stays_until_the_end() {
        let place = place();
        assert_eq!(look(&place), Found::Nothing);
        begin(&place);
        let fork = Lsn::from(0x500_0110);
        let same_boot = true;
        assert_eq!(look(&place), Found::Here { fork, same_boot });
        place.folder.remove().unwrap();
        assert_eq!(look(&place), Found::Nothing);
    }

    #[test]
    fn a_rebuilt_directory_is_free() {
        let place = place();
        begin(&place);
        let control = place.datadir.join("global/pg_control");
        fs::write(place.datadir.join("new"), "x").unwrap();
        fs::rename(place.datadir.join("new"), control).unwrap();
        assert_eq!(look(&place), Found::OfOtherData);
    }

    #[test]
    fn a_damaged_mark_forbids() {
        let place = place();
        begin(&place);
        fs::write(place.folder.path().join("marker"), "0/1\n").unwrap();
        assert!(place.folder.look(&place.datadir, &place.user).is_err());
    }

    #[test]
    fn the_own_configuration_comes_back() {
        let place = place();
        let file = |name: &str| place.datadir.join(name);
        fs::write(file("postgresql.auto.conf"), "ours").unwrap();
        fs::write(file("standby.signal"), "").unwrap();
        begin(&place);
        fs::write(file("postgresql.auto.conf"), "the primary's").unwrap();
        fs::remove_file(file("standby.signal")).unwrap();
        place.folder.restore(&place.datadir, &place.user).unwrap();
        let text = fs::read_to_string(file("postgresql.auto.conf")).unwrap();
        assert_eq!(text, "ours");
        assert!(!file("standby.signal").exists());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).*") {
            let _ = Mark::decode(&text);
        }
    }
}

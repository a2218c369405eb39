//! What a way back into the cluster needs of the stopped server, as this node does it: the
//! mark of a rewind, the node's own files, pg_rewind.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::lost_wal::LostFolder;
use super::own_files;
use super::pg_rewind::{self, RewindError};
use super::real_server::RealServer;
use super::rebuild_mark::{Rebuild, RebuildFolder};
use super::rewind_mark::{Found, MarkFolder};
use super::server::{Rewinder, Server, Upstream};
use super::standby_signal;
use super::upstream::{self, UpstreamError};
use crate::instance::Offered;
use crate::instance::configuration::Conninfo;
use crate::instance::rejoin::preview::Preview;
use crate::ocf::Deadline;
use crate::record::lost::Lost;
use crate::system::plain_file;
use crate::wal::Lsn;

/// Of the data directory, the WAL and each table space: not of the whole machine, where
/// another disk may hang.
pub(super) fn sync_file_systems(datadir: &Path) -> io::Result<()> {
    let mut places = vec![datadir.to_owned(), datadir.join("pg_wal")];
    for space in fs::read_dir(datadir.join("pg_tblspc"))? {
        places.push(space?.path());
    }
    for place in places {
        nix::unistd::syncfs(File::open(place)?)?;
    }
    Ok(())
}

fn mark_of(server: &RealServer) -> MarkFolder {
    MarkFolder::of(server.resource())
}

impl Upstream for RealServer {
    fn offered_by(&self, source: &Conninfo, deadline: Deadline) -> Result<Offered, UpstreamError> {
        upstream::offered_by(self.parameters(), self.user(), source, deadline)
    }
}

impl Rewinder for RealServer {
    fn mark(&self) -> io::Result<Found> {
        mark_of(self).look(&self.parameters().datadir, self.user())
    }

    fn mark_folder(&self) -> PathBuf {
        mark_of(self).path().to_owned()
    }

    fn remove_mark(&self) -> io::Result<()> {
        mark_of(self).remove()
    }

    fn set_mark(&self, fork: Lsn) -> io::Result<()> {
        mark_of(self).set(&self.parameters().datadir, fork, self.user())
    }

    fn restore_files(&self) -> io::Result<()> {
        mark_of(self).restore(&self.parameters().datadir, self.user())
    }

    fn keep_lost(&self, lost: &Lost, deadline: Deadline) -> io::Result<bool> {
        let from = (self.parameters().datadir.as_path(), self.user());
        LostFolder::of(self.resource()).keep(from, *lost, deadline)
    }

    fn rebuild(&self) -> io::Result<Rebuild> {
        let folder = RebuildFolder::of(self.resource());
        folder.look(&self.parameters().datadir, self.user())
    }

    fn has_rewind_label(&self) -> bool {
        let path = self.parameters().datadir.join("backup_label");
        let label = self.user().act(|| plain_file::read(&path));
        label.is_ok_and(|text| text.contains("pg_rewind"))
    }

    fn foreign_file(&self) -> io::Result<Option<PathBuf>> {
        own_files::foreign(&self.parameters().datadir, self.user())
    }

    fn sync_disks(&self) -> io::Result<()> {
        let datadir = &self.parameters().datadir;
        self.user().act(|| sync_file_systems(datadir))
    }

    fn remove_standby_signal(&self) -> io::Result<()> {
        self.user()
            .act(|| standby_signal::remove(&self.parameters().datadir))
    }

    fn recover(&self, deadline: Deadline) -> Result<(), RewindError> {
        pg_rewind::recover(self.parameters(), self.user(), deadline)
    }

    fn preview(&self, primary: &Conninfo, deadline: Deadline) -> Result<Preview, RewindError> {
        pg_rewind::Tool::new(self.parameters(), self.user(), primary).preview(deadline)
    }

    fn would_rewind(&self, primary: &Conninfo, deadline: Deadline) -> Result<(), RewindError> {
        pg_rewind::Tool::new(self.parameters(), self.user(), primary).would_work(deadline)
    }

    fn rewind(&self, primary: &Conninfo, deadline: Deadline) -> Result<(), RewindError> {
        pg_rewind::Tool::new(self.parameters(), self.user(), primary).perform(deadline)
    }
}

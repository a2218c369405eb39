//! The files in `pg_wal` that tell of timelines, on this node: as the system user, whose
//! directory it is.

use std::collections::BTreeSet;
use std::io;

use super::real_server::RealServer;
use super::server::{Server, Timelines};
use super::{history_file, wal_files};
use crate::wal::{Lsn, Timeline, WalFiles};

impl Timelines for RealServer {
    fn written_timelines(&self, lsn: Lsn, segment_size: u64) -> io::Result<BTreeSet<Timeline>> {
        let look = || wal_files::timelines_before(&self.parameters().datadir, lsn, segment_size);
        self.user().act(look)
    }

    fn wal_files(&self) -> io::Result<WalFiles> {
        self.user()
            .act(|| wal_files::look(&self.parameters().datadir))
    }

    fn reserve_timeline(&self, own: Timeline, timeline: Timeline) -> io::Result<()> {
        let reserve = || history_file::reserve(&self.parameters().datadir, own, timeline);
        self.user().act(reserve)
    }

    fn release_timelines(&self, timelines: &[Timeline]) -> io::Result<()> {
        let release = || history_file::release(&self.parameters().datadir, timelines);
        self.user().act(release)
    }

    fn remove_wal_of(&self, timeline: Timeline) -> io::Result<()> {
        self.user()
            .act(|| wal_files::remove(&self.parameters().datadir, timeline))
    }
}

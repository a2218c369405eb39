//! What a rewind and a judgement before a start need of the server for tests, and what its
//! calls say when a test has them fail.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::control_file::ControlFileError;
use super::fake_instance::{FakeInstance, POSTMASTER};
use super::fake_server::FakeServer;
use super::pg_ctl::ServerError;
use super::pg_rewind::RewindError;
use super::postmaster::LookError;
use super::rebuild_mark::Rebuild;
use super::rewind_mark::Found;
use super::server::{Access, Installed, Rewinder, Server, Setting, Timelines, Upstream};
use super::settings::SettingError;
use super::upstream::UpstreamError;
use crate::instance::configuration::Conninfo;
use crate::instance::rejoin::preview::Preview;
use crate::instance::{NoAnswer, Offered};
use crate::ocf::Deadline;
use crate::record::lost::Lost;
use crate::system::program::ProgramError;
use crate::testing::journal::Injected;
use crate::wal::notation::SYSTEM;
use crate::wal::{HistoryFile, Lsn, Place, SystemId, Timeline, WalFiles};

impl Rewinder for FakeServer {
    fn mark(&self) -> io::Result<Found> {
        self.instance.ask("mark", |of| Ok(of.data.mark))
    }

    fn mark_folder(&self) -> PathBuf {
        PathBuf::from("/var/lib/pgsqlms/pgsqld.rewind")
    }

    fn remove_mark(&self) -> io::Result<()> {
        self.instance
            .act("remove_mark", "remove mark".to_owned(), |of| {
                of.data.mark = Found::Nothing;
                Ok(())
            })
    }

    fn set_mark(&self, fork: Lsn) -> io::Result<()> {
        self.instance
            .act("set_mark", format!("set mark {fork}"), |of| {
                of.data.set_mark(fork);
                Ok(())
            })
    }

    fn restore_files(&self) -> io::Result<()> {
        self.instance
            .act("restore_files", "restore files".to_owned(), |of| {
                of.data.own_files = true;
                Ok(())
            })
    }

    fn keep_lost(&self, lost: &Lost, _: Deadline) -> io::Result<bool> {
        let line = format!("keep WAL from {} to {}", lost.fork, lost.end);
        self.instance.act("keep_lost", line, |_| Ok(true))
    }

    fn rebuild(&self) -> io::Result<Rebuild> {
        self.instance.ask("rebuild", |of| Ok(of.data.rebuild))
    }

    fn has_rewind_label(&self) -> bool {
        self.instance
            .ask("has_rewind_label", |of| of.data.rewind_label)
    }

    fn foreign_file(&self) -> io::Result<Option<PathBuf>> {
        self.instance
            .ask("foreign_file", |of| of.data.foreign_file())
    }

    fn sync_disks(&self) -> io::Result<()> {
        self.instance
            .act("sync_disks", "sync disks".to_owned(), |_| Ok(()))
    }

    fn remove_standby_signal(&self) -> io::Result<()> {
        let line = "remove standby.signal".to_owned();
        self.instance.act("remove_standby_signal", line, |of| {
            of.data.standby_signal = false;
            Ok(())
        })
    }

    fn recover(&self, _: Deadline) -> Result<(), RewindError> {
        self.instance
            .act("recover", "recover".to_owned(), |of| of.data.recover())
    }

    fn preview(&self, _: &Conninfo, _: Deadline) -> Result<Preview, RewindError> {
        self.instance.ask("preview", |of| of.data.preview())
    }

    fn would_rewind(&self, _: &Conninfo, _: Deadline) -> Result<(), RewindError> {
        self.instance
            .ask("would_rewind", |of| of.data.reach_source())
    }

    fn rewind(&self, _: &Conninfo, _: Deadline) -> Result<(), RewindError> {
        self.instance
            .act("rewind", "rewind".to_owned(), |of| of.data.rewind())
    }
}

impl Timelines for FakeServer {
    fn written_timelines(&self, _: Lsn, _: u64) -> io::Result<BTreeSet<Timeline>> {
        self.instance
            .ask("written_timelines", |of| Ok(of.data.wal_files().segments))
    }

    fn wal_files(&self) -> io::Result<WalFiles> {
        self.instance.ask("wal_files", |of| {
            let mut files = of.data.wal_files();
            if of.data.hides_half_open {
                let own = of.data.timeline;
                let is_known = |it: &Timeline, file: &HistoryFile| {
                    *it <= own || *file == HistoryFile::Reserved
                };
                files.histories.retain(|it, file| is_known(it, file));
                files.segments.retain(|it| *it <= own);
            }
            Ok(files)
        })
    }

    fn reserve_timeline(&self, _: Timeline, timeline: Timeline) -> io::Result<()> {
        let line = format!("reserve timeline {timeline}");
        let reserve = |of: &mut FakeInstance| of.data.reserve(timeline);
        self.write("reserve_timeline", line, reserve)
    }

    fn release_timelines(&self, timelines: &[Timeline]) -> io::Result<()> {
        let line = "release timelines".to_owned();
        self.write("release_timelines", line, |of| of.data.release(timelines))
    }

    fn remove_wal_of(&self, timeline: Timeline) -> io::Result<()> {
        let line = format!("remove WAL of timeline {timeline}");
        let remove = |of: &mut FakeInstance| {
            of.data.strays.remove(&timeline);
        };
        self.write("remove_wal_of", line, remove)
    }
}

impl Injected for LookError {
    fn injected() -> Self {
        Self::Unseen(POSTMASTER)
    }
}

impl Injected for ControlFileError {
    fn injected() -> Self {
        Self::Failed("no such luck".to_owned())
    }
}

impl Injected for ProgramError {
    fn injected() -> Self {
        let program = PathBuf::from("program");
        Self::TooSlow { program }
    }
}

impl Injected for SettingError {
    fn injected() -> Self {
        Self::Refused("no such luck".to_owned())
    }
}

impl Injected for NoAnswer {
    fn injected() -> Self {
        Self::Silent
    }
}

impl Injected for ServerError {
    fn injected() -> Self {
        ProgramError::injected().into()
    }
}

impl Injected for RewindError {
    fn injected() -> Self {
        Self::Failed("could not connect to server".to_owned())
    }
}

impl FakeServer {
    /// An effect on its files.
    pub(super) fn write<F: FnOnce(&mut FakeInstance)>(
        &self,
        name: &'static str,
        line: String,
        change: F,
    ) -> io::Result<()> {
        self.instance.act(name, line, |of| {
            change(of);
            Ok(())
        })
    }
}

impl Installed for FakeServer {
    fn is_executable(&self, path: &Path) -> bool {
        self.instance
            .ask("is_executable", |of| !of.data.missing.contains(path))
    }

    fn is_directory(&self, path: &Path) -> bool {
        self.instance
            .ask("is_directory", |of| !of.data.missing.contains(path))
    }

    fn exists(&self, _: &Path) -> bool {
        self.instance.ask("exists", |_| false)
    }

    fn is_datadir(&self, path: &Path) -> bool {
        self.instance
            .ask("is_datadir", |_| path == self.parameters.datadir)
    }

    fn data_version(&self) -> io::Result<Option<u32>> {
        self.instance.ask("data_version", |_| Ok(Some(15)))
    }

    fn program_version(&self, _: Deadline) -> Option<u32> {
        self.instance.ask("program_version", |_| Some(15))
    }

    fn access(&self) -> io::Result<Access> {
        let (uid, mode) = (self.uid(), 0o700);
        self.instance.ask("access", |_| Ok(Access { uid, mode }))
    }

    fn uid(&self) -> u32 {
        26
    }

    fn missing_table_space(&self) -> io::Result<Option<PathBuf>> {
        let missing = |of: &mut FakeInstance| of.data.missing_table_space.clone();
        Ok(self.instance.ask("missing_table_space", missing))
    }

    fn boot_start(&self) -> Option<PathBuf> {
        self.instance.ask("boot_start", |_| None)
    }

    fn text_of(&self, _: &str) -> Option<String> {
        self.instance.ask("text_of", |_| None)
    }

    fn settings(&self, names: &[&'static str], deadline: Deadline) -> Vec<Setting> {
        let known = |name: &&'static str| self.instance().data.settings.contains_key(name);
        let names = names.iter().copied().filter(known);
        names
            .map(|name| (name, self.setting(name, deadline)))
            .collect()
    }
}

impl Injected for UpstreamError {
    fn injected() -> Self {
        Self::Refused("no such luck".to_owned())
    }
}

impl Upstream for FakeServer {
    fn offered_by(&self, source: &Conninfo, _: Deadline) -> Result<Offered, UpstreamError> {
        self.instance.ask("offered_by", |of| {
            let upstream = of.replay.upstream;
            let upstream = upstream.filter(|one| one.lets_in(source));
            let one = upstream.ok_or(UpstreamError::Refused("no route to host".to_owned()))?;
            Ok(Offered {
                system: SystemId::from(SYSTEM),
                place: Place {
                    timeline: of.data.timeline,
                    lsn: one.offers,
                },
            })
        })
    }
}

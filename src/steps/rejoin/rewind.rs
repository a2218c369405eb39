//! Rewinds a stopped server, or resumes a rewind that was interrupted.
//!
//! Nothing is changed before a dry run of pg_rewind has succeeded, except that a crashed
//! server replays its WAL. From the mark to its removal nothing is started: it is resumed,
//! or refused with what to do.

use std::io;
use std::time::Duration;

use crate::election::Diverged;
use crate::instance::configuration::Conninfo;
use crate::instance::rejoin::plan::Unable;
use crate::instance::rejoin::preview::Preview;
use crate::ocf::{Deadline, Failure};
use crate::pacemaker::Cluster;
use crate::postgres::{RewindError, Server};
use crate::record::Divergence;
use crate::record::lost::By;
use crate::steps::{evidence, lost, reign};
use crate::wal::Lsn;

const POLL: Duration = Duration::from_secs(1);

/// The mark of a rewind cannot be read or written: in doubt nothing is started.
pub(super) fn unreadable(server: &dyn Server, error: &io::Error) -> Failure {
    let folder = server.mark_folder();
    Failure::soft(format!(
        "Cannot tell whether a rewind was interrupted: {}: {error}",
        folder.display()
    ))
}

/// A rewind of this data directory that has begun.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) fork: Lsn,
    pub(super) same_boot: bool,
}

/// One rewind, and with what it is done.
pub(super) struct Work<'a> {
    pub(super) server: &'a dyn Server,
    pub(super) cluster: &'a dyn Cluster,
    pub(super) mark: Option<Mark>,
    pub(super) primary: Option<Conninfo>,
    pub(super) deadline: Deadline,
}

impl Work<'_> {
    /// The first attempt: where it cannot work, nothing is lost.
    pub(super) fn rewind(
        mut self,
        recover: bool,
        diverged: Option<Diverged>,
    ) -> Result<Option<Diverged>, Failure> {
        let Some(found @ Diverged { how, .. }) = diverged else {
            return Ok(None);
        };
        let Divergence::Left { fork, .. } = how else {
            return Ok(Some(found));
        };
        match self.try_rewind(recover, fork) {
            Ok(preview) => self.perform(preview, &found).map(|()| None),
            Err(why) => {
                log::warn!("This node has diverged and cannot be rewound now: {why}");
                self.leave()?;
                Ok(Some(found))
            }
        }
    }

    /// All that can be tried without changing what the node holds.
    fn try_rewind(&mut self, recover: bool, fork: Lsn) -> Result<Preview, String> {
        let text = |error: io::Error| error.to_string();
        if let Some(path) = self.server.foreign_file().map_err(text)? {
            let (path, user) = (path.display(), &self.server.parameters().system_user);
            return Err(format!(
                "pg_rewind could not write {path}: chown {user} {path}"
            ));
        }
        if recover {
            self.set_mark(fork).map_err(text)?;
            self.recover().map_err(|error| error.to_string())?;
        }
        self.patient_preview(fork)
            .map_err(|error| error.to_string())
    }

    fn recover(&self) -> Result<(), RewindError> {
        log::info!("Replaying the local WAL of this crashed instance before it is rewound");
        let removed = self.server.remove_standby_signal();
        removed.map_err(|error| RewindError::Failed(error.to_string()))?;
        self.server.recover(self.deadline)
    }

    /// Waits for a primary that is just coming up.
    fn patient_preview(&self, fork: Lsn) -> Result<Preview, RewindError> {
        let mut before = None;
        loop {
            match self.preview(fork) {
                Err(error) if error.may_pass() && self.deadline.sleep(POLL) => {
                    log::info!("Waiting to rewind: {error}");
                    before = Some(error);
                }
                // The end of the time says less than what was said before.
                Err(RewindError::Program(error)) => {
                    return Err(before.unwrap_or(RewindError::Program(error)));
                }
                seen => return seen,
            }
        }
    }

    /// The server that answers must be on the branch that was elected.
    fn preview(&self, fork: Lsn) -> Result<Preview, RewindError> {
        let preview = self.server.preview(self.source()?, self.deadline)?;
        if preview.fork == fork {
            return Ok(preview);
        }
        Err(RewindError::Failed(format!(
            "the server in primary_conninfo branched off at {}, the elected primary at {fork}",
            preview.fork
        )))
    }

    fn source(&self) -> Result<&Conninfo, RewindError> {
        let missing = || RewindError::Failed(Unable::NoPrimary.to_string());
        self.primary.as_ref().ok_or_else(missing)
    }

    fn set_mark(&mut self, fork: Lsn) -> io::Result<()> {
        self.server.set_mark(fork)?;
        let same_boot = true;
        self.mark = Some(Mark { fork, same_boot });
        Ok(())
    }

    /// Back to a standby that has diverged.
    fn leave(&self) -> Result<(), Failure> {
        if self.mark.is_none() {
            return Ok(());
        }
        let left = self.server.write_standby_signal();
        left.and_then(|()| self.server.remove_mark())
            .map_err(|error| unreadable(self.server, &error))
    }

    fn perform(&mut self, preview: Preview, found: &Diverged) -> Result<(), Failure> {
        let control = self.server.control_data(self.deadline)?;
        say_what_goes(found, control.held(), preview);
        self.keep_what_goes(found, control.held(), preview.fork);
        if self.mark.is_none() {
            self.set_mark(preview.fork)
                .map_err(|error| Failure::soft(format!("Cannot prepare a rewind: {error}")))?;
        }
        let source = self.source();
        let done = source.and_then(|source| self.server.rewind(source, self.deadline));
        done.map_err(|error| self.refusal(&error.to_string()))?;
        self.finish()
    }

    fn keep_what_goes(&self, found: &Diverged, held: Lsn, fork: Lsn) {
        if let Divergence::Left { timeline, lsn, .. } = found.how {
            let goes = (timeline, fork, lsn.max(held));
            lost::keep(self.server, By::Rewind, goes, lost::share(self.deadline));
        }
    }

    /// There is no way back: the primary is waited for as long as the time lasts.
    pub(super) fn resume(&self, recover: bool) -> Result<(), Failure> {
        let fork = self.mark.map_or(Lsn::ZERO, |mark| mark.fork);
        log::warn!("Resuming a rewind that was interrupted");
        if recover {
            self.recover()
                .map_err(|error| self.refusal(&error.to_string()))?;
        }
        let preview = self
            .patient_preview(fork)
            .map_err(|error| self.refusal(&error.to_string()))?;
        log::info!("Rewinding to {} once more", preview.fork);
        let source = self.source();
        let done = source.and_then(|source| self.server.rewind(source, self.deadline));
        done.map_err(|error| self.refusal(&error.to_string()))?;
        self.finish()
    }

    /// What follows the rewind, in the order that a power cut may interrupt.
    pub(super) fn finish(&self) -> Result<(), Failure> {
        let server = self.server;
        server
            .restore_files()
            .and_then(|()| server.write_standby_signal())
            .map_err(|error| unreadable(server, &error))?;
        // Before the data count as whole: with it they are other data than before.
        if let Err(error) = evidence::renew_data(server, self.cluster) {
            log::warn!("Cannot note that the data were rewound: {error}");
        }
        server
            .remove_mark()
            .map_err(|error| unreadable(server, &error))?;
        log::info!("Rewound: this node is on the primary's branch now");
        reign::forget(self.cluster);
        Ok(())
    }

    pub(super) fn refusal(&self, why: &str) -> Failure {
        let parameters = self.server.parameters();
        log::error!(
            "The data directory is only half rewound, so PostgreSQL is not started. To resume: pcs \
             resource cleanup {}. This needs the primary in primary_conninfo, and a start timeout \
             that is long enough for pg_rewind. If that does not help, rebuild the node as {}: \
             empty {}, then pg_basebackup -D {} -X stream -c fast -d 'host=PRIMARY …'",
            self.cluster.resource(),
            parameters.system_user,
            parameters.datadir.display(),
            parameters.datadir.display(),
        );
        Failure::soft(format!(
            "Not started: the data directory is only half rewound (see log): {why}"
        ))
    }
}

/// A recovery may have shown more than was known before.
fn say_what_goes(found: &Diverged, held: Lsn, preview: Preview) {
    let Divergence::Left { timeline, lsn, .. } = found.how else {
        return;
    };
    let lsn = lsn.max(held);
    let bytes = lsn.bytes_since(preview.fork).unwrap_or_default();
    log::warn!(
        "Rewinding (rejoin=rewind): what this node holds on timeline {timeline} from {} to {lsn} \
         ({bytes} bytes of WAL) is thrown away; {} MB are copied from the primary {}",
        preview.fork,
        preview.megabytes.unwrap_or_default(),
        found.primary
    );
}

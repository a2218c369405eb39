//! What start does with data that may have left the primary's branch, and with
//! a rewind that was interrupted. `crate::instance::rejoin::plan` decides.
//!
//! Nothing is changed before a dry run of pg_rewind has succeeded, except that
//! a crashed instance replays its WAL. From the mark to its removal nothing is
//! started: it is resumed, or refused with what to do.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use super::diverged::{self, Diverged};
use crate::instance::configuration::Conninfo;
use crate::instance::rejoin::attempts::Attempts;
use crate::instance::rejoin::plan::{Facts, Interrupted, Plan, Unable, decide};
use crate::instance::rejoin::preview::Preview;
use crate::instance::{ClusterState, ControlData};
use crate::ocf::{Deadline, Failure, Rejoin};
use crate::pacemaker::permanent;
use crate::postgres::pg_rewind::{self, Rewind, RewindError};
use crate::postgres::rewind_mark::{self, Marker, Rewinding};
use crate::postgres::{settings, standby_signal};
use crate::record::{Divergence, Reign};
use crate::steps::{Call, position, state};
use crate::system::plain_file;
use crate::wal::Lsn;

/// Kept for the start that follows a rewind.
const START: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_secs(1);

/// Makes the data directory fit to be started. Returns what is wrong with it
/// nevertheless.
pub fn prepare(call: &Call, deadline: Deadline) -> Result<Option<Diverged>, Failure> {
    let rewinding = Rewinding::of(&call.request.resource);
    let marker = rewinding
        .found(&call.parameters.datadir)
        .map_err(|error| unreadable(&rewinding, &error))?;
    let control = state::control(call, deadline)?;
    let diverged = certain(call, &control);
    if marker.is_none() && diverged.is_none() {
        return Ok(None);
    }
    let work = Work {
        call,
        rewinding,
        primary: primary(call, deadline),
        deadline: deadline.less(START.min(deadline.left() / 4)),
        marker,
    };
    match decide(&work.facts(&control, diverged.as_ref())) {
        Plan::Start => Ok(None),
        Plan::Finish => {
            // pg_rewind was killed perhaps while it did this itself.
            nix::unistd::sync();
            work.finish().map(|()| None)
        }
        Plan::Refuse => Err(work.refusal("it was interrupted")),
        Plan::Rewind { recover } if work.marker.is_some() => work.resume(recover).map(|()| None),
        Plan::Rewind { recover } => work.rewind(recover, diverged),
        Plan::StartDiverged(unable) => {
            log::warn!("This node has diverged and is not rewound: {unable}");
            Ok(diverged)
        }
    }
}

/// A standby that diverged, where rewinding is wanted and would work: is another
/// start due? Counts it. Once it is stopped PostgreSQL may not start it again
/// as it is, so all that can be asked is asked before.
pub fn is_worth_a_start(call: &Call, diverged: &Diverged) -> bool {
    let Divergence::Left { fork, .. } = diverged.how else {
        return false;
    };
    if call.parameters.rejoin != Rejoin::Rewind {
        return false;
    }
    let path = attempts_file(call);
    let so_far = Attempts::decode(&fs::read_to_string(&path).unwrap_or_default());
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    let Some(next) = so_far.next(&fork.to_string(), now) else {
        return false;
    };
    if let Err(why) = would_work(call) {
        warn_once(call, &why);
        return false;
    }
    // An attempt that is not counted would be repeated for ever.
    fs::write(&path, next.encode()).is_ok()
}

fn would_work(call: &Call) -> Result<(), String> {
    let deadline = call.request.deadline;
    let control = state::control(call, deadline).map_err(|failure| failure.reason)?;
    if !control.hints_logged {
        return Err(Unable::NoHints.to_string());
    }
    let primary = primary(call, deadline).ok_or(Unable::NoPrimary.to_string())?;
    let tool = tool(call, primary);
    tool.would_work(deadline).map_err(|error| error.to_string())
}

fn tool(call: &Call, primary: Conninfo) -> Rewind<'_> {
    Rewind {
        parameters: &call.parameters,
        user: &call.user,
        primary,
    }
}

/// A monitor comes back every few seconds.
fn warn_once(call: &Call, why: &str) {
    let name = format!("pgsqlms-{}.not-rewound", call.request.resource);
    let path = call.scratch.join(name);
    if fs::read_to_string(&path).is_ok_and(|said| said == why) {
        return;
    }
    log::warn!("This node has diverged and cannot be rewound now: {why}");
    if let Err(error) = fs::write(&path, why) {
        log::debug!("{}: {error}", path.display());
    }
}

fn attempts_file(call: &Call) -> PathBuf {
    let name = format!("pgsqlms-{}.rewinds", call.request.resource);
    call.scratch.join(name)
}

/// What is certain without a replay. Without a cluster nothing is.
fn certain(call: &Call, control: &ControlData) -> Option<Diverged> {
    let held = position::of_control(call, control);
    diverged::of_position(call, &held).unwrap_or_else(|failure| {
        log::warn!("Cannot see whether this node has diverged: {failure}");
        None
    })
}

fn primary(call: &Call, deadline: Deadline) -> Option<Conninfo> {
    let (parameters, user) = (&call.parameters, &call.user);
    let text = settings::read(parameters, user, "primary_conninfo", deadline);
    let text = text.map_err(|error| error.to_string());
    let parsed = text.and_then(|text| Conninfo::parse(&text).map_err(|error| error.to_string()));
    match parsed {
        Ok(conninfo) => conninfo.get("host").is_some().then_some(conninfo),
        Err(error) => {
            log::warn!("primary_conninfo: {error}");
            None
        }
    }
}

fn unreadable(rewinding: &Rewinding, error: &io::Error) -> Failure {
    let folder = rewinding.folder().display();
    Failure::soft(format!(
        "Cannot tell if a rewind was interrupted: {folder}: {error}"
    ))
}

struct Work<'a> {
    call: &'a Call,
    rewinding: Rewinding,
    marker: Option<Marker>,
    primary: Option<Conninfo>,
    deadline: Deadline,
}

impl Work<'_> {
    fn facts(&self, control: &ControlData, diverged: Option<&Diverged>) -> Facts {
        let (parameters, user) = (&self.call.parameters, &self.call.user);
        let pages = settings::read(parameters, user, "full_page_writes", self.deadline);
        Facts {
            wish: parameters.rejoin,
            interrupted: self.marker.as_ref().map(|m| self.interrupted(m, control)),
            divergence: diverged.map(|diverged| diverged.how),
            stopped: control.can_be_rewound(),
            hints_logged: control.hints_logged,
            full_page_writes: pages.ok().map(|value| value == "on"),
            reachable: self.primary.is_some(),
        }
    }

    /// pg_rewind writes backup_label and then, last of all, the control file.
    fn interrupted(&self, marker: &Marker, control: &ControlData) -> Interrupted {
        let label = plain_file::read(&self.call.parameters.datadir.join("backup_label"));
        let labelled = label.is_ok_and(|text| text.contains("pg_rewind"));
        if !labelled || control.state != ClusterState::InArchiveRecovery {
            return Interrupted::Unfinished;
        }
        if marker.is_of_this_boot() {
            Interrupted::Finished
        } else {
            Interrupted::FinishedUnsynced
        }
    }

    /// The first attempt: where it cannot work, nothing is lost.
    fn rewind(
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
        let Call {
            parameters, user, ..
        } = self.call;
        if let Some(path) = rewind_mark::foreign_file(&parameters.datadir, user).map_err(text)? {
            let (path, user) = (path.display(), &user.name);
            return Err(format!("pg_rewind could not write {path}: chown {user} it"));
        }
        if recover {
            self.mark(fork).map_err(text)?;
            self.recover().map_err(|error| error.to_string())?;
        }
        self.patient_preview(fork)
            .map_err(|error| error.to_string())
    }

    fn recover(&self) -> Result<(), RewindError> {
        let Call {
            parameters, user, ..
        } = self.call;
        log::info!("Replaying the WAL of this crashed instance, to rewind it then");
        standby_signal::remove(&parameters.datadir)
            .map_err(|error| RewindError::Failed(error.to_string()))?;
        pg_rewind::recover(parameters, user, self.deadline)
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
        let preview = self.tool()?.preview(self.deadline)?;
        if preview.fork == fork {
            return Ok(preview);
        }
        Err(RewindError::Failed(format!(
            "the server of primary_conninfo left at {}, the elected primary at {fork}",
            preview.fork
        )))
    }

    fn tool(&self) -> Result<Rewind<'_>, RewindError> {
        let primary = self.primary.clone();
        let primary = primary.ok_or_else(|| RewindError::Failed(Unable::NoPrimary.to_string()))?;
        Ok(tool(self.call, primary))
    }

    fn mark(&mut self, fork: Lsn) -> io::Result<()> {
        let marker = Marker::now(&self.call.parameters.datadir, fork)?;
        self.rewinding.begin(&marker, &self.call.user)?;
        self.marker = Some(marker);
        Ok(())
    }

    /// Back to a standby that has diverged.
    fn leave(&self) -> Result<(), Failure> {
        if self.marker.is_none() {
            return Ok(());
        }
        let Call {
            parameters, user, ..
        } = self.call;
        standby_signal::write(&parameters.datadir, user)
            .and_then(|()| self.rewinding.end())
            .map_err(|error| unreadable(&self.rewinding, &error))
    }

    fn perform(&mut self, preview: Preview, found: &Diverged) -> Result<(), Failure> {
        let control = state::control(self.call, self.deadline)?;
        say_what_goes(found, control.held(), preview);
        if self.marker.is_none() {
            self.mark(preview.fork)
                .map_err(|error| Failure::soft(format!("Cannot prepare a rewind: {error}")))?;
        }
        let done = self.tool().and_then(|tool| tool.perform(self.deadline));
        done.map_err(|error| self.refusal(&error.to_string()))?;
        self.finish()
    }

    /// There is no way back: the primary is waited for as long as the time lasts.
    fn resume(&self, recover: bool) -> Result<(), Failure> {
        let fork = self.marker.as_ref().map_or(Lsn::ZERO, |marker| marker.fork);
        log::warn!("Resuming a rewind that was interrupted");
        if recover {
            self.recover()
                .map_err(|error| self.refusal(&error.to_string()))?;
        }
        let preview = self
            .patient_preview(fork)
            .map_err(|error| self.refusal(&error.to_string()))?;
        log::info!("Rewinding to {} again", preview.fork);
        let done = self.tool().and_then(|tool| tool.perform(self.deadline));
        done.map_err(|error| self.refusal(&error.to_string()))?;
        self.finish()
    }

    /// What follows the rewind, in the order that a power cut may interrupt.
    fn finish(&self) -> Result<(), Failure> {
        let Call {
            parameters, user, ..
        } = self.call;
        let datadir = &parameters.datadir;
        self.rewinding
            .restore(datadir, user)
            .and_then(|()| standby_signal::write(datadir, user))
            .and_then(|()| self.rewinding.end())
            .map_err(|error| unreadable(&self.rewinding, &error))?;
        log::info!("Rewound: this node now holds the primary's branch");
        self.forget_reign();
        Ok(())
    }

    /// What this node was primary of is gone, and its word with it.
    fn forget_reign(&self) {
        let resource = &self.call.request.resource;
        let Ok(node) = self.call.node() else { return };
        for name in [Reign::attribute(resource), Reign::claim_attribute(resource)] {
            if let Err(error) = permanent::delete(&self.call.tools, &node, &name) {
                log::warn!("Cannot delete the attribute {name}: {error}");
            }
        }
    }

    fn refusal(&self, why: &str) -> Failure {
        let parameters = &self.call.parameters;
        log::error!(
            "The data directory is half rewound and is not started. The next start resumes: pcs \
             resource cleanup {}. It needs the primary of primary_conninfo, and a timeout of start \
             that pg_rewind can keep. If that does not help, rebuild it as {}: empty {}, then \
             pg_basebackup -D {} -X stream -c fast -d 'host=PRIMARY …'",
            self.call.request.resource,
            parameters.system_user,
            parameters.datadir.display(),
            parameters.datadir.display(),
        );
        Failure::soft(format!("Half rewound, not started (see log): {why}"))
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

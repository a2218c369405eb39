//! The course of a rebuild, in the order that a kill or a power cut may interrupt:
//!
//! 1. the mark, with copies of the node's own files;
//! 2. the new data, beside the old ones, and then whole and on disk: the mark says so;
//! 3. the ledger: other data come, which inherit nothing;
//! 4. the switch;
//! 5. the old data go, and the mark.
//!
//! Up to 4 the old data are as they were, and from there on the new ones are whole.

use std::time::{Duration, Instant};

use crate::instance::Postmaster;
use crate::instance::configuration::Conninfo;
use crate::instance::rebuild::Refusal;
use crate::instance::rejoin::preview::error_line;
use crate::ocf::{Deadline, Environment, Failure, NodeName, Style, screen};
use crate::pacemaker::{Cluster, RealCluster, Tools};
use crate::postgres::{How, RealServer, Rebuild, RebuildMark, Server, Site, free_bytes};
use crate::steps::{evidence, lost, reign};
use crate::system::interrupts::Interrupts;
use crate::system::lock_file::LockFile;
use crate::system::long_program::{From, Goes};
use crate::view::{Health, Progress, amount};

/// How often a pipe gets a line of progress.
const EVERY: Duration = Duration::from_secs(30);
/// How long one look at the new data may take.
const LOOK: Duration = Duration::from_secs(60);
/// How long it may take to keep what is thrown away.
const KEEPING: Duration = Duration::from_secs(300);
/// How many lines of a program's complaints are kept.
const MOST_WORDS: usize = 20;

/// One rebuild, and with what it is done.
pub struct Rebuilding<'a> {
    /// The server of this node.
    pub server: &'a RealServer,
    /// What Pacemaker would give an action of the resource, by which the cluster is reached.
    pub environment: &'a Environment,
    /// What speaks against the switch, looked at anew: a copy takes hours.
    pub against: &'a dyn Fn() -> Result<Option<Refusal>, Failure>,
    /// Its place on disk.
    pub site: &'a Site<'a>,
    /// Held all the time.
    pub lock: &'a LockFile,
    /// What asks this process to end.
    pub interrupts: &'a Interrupts,
    /// The last election that is known.
    pub term: u64,
    /// This node.
    pub node: Option<NodeName>,
    /// Whether the old data stay beside the new ones.
    pub keep_old: bool,
}

/// What a program that copies says, and why it was ended.
struct Listener<'a> {
    interrupts: &'a Interrupts,
    begun: Instant,
    said: Option<Instant>,
    last: Option<Progress>,
    /// Bytes that are free; `None` where that does not count.
    free: Option<u64>,
    words: Vec<String>,
    ended: Option<String>,
}

impl Rebuilding<'_> {
    fn datadir(&self) -> &std::path::Path {
        &self.server.parameters().datadir
    }

    /// The cluster, which must have answered within `limit` from now: a copy takes longer than any
    /// question, and what is asked after it needs time of its own.
    fn cluster(&self, limit: Duration) -> RealCluster {
        let tools = Tools::new(self.environment, Deadline::after(limit));
        RealCluster::new(tools, self.server.resource())
    }

    fn mark(&self) -> Result<Option<RebuildMark>, Failure> {
        let mark = self.site.folder.read(self.datadir());
        mark.map_err(|error| Failure::soft(format!("Cannot read the mark of a rebuild: {error}")))
    }

    /// Whether an earlier one has put the new data in place.
    pub fn is_in_place(&self) -> Result<bool, Failure> {
        let left = self.site.folder.left(self.datadir(), self.server.user());
        left.map(|left| left == Rebuild::After)
            .map_err(|error| Failure::soft(format!("Cannot read the mark of a rebuild: {error}")))
    }

    /// Takes back what an earlier one left.
    pub fn give_up(&self) -> Result<Health, Failure> {
        let Some(mark) = self.mark()? else {
            screen::tell(Style::Good, "No rebuild of this node was begun.");
            return Ok(Health::Well);
        };
        if self.is_in_place()? {
            return self.clear_up();
        }
        let given_up = self.site.give_up(&mark);
        given_up
            .map_err(|error| Failure::soft(format!("Cannot take the rebuild back: {error}")))?;
        screen::tell(
            Style::Good,
            "Given up: the data of this node are those of before.",
        );
        Ok(Health::Well)
    }

    /// Makes the new data by `pg_basebackup`.
    pub fn by_copy(&self, source: &Conninfo, how: &How) -> Result<Health, Failure> {
        let mapped = how.mapping.iter().map(|(_, here)| here.clone());
        let elsewhere = how.waldir.iter().cloned().chain(mapped).collect();
        let settings = self.settings(source);
        self.make((elsewhere, settings.as_deref()), |listener| {
            let from = (source, self.site.fresh());
            let each = |line: Option<(From, &str)>| listener.hear(line);
            self.server
                .base_backup((from.0, &from.1), how, self.lock, each)
        })
    }

    /// For a node whose configuration is in the data directory, and which has none: the copy brings
    /// that of the primary, with the primary's name.
    fn settings(&self, source: &Conninfo) -> Option<String> {
        let parameters = self.server.parameters();
        if parameters.pgdata != parameters.datadir {
            return None;
        }
        let node = self.node.as_ref()?.as_str();
        let own = source.clone().with("application_name", node).render();
        // As in the file of the configuration.
        let own = own.replace('\\', "\\\\").replace('\'', "''");
        Some(format!("primary_conninfo = '{own}'\n"))
    }

    /// Makes them by a command of the admin.
    pub fn by_command(&self, script: &str) -> Result<Health, Failure> {
        self.make((Vec::new(), None), |listener| {
            let fresh = self.site.fresh();
            let each = |line: Option<(From, &str)>| listener.hear(line);
            self.server
                .fill_by_command((script, &fresh), self.lock, each)
        })
    }

    fn make(
        &self,
        (elsewhere, settings): (Vec<std::path::PathBuf>, Option<&str>),
        fill: impl FnOnce(&mut Listener<'_>) -> std::io::Result<std::process::ExitStatus>,
    ) -> Result<Health, Failure> {
        let earlier = self.mark()?.filter(|mark| {
            mark.term == self.term && mark.elsewhere == elsewhere && self.site.is_copied(mark)
        });
        if let Some(mark) = earlier {
            screen::tell(
                Style::Faint,
                "going on with the copy that an earlier rebuild has made …",
            );
            return self.put_in_place(&mark);
        }
        let mut mark = RebuildMark {
            datadir: self.datadir().to_owned(),
            term: self.term,
            copied: None,
            elsewhere,
        };
        self.site
            .begin(&mark)
            .map_err(|error| Failure::soft(format!("Cannot begin: {error}")))?;
        let mut listener = self.listener(mark.elsewhere.is_empty());
        let status = fill(&mut listener);
        if screen::is_terminal() {
            screen::clear_line();
        }
        if let Some(why) = listener.failure(status) {
            return Ok(self.left_half_way(&why));
        }
        self.check()?;
        let sealed = self.site.seal(&mut mark, settings);
        sealed.map_err(|error| Failure::soft(format!("Cannot finish the new data: {error}")))?;
        self.put_in_place(&mark)
    }

    fn listener(&self, counts_room: bool) -> Listener<'_> {
        let free = free_bytes(&self.site.fresh()).ok();
        Listener {
            interrupts: self.interrupts,
            begun: Instant::now(),
            said: None,
            last: None,
            free: free.filter(|_| counts_room),
            words: Vec::new(),
            ended: None,
        }
    }

    fn left_half_way(&self, why: &str) -> Health {
        screen::tell(Style::Bad, format!("Not rebuilt: {why}"));
        screen::tell(
            Style::Plain,
            "The data of this node are those of before. To go on, call it again; to leave it: pgsqlms \
             rebuild --give-up",
        );
        Health::Attention
    }

    /// Whether the new data are a database, and the cluster's.
    fn check(&self) -> Result<(), Failure> {
        let deadline = Deadline::after(LOOK);
        let control = self.server.control_data_in(&self.site.fresh(), deadline);
        let control = control
            .map_err(|error| Failure::soft(format!("The new data are no database: {error}")))?;
        let cluster = self.cluster(LOOK);
        let permanent = cluster.permanent()?;
        let known = evidence::Known::gather(self.server, &cluster, &permanent)?;
        let reigns = known.all.reigns();
        let last = crate::record::last_reign(&reigns);
        let system = last.and_then(|last| last.branch.system);
        if system.is_some_and(|system| system != control.system) {
            return Err(Failure::soft(
                "The new data are of another database than the cluster's",
            ));
        }
        Ok(())
    }

    fn put_in_place(&self, mark: &RebuildMark) -> Result<Health, Failure> {
        if !matches!(self.server.postmaster(), Ok(Postmaster::None)) {
            return Ok(self.left_half_way("PostgreSQL was started here meanwhile"));
        }
        if self.site.is_copied(mark) {
            let limit = Deadline::after(KEEPING);
            lost::keep_before_rebuild(self.server, &self.cluster(KEEPING), limit);
        }
        // The last look before the old data go.
        match (self.against)() {
            Ok(None) => {}
            Ok(Some(refusal)) => return Ok(self.left_half_way(&refusal.to_string())),
            Err(failure) => return Ok(self.left_half_way(&failure.reason)),
        }
        let cluster = self.cluster(LOOK);
        let permanent = cluster.permanent()?;
        if !evidence::expect_other_data(self.server, &cluster, &permanent)? {
            return Ok(self.left_half_way("this node's ledger cannot be written"));
        }
        let switched = self.site.switch(mark);
        switched
            .map_err(|error| Failure::soft(format!("Cannot put the new data in place: {error}")))?;
        self.clear_up()
    }

    /// After the switch.
    pub fn clear_up(&self) -> Result<Health, Failure> {
        reign::forget(&self.cluster(LOOK));
        let finished = self.site.finish(self.keep_old);
        finished.map_err(|error| {
            Failure::soft(format!(
                "The new data are in place, but the old ones stay: {error}"
            ))
        })?;
        let node = self.node.as_ref().map_or("This node", NodeName::as_str);
        screen::tell(Style::Good, format!("{node} is rebuilt."));
        if self.keep_old {
            let old = self.site.old();
            screen::tell(
                Style::Plain,
                format!("What was there before is in {}.", old.display()),
            );
        }
        let resource = self.server.resource();
        let text = format!(
            "To have it started: pcs node unstandby {node}, or: pcs resource clear {resource}-clone \
             {node}"
        );
        screen::tell(Style::Plain, text);
        Ok(Health::Well)
    }
}

impl Listener<'_> {
    fn hear(&mut self, line: Option<(From, &str)>) -> Goes {
        if let Some(signal) = self.interrupts.wait(Duration::ZERO) {
            self.ended = Some(format!("interrupted ({signal})"));
            return Goes::NoFurther;
        }
        let Some((from, line)) = line else {
            return Goes::On;
        };
        let Some(progress) = Progress::parse(line) else {
            self.note(from, line);
            return Goes::On;
        };
        if let Some(free) = self.free.filter(|free| !progress.fits(*free)) {
            let (needed, free) = (amount(progress.total), amount(free));
            self.ended = Some(format!(
                "{needed} are copied, and {free} are free on this disk"
            ));
            return Goes::NoFurther;
        }
        // Counted once: what is copied takes up room itself.
        self.free = None;
        self.show(progress);
        Goes::On
    }

    fn note(&mut self, from: From, line: &str) {
        if from == From::Out && !line.is_empty() {
            screen::tell(Style::Faint, line);
        } else if !line.trim().is_empty() && self.words.len() < MOST_WORDS {
            self.words.push(line.trim().to_owned());
        }
    }

    fn show(&mut self, progress: Progress) {
        let text = format!("copying … {}", progress.text(self.begun.elapsed()));
        if screen::is_terminal() {
            screen::show_for_now(&text);
            return;
        }
        let is_new = self.last != Some(progress);
        let is_last = progress.done >= progress.total;
        let is_due = self.said.is_none_or(|said| said.elapsed() >= EVERY);
        if is_new && (is_due || is_last) {
            screen::tell(Style::Faint, text);
            self.said = Some(Instant::now());
        }
        self.last = Some(progress);
    }

    /// Why the program made nothing that can be used.
    fn failure(self, status: std::io::Result<std::process::ExitStatus>) -> Option<String> {
        if self.ended.is_some() {
            return self.ended;
        }
        match status {
            Ok(status) if status.success() => None,
            Ok(_) if !self.words.is_empty() => Some(error_line(&self.words.join("\n")).to_owned()),
            Ok(status) => Some(format!("the program ended with {status}")),
            Err(error) => Some(format!("the program cannot be run: {error}")),
        }
    }
}

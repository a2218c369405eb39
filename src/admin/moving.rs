//! The move of a switchover: makes the constraint, watches what Pacemaker does, and takes the
//! constraint away in any case.

use std::time::{Duration, Instant};

use crate::ocf::{Deadline, Environment, Line, Style};
use crate::pacemaker::{Tools, moving, whole_cib};
use crate::system::interrupts::Interrupts;
use crate::view::cib::Resource;
use crate::view::{Cib, Course, Ending, Health, Stage};

/// How often the cluster is looked at: so exact is the time that is told.
const POLL: Duration = Duration::from_millis(100);
/// How long it is tried to take the constraint away.
const CLEARING: Duration = Duration::from_secs(30);
/// How long Pacemaker may take to give the role to somebody once the constraint is gone.
const AFTERMATH: Duration = Duration::from_secs(30);
/// After so many looks that saw nothing pending, Pacemaker has no order open of before.
const QUIET_LOOKS: u32 = 20;
/// By how much the constraint outlives the wait if nobody can take it away.
const SAFETY: Duration = Duration::from_secs(300);

/// The move of one resource.
pub struct Moving<'a> {
    shell: &'a Environment,
    id: &'a str,
    /// The clone, which people and tools name.
    name: &'a str,
    interrupts: &'a Interrupts,
}

/// Since when, and for how long at the most.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    /// When it began.
    pub begun: Instant,
    /// How long the new primary is waited for.
    pub limit: Duration,
}

/// What was watched up to one moment.
#[derive(Default)]
struct Watched {
    stage: Option<Stage>,
    reason: Option<String>,
    demoted: Option<Instant>,
    promoted: Option<Instant>,
    cut_short: Option<String>,
}

impl<'a> Moving<'a> {
    /// The move of `resource`.
    pub fn new(shell: &'a Environment, resource: &'a Resource, held: &'a Interrupts) -> Self {
        Self {
            shell,
            id: &resource.id,
            name: resource.name(),
            interrupts: held,
        }
    }

    /// Moves the role, and tells how it goes.
    pub fn run(&self, mut course: Course, wait: Wait, tell: impl Fn(&[Line])) -> Health {
        let say = |text: String| tell(&[Line::of(Style::Faint, text)]);
        say(format!(
            "moving {} from {} to {} …",
            self.name, course.from, course.to
        ));
        let mut watched = Watched::default();
        let forced = (&course.to, wait.limit + SAFETY);
        let begun = moving::begin(&self.tools(CLEARING), self.name, forced);
        match begun {
            Ok(()) => self.watch(&mut course, &mut watched, (wait, &say)),
            Err(error) => watched.cut_short = Some(error.to_string()),
        }
        let left = self.clear(&course);
        let is_settled = self.settle(&mut course, &mut watched);
        let ending = Ending {
            blocked: blocked(&watched),
            stage: watched.stage,
            reason: watched.reason,
            cut_short: watched.cut_short,
            is_settled,
            left,
        };
        tell(&ending.lines(&course));
        ending.health()
    }

    fn tools(&self, limit: Duration) -> Tools {
        Tools::new(self.shell, Deadline::after(limit))
    }

    fn cib(&self) -> Option<Cib> {
        let text = whole_cib::ask(&self.tools(CLEARING)).ok()?;
        Cib::parse(&text, Some(self.id)).ok()
    }

    /// Up to its end, or until nobody waits any longer.
    fn watch(
        &self,
        course: &mut Course,
        watched: &mut Watched,
        (wait, say): (Wait, &impl Fn(String)),
    ) {
        loop {
            if self.look(course, watched) {
                let passed = wait.begun.elapsed().as_secs_f64();
                say(format!(
                    "{passed:5.1} s  {}",
                    told(course, watched.stage.as_ref())
                ));
            }
            if is_over(watched.stage.as_ref()) {
                return;
            }
            watched.cut_short = self.gives_up(wait);
            if watched.cut_short.is_some() {
                return;
            }
        }
    }

    /// Why nobody waits any longer.
    fn gives_up(&self, wait: Wait) -> Option<String> {
        if wait.begun.elapsed() >= wait.limit {
            return Some(format!("Not done within {} s.", wait.limit.as_secs()));
        }
        let signal = self.interrupts.wait(POLL)?;
        Some(format!("Interrupted ({signal})."))
    }

    /// Whether it is another stage than before.
    fn look(&self, course: &mut Course, watched: &mut Watched) -> bool {
        let Some(cib) = self.cib() else {
            return false;
        };
        let stage = course.stage(&cib);
        let now = Instant::now();
        if stage != Stage::Waits && watched.demoted.is_none() {
            let took = course.demotion(&cib).unwrap_or_default();
            watched.demoted = now.checked_sub(took);
        }
        if stage == Stage::Done && watched.promoted.is_none() {
            watched.promoted = Some(now);
        }
        watched.reason = watched.reason.take().or_else(|| course.reason(&cib));
        let is_new = watched.stage.as_ref() != Some(&stage);
        watched.stage = Some(stage);
        is_new
    }

    /// Takes the constraint away, and looks whether it is gone; what is left otherwise. A Ctrl-C
    /// may end the tool: then it is called again.
    fn clear(&self, course: &Course) -> Option<(String, String)> {
        let id = moving::id(self.name);
        let patience = Deadline::after(CLEARING);
        loop {
            let ended = moving::end(&self.tools(CLEARING), self.name, &course.to);
            let seen = self.cib();
            let is_there = |cib: &Cib| cib.left_constraints().contains(&id);
            if ended.is_ok() && seen.is_some_and(|cib| !is_there(&cib)) {
                return None;
            }
            if !patience.sleep(POLL) {
                return Some((id, moving::end_by_hand(self.name, &course.to)));
            }
        }
    }

    /// Waits until somebody is the primary and the old one a standby, as far as that comes, or
    /// until nobody waits for that either.
    fn settle(&self, course: &mut Course, watched: &mut Watched) -> bool {
        let patience = Deadline::after(AFTERMATH);
        let (mut is_settled, mut quiet) = (false, 0);
        loop {
            self.look(course, watched);
            let cib = self.cib();
            is_settled |= cib.as_ref().is_some_and(|cib| course.is_settled(cib));
            let is_quiet = cib.as_ref().is_some_and(|cib| !course.is_pending(cib));
            quiet = if is_quiet { quiet + 1 } else { 0 };
            let is_decided = match &watched.stage {
                Some(Stage::Done | Stage::Elsewhere(_)) => is_settled,
                // A demotion may have been ordered just before.
                Some(Stage::Waits) => quiet >= QUIET_LOOKS,
                Some(Stage::Back) => true,
                Some(Stage::Between | Stage::Failed) | None => false,
            };
            let has_waited = patience.passed() || self.interrupts.wait(POLL).is_some();
            if is_decided || has_waited {
                return is_settled;
            }
        }
    }
}

fn is_over(stage: Option<&Stage>) -> bool {
    let goes_on = matches!(stage, None | Some(Stage::Waits | Stage::Between));
    !goes_on
}

fn told(course: &Course, stage: Option<&Stage>) -> String {
    let Course { from, to, .. } = course;
    match stage {
        None => "the cluster does not answer".to_owned(),
        Some(Stage::Waits) => format!("{from} is the primary"),
        Some(Stage::Between) => format!("{from} is no primary any more"),
        Some(Stage::Failed) => format!("{to} was not promoted"),
        Some(Stage::Done) => format!("{to} is the primary"),
        Some(Stage::Back) => format!("{from} is the primary again"),
        Some(Stage::Elsewhere(other)) => format!("{other} is the primary"),
    }
}

fn blocked(watched: &Watched) -> Option<Duration> {
    let promoted = watched.promoted?;
    Some(promoted.saturating_duration_since(watched.demoted?))
}

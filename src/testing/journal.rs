//! What the fakes of server and cluster did, in one order, and where a test wants a call
//! to fail or the agent to be killed.
//!
//! A fake keeps its state in a `Watched`, which opens it to the methods of a handle
//! through one function alone, `pass`. So a new method of a handle is in the journal and
//! can fail and be cut off, or it has no state to work on.

use std::any::Any;
use std::cell::{Cell, RefCell, RefMut};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It fails and changes nothing.
    Fails,
    /// It does what it should, and its caller hears that it failed.
    AnswerLost,
    /// The agent is killed just before it.
    KilledBefore,
    /// The agent is killed just after it.
    KilledAfter,
}

/// A call of a method of a handle that begins.
pub struct Begin<'a> {
    /// The method.
    pub method: &'static str,
    /// What it will have changed, if it acts.
    pub effect: Option<&'a str>,
}

/// Sees each call before it comes true, may change the world, and says what becomes of it.
pub type Watcher = dyn Fn(&Begin<'_>) -> Option<Trouble>;

/// A trouble to come: for `times` calls of `method`, once `spared` more went well.
struct Planned {
    method: &'static str,
    trouble: Trouble,
    spared: usize,
    times: usize,
}

/// The order of events of one test, shared by all fakes in it.
#[derive(Default)]
pub struct Journal {
    effects: RefCell<Vec<String>>,
    calls: RefCell<Vec<&'static str>>,
    planned: RefCell<Vec<Planned>>,
    /// The trouble of one effect, counted from 0.
    of_effect: Cell<Option<(usize, Trouble)>>,
    watcher: RefCell<Option<Rc<Watcher>>>,
}

impl Journal {
    /// An empty one.
    pub fn new() -> Rc<Self> {
        Rc::default()
    }

    /// All effects so far, oldest first.
    pub fn effects(&self) -> Vec<String> {
        self.effects.borrow().clone()
    }

    /// Forgets what happened so far, so that a test looks at what follows alone.
    pub fn forget(&self) {
        self.effects.borrow_mut().clear();
        self.calls.borrow_mut().clear();
    }

    /// How often a method was called, whether it only asks or acts.
    pub fn count(&self, method: &str) -> usize {
        let calls = self.calls.borrow();
        calls.iter().filter(|call| **call == method).count()
    }

    /// How many effects begin with `words`.
    pub fn times(&self, words: &str) -> usize {
        let effects = self.effects.borrow();
        effects.iter().filter(|one| one.starts_with(words)).count()
    }

    /// Holds the test to an order: the first effects that begin so came one after the
    /// other.
    pub fn assert_order(&self, words: &[&str]) {
        let effects = self.effects();
        let place = |begin: &&str| effects.iter().position(|one| one.starts_with(begin));
        let places: Vec<_> = words.iter().map(place).collect();
        let in_order = places.is_sorted() && places.iter().all(Option::is_some);
        assert!(in_order, "wanted {words:?} in {effects:#?}");
    }

    /// Has the next `times` calls of `method` end so.
    pub fn trouble(&self, method: &'static str, trouble: Trouble, times: usize) {
        let spared = 0;
        self.planned.borrow_mut().push(Planned {
            method,
            trouble,
            spared,
            times,
        });
    }

    /// Has all calls of `method` fail but the next `spared` ones.
    pub fn fail_after(&self, spared: usize, method: &'static str) {
        self.planned.borrow_mut().push(Planned {
            method,
            trouble: Trouble::Fails,
            spared,
            times: usize::MAX,
        });
    }

    /// Has the next `times` calls of `method` fail.
    pub fn fail(&self, method: &'static str, times: usize) {
        self.trouble(method, Trouble::Fails, times);
    }

    /// Has the effect number `index` from here on, counted from 0, end so.
    pub fn trouble_at(&self, index: usize, trouble: Trouble) {
        let so_far = self.effects.borrow().len();
        self.of_effect.set(Some((so_far + index, trouble)));
    }

    /// Has all calls from now on be seen by `watcher`.
    pub fn watch(&self, watcher: Rc<Watcher>) {
        *self.watcher.borrow_mut() = Some(watcher);
    }

    fn begin(&self, method: &'static str, effect: Option<String>) -> Option<Trouble> {
        self.calls.borrow_mut().push(method);
        let planned = self
            .next_of(method)
            .or(self.seen(method, effect.as_deref()));
        let Some(line) = effect else { return planned };
        let index = self.effects.borrow().len();
        let here = self.of_effect.get().filter(|(at, _)| *at == index);
        let trouble = here.map(|(_, trouble)| trouble).or(planned);
        self.effects.borrow_mut().push(match trouble {
            Some(Trouble::Fails) => format!("(failed) {line}"),
            Some(Trouble::KilledBefore) => format!("(killed before) {line}"),
            _ => line,
        });
        trouble
    }

    fn seen(&self, method: &'static str, effect: Option<&str>) -> Option<Trouble> {
        let watcher = self.watcher.borrow().clone()?;
        watcher(&Begin { method, effect })
    }

    fn next_of(&self, method: &str) -> Option<Trouble> {
        let mut planned = self.planned.borrow_mut();
        let next = planned
            .iter_mut()
            .find(|next| next.method == method && next.times > 0)?;
        if next.spared > 0 {
            next.spared -= 1;
            return None;
        }
        next.times -= 1;
        Some(next.trouble)
    }
}

/// What a call that fails answers.
pub trait Answer {
    /// The answer.
    fn of_failure() -> Self;
}

/// What a call says that fails on a test's demand.
pub trait Injected {
    /// The error.
    fn injected() -> Self;
}

impl<T, E: Injected> Answer for Result<T, E> {
    fn of_failure() -> Self {
        Err(E::injected())
    }
}

impl<T> Answer for Option<T> {
    fn of_failure() -> Self {
        None
    }
}

impl Answer for bool {
    fn of_failure() -> Self {
        false
    }
}

impl Answer for u64 {
    fn of_failure() -> Self {
        0
    }
}

impl Answer for () {
    fn of_failure() -> Self {}
}

impl Injected for io::Error {
    fn injected() -> Self {
        Self::other("no such luck")
    }
}

/// The state of a fake, and who watches it.
pub struct Watched<S> {
    state: RefCell<S>,
    journal: Rc<Journal>,
}

impl<S> Watched<S> {
    /// A state whose calls are noted in `journal`.
    pub fn new(state: S, journal: &Rc<Journal>) -> Self {
        Self {
            state: RefCell::new(state),
            journal: Rc::clone(journal),
        }
    }

    /// A method of a handle that only looks.
    pub fn ask<A: Answer>(&self, method: &'static str, look: impl FnOnce(&mut S) -> A) -> A {
        self.pass((method, None), look)
    }

    /// A method of a handle that changes something, with its line in the journal.
    pub fn act<A: Answer>(
        &self,
        method: &'static str,
        line: String,
        act: impl FnOnce(&mut S) -> A,
    ) -> A {
        self.pass((method, Some(line)), act)
    }

    /// The one way from a method of a handle to the state.
    fn pass<A: Answer>(
        &self,
        (method, effect): (&'static str, Option<String>),
        call: impl FnOnce(&mut S) -> A,
    ) -> A {
        match self.journal.begin(method, effect) {
            None => call(&mut self.state.borrow_mut()),
            Some(Trouble::Fails) => A::of_failure(),
            Some(Trouble::KilledBefore) => resume_unwind(Box::new(Killed)),
            Some(Trouble::AnswerLost) => {
                call(&mut self.state.borrow_mut());
                A::of_failure()
            }
            Some(Trouble::KilledAfter) => {
                call(&mut self.state.borrow_mut());
                resume_unwind(Box::new(Killed))
            }
        }
    }

    /// The state, for a test that arranges it or looks at the outcome; never for a method
    /// of a handle.
    pub fn arrange(&self) -> RefMut<'_, S> {
        self.state.borrow_mut()
    }
}

/// The agent was killed.
struct Killed;

/// Runs the agent; `None` if the journal had it killed.
pub fn unless_killed<T>(run: impl FnOnce() -> T) -> Option<T> {
    let is_kill = |panic: &Box<dyn Any + Send>| panic.is::<Killed>();
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(outcome) => Some(outcome),
        Err(panic) if is_kill(&panic) => None,
        Err(panic) => resume_unwind(panic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deposit(account: &Watched<u64>, amount: u64) -> io::Result<()> {
        account.act("deposit", format!("deposit {amount}"), |balance| {
            *balance += amount;
            Ok(())
        })
    }

    #[test]
    fn a_trouble_comes_to_the_calls_it_is_for() {
        let journal = Journal::new();
        let account = Watched::new(0, &journal);
        journal.fail("deposit", 1);
        journal.trouble("deposit", Trouble::AnswerLost, 1);
        assert!(deposit(&account, 1).is_err() && deposit(&account, 2).is_err());
        assert!(deposit(&account, 4).is_ok());
        assert_eq!(*account.arrange(), 6);
        assert_eq!(
            journal.effects(),
            ["(failed) deposit 1", "deposit 2", "deposit 4"]
        );
    }

    #[test]
    fn the_agent_is_killed_before_or_after_the_effect_of_that_number() {
        for (trouble, balance) in [(Trouble::KilledBefore, 1), (Trouble::KilledAfter, 3)] {
            let journal = Journal::new();
            let account = Watched::new(0, &journal);
            journal.trouble_at(1, trouble);
            let run = || [1, 2, 4].map(|amount| deposit(&account, amount).is_ok());
            assert_eq!(unless_killed(run), None);
            assert_eq!(*account.arrange(), balance);
        }
    }
}

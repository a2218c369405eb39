//! The rules for single lists. Times count only where one transaction ended before another began:
//! of two that overlap either may come first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::history::{Outcome, Step, Transaction};
use super::lists::{Append, List, Sight, lists};

/// What must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An acknowledged append is not in the last read that began after its acknowledgement.
    Lost,
    /// A read saw what nobody had tried to append by then, or what failed for certain.
    Phantom,
    /// A read saw an element twice.
    Duplicate,
    /// Two reads saw orders of which neither is the beginning of the other.
    Incompatible,
    /// A read lacks an append that was acknowledged, or seen by a read that ended, before it
    /// began; a later read has it.
    Stale,
    /// An append stands before one that was acknowledged before it began.
    Disorder,
}

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub kind: Kind,
    /// In which list.
    pub list: i64,
    /// What was seen.
    pub text: String,
}

/// What came of a history.
#[derive(Debug, Default)]
pub struct Verdict {
    /// All breaches.
    pub findings: Vec<Finding>,
    /// Appends whose commit was acknowledged.
    pub acknowledged: usize,
    /// Appends of which nobody knows whether they happened.
    pub unknown: usize,
    /// Appends that failed for certain.
    pub failed: usize,
    /// Reads.
    pub reads: usize,
    /// Acknowledged appends that no read could show, since none began afterwards.
    pub unread: usize,
}

impl Verdict {
    /// How many breaches of one rule there are.
    pub fn count(&self, kind: Kind) -> usize {
        self.findings.iter().filter(|one| one.kind == kind).count()
    }

    /// The rules that were broken.
    pub fn kinds(&self) -> BTreeSet<Kind> {
        self.findings.iter().map(|one| one.kind).collect()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} appends acknowledged, {} unknown, {} failed, {} reads, {} never read back",
            self.acknowledged, self.unknown, self.failed, self.reads, self.unread
        )?;
        for kind in self.kinds() {
            write!(f, ", {} {kind:?}", self.count(kind))?;
        }
        let first = self.findings.iter().take(3);
        first
            .into_iter()
            .try_for_each(|one| write!(f, "; list {}: {}", one.list, one.text))
    }
}

/// Judges `history`.
pub fn check(history: &[Transaction]) -> Verdict {
    let mut verdict = Verdict::default();
    for (number, list) in lists(history) {
        count(&list, &mut verdict);
        let rules = [
            phantoms,
            duplicates,
            incompatible,
            missing,
            shrunk,
            disorder,
        ];
        let broken = rules.iter().flat_map(|rule| rule(&list));
        let findings = broken.map(|(kind, text)| Finding {
            kind,
            list: number,
            text,
        });
        verdict.findings.extend(findings);
    }
    verdict
}

type Breach = (Kind, String);

fn count(list: &List, verdict: &mut Verdict) {
    let of = |outcome| {
        let such = |append: &&Append| append.by.outcome == outcome;
        list.appends.iter().filter(such).count()
    };
    verdict.acknowledged += of(Outcome::Committed);
    verdict.unknown += of(Outcome::Unknown);
    verdict.failed += of(Outcome::Failed);
    verdict.reads += list.sights.len();
    let unread = |append: &&Append| later(list, append.by.end).next().is_none();
    verdict.unread += list.acknowledged().filter(unread).count();
}

/// Reads that began after `moment`.
fn later<'a, 'b>(list: &'b List<'a>, moment: u64) -> impl Iterator<Item = &'b Sight<'a>> {
    let after = move |sight: &&Sight| sight.by.begin > moment;
    list.sights.iter().filter(after)
}

fn phantoms(list: &List) -> Vec<Breach> {
    let appends = list.by_element();
    let mut found = BTreeMap::new();
    for sight in &list.sights {
        for element in sight.elements {
            let reason = match appends.get(element) {
                None => "nobody tried to append",
                Some(append) if append.by.outcome == Outcome::Failed => "failed for certain",
                Some(append) if append.by.begin > sight.by.end => "was begun only later",
                Some(_) => continue,
            };
            let text = format!("{element} was read, which {reason}: {}", sight.by.who);
            found.entry(element).or_insert((Kind::Phantom, text));
        }
    }
    found.into_values().collect()
}

fn duplicates(list: &List) -> Vec<Breach> {
    let twice = |sight: &Sight| {
        let mut seen = BTreeSet::new();
        sight
            .elements
            .iter()
            .find(|one| !seen.insert(**one))
            .copied()
    };
    let found: BTreeSet<i64> = list.sights.iter().filter_map(twice).collect();
    let breach = |element| (Kind::Duplicate, format!("{element} was read twice"));
    found.into_iter().map(breach).collect()
}

fn incompatible(list: &List) -> Vec<Breach> {
    let order = list.order();
    let wrong = |sight: &&Sight| !order.starts_with(sight.elements);
    let breach = |sight: &Sight| {
        let common = order.iter().zip(sight.elements).take_while(|(a, b)| a == b);
        let place = common.count();
        let (here, there) = (sight.elements.get(place), order.get(place));
        let text = format!("at place {place} one read has {here:?}, the longest {there:?}");
        (Kind::Incompatible, text)
    };
    list.sights.iter().filter(wrong).map(breach).collect()
}

/// Lost appends, and reads that lack what the last one has.
fn missing(list: &List) -> Vec<Breach> {
    let Some(last) = list.sights.iter().max_by_key(|sight| sight.by.begin) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for append in list.acknowledged() {
        let element = append.element;
        let lacks = |sight: &Sight| !sight.elements.contains(&element);
        if last.by.begin > append.by.end && lacks(last) {
            let text = format!("{element} was acknowledged and is gone: {}", append.by.who);
            found.push((Kind::Lost, text));
        } else if let Some(stale) = later(list, append.by.end).find(|sight| lacks(sight)) {
            let text = format!(
                "a read lacks {element}, acknowledged before: {}",
                stale.by.who
            );
            found.push((Kind::Stale, text));
        }
    }
    found
}

/// Reads that see less than one that ended before they began.
fn shrunk(list: &List) -> Vec<Breach> {
    let less = |sight: &&Sight| {
        let before = list
            .sights
            .iter()
            .filter(|other| other.by.end < sight.by.begin);
        let longest = before.map(|other| other.elements.len()).max();
        longest.is_some_and(|length| length > sight.elements.len())
    };
    let breach = |sight: &Sight| {
        let text = format!("a read sees less than an earlier one: {}", sight.by.who);
        (Kind::Stale, text)
    };
    list.sights.iter().filter(less).map(breach).collect()
}

fn disorder(list: &List) -> Vec<Breach> {
    let appends = list.by_element();
    let mut found = Vec::new();
    // The earliest acknowledgement among those that stand further back.
    let mut earliest: Option<(u64, i64)> = None;
    for element in list.order().iter().rev() {
        let Some(append) = appends.get(element) else {
            continue;
        };
        if let Some((end, other)) = earliest.filter(|(end, _)| *end < append.by.begin) {
            let text = format!("{element} stands before {other}, acknowledged {end} µs, before it");
            found.push((Kind::Disorder, text));
        }
        if append.by.outcome == Outcome::Committed {
            let this = (append.by.end, *element);
            earliest = Some(earliest.map_or(this, |other| other.min(this)));
        }
    }
    found
}

/// Lists that `history` names, for a last read of each.
pub fn numbers(history: &[Transaction]) -> BTreeSet<i64> {
    let steps = history.iter().flat_map(|one| &one.steps);
    let number = |step: &Step| match step {
        Step::Append { list, .. } | Step::Read { list, .. } => *list,
    };
    steps.map(number).collect()
}

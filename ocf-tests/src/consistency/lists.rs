//! A history sorted by lists: who appended which element, and what reads of each list saw.

use std::collections::BTreeMap;

use super::history::{Outcome, Step, Transaction};

/// An append, with what its client knows.
#[derive(Debug, Clone, Copy)]
pub struct Append<'a> {
    /// The element.
    pub element: i64,
    /// Its transaction.
    pub by: &'a Transaction,
}

/// What a committed transaction saw of a list.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The elements, in order.
    pub elements: &'a [i64],
    /// Its transaction.
    pub by: &'a Transaction,
}

/// All that happened to one list.
#[derive(Debug, Default)]
pub struct List<'a> {
    /// Its appends, whatever came of them.
    pub appends: Vec<Append<'a>>,
    /// Its reads.
    pub sights: Vec<Sight<'a>>,
}

impl<'a> List<'a> {
    /// The longest read: Elle's order of the list.
    pub fn order(&self) -> &'a [i64] {
        let longest = self.sights.iter().max_by_key(|sight| sight.elements.len());
        longest.map_or(&[], |sight| sight.elements)
    }

    /// The append of each element.
    pub fn by_element(&self) -> BTreeMap<i64, Append<'a>> {
        let named = self.appends.iter().map(|append| (append.element, *append));
        named.collect()
    }

    /// Appends whose commit was acknowledged.
    pub fn acknowledged(&self) -> impl Iterator<Item = &Append<'a>> {
        let committed = |append: &&Append| append.by.outcome == Outcome::Committed;
        self.appends.iter().filter(committed)
    }
}

/// The lists of `history` by number.
pub fn lists(history: &[Transaction]) -> BTreeMap<i64, List<'_>> {
    let mut lists: BTreeMap<i64, List<'_>> = BTreeMap::new();
    for by in history {
        for step in &by.steps {
            match step {
                Step::Append { list, element } => {
                    let element = *element;
                    lists
                        .entry(*list)
                        .or_default()
                        .appends
                        .push(Append { element, by });
                }
                Step::Read { list, elements } if by.outcome == Outcome::Committed => {
                    lists
                        .entry(*list)
                        .or_default()
                        .sights
                        .push(Sight { elements, by });
                }
                Step::Read { .. } => {}
            }
        }
    }
    lists
}

//! Which WAL is really on a disk, whatever number PostgreSQL gave the timeline: two nodes may
//! open a timeline of the same number, and only a test can tell them apart.

use std::cell::Cell;

use crate::wal::Lsn;

thread_local! {
    static LAST: Cell<u32> = const { Cell::new(0) };
}

/// A line of branches, the last of which is still written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trail {
    left: Vec<(u32, Lsn)>,
    branch: u32,
}

impl Trail {
    /// The branch that a database begins with, the `number`-th of the cluster.
    pub const fn root(number: u32) -> Self {
        Self {
            left: Vec::new(),
            branch: number,
        }
    }

    /// Has the next branch of this thread be the first one above these roots.
    pub fn number_anew(roots: u32) {
        LAST.set(roots);
    }

    /// Leaves the branch here and opens another one.
    pub fn fork(&mut self, at: Lsn) {
        LAST.set(LAST.get() + 1);
        self.left.push((self.branch, at));
        self.branch = LAST.get();
    }

    /// Where it left the one before.
    pub fn began(&self) -> Option<Lsn> {
        self.left.last().map(|(_, at)| *at)
    }

    /// The same up to here only.
    pub fn until(&self, end: Lsn) -> Self {
        let kept = self.left.iter().take_while(|(_, at)| *at < end).count();
        let branch = self
            .left
            .get(kept)
            .map_or(self.branch, |(branch, _)| *branch);
        Self {
            left: self.left[..kept].to_vec(),
            branch,
        }
    }

    /// Whether WAL of this trail up to `end` has all that another one has.
    pub fn contains(&self, end: Lsn, (other, theirs): (&Self, Lsn)) -> bool {
        let mut stretches = self.left.iter().copied().chain([(self.branch, end)]);
        stretches.any(|(branch, until)| branch == other.branch && theirs <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_of_one_number_are_told_apart() {
        let at = |lsn: u64| Lsn::from(lsn);
        let old = Trail::root(0);
        let (mut one, mut two) = (old.clone(), old.clone());
        one.fork(at(10));
        two.fork(at(10));
        assert!(one.contains(at(12), (&old, at(10))) && !one.contains(at(12), (&old, at(11))));
        assert!(!one.contains(at(12), (&two, at(10))) && !old.contains(at(12), (&one, at(10))));
        assert_eq!(one.until(at(9)), old);
        assert_eq!(one.until(at(11)), one);
    }
}

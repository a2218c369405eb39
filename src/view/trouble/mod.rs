//! What is wrong, with its cure. The ids are a promise: alerts hang on them.

mod cluster;
mod nodes;

use super::problem::Problem;
use super::prospect::Prospect;
use super::seen::Seen;

/// All that is wrong, the worst first.
pub fn problems(seen: &Seen, prospect: Option<&Prospect>) -> Vec<Problem> {
    let mut all = cluster::problems(seen, prospect);
    all.extend(
        seen.cib
            .nodes
            .keys()
            .flat_map(|node| nodes::problems(seen, node)),
    );
    all.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    all
}

//! What is checked in each world before all that was elected is forgotten.

use super::world::world;
use crate::testing::check;
use crate::view::{before_forget, checked_lines, may_move};

#[test]
fn table_of_forget() {
    check(include_str!("../testdata/forget.txt"), |facts| {
        let checked = before_forget(&world(facts));
        let lines: Vec<_> = checked_lines(&checked)
            .iter()
            .map(|one| one.text())
            .collect();
        format!("{}\nexit {}", lines.join("\n"), may_move(&checked).code())
    });
}

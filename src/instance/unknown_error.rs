//! How long a refusal that nobody listed may last.
//!
//! It is no verdict: the server may be well. But nobody can use a server that refuses
//! everybody in a way nobody knows, and a standby that cannot be asked cannot vote. So
//! it is said after two monitors in a row, and fails a primary after three.

use super::role::Role;

/// What a monitor does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Wait for the next monitor.
    Wait,
    /// Say it in the cluster.
    Say,
    /// Fail the primary.
    Fail,
}

/// After `count` monitors in a row, this one included, that were refused so.
pub fn verdict(role: Role, count: u32) -> Verdict {
    match (role, count) {
        (_, 0 | 1) => Verdict::Wait,
        (Role::Primary, 3..) => Verdict::Fail,
        _ => Verdict::Say,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_is_named_and_a_primary_is_failed_in_the_end() {
        let of = |role| [1, 2, 3, 99].map(|count| verdict(role, count));
        let [wait, say] = [Verdict::Wait, Verdict::Say];
        assert_eq!(of(Role::Standby), [wait, say, say, say]);
        assert_eq!(of(Role::Primary), [wait, say, Verdict::Fail, Verdict::Fail]);
    }
}

//! What a dead postmaster left: told to end at once, where it is sure that it is dead.
//!
//! A process that is no server's child may be a postmaster: one whose lock file somebody
//! removed, or that comes up just now. But a child says in its title that it is one, from its
//! first moment to its last (PostgreSQL `init_ps_display`), and no postmaster has such a title.
//! So where every server in the data directory is a child, and none is unseen, the postmaster
//! is dead. What its children still do adds nothing to what WAL replay will find.

use nix::sys::signal::Signal;

use super::process_table::{self, Servers};
use super::real_server::RealServer;
use super::server::{Orphans, Server};
use super::{children, postmaster};

/// How the title of each child begins.
const CHILD: &str = "postgres: ";

impl Orphans for RealServer {
    fn quit_orphans(&self) -> bool {
        let datadir = &self.parameters().datadir;
        let orphans = process_table::servers(datadir).map(orphans);
        let Ok(Some(orphans)) = orphans else {
            return false;
        };
        for pid in orphans {
            postmaster::signal(self.user(), pid, Signal::SIGQUIT);
        }
        true
    }
}

/// The servers, if all of them are children. One that is ending has no title any more.
fn orphans(servers: Servers) -> Option<Vec<i32>> {
    let Servers { here, unseen } = servers;
    let all_are_children = here.iter().all(|pid| is_child(&children::title(*pid)));
    let sure = !here.is_empty() && unseen.is_empty() && all_are_children;
    sure.then_some(here)
}

fn is_child(title: &str) -> bool {
    title.starts_with(CHILD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_child_has_the_title_of_one() {
        for title in [
            "postgres: checkpointer",
            "postgres: main: walwriter",
            "postgres: a b [local] idle",
        ] {
            assert!(is_child(title), "{title}");
        }
        for title in [
            "",
            "postgres",
            "postgres -D /data",
            "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main",
            "postgres:main",
        ] {
            assert!(!is_child(title), "{title}");
        }
    }

    #[test]
    fn where_one_may_be_a_postmaster_none_is_an_orphan() {
        let own = i32::try_from(std::process::id()).unwrap();
        let of = |here: &[i32], unseen: &[i32]| {
            orphans(Servers {
                here: here.to_vec(),
                unseen: unseen.to_vec(),
            })
        };
        // This test is no server's child.
        assert_eq!(of(&[own], &[]), None);
        assert_eq!(of(&[], &[own]), None);
        assert_eq!(of(&[], &[]), None);
    }
}

//! The rooms of the agent, the folders right below `src`, and who may use whom.

use super::Violation;
use super::arrows::Arrow;
use super::source::room;

/// A room.
struct Room {
    name: &'static str,
    /// Why it may use no other room.
    why: &'static str,
    /// The rooms, or single files of them, that it may use, and what for.
    may_use: &'static [(&'static str, &'static str)],
}

/// From the ground floor up: a room uses only rooms above it in this list.
const ROOMS: &[Room] = &[
    Room {
        name: "ocf",
        why: "it is the contract with Pacemaker, and knows neither PostgreSQL nor the cluster",
        may_use: &[],
    },
    Room {
        name: "system",
        why: "both wings stand on it, and it knows neither of them",
        may_use: &[("ocf", "everything it runs ends within a deadline")],
    },
    Room {
        name: "wal",
        why: "it is the arithmetic of positions and timelines, and nothing else",
        may_use: &[],
    },
    Room {
        name: "record",
        why: "it is what the cluster remembers, and decides nothing",
        may_use: &[
            ("ocf", "facts are about nodes"),
            ("wal", "facts are about positions"),
        ],
    },
    Room {
        name: "instance",
        why: "it says what one instance is, whatever the cluster thinks of it",
        may_use: &[
            ("ocf", "a state has a code, a parameter says how to rejoin"),
            ("wal", "an instance has a position"),
            ("record", "it may have diverged from what is remembered"),
        ],
    },
    Room {
        name: "election",
        why: "it decides who may be promoted, from observations that it is handed",
        may_use: &[
            ("ocf", "candidates are nodes"),
            ("wal", "it compares positions"),
            ("record", "it weighs what the cluster remembers"),
            ("instance", "a sender is a connected standby"),
        ],
    },
    Room {
        name: "view",
        why: "it says what people and programs are shown of what was seen, and looks at nothing",
        may_use: &[
            ("ocf", "shows nodes, makes lines"),
            ("wal", "shows positions"),
            ("record", "shows what is remembered"),
            ("instance", "shows what a server says"),
            ("election", "shows how it would decide"),
        ],
    },
    Room {
        name: "pacemaker",
        why: "it looks at the cluster and acts on it, decides nothing, and knows no PostgreSQL",
        may_use: &[
            ("ocf", "asks for the node and the time that is left"),
            ("system", "runs Pacemaker's tools"),
            ("record", "publishes facts"),
        ],
    },
    Room {
        name: "postgres",
        why: "it looks at one instance and acts on it, decides nothing, and knows no cluster",
        may_use: &[
            (
                "ocf",
                "is told where the instance is, and how long it may take",
            ),
            ("system", "runs PostgreSQL's programs as its user"),
            ("wal", "reads positions"),
            ("record", "names what it keeps as the record does"),
            ("instance", "gives what it sees to its types"),
        ],
    },
    Room {
        name: "steps",
        why: "verbs and commands are made of it, and it knows none of them",
        may_use: &[
            ("ocf", "is given the request, ends in a failure"),
            ("system", "remembers in notes what was said"),
            ("wal", "carries positions"),
            ("record", "makes the facts it publishes"),
            ("instance", "asks what the instance is"),
            ("election", "asks it to decide"),
            ("pacemaker", "looks at the cluster and acts on it"),
            ("postgres", "looks at the instance and acts on it"),
        ],
    },
    Room {
        name: "actions",
        why: "a verb is made of steps: what it does by itself no other verb can share, and no \
              test can fake",
        may_use: &[
            ("ocf", "takes the request, gives the code"),
            ("instance", "a plan depends on the state"),
            ("steps", "is made of them"),
            ("postgres/server.rs", "hands the server to steps"),
            ("postgres/real_server.rs", "the same: here it is made"),
            ("pacemaker/cluster.rs", "hands the cluster to steps"),
            ("pacemaker/real_cluster.rs", "the same: here it is made"),
            ("pacemaker/tools.rs", "makes the cluster of them"),
            ("system/notes.rs", "hands the notes to steps"),
        ],
    },
    Room {
        name: "admin",
        why: "a command for people shares steps with the verbs, and never acts as one",
        may_use: &[
            ("ocf", "gives a code too, and speaks of nodes"),
            ("wal", "shows positions"),
            ("record", "shows what is remembered"),
            ("instance", "shows what the instance is"),
            ("election", "shows how it would decide"),
            ("pacemaker", "reads the configuration of the resource"),
            ("postgres", "looks at the instance"),
            ("steps", "is made of them"),
            ("view", "shows what it has seen"),
            ("system/clock.rs", "says when it looked"),
            (
                "system/delivery.rs",
                "hands an event to whom an admin has named",
            ),
            ("system/host_name.rs", "knows this node without a program"),
            (
                "system/interrupts.rs",
                "takes a constraint away before Ctrl-C ends it",
            ),
            (
                "system/lock_file.rs",
                "holds a lock as long as a rebuild goes on",
            ),
            ("system/long_program.rs", "hears what a copy says"),
            ("system/machine.rs", "looks how a machine is set up"),
            ("system/user.rs", "says whether it is root"),
            ("system/plain_file.rs", "writes for a collector, past links"),
        ],
    },
    Room {
        name: "main",
        why: "it is the door, and decides nothing about PostgreSQL or the cluster",
        may_use: &[
            ("ocf", "reads the request, reports the code"),
            ("actions", "runs an action of OCF"),
            ("admin", "runs a command for people"),
            ("view/problem.rs", "gives the code of a command that looks"),
            (
                "system/guardian.rs",
                "answers for an action that hangs with the storage",
            ),
        ],
    },
    // For tests only.
    Room {
        name: "testing",
        why: "tests of every room use it",
        may_use: &[("ocf", "makes names of nodes")],
    },
    Room {
        name: "simulation",
        why: "it runs verbs as Pacemaker would, and looks at what became of servers and cluster",
        may_use: &[
            ("ocf", "asks as Pacemaker asks"),
            ("actions", "runs verbs"),
            ("instance", "looks at what runs"),
            ("postgres", "hands a server in memory to the verbs"),
            ("pacemaker", "hands a cluster in memory to the verbs"),
            ("system/notes.rs", "hands the notes to the verbs"),
            ("system/fake_notes.rs", "keeps a node's notes in memory"),
            ("wal", "reads positions"),
            (
                "record",
                "its clients confirm commits by the rule of the primary",
            ),
            (
                "election/rule.rs",
                "switches a rule off, to see that the damage is found",
            ),
        ],
    },
    Room {
        name: "fuzzing",
        why: "it calls what parses, wherever that is, and nothing else",
        may_use: &[
            ("ocf", "reads environments, makes lines"),
            ("wal", "reads histories and what pg_waldump prints"),
            ("record", "reads attributes"),
            ("instance", "reads what servers and their programs say"),
            ("pacemaker", "reads what tools answer"),
            ("postgres", "reads files and names of files"),
            ("main", "reads the command line"),
        ],
    },
    Room {
        name: "packaged",
        why: "it only makes man pages",
        may_use: &[
            ("main", "shows its command line"),
            ("ocf", "explains the codes"),
        ],
    },
];

/// What only tests may use, wherever they are.
const FOR_TESTS: &str = "testing";

/// The arrows between rooms that are not in the table.
pub fn forbidden(arrows: &[Arrow]) -> Vec<Violation> {
    arrows.iter().filter_map(violation).collect()
}

fn violation(arrow: &Arrow) -> Option<Violation> {
    let (from, to) = (room(&arrow.from), room(&arrow.to));
    if from == to || (to == FOR_TESTS && arrow.is_test) {
        return None;
    }
    let room = ROOMS.iter().find(|room| room.name == from);
    let mut allowed = room.iter().flat_map(|room| room.may_use);
    if allowed.any(|(name, _)| *name == to || arrow.to.strip_prefix("src/") == Some(name)) {
        return None;
    }
    let why = room.map_or(
        "it is not in the table ROOMS (tests/architecture/rooms.rs): add it, with what it may use",
        |room| room.why,
    );
    let sentence = format!(
        "{}:{} uses {}, but {from} may not use {to}: {why}.",
        arrow.from, arrow.line, arrow.to
    );
    Some(Violation {
        file: arrow.from.clone(),
        what: to.to_owned(),
        sentence,
    })
}

#[test]
fn the_table_itself_has_no_arrow_up() {
    for (index, room) in ROOMS.iter().enumerate() {
        for (lower, _) in room.may_use {
            let lower = lower.split('/').next().unwrap();
            let below = ROOMS[..index].iter().any(|other| other.name == lower);
            assert!(below, "{} stands below {lower}", room.name);
        }
    }
}

#[test]
fn an_arrow_that_is_not_in_the_table_is_told_with_its_reason() {
    let arrow = |from: &str, to: &str, is_test| Arrow {
        from: format!("src/{from}"),
        line: 7,
        to: format!("src/{to}"),
        is_test,
        by: super::arrows::By::Name,
    };
    let allowed = [
        arrow("wal/lsn.rs", "wal/mod.rs", false),
        arrow("wal/lsn.rs", "testing.rs", true),
        arrow("record/vote.rs", "wal/lsn.rs", false),
    ];
    assert!(forbidden(&allowed).is_empty());
    let found = forbidden(&[
        arrow("wal/lsn.rs", "testing.rs", false),
        arrow("ocf/log.rs", "steps/state.rs", true),
        arrow("new/a.rs", "ocf/log.rs", false),
    ]);
    let sentences: Vec<_> = found.iter().map(|one| one.sentence.as_str()).collect();
    assert_eq!(
        sentences[1],
        "src/ocf/log.rs:7 uses src/steps/state.rs, but ocf may not use steps: it is the \
         contract with Pacemaker, and knows neither PostgreSQL nor the cluster."
    );
    assert!(sentences[2].contains("not in the table ROOMS"));
    assert_eq!(found.len(), 3);
}

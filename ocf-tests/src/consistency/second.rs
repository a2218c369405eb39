//! The second judge: the crate adya, an independent checker by Elle's rules, which also finds
//! cycles of dependencies over several lists.

use adya::history::{Interner, Mop, Op, OpType, ReadValue, Scalar};
use adya::{History, Opts, Valid, Workload, check};

use super::history::{Outcome, Step, Transaction};

/// What a client of one primary gets: `REPEATABLE READ` is snapshot isolation in PostgreSQL, and
/// each snapshot has all that was acknowledged before it began.
const MODEL: &str = "strong-snapshot-isolation";

/// What this judge says of a history without two transactions that depend on each other.
const NOTHING_TO_JUDGE: &str = "empty-transaction-graph";

/// Anomalies that this judge finds, each by its name in Elle and the first example.
pub fn opinion(history: &[Transaction]) -> Vec<String> {
    let options = Opts {
        models: vec![MODEL.to_owned()],
        ..Opts::default()
    };
    let report = check(&translated(history), Workload::ListAppend, &options);
    if report.valid == Valid::True {
        return Vec::new();
    }
    let example = |(kind, found): (&String, &Vec<adya::Anomaly>)| {
        let text = found.first().map_or("", |one| &one.explanation);
        let short: String = text.chars().take(600).collect();
        format!("{kind} ({} times): {short}", found.len())
    };
    let judged = report.anomalies.iter();
    let judged = judged.filter(|(kind, _)| *kind != NOTHING_TO_JUDGE);
    judged.map(example).collect()
}

/// Beginnings and ends in order of time, a beginning first where both are at once: so they
/// overlap, and nothing is concluded.
fn translated(history: &[Transaction]) -> History {
    let mut moments: Vec<(u64, bool, usize)> = Vec::new();
    for (number, one) in history.iter().enumerate() {
        moments.push((one.begin, false, number));
        moments.push((one.end, true, number));
    }
    moments.sort_unstable();
    let mut names = Interner::default();
    let mut ops: Vec<Op> = Vec::new();
    for (moment, ended, number) in moments {
        ops.push(Op {
            index: ops.len() as u64,
            kind: kind(ended, history[number].outcome),
            // Each has a process of its own: the order of one client's is that of time.
            process: i64::try_from(number).ok(),
            value: steps(&history[number], ended, &mut names),
            time: i64::try_from(moment).ok(),
        });
    }
    History::from_ops(ops, names)
}

fn kind(ended: bool, outcome: Outcome) -> OpType {
    match (ended, outcome) {
        (false, _) => OpType::Invoke,
        (true, Outcome::Committed) => OpType::Ok,
        (true, Outcome::Failed) => OpType::Fail,
        (true, Outcome::Unknown) => OpType::Info,
    }
}

fn steps(one: &Transaction, ended: bool, names: &mut Interner) -> Vec<Mop> {
    let known = ended && one.outcome == Outcome::Committed;
    let mut value = Vec::new();
    for step in &one.steps {
        value.push(match step {
            Step::Append { list, element } => Mop::Append {
                key: names.intern(Scalar::Int(*list)),
                value: names.intern(Scalar::Int(*element)),
            },
            Step::Read { list, elements } => Mop::Read {
                key: names.intern(Scalar::Int(*list)),
                value: read(elements, known, names),
            },
        });
    }
    value
}

fn read(elements: &[i64], known: bool, names: &mut Interner) -> ReadValue {
    if !known {
        return ReadValue::Nil;
    }
    let named = elements.iter().map(|one| names.intern(Scalar::Int(*one)));
    ReadValue::List(named.collect())
}

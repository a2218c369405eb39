//! What is done about slots: a table, and what must hold whatever is seen.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::testing::{check, node};

const SEGMENT: u64 = 16;

/// Positions are plain numbers here, and a WAL file has 16 bytes.
fn decided(facts: &[&str]) -> String {
    let mut slots = Slots {
        all: Vec::new(),
        bounded: true,
        segment: SEGMENT,
        end: Lsn::from(1000),
        redo: None,
    };
    let (mut nodes, mut confirmed) = (Nodes::new(), None);
    for fact in facts {
        let words: Vec<_> = fact.split_whitespace().collect();
        match words.as_slice() {
            ["nodes", names @ ..] => nodes = names.iter().map(|name| host(name)).collect(),
            ["standby", redo] => slots.redo = Some(lsn(redo)),
            ["unbounded"] => slots.bounded = false,
            ["slot", name, about @ ..] => slots.all.push(slot(name, about)),
            ["primary", name, standbys @ ..] => confirmed = Some(said(name, standbys)),
            other => panic!("{other:?}"),
        }
    }
    let actions = decide(&node("srv1"), &nodes, &slots, confirmed.as_ref());
    let lines: Vec<_> = actions.iter().map(told).collect();
    lines.join("\n")
}

fn host(name: &str) -> (NodeName, bool) {
    let may_run = !name.starts_with('!');
    (node(name.trim_start_matches('!')), may_run)
}

fn lsn(text: &str) -> Lsn {
    Lsn::from_decimal(text).unwrap()
}

fn slot(name: &str, about: &[&str]) -> Slot {
    let at = about.iter().find_map(|word| word.parse::<u64>().ok());
    Slot {
        name: name.to_owned(),
        is_physical: !about.contains(&"logical"),
        is_active: about.contains(&"active"),
        restart: at.map(Lsn::from),
        flushed: None,
        is_lost: about.contains(&"lost"),
    }
}

fn said(primary: &str, standbys: &[&str]) -> Confirmed {
    let each = standbys.iter().map(|word| word.split_once('@').unwrap());
    Confirmed {
        primary: node(primary),
        standbys: each.map(|(name, at)| (node(name), lsn(at))).collect(),
    }
}

fn told(action: &Action) -> String {
    match action {
        Action::Make(name) => format!("make {name}"),
        Action::Advance(name, to) => format!("advance {name} to {}", to.as_u64()),
        Action::Drop(name, why) => format!("drop {name}: {why}"),
        Action::Renew(name, why) => format!("renew {name}: {why}"),
    }
}

#[test]
fn table_of_slots() {
    check(include_str!("../testdata/slots.txt"), decided);
}

/// Any slot, of a node or of somebody else, in any state.
fn any_slot() -> impl Strategy<Value = Slot> {
    let names = [
        "pgsqlms_srv1",
        "pgsqlms_srv2",
        "pgsqlms_srv3",
        "pgsqlms_gone",
        "barman",
        "srv2",
    ];
    let name = proptest::sample::select(names.to_vec());
    let at = || proptest::option::of((0..200_u64).prop_map(Lsn::from));
    (name, any::<[bool; 3]>(), at(), at()).prop_map(|(name, is, restart, flushed)| Slot {
        name: name.to_owned(),
        is_physical: is[0],
        is_active: is[1],
        is_lost: is[2],
        restart,
        flushed,
    })
}

fn any_slots() -> impl Strategy<Value = Slots> {
    let all = proptest::collection::vec(any_slot(), 0..6);
    let all = all.prop_map(|all| {
        let named: BTreeMap<_, _> = all
            .into_iter()
            .map(|slot| (slot.name.clone(), slot))
            .collect();
        named.into_values().collect::<Vec<_>>()
    });
    let redo = proptest::option::of(0..150_u64);
    (all, any::<bool>(), redo).prop_map(|(all, bounded, redo)| Slots {
        all,
        bounded,
        segment: SEGMENT,
        end: Lsn::from(150),
        redo: redo.map(Lsn::from),
    })
}

fn any_confirmed() -> impl Strategy<Value = Option<Confirmed>> {
    let standby = proptest::sample::select(vec!["srv2", "srv3"]).prop_map(node);
    let standbys = proptest::collection::btree_map(standby, (0..200_u64).prop_map(Lsn::from), 0..3);
    proptest::option::of(standbys.prop_map(|standbys| Confirmed {
        primary: node("srv2"),
        standbys,
    }))
}

fn any_nodes() -> impl Strategy<Value = Nodes> {
    any::<[bool; 3]>().prop_map(|may_run| {
        let names = ["srv1", "srv2", "srv3"].map(node);
        names.into_iter().zip(may_run).collect()
    })
}

/// The slots after the action, or the name of one that cannot be there.
fn after(slots: &mut Slots, actions: &[Action]) {
    for action in actions {
        let name = action.slot().to_owned();
        let restart = match action {
            Action::Drop(..) => None,
            Action::Advance(_, to) => Some(*to),
            Action::Make(_) | Action::Renew(..) => Some(slots.redo.unwrap_or(Lsn::ZERO)),
        };
        slots.all.retain(|slot| slot.name != name);
        slots.all.extend(restart.map(|restart| Slot {
            name,
            is_physical: true,
            is_active: false,
            is_lost: false,
            restart: Some(restart),
            flushed: None,
        }));
    }
}

proptest! {
    #[test]
    fn nobody_else_s_slot_and_none_in_use_is_touched(
        slots in any_slots(), nodes in any_nodes(), confirmed in any_confirmed(),
    ) {
        for action in decide(&node("srv1"), &nodes, &slots, confirmed.as_ref()) {
            prop_assert!(name::is_ours(action.slot()));
            let before = slots.all.iter().find(|slot| slot.name == action.slot());
            if let Some(slot) = before {
                prop_assert!(slot.is_physical && !slot.is_active, "{action:?}");
            }
            prop_assert_eq!(before.is_none(), matches!(action, Action::Make(_)));
        }
    }

    #[test]
    fn no_slot_passes_what_its_node_has(
        slots in any_slots(), nodes in any_nodes(), confirmed in any_confirmed(),
    ) {
        for action in decide(&node("srv1"), &nodes, &slots, confirmed.as_ref()) {
            let Action::Advance(name, to) = action else { continue };
            let confirmed = confirmed.as_ref().unwrap();
            prop_assert!(to <= slots.redo.unwrap());
            let slot = slots.all.iter().find(|slot| slot.name == name).unwrap();
            prop_assert!(to.bytes_since(slot.restart.unwrap()).unwrap() >= SEGMENT);
            let of_primary = name == name::of(&confirmed.primary);
            let flushed = confirmed.standbys.iter().find(|(node, _)| name::of(node) == name);
            prop_assert!(of_primary || to <= *flushed.unwrap().1);
        }
    }

    /// Also where the agent is killed after any of them: what is left, the next monitor does.
    #[test]
    fn once_done_there_is_nothing_left_to_do(
        slots in any_slots(), nodes in any_nodes(), confirmed in any_confirmed(), killed in 0..4_usize,
    ) {
        let mut slots = slots;
        let now = |slots: &Slots| decide(&node("srv1"), &nodes, slots, confirmed.as_ref());
        let actions = now(&slots);
        after(&mut slots, &actions[..killed.min(actions.len())]);
        let rest = now(&slots);
        after(&mut slots, &rest);
        prop_assert_eq!(now(&slots), []);
    }

    #[test]
    fn without_a_bound_nothing_is_made(slots in any_slots(), nodes in any_nodes()) {
        let slots = Slots { bounded: false, ..slots };
        let actions = decide(&node("srv1"), &nodes, &slots, None);
        prop_assert!(actions.iter().all(|action| matches!(action, Action::Drop(..))));
    }

    #[test]
    fn what_the_primary_says_is_what_its_standbys_said(slots in any_slots(), nodes in any_nodes()) {
        for (node, lsn) in slots.confirmed(&nodes) {
            let slot = slots.all.iter().find(|slot| slot.name == name::of(&node)).unwrap();
            prop_assert!(slot.is_active && lsn <= slot.flushed.unwrap());
        }
    }
}

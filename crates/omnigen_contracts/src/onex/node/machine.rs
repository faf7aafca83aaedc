//! State machines: three keys, three spellings of transitions.

use omnigen_ir::{Machine, MachineState, Transition};
use omnigen_report::{At, Code};

use super::{Reader, description, flag, indexed, text};
use crate::value::{Data, Value};

pub(super) fn read(reader: &mut Reader<'_>, root: &Value<'_>) -> Vec<Machine> {
    let mut machines = Vec::new();
    for key in ["state_machine", "fsm", "state_transitions"] {
        match root.get(key).map(|value| (value, &value.data)) {
            None | Some((_, Data::Null)) => {}
            Some((value, Data::Object(_))) => {
                let machine = machine(reader, value, key);
                if !machine.states.is_empty() {
                    machines.push(machine);
                }
            }
            Some((value, _)) => reader.wrong(&format!("/{key}"), value, "a map with `states` and `transitions`"),
        }
    }
    machines
}

fn machine(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Machine {
    let mut machine = Machine {
        key: key.into(),
        name: text(value, "state_machine_name").or_else(|| text(value, "name")).unwrap_or_default().into(),
        initial: text(value, "initial_state").or_else(|| text(value, "initial")).map(Into::into),
        ..Machine::default()
    };
    let listed = |key: &str| match value.get(key).map(|list| &list.data) {
        Some(Data::Array(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<&str>>(),
        _ => Vec::new(),
    };
    let terminal = listed("terminal_states");
    match value.get("states").map(|states| (states, &states.data)) {
        Some((_, Data::Array(items))) => {
            for (index, item) in items.iter().enumerate() {
                let name = item.as_str().or_else(|| text(item, "state_name")).or_else(|| text(item, "name"));
                let Some(name) = name else {
                    reader.wrong(&indexed(&format!("/{key}/states"), index), item, "a state with a `state_name`");
                    continue;
                };
                state(&mut machine, name, || description(item));
                if flag(item, "is_terminal").or_else(|| flag(item, "terminal")).unwrap_or(false) {
                    end(&mut machine, name);
                }
            }
        }
        Some((_, Data::Object(members))) => {
            for part in members {
                state(&mut machine, &part.name, || description(&part.value));
                if flag(&part.value, "is_terminal").or_else(|| flag(&part.value, "terminal")).unwrap_or(false) {
                    end(&mut machine, &part.name);
                }
            }
        }
        None | Some((_, Data::Null)) => {}
        Some((states, _)) => reader.wrong(&format!("/{key}/states"), states, "a list of states"),
    }
    let declared = machine.states.len();
    if let Some(Data::Array(items)) = value.get("transitions").map(|list| &list.data) {
        for (index, item) in items.iter().enumerate() {
            let pointer = indexed(&format!("/{key}/transitions"), index);
            transition(reader, &mut machine, item, &pointer, declared);
        }
    }
    for name in terminal {
        state(&mut machine, name, || None);
        end(&mut machine, name);
    }
    if let Some(initial) = machine.initial.clone() {
        state(&mut machine, &initial, || None);
    }
    machine
}

fn transition(reader: &mut Reader<'_>, machine: &mut Machine, item: &Value<'_>, pointer: &str, declared: usize) {
    let before = ["from_state", "from", "source"].iter().find_map(|key| Some((*key, item.get(key)?)));
    let after = ["to_state", "to", "dest", "target"].iter().find_map(|key| Some((*key, text(item, key)?)));
    let (Some((from_key, before)), Some((to_key, to))) = (before, after) else {
        let message = "a transition needs `from_state` and `to_state`; it is left out";
        reader.warn(Code::MissingKey, At::value(reader.file, pointer), message, None);
        return;
    };
    if to == "*" {
        let message = "a transition leads to one state; this one is left out";
        reader.warn(Code::UnknownState, At::value(reader.file, pointer), message, None);
        return;
    }
    let from: Vec<&str> = match &before.data {
        Data::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => before.as_str().into_iter().collect(),
    };
    let trigger = text(item, "trigger").or_else(|| text(item, "event")).or_else(|| text(item, "transition_name"));
    for from in from {
        for (key, name) in [(from_key, from), (to_key, to)] {
            if name != "*" && declared > 0 && !machine.states[..declared].iter().any(|state| *state.name == *name) {
                let known = machine.states[..declared].iter().map(|state| &*state.name);
                let near = omnigen_report::nearest(name, known, 2).map(|near| format!("did you mean `{near}`?"));
                let message = format!("the machine declares no state `{name}`");
                let at = At::value(reader.file, &format!("{pointer}/{key}"));
                let known = machine.states[..declared].iter().take(8).map(|state| &*state.name).collect::<Vec<_>>();
                let hint = near.or_else(|| Some(format!("add it to `states`: these are {}", known.join(", "))));
                reader.warn(Code::UnknownState, at, message, hint);
            }
            if name != "*" {
                state(machine, name, || None);
            }
        }
        machine.transitions.push(Transition {
            from: (from != "*").then(|| from.into()),
            to: to.into(),
            trigger: trigger.unwrap_or_default().into(),
        });
    }
}

fn state(machine: &mut Machine, name: &str, about: impl FnOnce() -> Option<Box<str>>) {
    if machine.states.iter().all(|known| *known.name != *name) {
        machine.states.push(MachineState { name: name.into(), terminal: false, description: about() });
    }
}

fn end(machine: &mut Machine, name: &str) {
    machine.states.iter_mut().filter(|state| *state.name == *name).for_each(|state| state.terminal = true);
}

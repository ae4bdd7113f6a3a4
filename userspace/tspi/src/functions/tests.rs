//! The table against `facts/functions.tsv`, cell by cell.

use std::collections::BTreeSet;

use super::*;
use crate::error::{LineError, PhoneError};

/// One row of the machine-readable table.
struct Row {
    name: &'static str,
    group: &'static str,
    kind: &'static str,
    class: &'static str,
    parameters: &'static str,
    states: &'static str,
    errors: &'static str,
}

fn rows() -> Vec<Row> {
    include_str!("../../facts/functions.tsv")
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let [name, group, kind, class, parameters, states, errors, _source] = cells[..] else {
                panic!("eight cells per row: {line}")
            };
            Row { name, group, kind, class, parameters, states, errors }
        })
        .collect()
}

/// A parameter as a prototype has it; a pointer's star stands at the name.
fn prototype(parameter: &CParameter) -> String {
    let separator = if parameter.kind.ends_with('*') { "" } else { " " };
    format!("{}{separator}{}", parameter.kind, parameter.name)
}

/// The set of states a cell names; a name may be NULL.
fn states(names: &str) -> (CallStates, bool) {
    let mut set = CallStates::NONE;
    let mut or_null = false;
    for name in names.split(',') {
        if name == "NULL" {
            or_null = true;
        } else {
            let state = CallState::ALL.into_iter().find(|state| state.name() == name);
            set = set.union(CallStates::of(&[state.expect(name)]));
        }
    }
    (set, or_null)
}

fn check_legal(function: &Function, cell: &str) {
    let Legal::In(parameters) = function.legal else {
        let word = match function.legal {
            Legal::NotStated => "-",
            Legal::Any => "any",
            Legal::DeviceSpecific => "device-specific",
            Legal::In(_) => unreachable!(),
        };
        assert_eq!(word, cell, "{}", function.name);
        return;
    };
    let wanted: Vec<(&str, CallStates, bool)> = cell
        .split(';')
        .map(|part| {
            if let Some(except) = part.strip_prefix("any-except:") {
                let except = states(except).0;
                let set = CallState::ALL.into_iter().filter(|state| !except.contains(*state));
                ("hdCall", CallStates::of(&set.collect::<Vec<_>>()), false)
            } else {
                let (handle, names) = part.split_once(':').unwrap_or(("hdCall", part));
                let (set, or_null) = states(names);
                (handle, set, or_null)
            }
        })
        .collect();
    let here: Vec<_> = parameters.iter().map(|p| (p.name, p.states, p.or_null)).collect();
    assert_eq!(here, wanted, "{}", function.name);
}

#[test]
fn every_cell_agrees() {
    let rows = rows();
    assert_eq!(rows.len(), 125);
    assert_eq!(all().count(), rows.len());
    assert_eq!(all().map(|f| f.name).collect::<BTreeSet<_>>().len(), rows.len());
    for row in &rows {
        let function = find(row.name).unwrap_or_else(|| panic!("{} is missing", row.name));
        let group = match function.group {
            Group::Provider => "provider",
            Group::Line => "line",
            Group::Phone => "phone",
            Group::Ui => "ui",
        };
        assert_eq!(group, row.group, "{}", row.name);
        assert_eq!(if function.is_async() { "async" } else { "sync" }, row.kind, "{}", row.name);
        let class = match function.class {
            Class::Basic => "B",
            Class::Mandatory => "M",
            Class::Required => "D",
            Class::Supplementary => "S",
            Class::Extended => "X",
            Class::Version3 => "3",
            Class::UserInterface => "U",
            Class::Obsolete => "O",
        };
        assert_eq!(class, row.class, "{}", row.name);
        let parameters = if row.parameters == "-" { "" } else { row.parameters };
        let here: Vec<String> = function.c_parameters().map(prototype).collect();
        assert_eq!(here.join(", "), parameters, "{}", row.name);
        check_legal(function, row.states);
        let errors: Vec<&str> = match function.errors {
            Errors::Line(errors) => errors.iter().filter_map(|e| e.name()).collect(),
            Errors::Phone(errors) => errors.iter().filter_map(|e| e.name()).collect(),
        };
        let errors: Vec<&str> =
            errors.iter().filter_map(|name| Some(name.split_once("ERR_")?.1)).collect();
        let wanted = if row.errors == "-" { "" } else { row.errors };
        assert_eq!(errors.join(" "), wanted, "{}", row.name);
    }
}

#[test]
fn asynchronous_means_a_request_id_first_k1() {
    let count = |group| all().filter(|f| f.is_async() && f.group == group).count();
    assert_eq!(all().filter(|f| f.is_async()).count(), 42);
    assert_eq!(
        [Group::Line, Group::Phone, Group::Provider, Group::Ui].map(count),
        [33, 9, 0, 0],
        "K1"
    );
    for function in all() {
        let ids = function.parameters.iter().filter(|p| p.shape == Shape::RequestId).count();
        let first = function.c_parameters().next().map(|first| (first.kind, first.name));
        assert_eq!(first == Some(("DRV_REQUESTID", "dwRequestID")), function.is_async());
        assert_eq!(ids, usize::from(function.is_async()), "{}", function.name);
    }
}

#[test]
fn a_parameter_of_rust_is_one_or_two_of_c() {
    let make_call = TSPI_lineMakeCall.parameters;
    assert_eq!(make_call.len(), 6);
    assert_eq!((make_call[2].name, make_call[2].shape), ("call", Shape::New));
    assert_eq!(make_call[2].c[1], CParameter { kind: "LPHDRVCALL", name: "lphdCall" });
    assert_eq!(make_call[5].c[0].kind, "LPLINECALLPARAMS const");
    let dialog = TSPI_phoneConfigDialog.c_parameters().nth(2).unwrap();
    assert_eq!(dialog.kind, "LPCSTR", "the dialogs of 1.x are older than wide strings");
}

/// What the C types of `facts/functions.tsv` demand, read without the shapes.
#[test]
fn general_errors_follow_from_the_types_of_parameters() {
    for function in all().filter(|function| function.group != Group::Ui) {
        let general: Vec<i32> = function.general_errors().collect();
        let code = |error: LineError| match function.errors {
            Errors::Line(_) => error.raw(),
            Errors::Phone(_) => match error {
                LineError::BADDEVICEID => PhoneError::BADDEVICEID.raw(),
                LineError::INVALPOINTER => PhoneError::INVALPOINTER.raw(),
                LineError::STRUCTURETOOSMALL => PhoneError::STRUCTURETOOSMALL.raw(),
                LineError::NODRIVER => PhoneError::NODRIVER.raw(),
                LineError::NODEVICE => PhoneError::NODEVICE.raw(),
                LineError::REINIT => PhoneError::REINIT.raw(),
                LineError::OPERATIONUNAVAIL => PhoneError::OPERATIONUNAVAIL.raw(),
                other => panic!("{other} is not asked for"),
            },
        };
        let demand = |error: i32| assert!(general.contains(&error), "{}", function.name);
        let dying = [LineError::NODRIVER, LineError::NODEVICE, LineError::REINIT];
        dying.map(code).into_iter().for_each(demand);
        demand(code(LineError::OPERATIONUNAVAIL));
        for CParameter { kind, name } in function.c_parameters() {
            match (*kind, *name) {
                ("HDRVLINE", _) => demand(LineError::INVALLINEHANDLE.raw()),
                ("HDRVCALL", _) => demand(LineError::INVALCALLHANDLE.raw()),
                ("HDRVPHONE", _) => demand(PhoneError::INVALPHONEHANDLE.raw()),
                ("DWORD", "dwDeviceID") => demand(code(LineError::BADDEVICEID)),
                ("LPDWORD" | "LPHDRVCALL" | "LPHDRVLINE" | "LPHDRVPHONE" | "LPHICON", _) => {
                    demand(code(LineError::INVALPOINTER));
                }
                ("LPVARSTRING" | "LPLINECALLINFO" | "LPPHONECAPS", _)
                | ("LPLINECALLPARAMS const", _) => demand(code(LineError::STRUCTURETOOSMALL)),
                _ => {}
            }
        }
    }
}

#[test]
fn a_function_may_give_what_either_column_has() {
    let drop = TSPI_lineDrop;
    assert!(drop.may_give(LineError::USERUSERINFOTOOBIG.raw()), "listed on its page");
    assert!(drop.may_give(LineError::NODEVICE.raw()), "a device that dies");
    assert!(drop.may_give(0xC000_0001_u32.cast_signed()), "a vendor's own, T6");
    assert!(!drop.may_give(LineError::STRUCTURETOOSMALL.raw()), "it fills nothing");
    assert!(!drop.may_give(LineError::INVALLINEHANDLE.raw()), "it takes no line");
    assert!(!drop.may_give(0) && !drop.may_give(7), "that is no error");
    assert!(TSPI_lineGetDevCaps.may_give(LineError::STRUCTURETOOSMALL.raw()));
    assert!(!TSPI_lineGetDevCaps.lists_error(LineError::STRUCTURETOOSMALL.raw()));
    assert!(TSPI_phoneSetLamp.may_give(PhoneError::NODEVICE.raw()));
    assert!(!TSPI_phoneSetLamp.may_give(LineError::NODEVICE.raw()), "of the other family");
}

#[test]
fn the_legal_states_of_a_call_are_checked() {
    for state in CallState::ALL {
        let drop = TSPI_lineDrop.is_legal_in(state);
        assert_eq!(drop, state != CallState::Idle, "D9: drop in {state}");
        let answer = TSPI_lineAnswer.is_legal_in(state);
        assert_eq!(answer, matches!(state, CallState::Offering | CallState::Accepted));
        assert!(TSPI_lineGetCallInfo.is_legal_in(state), "any state");
        assert!(TSPI_lineCloseCall.is_legal_in(state), "D6: any state");
    }
}

#[test]
fn a_page_lists_its_errors() {
    assert!(TSPI_lineMakeCall.lists_error(LineError::DIALPROMPT.raw()));
    assert!(!TSPI_lineDrop.lists_error(LineError::DIALPROMPT.raw()));
    assert!(TSPI_phoneSetLamp.lists_error(PhoneError::INVALLAMPMODE.raw()));
}

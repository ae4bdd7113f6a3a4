//! The table against `facts/functions.tsv`, cell by cell.

use std::collections::BTreeSet;

use super::*;

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
        assert_eq!(function.parameters, parameters, "{}", row.name);
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
        let ids = function.parameter_list().filter(|(kind, _)| *kind == "DRV_REQUESTID").count();
        let first = function.parameter_list().next();
        assert_eq!(first == Some(("DRV_REQUESTID", "dwRequestID")), function.is_async());
        assert_eq!(ids, usize::from(function.is_async()), "{}", function.name);
    }
}

#[test]
fn parameters_are_types_and_names() {
    let parameters: Vec<_> = TSPI_lineMakeCall.parameter_list().collect();
    assert_eq!(parameters.len(), 7);
    assert_eq!(parameters[3], ("LPHDRVCALL", "lphdCall"));
    assert_eq!(parameters[6], ("LPLINECALLPARAMS const", "lpCallParams"));
    assert_eq!(TSPI_lineMSPIdentify.parameter_list().nth(1), Some(("GUID *", "pCLSID")));
}

#[test]
fn the_legal_states_of_a_call_are_checked() {
    for state in CallState::ALL {
        let drop = TSPI_lineDrop.check_state(state);
        assert_eq!(drop.is_ok(), state != CallState::Idle, "D9: drop in {state}");
        let answer = TSPI_lineAnswer.is_legal_in(state);
        assert_eq!(answer, matches!(state, CallState::Offering | CallState::Accepted));
        assert!(TSPI_lineGetCallInfo.is_legal_in(state), "any state");
        assert!(TSPI_lineCloseCall.is_legal_in(state), "D6: any state");
    }
    assert_eq!(TSPI_lineDrop.check_state(CallState::Idle), Err(LineError::INVALCALLSTATE));
}

#[test]
fn a_page_lists_its_errors() {
    assert!(TSPI_lineMakeCall.lists_error(LineError::DIALPROMPT.raw()));
    assert!(!TSPI_lineDrop.lists_error(LineError::DIALPROMPT.raw()));
    assert!(TSPI_phoneSetLamp.lists_error(PhoneError::INVALLAMPMODE.raw()));
}

//! Every function, and the versions and pairs of init and shutdown around them.

use ringback_tspi::constants::INITIALIZE_NEGOTIATION;
use ringback_tspi::functions::*;

use super::arguments::{Around, plausible, with};
use super::stage::Stage;
use crate::log::Data;

/// Offers versions that a provider may have to refuse (V1), and begins pairs (D15).
pub(super) fn versions(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    let offers = |device: u32, low: u32, high: u32| {
        with([
            ("device_id", Data::Number(device)),
            ("low", Data::Number(low)),
            ("high", Data::Number(high)),
        ])
    };
    let (version, newest) = (stage.version.get(), 0x0003_0001);
    for device in [INITIALIZE_NEGOTIATION, 0] {
        for (low, high) in [
            (0x0001_0003, newest),
            (version, version),
            (0x0001_0003, version),
            (version, newest),
            (0x0009_0000, 0x0009_0005),
            (0x0001_0000, 0x0001_0001),
        ] {
            stage.call(&TSPI_lineNegotiateTSPIVersion, offers(device, low, high));
        }
    }
    stage.init_again();
    if let Some((line, call)) = stage.first_call() {
        stage.quiet();
        stage.drop_call(call);
        stage.quiet();
        stage.close_call(call);
        stage.close(line);
    }
    stage.shutdown();
    // A new pair, which remembers nothing of the first.
    if stage.init() {
        stage.shutdown();
    }
}

/// Functions that TAPI calls only at certain points.
const PLACED: [Function; 12] = [
    TSPI_providerEnumDevices,
    TSPI_providerInit,
    TSPI_providerShutdown,
    TSPI_providerInstall,
    TSPI_providerRemove,
    TSPI_lineOpen,
    TSPI_lineClose,
    TSPI_lineCloseCall,
    TSPI_lineDrop,
    TSPI_lineMakeCall,
    TSPI_phoneOpen,
    TSPI_phoneClose,
];

/// Leaves out what TAPI 2.0 and later never call, and what needs devices or dialogs that do not
/// exist.
fn is_called(function: &Function) -> bool {
    let elsewhere = matches!(function.class, Class::Obsolete | Class::UserInterface);
    let made = function.name.contains("MSP") || function.name.contains("Create");
    let ends = [TSPI_lineGatherDigits, TSPI_lineGenerateDigits, TSPI_lineGenerateTone];
    let is_one = |functions: &[Function]| functions.iter().any(|one| one.name == function.name);
    !elsewhere && !made && !is_one(&PLACED) && !is_one(&ends)
}

/// Every function of lines and calls: on a line without a call, and with one.
pub(super) fn every(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    let needs = |function: &Function, kind: &str| {
        let handle = function.parameters.iter().find(|p| p.c[0].kind == kind);
        handle.is_some_and(|p| p.shape == Shape::Handle)
    };
    let of_lines = |function: &&'static Function| {
        matches!(function.group, Group::Line) && is_called(function) && stage.subject.has(function)
    };
    if let Some(line) = (0..stage.lines.get()).rev().find_map(|device| stage.open(device)) {
        let around = stage.around(line, 0);
        let without = all().filter(of_lines).filter(|function| !needs(function, "HDRVCALL"));
        try_all(stage, without, &around);
        stage.quiet();
        stage.close(line);
    }
    if let Some((line, call)) = stage.connected_call() {
        let around = stage.around(line, call.driver);
        for function in all().filter(of_lines).filter(|function| needs(function, "HDRVCALL")) {
            // Whether it is offered (F1).
            stage.call(&TSPI_lineGetCallStatus, plausible(&TSPI_lineGetCallStatus, &around, 512));
            try_all(stage, [function].into_iter(), &around);
        }
        stage.quiet();
        stage.drop_call(call);
        stage.quiet();
        stage.close_call(call);
        stage.close(line);
    }
    stage.shutdown();
}

/// Calls each of the functions, with structures that have just enough room, and more.
pub(super) fn try_all(
    stage: &Stage<'_>,
    functions: impl Iterator<Item = &'static Function>,
    around: &Around,
) {
    for function in functions {
        if function.is_async() {
            let made = stage.request(function, plausible(function, around, 0));
            if let Some((id, calls)) = made {
                stage.done(id);
                let alive = calls.into_iter().filter(|call| call.driver != 0);
                alive.for_each(|call| stage.close_call(call));
            }
            continue;
        }
        let has_room = function.parameters.iter().any(|p| p.shape == Shape::Filled);
        let rooms: &[usize] = if has_room { &[0, 1024] } else { &[0] };
        for room in rooms {
            stage.call(function, plausible(function, around, *room));
        }
    }
}

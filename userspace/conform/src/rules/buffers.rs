//! B: memory that is handed in and filled.

use ringback_tspi::functions::{Shape, TSPI_lineGatherDigits, TSPI_lineMonitorTones};

use super::returns::unwritten;
use super::{Docket, called, span};
use crate::history::{History, Run};
use crate::log::{Data, Hex, Watch, What};

pub(super) fn b1(history: &History<'_>, docket: &mut Docket) {
    inputs(history, docket, |run| run.function.is_async());
}

pub(super) fn b2(history: &History<'_>, docket: &mut Docket) {
    inputs(history, docket, |run| run.is(&TSPI_lineMonitorTones));
}

/// Whether the input of these functions was left alone once they had returned.
fn inputs(history: &History<'_>, docket: &mut Docket, which: impl Fn(&Run<'_>) -> bool) {
    if !history.log.watches(Watch::Inputs) {
        return;
    }
    for run in history.runs.iter().filter(|run| which(run) && run.result().is_some()) {
        let touched = history.log.entries().iter().find_map(|entry| match &entry.what {
            What::Touched { of, parameter } if *of == run.at => Some((entry.number, parameter)),
            _ => None,
        });
        let input = |data: &Data| matches!(data, Data::Text(_) | Data::Bytes(_) | Data::Records(_));
        match touched {
            Some((at, parameter)) => docket.broken(
                format!("{}, and its input was made inaccessible after it returned", called(run)),
                format!("{parameter} was accessed after that"),
                [span(run), vec![at]].concat(),
            ),
            None if run.arguments().any(|(_, data)| input(data)) => docket.kept(),
            None => {}
        }
    }
}

/// The structures that functions have filled: before, and after.
fn filled<'h, 'a>(
    history: &'h History<'a>,
) -> impl Iterator<Item = (&'h Run<'a>, &'static str, &'a [u8], &'a [u8])> {
    history.runs.iter().filter(|run| run.result() == Some(0)).flat_map(|run| {
        let filled = run.function.parameters.iter().filter(|p| p.shape == Shape::Filled);
        filled.filter_map(move |parameter| {
            let Some(Data::Bytes(Hex(before))) = run.argument(parameter.name) else { return None };
            let Hex(after) = run.returned?.filled.get(parameter.name)?;
            Some((run, parameter.name, &**before, &**after))
        })
    })
}

/// The word with this index of a structure.
fn word(bytes: &[u8], index: usize) -> Option<u32> {
    let bytes = bytes.get(index * 4..index * 4 + 4)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

pub(super) fn b3(history: &History<'_>, docket: &mut Docket) {
    for (run, name, _, after) in filled(history) {
        let sizes = word(after, 0).zip(word(after, 1)).zip(word(after, 2));
        let Some(((total, needed), used)) = sizes else { continue };
        // What is needed and does not fit is left out; what is used is there.
        if used <= total && used <= needed {
            docket.kept();
        } else {
            docket.broken(
                called(run),
                format!(
                    "{name} has a dwTotalSize of {total}, a dwNeededSize of {needed} and a \
                     dwUsedSize of {used}"
                ),
                span(run),
            );
        }
    }
}

pub(super) fn b4(history: &History<'_>, docket: &mut Docket) {
    for entry in history.log.entries() {
        if let What::Overwritten { of, parameter, offset } = &entry.what {
            let run = history.runs.iter().find(|run| run.at == *of);
            let done = run.map_or_else(String::new, called);
            let seen = format!("{parameter} was written at offset {offset}, which is TAPI's");
            docket.broken(done, seen, [*of, entry.number]);
        }
    }
    for (run, name, before, after) in filled(history) {
        let sizes = word(before, 0).zip(word(after, 0));
        match sizes {
            Some((before, after)) if before != after => docket.broken(
                called(run),
                format!("dwTotalSize of {name} was {before} and became {after}"),
                span(run),
            ),
            Some(_) => docket.kept(),
            None => {}
        }
    }
}

pub(super) fn b7(history: &History<'_>, docket: &mut Docket) {
    if !history.log.watches(Watch::Outputs) {
        return;
    }
    let gathers = history.runs.iter().filter(|run| run.is(&TSPI_lineGatherDigits) && run.is_done());
    for run in gathers {
        let ends = super::order::ends_of(history, run);
        let Some(end) = ends.first() else { continue };
        match unwritten(history, run.at, "digits") {
            None => docket.kept(),
            Some(at) => docket.broken(
                called(run),
                "LINE_GATHERDIGITS came, and the buffer is as it was",
                [run.at, *end, at],
            ),
        }
    }
}

//! Phones: every function, and closing while requests are outstanding (D10).

use ringback_tspi::functions::*;

use super::arguments::{Around, handle, plausible, with};
use super::functions::try_all;
use super::stage::Stage;
use crate::log::Data;

pub(super) fn phones(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    for device in 0..stage.phones.get().min(4) {
        for round in 0..3 {
            let Some(phone) = open(stage, device) else { break };
            let version = stage.version.get();
            let around = Around { device, version, phone, ..Around::default() };
            let of_phones = all().filter(|function| {
                let placed = [TSPI_phoneOpen, TSPI_phoneClose, TSPI_phoneConfigDialog];
                matches!(function.group, Group::Phone)
                    && placed.iter().all(|one| one.name != function.name)
                    && !function.name.contains("Create")
                    && stage.subject.has(function)
            });
            if round == 0 {
                try_all(stage, of_phones, &around);
                stage.quiet();
            } else {
                for function in of_phones.filter(|function| function.is_async()) {
                    stage.request(function, plausible(function, &around, 0));
                }
            }
            stage.call(&TSPI_phoneClose, with([("phone", handle("HDRVPHONE", phone))]));
            stage.quiet();
        }
    }
    stage.shutdown();
}

fn open(stage: &Stage<'_>, device: u32) -> Option<u64> {
    let tapi = stage.desk.state().new_handle();
    let arguments = with([
        ("device_id", Data::Number(device)),
        ("phone", handle("HTAPIPHONE", tapi)),
        ("version", Data::Version(stage.version.get())),
    ]);
    let answer = stage.call(&TSPI_phoneOpen, arguments);
    (answer.result == 0).then(|| answer.word(0))
}

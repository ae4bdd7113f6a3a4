//! From reset to an on-hook line, and what to do when the chip lost its settings.

use std::time::Duration;

use crate::PortNumber;
use ringback_country::{Companding, Daa};

use super::registers::*;
use super::settings::LineSettings;
use crate::card::module::{Diagnosis, EXAMINATION_INTERVAL, Examination, ModuleError};
use crate::card::sequence::Chip;

const RESET_TIME: Duration = Duration::from_millis(100);
const LINK_POLL: Duration = Duration::from_millis(100);
const LINK_LIMIT: Duration = Duration::from_secs(2);

/// Looks for a Si3050. The byte counter is reset first, because an attempt to access the chip as a
/// Si3210 has left it in the middle of a command.
pub(crate) async fn identify(chip: &Chip<Si3050>) -> bool {
    chip.resync().await;
    chip.resync().await;
    chip.read(CONTROL_2).await == CONTROL_2_RESET
}

/// Brings the chip up for a slot, from whatever state it is in; leaves the line on-hook.
pub(crate) async fn bring_up(
    chip: &Chip<Si3050>,
    slot: PortNumber,
    daa: Daa,
    companding: Companding,
) -> Result<(), ModuleError> {
    if !identify(chip).await {
        return Err(ModuleError::NotAnswering);
    }
    chip.write(CONTROL_1, Control1::SOFT_RESET).await;
    chip.wait(RESET_TIME).await;
    // The last slot's bits come first in the frame.
    let start = 3u8.saturating_sub(slot.0) * 8;
    // Half waves, and no validation in the chip: `debounce` decides what counts as ringing.
    chip.write(RING_RECTIFIER, RingRectifier::empty()).await;
    chip.write_all(&[
        (RING_VALIDATION, VALIDATION_OFF),
        (TX_START_LOW, start),
        (TX_START_HIGH, 0),
        (RX_START_LOW, start),
        (RX_START_HIGH, 0),
    ])
    .await;
    chip.write(DAA_CONTROL_2, DaaControl2::empty()).await;
    let answers = |side: LineSide| side.intersects(LineSide::IDENTITY) && side.bits() != ABSENT;
    let side = chip
        .poll(LINE_SIDE, LINK_POLL, LINK_LIMIT, answers)
        .await
        .map_err(|_| ModuleError::NoIsoLink)?;
    let settings = LineSettings::new(&daa, side);
    chip.write_all(&[
        (INTERNATIONAL, settings.international),
        (DC_TERMINATION, settings.dc_termination),
        (DAA_CONTROL_3, settings.control_3),
    ])
    .await;
    if let Some(impedance) = settings.ac_termination {
        chip.write(AC_TERMINATION, impedance).await;
    }
    chip.write(SPARK_QUENCHING, settings.spark_quenching).await;
    chip.write(DAA_CONTROL, DaaControl::ON_HOOK_MONITOR).await;
    for register in [TX_GAIN, RX_GAIN, TX_GAIN_FINE, RX_GAIN_FINE] {
        chip.write(register, 0).await;
    }
    // They are 0 after the reset.
    if daa.hybrid != [0; 8] {
        write_hybrid(chip, daa.hybrid).await;
    }
    // It has sent nothing until now, in no slot.
    chip.write(PCM_MODE, PcmMode::service(companding)).await;
    Ok(())
}

/// Sets impedance and hybrid of a line in service.
pub(crate) async fn tune(chip: &Chip<Si3050>, daa: Daa) {
    let settings = LineSettings::new(&daa, chip.read(LINE_SIDE).await);
    chip.write(INTERNATIONAL, settings.international).await;
    if let Some(impedance) = settings.ac_termination {
        chip.write(AC_TERMINATION, impedance).await;
    }
    write_hybrid(chip, daa.hybrid).await;
}

async fn write_hybrid(chip: &Chip<Si3050>, hybrid: [i8; 8]) {
    for (register, coefficient) in HYBRID.into_iter().zip(hybrid) {
        chip.write(register, coefficient.cast_unsigned()).await;
    }
}

/// Finds out why a chip gave an impossible sample. Its samples are to be of this law.
pub(crate) async fn diagnose(chip: &Chip<Si3050>, companding: Companding) -> Diagnosis {
    let mut examination = Examination::default();
    loop {
        if let Some(diagnosis) = examination.add(examine(chip, companding).await) {
            return diagnosis;
        }
        chip.wait(EXAMINATION_INTERVAL).await;
    }
}

async fn examine(chip: &Chip<Si3050>, companding: Companding) -> Diagnosis {
    if !identify(chip).await {
        Diagnosis::NotAnswering
    } else if chip.read(DAA_CONTROL_2).await.contains(DaaControl2::LINE_SIDE_OFF)
        || chip.read(PCM_MODE).await != PcmMode::service(companding)
    {
        Diagnosis::PartReset
    } else if !chip.read(LINK_STATUS).await.contains(LinkStatus::FRAME_DETECT)
        || !chip.read(LINE_SIDE).await.intersects(LineSide::IDENTITY)
    {
        Diagnosis::IsoLinkLost
    } else {
        Diagnosis::Sound
    }
}

#[cfg(test)]
mod tests {
    use ringback_country::Country;
    use ringback_softcard::chips::RegisterFile;

    use super::super::simulation;
    use super::*;
    use crate::card::sequence::Sequence;

    fn brought_up(
        chip: &mut simulation::Si3050,
        slot: PortNumber,
        country: &str,
    ) -> Result<(), ModuleError> {
        let country: Country = country.parse().unwrap();
        let (daa, law) = (*country.daa(), country.companding());
        Sequence::new(move |chip| async move { bring_up(&chip, slot, daa, law).await })
            .run(|operation| chip.perform(operation))
    }

    /// What is found with a chip that is to send samples of this law.
    fn diagnosed(chip: &mut simulation::Si3050, law: Companding) -> Diagnosis {
        Sequence::new(move |chip| async move { diagnose(&chip, law).await })
            .run(|operation| chip.perform(operation))
    }

    #[test]
    fn leaves_an_idle_line_with_the_countrys_settings() {
        for (slot, country, settings, pcm_mode) in [
            (0, "FCC", [0x01, 0xC0, 0x00, 0xA3], 0x28),
            (3, "australia", [0x40, 0x30, 0x03, 0x23], 0x20),
            (2, "UK", [0, 0xC2, 5, 0xAB], 0x20),
        ] {
            let mut chip = simulation::Si3050::new();
            assert_eq!(brought_up(&mut chip, PortNumber(slot), country), Ok(()));
            assert_eq!([16, 26, 30, 31].map(|register| chip.read(register)), settings);
            assert_eq!(chip.read(5), 0x08);
            assert_eq!(chip.read(33), pcm_mode, "u-law or A-law");
            let start = (3 - slot) * 8;
            assert_eq!([34, 35, 36, 37].map(|register| chip.read(register)), [start, 0, start, 0]);
            assert_eq!(chip.resyncs, 2);
            assert_eq!(chip.soft_resets, 1);
        }
    }

    #[test]
    fn an_si3018_gets_what_it_has() {
        let mut chip = simulation::Si3050::with_si3018();
        assert_eq!(brought_up(&mut chip, PortNumber(0), "australia"), Ok(()));
        let read = [16, 26, 30, 31, 59].map(|register| chip.read(register));
        assert_eq!(read, [0x60, 0x30, 0, 0x20, 0x50]);
    }

    #[test]
    fn a_line_is_tuned_on_either_line_side_and_after_a_reset() {
        for (mut chip, impedance) in [
            (simulation::Si3050::new(), [0x00, 0x04]),
            (simulation::Si3050::with_si3018(), [0xA0, 0x00]),
        ] {
            assert_eq!(brought_up(&mut chip, PortNumber(0), "germany"), Ok(()));
            let mut daa = *"germany".parse::<Country>().unwrap().daa();
            daa.ac_termination = 0x04;
            daa.hybrid = [-1, 2, -3, 4, 5, 6, 127, -128];
            Sequence::new(move |chip| async move { tune(&chip, daa).await })
                .run(|operation| chip.perform(operation));
            let tuned = |chip: &mut simulation::Si3050| {
                let registers = [16, 30, 45, 46, 47, 48, 49, 50, 51, 52];
                registers.map(|register| chip.read(register))
            };
            let [international, ac_termination] = impedance;
            let expected = [international, ac_termination, 0xFF, 2, 0xFD, 4, 5, 6, 0x7F, 0x80];
            assert_eq!(tuned(&mut chip), expected);
            let slot = PortNumber(0);
            let law = Companding::ALaw;
            Sequence::new(move |chip| async move { bring_up(&chip, slot, daa, law).await })
                .run(|operation| chip.perform(operation))
                .unwrap();
            assert_eq!(tuned(&mut chip), expected);
        }
    }

    #[test]
    fn a_line_side_that_needs_time_is_waited_for() {
        let mut chip = simulation::Si3050::new();
        chip.link_after = Duration::from_millis(1900);
        assert_eq!(brought_up(&mut chip, PortNumber(0), "FCC"), Ok(()));
    }

    #[test]
    fn a_missing_line_side_is_named() {
        let mut chip = simulation::Si3050::new();
        chip.link_after = Duration::MAX;
        let error = brought_up(&mut chip, PortNumber(0), "FCC").unwrap_err();
        assert_eq!(error, ModuleError::NoIsoLink);
        assert!(error.to_string().contains("line side"), "{error}");
        assert!(chip.waited < Duration::from_millis(2300), "{:?}", chip.waited);
        assert_eq!(chip.read(5) & 1, 0, "never off-hook");
    }

    #[test]
    fn faults_are_distinguished() {
        let mut chip = simulation::Si3050::new();
        brought_up(&mut chip, PortNumber(0), "FCC").unwrap();
        let diagnosed = |chip: &mut simulation::Si3050| diagnosed(chip, Companding::ULaw);
        assert_eq!(diagnosed(&mut chip), Diagnosis::Sound);
        chip.link_after = Duration::MAX;
        assert_eq!(diagnosed(&mut chip), Diagnosis::IsoLinkLost);
        chip.reset();
        assert_eq!(diagnosed(&mut chip), Diagnosis::PartReset);
        chip.absent = Some(0xFF);
        assert_eq!(diagnosed(&mut chip), Diagnosis::NotAnswering);
    }

    #[test]
    fn a_chip_whose_samples_are_of_another_law_has_lost_its_settings() {
        for (country, law, other) in [
            ("FCC", Companding::ULaw, Companding::ALaw),
            ("germany", Companding::ALaw, Companding::ULaw),
        ] {
            let mut chip = simulation::Si3050::new();
            brought_up(&mut chip, PortNumber(0), country).unwrap();
            assert_eq!(diagnosed(&mut chip, law), Diagnosis::Sound);
            assert_eq!(diagnosed(&mut chip, other), Diagnosis::PartReset);
        }
    }
}

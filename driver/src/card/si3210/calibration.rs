//! Calibration of the Si3210: the automatic one, and the manual one for chips that don't finish the
//! automatic one.

use std::time::Duration;

use super::indirect::{self, Model};
use super::registers::*;
use crate::card::module::ModuleError;
use crate::card::register::Register;
use crate::card::sequence::Chip;
use crate::report;

const POLL: Duration = Duration::from_millis(10);
/// Time for the gain to settle after each step of the manual search.
const SETTLE: Duration = Duration::from_millis(40);

/// The chip's own calibration, tried twice.
pub(super) async fn automatic(chip: &Chip<Si3210>) -> Result<(), ModuleError> {
    for _ in 0..2 {
        chip.write(CALIBRATE_2, Calibrate2::all()).await;
        chip.write(CALIBRATE, Calibrate::START_ALL).await;
        if finished(chip, Duration::from_secs(2)).await {
            return Ok(());
        }
    }
    Err(ModuleError::Calibration)
}

/// Calibrates what can be done one by one, and searches the TIP and RING gains by hand.
pub(super) async fn manual(chip: &Chip<Si3210>, model: Model) -> Result<(), ModuleError> {
    enable_interrupts(chip, 0).await;
    chip.write(LINE_STATE, LineState::OPEN).await;
    // Everything but the ADC and DAC offsets and the gain mismatch.
    chip.write(CALIBRATE_2, Calibrate2::MONITOR_1 | Calibrate2::MONITOR_2).await;
    chip.write(CALIBRATE, Calibrate::START_MANUAL).await;
    if !finished(chip, Duration::from_millis(800)).await {
        return Err(ModuleError::Calibration);
    }
    for register in indirect::OFFSETS {
        indirect::store(chip, model, register, 0).await?;
    }
    // Both searches start from the same place.
    chip.write_all(&[(RING_GAIN, GAIN_MIDDLE), (TIP_GAIN, GAIN_MIDDLE)]).await;
    search(chip, RING_GAIN, RING_GAIN_SENSE).await;
    search(chip, TIP_GAIN, TIP_GAIN_SENSE).await;
    // The longitudinal balance needs the line fed for a moment, and its interrupt enabled.
    chip.write(LINE_STATE, LineState::ask(FeedState::ACTIVE)).await;
    chip.wait(Duration::from_millis(100)).await;
    chip.write(LINE_STATE, LineState::OPEN).await;
    chip.write(INTERRUPT_ENABLE_3, CALIBRATED).await;
    chip.write(CALIBRATE_2, Calibrate2::BALANCE).await;
    chip.write(CALIBRATE, Calibrate::START).await;
    // A chip that needs manual calibration may not report the end of this step. Its result is
    // valid all the same.
    finished(chip, Duration::from_millis(800)).await;
    enable_interrupts(chip, EVERY_INTERRUPT).await;
    Ok(())
}

async fn enable_interrupts(chip: &Chip<Si3210>, enabled: u8) {
    for register in [INTERRUPT_ENABLE_1, INTERRUPT_ENABLE_2, INTERRUPT_ENABLE_3] {
        chip.write(register, enabled).await;
    }
}

/// Calibrates the DC-DC converter, and replaces an implausible result.
pub(super) async fn converter(chip: &Chip<Si3210>) {
    let off_time = ConverterControl::MINIMUM_OFF_TIME;
    chip.write(CONVERTER_CONTROL, off_time | ConverterControl::CALIBRATE).await;
    chip.wait(POLL).await;
    let result = chip.read(CONVERTER_RESULT).await;
    if !CONVERTER_SOUND.contains(&result) {
        report!(WARN, "FXS module: converter calibration {result} out of range, set to the middle");
        chip.write(CONVERTER_RESULT, CONVERTER_MIDDLE).await;
    }
}

/// Lowers a gain until its mismatch is gone.
async fn search(chip: &Chip<Si3210>, result: Register<Si3210, u8>, sense: Register<Si3210, u8>) {
    for gain in (1..=GAIN_HIGHEST).rev() {
        chip.write(result, gain).await;
        chip.wait(SETTLE).await;
        if chip.read(sense).await == 0 {
            return;
        }
    }
}

async fn finished(chip: &Chip<Si3210>, limit: Duration) -> bool {
    chip.poll(CALIBRATE, POLL, limit, |left| left.is_empty()).await.is_ok()
}

#[cfg(test)]
mod tests {
    use ringback_softcard::chips::RegisterFile;

    use super::super::simulation;
    use super::*;
    use crate::card::sequence::Sequence;

    #[test]
    fn is_tried_twice() {
        let mut chip = simulation::Si3210::new();
        chip.failing_calibrations = 1;
        let result = Sequence::new(|chip| async move { automatic(&chip).await })
            .run(|operation| chip.perform(operation));
        assert_eq!(result, Ok(()));
        chip.failing_calibrations = 2;
        let result = Sequence::new(|chip| async move { automatic(&chip).await })
            .run(|operation| chip.perform(operation));
        assert_eq!(result, Err(ModuleError::Calibration));
    }

    #[test]
    fn by_hand_finds_the_gains() {
        let mut chip = simulation::Si3210::new();
        chip.matching_gains = [0x0C, 0x15];
        let result = Sequence::new(|chip| async move { manual(&chip, Model::Si3210).await })
            .run(|operation| chip.perform(operation));
        assert_eq!(result, Ok(()));
        assert_eq!(chip.direct(98), [0x0C, 0x15]);
        assert_eq!(chip.read(64) & 7, 0, "the line is open afterwards");
    }

    #[test]
    fn an_odd_converter_result_is_repaired() {
        let mut chip = simulation::Si3210::new();
        chip.converter_result = Some(0x0E);
        Sequence::new(|chip| async move { converter(&chip).await })
            .run(|operation| chip.perform(operation));
        assert_eq!(chip.read(107), 8);
    }
}

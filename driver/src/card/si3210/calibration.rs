//! Calibration of the Si3210: its own, and the manual one for chips that don't finish their own.

use std::time::Duration;

use super::indirect;
use super::registers::{
    CALIBRATE, CALIBRATE_2, CONVERTER_CONTROL, CONVERTER_RESULT, GAIN_RESULT, GAIN_SENSE,
    INTERRUPT_MASK, LINE_STATE,
};
use crate::card::module::ModuleError;
use crate::card::sequence::Chip;
use crate::report;

const POLL: Duration = Duration::from_millis(10);
/// Time for the gain to settle after each step of the manual search.
const SETTLE: Duration = Duration::from_millis(40);

/// The chip's own calibration, tried twice.
pub(super) async fn automatic(chip: &Chip) -> Result<(), ModuleError> {
    for _ in 0..2 {
        chip.write(CALIBRATE_2, 0x1F).await;
        chip.write(CALIBRATE, 0x5F).await;
        if finished(chip, Duration::from_secs(2)).await {
            return Ok(());
        }
    }
    Err(ModuleError::Calibration)
}

/// Calibrates what can be done one by one, and searches the TIP and RING gains by hand.
pub(super) async fn manual(chip: &Chip) -> Result<(), ModuleError> {
    for register in INTERRUPT_MASK {
        chip.write(register, 0).await;
    }
    chip.write(LINE_STATE, 0).await;
    // Everything but the ADC and DAC offsets and the gain mismatch.
    chip.write(CALIBRATE_2, 0x18).await;
    chip.write(CALIBRATE, 0x47).await;
    if !finished(chip, Duration::from_millis(800)).await {
        return Err(ModuleError::Calibration);
    }
    for register in indirect::OFFSETS {
        indirect::store(chip, register, 0).await?;
    }
    // Both searches start from the same place.
    for register in GAIN_RESULT {
        chip.write(register, 0x10).await;
    }
    for (result, sense) in GAIN_RESULT.into_iter().zip(GAIN_SENSE) {
        search(chip, result, sense).await;
    }
    // The longitudinal balance needs the line fed for a moment, and its interrupt enabled.
    chip.write(LINE_STATE, 1).await;
    chip.wait(Duration::from_millis(100)).await;
    chip.write(LINE_STATE, 0).await;
    let [_, _, balance] = INTERRUPT_MASK;
    chip.write(balance, 0x04).await;
    chip.write(CALIBRATE_2, 0x01).await;
    chip.write(CALIBRATE, 0x40).await;
    // A chip that needed the manual way may not report the end of this step; its result holds.
    finished(chip, Duration::from_millis(800)).await;
    for register in INTERRUPT_MASK {
        chip.write(register, 0xFF).await;
    }
    Ok(())
}

/// The DC-DC converter's calibration; repairs a result that can't be right.
pub(super) async fn converter(chip: &Chip) {
    chip.write(CONVERTER_CONTROL, 0x99).await;
    chip.wait(POLL).await;
    let result = chip.read(CONVERTER_RESULT).await;
    if !(2..=13).contains(&result) {
        report!(WARN, "FXS module: converter calibration {result} out of range, set to the middle");
        chip.write(CONVERTER_RESULT, 8).await;
    }
}

/// Lowers a gain until its mismatch is gone.
async fn search(chip: &Chip, result: u8, sense: u8) {
    for gain in (1..=0x1F).rev() {
        chip.write(result, gain).await;
        chip.wait(SETTLE).await;
        if chip.read(sense).await == 0 {
            return;
        }
    }
}

async fn finished(chip: &Chip, limit: Duration) -> bool {
    chip.poll(CALIBRATE, POLL, limit, |value| value == 0).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::simulation::Si3210;
    use super::*;
    use crate::card::sequence::Sequence;

    #[test]
    fn is_tried_twice() {
        let mut chip = Si3210::new();
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
        let mut chip = Si3210::new();
        chip.matching_gains = [0x0C, 0x15];
        let result = Sequence::new(|chip| async move { manual(&chip).await })
            .run(|operation| chip.perform(operation));
        assert_eq!(result, Ok(()));
        assert_eq!([chip.direct[98], chip.direct[99]], [0x0C, 0x15]);
        assert_eq!(chip.direct[64] & 7, 0, "the line is open afterwards");
    }

    #[test]
    fn an_odd_converter_result_is_repaired() {
        let mut chip = Si3210::new();
        chip.converter_result = 0x0E;
        Sequence::new(|chip| async move { converter(&chip).await })
            .run(|operation| chip.perform(operation));
        assert_eq!(chip.direct[107], 8);
    }
}

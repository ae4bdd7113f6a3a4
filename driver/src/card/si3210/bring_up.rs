//! Bringing a Si3210 up from reset to a fed line, and restoring one that lost its settings.

use std::time::Duration;

use ringback_country::Country;

use super::calibration;
use super::indirect::{self, Model};
use super::registers::*;
use crate::card::module::{Diagnosis, EXAMINATION_INTERVAL, Examination, ModuleError};
use crate::card::register::{Register, Value};
use crate::card::sequence::Chip;
use crate::{PortNumber, report};

const POLL: Duration = Duration::from_millis(10);
const POWER_LIMIT: Duration = Duration::from_millis(500);

/// What was found in a slot that was probed for an FXS module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    /// No Si3210 or Si3215 answers: nothing there, or an FXO module.
    Absent,
    /// Such a chip, freshly reset.
    Fresh(Model),
    /// Something answers, but not as a freshly reset chip does.
    Odd(ModuleError),
}

/// What bring-up has found out about a chip, with which it is restored quickly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calibration {
    /// Which of the two chips it is.
    pub(crate) model: Model,
    /// Registers 98 to 107.
    results: [u8; 10],
}

/// Looks for a freshly reset Si3210 or Si3215.
pub(crate) async fn identify(chip: &Chip<Si3210>) -> Identity {
    if !answers(chip).await {
        return Identity::Absent;
    }
    let model = match chip.read(PCM_MODE).await.contains(PcmMode::SI3215) {
        true => Model::Si3215,
        false => Model::Si3210,
    };
    let fresh = async {
        expect(chip, LOOPBACK, Loopback::DIGITAL).await?;
        expect(chip, LINE_STATE, LineState::OPEN).await?;
        expect(chip, HYBRID, HYBRID_RESET).await
    };
    if let Err(error) = fresh.await {
        return Identity::Odd(error);
    }
    chip.write(INDIRECT_ADDRESS, IndirectAddress::FIRST).await;
    Identity::Fresh(model)
}

/// Reads a register, which is to have the value that it has after reset.
async fn expect<V: Value>(
    chip: &Chip<Si3210>,
    register: Register<Si3210, V>,
    value: V,
) -> Result<(), ModuleError> {
    let (expected, read) = (value.raw() as u8, chip.read(register).await.raw() as u8);
    if read == expected {
        return Ok(());
    }
    Err(ModuleError::Identity { register: register.number() as u8, expected, read })
}

/// Brings a freshly reset chip up for a slot: checks, calibrates, feeds the line.
pub(crate) async fn bring_up(
    chip: &Chip<Si3210>,
    slot: PortNumber,
    country: Country,
    model: Model,
) -> Result<Calibration, ModuleError> {
    prepare(chip, country, model).await?;
    power_up(chip).await?;
    leak_test(chip).await;
    power_up(chip).await?;
    if calibration::automatic(chip).await.is_err() {
        report!(WARN, "slot {slot}: FXS module: calibration did not end, calibrating by hand");
        calibration::manual(chip, model).await?;
    }
    calibration::converter(chip).await;
    let mut results = [0; 10];
    for (register, result) in RESULTS.into_iter().zip(&mut results) {
        *result = chip.read(register).await;
    }
    configure(chip, slot, country, model).await?;
    chip.write(LINE_STATE, LineState::ask(FeedState::ACTIVE)).await;
    Ok(Calibration { model, results })
}

/// Brings a chip that lost its settings back with the calibration it had: about 0.1 s instead
/// of 3 s. The line is left open; the caller feeds it as it was.
pub(crate) async fn restore(
    chip: &Chip<Si3210>,
    slot: PortNumber,
    country: Country,
    calibration: Calibration,
) -> Result<(), ModuleError> {
    if !answers(chip).await {
        return Err(ModuleError::NotAnswering);
    }
    chip.write(LINE_STATE, LineState::OPEN).await;
    chip.write(POWER_DOWN, PowerDown::CONVERTER).await;
    prepare(chip, country, calibration.model).await?;
    power_up(chip).await?;
    for (register, result) in RESULTS.into_iter().zip(calibration.results) {
        chip.write(register, result).await;
    }
    configure(chip, slot, country, calibration.model).await
}

/// Finds out why a chip gave an impossible sample.
pub(crate) async fn diagnose(chip: &Chip<Si3210>) -> Diagnosis {
    let mut examination = Examination::default();
    loop {
        if let Some(diagnosis) = examination.add(examine(chip).await) {
            return diagnosis;
        }
        chip.wait(EXAMINATION_INTERVAL).await;
    }
}

async fn examine(chip: &Chip<Si3210>) -> Diagnosis {
    if !answers(chip).await {
        chip.resync().await;
        if !answers(chip).await {
            return Diagnosis::NotAnswering;
        }
    }
    if !chip.read(LOOPBACK).await.is_empty() {
        Diagnosis::PartReset
    } else if chip.read(LINE_STATE).await == LineState::OPEN {
        Diagnosis::PowerAlarm
    } else {
        Diagnosis::Sound
    }
}

async fn answers(chip: &Chip<Si3210>) -> bool {
    let revision = chip.read(IDENTITY).await & ChipIdentity::REVISION;
    !revision.is_empty() && revision != ChipIdentity::REVISION
}

/// Everything before power: the coefficients, and what keeps the output transistors safe.
async fn prepare(chip: &Chip<Si3210>, country: Country, model: Model) -> Result<(), ModuleError> {
    indirect::store_all(chip, model, country).await?;
    indirect::store(chip, model, indirect::SCRATCH, 0).await?;
    chip.write(LOOPBACK, Loopback::empty()).await;
    chip.write(ENHANCE, ENHANCEMENTS).await;
    chip.write(AUTOMATIC, Automatic::all()).await;
    chip.write(BATTERY_FEED, BatteryFeed::SWITCH_OFF).await;
    // The filters are flushed until the voltages have settled; `configure` sets them again.
    for register in indirect::FILTERS {
        indirect::store(chip, model, register, indirect::FLUSH).await?;
    }
    Ok(())
}

async fn power_up(chip: &Chip<Si3210>) -> Result<(), ModuleError> {
    chip.write(CONVERTER_PERIOD, LONGEST_PERIOD).await;
    chip.write(POWER_DOWN, PowerDown::empty()).await;
    chip.poll(BATTERY_SENSE, POLL, POWER_LIMIT, |sense| sense >= BATTERY_UP)
        .await
        .map_err(|sense| ModuleError::NoPower { volts: volts(sense) })?;
    chip.write(LOOP_CURRENT, LOOP_20_MA).await;
    chip.write(CONVERTER_CONTROL, ConverterControl::MINIMUM_OFF_TIME).await;
    Ok(())
}

/// Switches the converter off and watches its voltage fall. If it falls too fast there is a leak,
/// which is logged and tolerated.
async fn leak_test(chip: &Chip<Si3210>) {
    chip.write(LINE_STATE, LineState::OPEN).await;
    chip.write(POWER_DOWN, PowerDown::CONVERTER).await;
    let (Ok(sense) | Err(sense)) =
        chip.poll(BATTERY_SENSE, POLL, POWER_LIMIT, |sense| sense <= BATTERY_DOWN).await;
    if sense < BATTERY_DOWN {
        report!(
            WARN,
            "FXS module: the voltage falls too fast ({} V left), check for a short circuit",
            volts(sense)
        );
    }
}

/// Everything after power: coefficients checked, samples in the slot's place, ringing.
async fn configure(
    chip: &Chip<Si3210>,
    slot: PortNumber,
    country: Country,
    model: Model,
) -> Result<(), ModuleError> {
    indirect::store_filters(chip, model, country).await?;
    indirect::verify_all(chip, model, country).await?;
    chip.write(IMPEDANCE, IMPEDANCE_ON | country.slic().impedance & 0x07).await;
    // The last slot's bits come first in the frame.
    let start = 3u8.saturating_sub(slot.0) * 8;
    chip.write_all(&[
        (TX_START_LOW, start),
        (TX_START_HIGH, 0),
        (RX_START_LOW, start),
        (RX_START_HIGH, 0),
        (INTERRUPT_STATUS_1, EVERY_INTERRUPT),
        (INTERRUPT_STATUS_2, EVERY_INTERRUPT),
        (INTERRUPT_STATUS_3, EVERY_INTERRUPT),
        (COMMON_MODE, COMMON_6_V),
    ])
    .await;
    // Ringing without a cadence of the chip's own (its timers stand at their usual values: 60 ms
    // and 190 ms in steps of 125 us), from a 75 V battery.
    chip.write(RING_CONTROL, RingControl::empty()).await;
    let ([on_low, on_high], [off_low, off_high]) = (480u16.to_le_bytes(), 1520u16.to_le_bytes());
    chip.write_all(&[
        (RING_ACTIVE_LOW, on_low),
        (RING_ACTIVE_HIGH, on_high),
        (RING_INACTIVE_LOW, off_low),
        (RING_INACTIVE_HIGH, off_high),
        (BATTERY_HIGH, BATTERY_75_V),
    ])
    .await;
    // It has sent nothing until now, in no slot.
    chip.write(PCM_MODE, PcmMode::service(country.companding())).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use ringback_softcard::chips::RegisterFile;

    use super::super::simulation;
    use super::*;
    use crate::card::sequence::Sequence;

    fn brought_up(
        chip: &mut simulation::Si3210,
        slot: PortNumber,
    ) -> Result<Calibration, ModuleError> {
        let identity = Sequence::new(|chip| async move { identify(&chip).await })
            .run(|operation| chip.perform(operation));
        let Identity::Fresh(model) = identity else { panic!("{identity:?}") };
        Sequence::new(
            move |chip| async move { bring_up(&chip, slot, Country::default(), model).await },
        )
        .run(|operation| chip.perform(operation))
    }

    fn diagnosed(chip: &mut simulation::Si3210) -> Diagnosis {
        Sequence::new(|chip| async move { diagnose(&chip).await })
            .run(|operation| chip.perform(operation))
    }

    #[test]
    fn leaves_a_fed_line() {
        for (slot, start) in [(0, 24), (1, 16), (2, 8), (3, 0)] {
            let mut chip = simulation::Si3210::new();
            let calibration = brought_up(&mut chip, PortNumber(slot)).unwrap();
            assert_eq!(chip.read(64) & 7, 1);
            assert_eq!(chip.read(1), 0x28);
            assert_eq!(chip.direct(2), [start, 0, start, 0]);
            assert_eq!(chip.read(8), 0);
            assert_eq!(chip.read(10), 0x08, "600 ohm");
            assert_eq!([66, 67, 108].map(|register| chip.read(register)), [1, 7, 0xEB]);
            let values = indirect::values(Country::default()).map(|(_, value)| value);
            assert_eq!(chip.indirect(), values);
            assert_eq!(calibration.results, chip.direct(98));
            assert!(chip.was_run_down, "the leak test ran");
        }
    }

    #[test]
    fn the_impedance_and_the_law_of_samples_are_the_countrys() {
        let settings = [
            ("FCC", 0, 0x28),
            ("JAPAN", 0, 0x28),
            ("TBR21", 4, 0x20),
            ("GERMANY", 5, 0x20),
            ("NEWZEALAND", 7, 0x20),
            ("UK", 0, 0x20),
        ];
        for (country, impedance, pcm_mode) in settings {
            let country: Country = country.parse().unwrap();
            let mut chip = simulation::Si3210::new();
            let up = Sequence::new(move |chip| async move {
                bring_up(&chip, PortNumber(0), country, Model::Si3210).await
            });
            up.run(|operation| chip.perform(operation)).unwrap();
            assert_eq!(chip.read(10), 0x08 | impedance, "{country}");
            assert_eq!(chip.read(1), pcm_mode, "{country}");
        }
    }

    #[test]
    fn chips_are_distinguished() {
        let identified = |prepare: fn(&mut simulation::Si3210)| {
            let mut chip = simulation::Si3210::new();
            prepare(&mut chip);
            Sequence::new(|chip| async move { identify(&chip).await })
                .run(|operation| chip.perform(operation))
        };
        assert_eq!(identified(|_| {}), Identity::Fresh(Model::Si3210));
        assert_eq!(
            identified(|chip| *chip = simulation::Si3210::si3215()),
            Identity::Fresh(Model::Si3215)
        );
        assert_eq!(identified(|chip| chip.absent = Some(0xFF)), Identity::Absent);
        assert_eq!(identified(|chip| chip.absent = Some(0x00)), Identity::Absent);
        assert_eq!(
            identified(|chip| chip.write(11, 0x31)),
            Identity::Odd(ModuleError::Identity { register: 11, expected: 0x33, read: 0x31 })
        );
    }

    #[test]
    fn a_missing_power_cable_is_named() {
        let mut chip = simulation::Si3210::new();
        chip.weak_battery = Some(0x10);
        let error = brought_up(&mut chip, PortNumber(0)).unwrap_err();
        assert_eq!(error, ModuleError::NoPower { volts: 6 });
        assert!(error.to_string().contains("drive power cable"), "{error}");
        assert!(
            chip.waited >= Duration::from_millis(500) && chip.waited < Duration::from_millis(600)
        );
    }

    #[test]
    fn a_calibration_that_does_not_end_is_done_by_hand() {
        let mut chip = simulation::Si3210::new();
        chip.failing_calibrations = 2;
        chip.matching_gains = [0x11, 0x0F];
        brought_up(&mut chip, PortNumber(0)).unwrap();
        assert_eq!(chip.direct(98), [0x11, 0x0F]);
        assert_eq!(chip.read(64) & 7, 1);

        let mut chip = simulation::Si3210::new();
        chip.failing_calibrations = u32::MAX;
        assert_eq!(brought_up(&mut chip, PortNumber(0)), Err(ModuleError::Calibration));
    }

    #[test]
    fn a_chip_that_lost_its_settings_is_restored_with_its_calibration() {
        let mut chip = simulation::Si3210::new();
        for (register, value) in (98..).zip([16, 17, 17, 17, 8, 0x88, 0, 0, 0x20, 9]) {
            chip.write(register, value);
        }
        let calibration = brought_up(&mut chip, PortNumber(2)).unwrap();
        let before = (chip.direct::<109>(0), chip.indirect::<44>());
        assert_eq!(diagnosed(&mut chip), Diagnosis::Sound);
        chip.reset();
        assert_eq!(diagnosed(&mut chip), Diagnosis::PartReset);
        chip.waited = Duration::ZERO;
        let result = Sequence::new(move |chip| async move {
            restore(&chip, PortNumber(2), Country::default(), calibration).await
        })
        .run(|operation| chip.perform(operation));
        assert_eq!(result, Ok(()));
        chip.write(64, 1);
        let after = chip.direct::<109>(0);
        let changed: Vec<usize> = (0..=108).filter(|&n| after[n] != before.0[n]).collect();
        // Calibration control is not repeated.
        assert_eq!(changed, [96]);
        assert_eq!(chip.indirect(), before.1);
        assert!(chip.waited < Duration::from_millis(100), "{:?}", chip.waited);
    }

    #[test]
    fn a_si3215_is_brought_up_and_restored() {
        let mut chip = simulation::Si3210::si3215();
        let calibration = brought_up(&mut chip, PortNumber(1)).unwrap();
        assert_eq!(calibration.model, Model::Si3215);
        // The model is no bit of the mode: it can't be written.
        assert_eq!((chip.read(64) & 7, chip.read(1)), (1, 0xA8));
        let before = chip.indirect::<105>();
        assert_eq!([before[0], before[7], before[8], before[16]], [0x7B30, 0x7EF0, 0x0160, 0x3600]);
        assert_eq!(
            [before[22], before[27], before[64], before[66]],
            [0x8000, 0xC00, 0xC00, 0x1000]
        );
        assert!(before[28..64].iter().all(|value| *value == 0), "nothing where nothing is");
        chip.reset();
        let result = Sequence::new(move |chip| async move {
            restore(&chip, PortNumber(1), Country::default(), calibration).await
        })
        .run(|operation| chip.perform(operation));
        assert_eq!(result, Ok(()));
        assert_eq!(chip.indirect(), before);
    }

    #[test]
    fn a_power_alarm_is_no_reset() {
        let mut chip = simulation::Si3210::new();
        brought_up(&mut chip, PortNumber(0)).unwrap();
        chip.write(64, 0);
        assert_eq!(diagnosed(&mut chip), Diagnosis::PowerAlarm);
        chip.absent = Some(0);
        assert_eq!(diagnosed(&mut chip), Diagnosis::NotAnswering);
    }
}

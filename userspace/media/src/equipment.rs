//! Detects fax machines and modems by the tones with which they announce themselves.

use crate::ffi::ConnectTones;

/// Equipment that announces itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equipment {
    /// A fax machine: calling tone (CNG, 1100 Hz), answer tone (CED, 2100 Hz) or the flags before
    /// its first message (ITU-T T.30, by V.21).
    FaxMachine,
    /// A modem: answer tone of 2100 Hz with phase reversals (ANS of V.25), or modulated (ANSam of
    /// V.8), which fax machines of V.34 send as well.
    DataModem,
}

/// Detects equipment. A tone has to last for 0.3 to 1.7 s, depending on what it is.
#[derive(Debug)]
pub struct EquipmentDetector {
    calling: ConnectTones,
    answering: ConnectTones,
}

impl EquipmentDetector {
    /// Creates a detector that has heard nothing yet.
    pub fn new() -> EquipmentDetector {
        EquipmentDetector {
            calling: ConnectTones::new(ConnectTones::CALLING_FAX),
            answering: ConnectTones::new(ConnectTones::ANSWERING),
        }
    }

    /// Processes samples, and calls `on` whenever equipment begins a tone or flags.
    pub fn feed(&mut self, samples: &[i16], on: &mut dyn FnMut(Equipment)) {
        // Each piece is short enough to contain the begin of one tone at most.
        for piece in samples.chunks(ConnectTones::BLOCK) {
            for receiver in [&mut self.calling, &mut self.answering] {
                if let Some(equipment) = receiver.listen(piece).and_then(of_tone) {
                    on(equipment);
                }
            }
        }
    }
}

impl Default for EquipmentDetector {
    fn default() -> EquipmentDetector {
        EquipmentDetector::new()
    }
}

/// The equipment that sends one of spandsp's tones.
fn of_tone(tone: i32) -> Option<Equipment> {
    match tone {
        ConnectTones::CNG | ConnectTones::ANS | ConnectTones::FAX_PREAMBLE => {
            Some(Equipment::FaxMachine)
        }
        ConnectTones::ANS_PR | ConnectTones::ANSAM | ConnectTones::ANSAM_PR => {
            Some(Equipment::DataModem)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf;
    use crate::tone::Generator;
    use ringback_country::Country;

    /// The peak of a sine of 0 dBm0.
    const PEAK_0_DBM0: f64 = 22_826.0;

    /// Samples of a frequency that may change and be reversed with time, which is in samples.
    fn wave(ms: usize, level: f64, wave: impl Fn(usize) -> (f64, bool)) -> Vec<i16> {
        let mut phase = 0.0;
        let sample = |at| {
            let (hz, reversed) = wave(at);
            phase += std::f64::consts::TAU * hz / 8000.0;
            let amplitude = f64::sin(phase) * PEAK_0_DBM0 * 10f64.powf(level / 20.0);
            (if reversed { -amplitude } else { amplitude }) as i16
        };
        (0..ms * 8).map(sample).collect()
    }

    fn heard(samples: &[i16], piece: usize) -> Vec<Equipment> {
        let (mut detector, mut heard) = (EquipmentDetector::new(), Vec::new());
        for piece in samples.chunks(piece) {
            detector.feed(piece, &mut |equipment| heard.push(equipment));
        }
        heard
    }

    fn steady(ms: usize, hz: f64, level: f64) -> Vec<i16> {
        wave(ms, level, |_| (hz, false))
    }

    #[test]
    fn a_fax_machine_is_heard_by_each_of_its_tones() {
        let cng = [steady(500, 1100.0, -15.0), vec![0; 3000 * 8]].concat();
        // V.21, channel 2: flags of 0111 1110 at 300 bit/s.
        let flags = wave(2000, -15.0, |at| {
            let zero = [0, 7].contains(&(at * 300 / 8000 % 8));
            (if zero { 1850.0 } else { 1650.0 }, false)
        });
        for piece in [1, 8, 160, 100_000] {
            for level in [-10.0, -30.0] {
                let ced = steady(3000, 2100.0, level);
                assert_eq!(heard(&ced, piece), [Equipment::FaxMachine], "{level} dBm0");
            }
            assert_eq!(heard(&cng.repeat(2), piece), [Equipment::FaxMachine; 2]);
            assert_eq!(heard(&flags, piece), [Equipment::FaxMachine]);
        }
    }

    #[test]
    fn a_modem_is_heard_by_the_phase_reversals_of_its_answer_tone() {
        let ans = wave(3300, -15.0, |at| (2100.0, at / 3600 % 2 == 1));
        for piece in [1, 8, 160, 100_000] {
            assert_eq!(heard(&ans, piece), [Equipment::DataModem], "pieces of {piece}");
        }
    }

    #[test]
    fn people_and_exchanges_are_no_equipment() {
        let mut samples = vec![0; 10 * 8000];
        for country in Country::each_zone() {
            for (what, signal) in country.tones().signals() {
                Generator::new(signal).fill(&mut samples);
                assert_eq!(heard(&samples, 160), [], "{what:?} of {country}");
            }
        }
        let mut digits = dtmf::Generator::new();
        "1234567890*#ABCD".chars().filter_map(dtmf::Digit::from_char).for_each(|d| digits.push(d));
        digits.fill(&mut samples);
        assert_eq!(heard(&samples, 160), []);
        for hz in [300.0, 1000.0, 1300.0, 2000.0, 2225.0, 3000.0] {
            assert_eq!(heard(&steady(3000, hz, -15.0), 160), [], "{hz} Hz");
        }
        let mut random = 1u32;
        samples.fill_with(|| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 18) as i16
        });
        assert_eq!(heard(&samples, 160), [], "noise");
    }
}

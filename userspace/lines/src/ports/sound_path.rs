//! The way of a line's samples between the card and the line: companding, gains, the cancellation
//! of the echo, and the measurement of levels.
//!
//! The gains are applied here and not in the registers of the chips: those of an FXS module have
//! steps of 3.5 dB, the range is to be the same for every module, and what overflows is to be
//! counted. G.711 has the same resolution at every level, so that nothing is lost by that.
//!
//! With gains of 0 dB and no canceller a sample is not changed, and a code word of the line's own
//! law becomes the same code word again: sound that is of that law on the application's side, too,
//! has the same bytes on both sides.
//!
//! Samples that are sent are kept until the line has received as many: where the kernel plays them
//! they are rendered up to half a second ahead. The canceller needs them in step with what is
//! received, and so does a recording of both sides.

use std::collections::VecDeque;

use ringback_country::Companding;
use ringback_driver::card::FRAME;
use ringback_media::g711;
use ringback_tspi::media::Levels;

use super::echo_control::EchoControl;
use crate::SoundOptions;

/// Room for what the kernel plays of the application's samples.
const ROOM: usize = 8192;
/// How often levels are passed on: after so many frames, of 1 ms each.
const MEASURE: u32 = 100;

/// A factor for samples.
#[derive(Debug, Clone, Copy)]
struct Factor(Option<f32>);

impl Factor {
    fn of_db(db: i8) -> Factor {
        Factor((db != 0).then(|| 10f32.powf(f32::from(db) / 20.0)))
    }

    /// The sample with the gain. What overflows is clipped, because a cast saturates.
    fn apply(self, sample: i16) -> i16 {
        self.0.map_or(sample, |factor| (f32::from(sample) * factor).round() as i16)
    }
}

/// The way of a line's samples.
#[derive(Debug)]
pub(super) struct SoundPath {
    /// The law of the port's samples.
    companding: Companding,
    received: Factor,
    sent: Factor,
    echo: Option<Box<EchoControl>>,
    /// What was sent and is not passed yet.
    under_way: VecDeque<i16>,
    /// What was sent while the last frame was received.
    passed: [i16; FRAME],
    levels: Levels,
    /// How many frames were measured since the levels were passed on.
    measured: u32,
}

impl SoundPath {
    pub(super) fn new(companding: Companding) -> SoundPath {
        SoundPath {
            companding,
            received: Factor(None),
            sent: Factor(None),
            echo: None,
            under_way: VecDeque::with_capacity(ROOM),
            passed: [0; FRAME],
            levels: Levels::default(),
            measured: 0,
        }
    }

    /// Sets what is done from now on.
    pub(super) fn set(&mut self, options: SoundOptions) {
        self.received = Factor::of_db(options.gain_received);
        self.sent = Factor::of_db(options.gain_sent);
        self.echo = options.echo_cancel.then(|| Box::new(EchoControl::new()));
    }

    /// The line's call is connected.
    pub(super) fn begin(&mut self) {
        if let Some(echo) = &mut self.echo {
            echo.begin();
        }
    }

    /// The line's call is over.
    pub(super) fn end(&mut self) {
        if let Some(echo) = &mut self.echo {
            echo.end();
        }
    }

    /// Whether what is sent has to stay in step with what is received.
    pub(super) fn is_cancelling(&self) -> bool {
        self.echo.as_ref().is_some_and(|echo| echo.is_cancelling())
    }

    /// A frame as the line hears it.
    pub(super) fn receive(&mut self, received: &[u8; FRAME]) -> [i16; FRAME] {
        let linear = received.map(|code| g711::decode(self.companding, code));
        let mut heard = linear.map(|sample| self.received.apply(sample));
        self.levels.heard.add(&heard);
        self.passed = [0; FRAME];
        let count = FRAME.min(self.under_way.len());
        for (place, sample) in self.passed.iter_mut().zip(self.under_way.drain(..count)) {
            *place = sample;
        }
        if let Some(echo) = &mut self.echo {
            echo.cancel(&self.passed, &mut heard);
        }
        self.measured += 1;
        heard
    }

    /// What was sent while the last frame was received.
    pub(super) fn passed(&self) -> &[i16; FRAME] {
        &self.passed
    }

    /// The code word of a sample that is sent next.
    pub(super) fn send(&mut self, sample: i16) -> u8 {
        let sample = self.sent.apply(sample);
        self.levels.sent.add(&[sample]);
        let code = g711::encode(self.companding, sample);
        self.under_way.push_back(g711::decode(self.companding, code));
        code
    }

    /// What was sent and has not passed yet is not played.
    pub(super) fn forget(&mut self) {
        self.under_way.clear();
    }

    /// The levels so far, if they are due.
    pub(super) fn due_levels(&mut self) -> Option<Levels> {
        if self.measured < MEASURE {
            return None;
        }
        self.measured = 0;
        Some(self.levels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_media::level::rms_dbm0;
    use ringback_media::tone::Generator;

    const LAWS: [Companding; 2] = [Companding::ULaw, Companding::ALaw];

    fn path(law: Companding, options: SoundOptions) -> SoundPath {
        let mut path = SoundPath::new(law);
        path.set(options);
        path
    }

    /// A tone at this level, received and sent on a path; returns the levels of both afterwards.
    fn levels(path: &mut SoundPath, level: f32) -> (f32, f32) {
        let mut tone = [0; 8000];
        Generator::sine(1000.0, level).fill(&mut tone);
        let (mut heard, mut sent) = (Vec::new(), Vec::new());
        for frame in tone.as_chunks::<FRAME>().0 {
            let law = path.companding;
            heard.extend(path.receive(&frame.map(|sample| g711::encode(law, sample))));
            sent.extend(frame.map(|sample| g711::decode(law, path.send(sample))));
        }
        (rms_dbm0(&heard), rms_dbm0(&sent))
    }

    #[test]
    fn each_direction_has_its_gain() {
        for gain_received in [-24, -3, 0, 6, 12] {
            for (gain_sent, law) in
                [-24, 0, 12].into_iter().flat_map(|db| LAWS.map(|law| (db, law)))
            {
                let options = SoundOptions { gain_received, gain_sent, ..SoundOptions::default() };
                let (heard, sent) = levels(&mut path(law, options), -16.0);
                let near = |level: f32, gain: i8| (level + 16.0 - f32::from(gain)).abs() < 0.3;
                assert!(near(heard, gain_received), "{heard} with {gain_received} dB");
                assert!(near(sent, gain_sent), "{sent} with {gain_sent} dB");
            }
        }
    }

    #[test]
    fn levels_are_measured_with_the_gain_and_what_is_clipped_is_counted() {
        let options = SoundOptions { gain_received: 12, gain_sent: 3, ..SoundOptions::default() };
        for law in LAWS {
            let mut path = path(law, options);
            assert_eq!(path.due_levels(), None);
            levels(&mut path, -5.0);
            let told = path.due_levels().unwrap();
            assert_eq!((told.heard.samples, told.sent.samples), (8000, 8000));
            assert!(told.heard.clipped > 2000, "{law}: {told:?}");
            assert_eq!(told.sent.clipped, 0, "{law}: {told:?}");
            assert_eq!(path.due_levels(), None, "they are not due again yet");
        }
    }

    #[test]
    fn the_largest_sample_of_each_law_counts_as_clipped_and_no_other() {
        for (law, largest) in [(Companding::ULaw, [0x80, 0x00]), (Companding::ALaw, [0xAA, 0x2A])] {
            let mut path = path(law, SoundOptions::default());
            for code in 0..=u8::MAX {
                let before = path.levels.heard.clipped;
                path.receive(&[code; FRAME]);
                let clipped = path.levels.heard.clipped - before;
                let all = if largest.contains(&code) { FRAME as u64 } else { 0 };
                assert_eq!(clipped, all, "{law}: {code:#04x}");
            }
        }
    }

    #[test]
    fn code_words_of_the_lines_own_law_are_not_changed() {
        for law in LAWS {
            let mut path = path(law, SoundOptions::default());
            let second_zero = (law == Companding::ULaw).then_some(0x7F);
            for code in (0..=u8::MAX).filter(|code| Some(*code) != second_zero) {
                let heard = path.receive(&[code; FRAME]);
                assert_eq!(heard.map(|sample| g711::encode(law, sample)), [code; FRAME], "{law}");
                assert_eq!(path.send(g711::decode(law, code)), code, "{law}");
            }
        }
    }

    #[test]
    fn what_was_sent_passes_in_step_with_what_is_received() {
        let law = Companding::ULaw;
        let mut path = path(law, SoundOptions::default());
        let rounded = |sample| g711::decode(law, g711::encode(law, sample));
        let ahead: Vec<i16> = (0..20).map(|n| rounded(n * 50)).collect();
        ahead.iter().for_each(|sample| assert_eq!(g711::decode(law, path.send(*sample)), *sample));
        let silence = [law.silence(); FRAME];
        for frame in ahead.chunks(FRAME) {
            path.receive(&silence);
            assert_eq!(path.passed()[..frame.len()], *frame);
        }
        assert_eq!(path.passed()[4..], [0; 4], "nothing was sent then");
        path.send(7000);
        path.forget();
        path.receive(&silence);
        assert_eq!(path.passed(), &[0; FRAME]);
    }
}

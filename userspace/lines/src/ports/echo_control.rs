//! When the echo of a line's call is cancelled: while the call is connected, until a fax machine or
//! a modem is heard in either direction. Their signals are made for the echo, and suffer from a
//! canceller (ITU-T G.168, V.25).

use ringback_media::echo::EchoCanceller;
use ringback_media::equipment::EquipmentDetector;

#[derive(Debug)]
enum EchoPhase {
    /// No call is connected.
    Waiting,
    /// The echo is cancelled, and equipment listened for in what is received and what is sent.
    Cancelling([EquipmentDetector; 2]),
    /// Equipment was heard, or sent, on this call.
    SwitchedOff,
}

/// The canceller of a line that was asked for one.
#[derive(Debug)]
pub(super) struct EchoControl {
    canceller: EchoCanceller,
    phase: EchoPhase,
}

impl EchoControl {
    pub(super) fn new() -> EchoControl {
        EchoControl { canceller: EchoCanceller::new(), phase: EchoPhase::Waiting }
    }

    /// A call is connected. One that was on hold goes on as before.
    pub(super) fn begin(&mut self) {
        if let EchoPhase::Waiting = self.phase {
            self.canceller.reset();
            let detectors = [EquipmentDetector::new(), EquipmentDetector::new()];
            self.phase = EchoPhase::Cancelling(detectors);
        }
    }

    /// The call is over.
    pub(super) fn end(&mut self) {
        self.phase = EchoPhase::Waiting;
    }

    pub(super) fn is_cancelling(&self) -> bool {
        matches!(self.phase, EchoPhase::Cancelling(_))
    }

    /// Takes the echo of what was sent out of what is heard.
    pub(super) fn cancel(&mut self, sent: &[i16], heard: &mut [i16]) {
        let EchoPhase::Cancelling([of_far, of_near]) = &mut self.phase else { return };
        let mut found = false;
        of_far.feed(heard, &mut |_| found = true);
        of_near.feed(sent, &mut |_| found = true);
        if found {
            self.phase = EchoPhase::SwitchedOff;
        } else {
            self.canceller.feed(sent, heard);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_media::level::rms_dbm0;
    use ringback_media::tone::Generator;

    /// Whether the echo of a tone of 1000 Hz is cancelled at the end of two seconds of it.
    fn cancels(control: &mut EchoControl) -> bool {
        let mut sent = vec![0; 16_000];
        Generator::sine(1000.0, -12.0).fill(&mut sent);
        let mut heard: Vec<i16> = sent.iter().map(|sample| sample / 2).collect();
        for (sent, heard) in sent.chunks(8).zip(heard.chunks_mut(8)) {
            control.cancel(sent, heard);
        }
        rms_dbm0(&heard[12_000..]) < -35.0
    }

    #[test]
    fn echo_is_cancelled_from_the_connection_to_the_end_of_each_call() {
        let mut control = EchoControl::new();
        assert!(!cancels(&mut control), "nothing is connected");
        for _ in 0..2 {
            control.begin();
            assert!(control.is_cancelling() && cancels(&mut control));
            control.begin();
            assert!(cancels(&mut control), "it was on hold");
            control.end();
            assert!(!cancels(&mut control));
        }
    }

    #[test]
    fn a_fax_machine_or_a_modem_on_either_side_switches_it_off_for_the_rest_of_the_call() {
        // Calling tone of a fax machine, its answer tone, and the same with phase reversals.
        for (hz, reversal) in [(1100.0, None), (2100.0, None), (2100.0, Some(3600))] {
            let mut tone = vec![0; 16_000];
            Generator::sine(hz, -15.0).fill(&mut tone);
            for (at, sample) in tone.iter_mut().enumerate() {
                let reversed = reversal.is_some_and(|every| at / every % 2 == 1);
                *sample = if reversed { -*sample } else { *sample };
            }
            // The calling tone lasts for half a second.
            if hz < 2000.0 {
                tone[4000..].fill(0);
            }
            for received in [false, true] {
                let mut control = EchoControl::new();
                control.begin();
                for frame in tone.chunks_mut(8) {
                    let mut silence = [0; 8];
                    match received {
                        true => control.cancel(&silence, &mut frame.to_vec()),
                        false => control.cancel(frame, &mut silence),
                    }
                }
                let what = format!("{hz} Hz, {reversal:?}, received: {received}");
                assert!(!control.is_cancelling() && !cancels(&mut control), "{what}");
                control.begin();
                assert!(!cancels(&mut control), "{what}: still the same call");
                control.end();
                control.begin();
                assert!(cancels(&mut control), "{what}: the next call");
            }
        }
    }
}

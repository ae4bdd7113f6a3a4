//! The media modes that an application listens for (TSPI_lineMonitorMedia).

use ringback_media::equipment::{Equipment, EquipmentDetector};
use ringback_tspi::constants::*;

/// Detects media modes. A mode is reported when it is first heard, and again only after another
/// one: fax machines repeat their tones.
#[derive(Debug)]
pub(super) struct MediaMonitor {
    modes: u32,
    detector: EquipmentDetector,
    told: u32,
}

impl MediaMonitor {
    /// Listens for these LINEMEDIAMODE_ bits.
    pub(super) fn new(modes: u32) -> MediaMonitor {
        MediaMonitor { modes, detector: EquipmentDetector::new(), told: 0 }
    }

    /// Takes samples. `tell` is called with the LINEMEDIAMODE_ that they show.
    pub(super) fn feed(&mut self, samples: &[i16], tell: &mut dyn FnMut(u32)) {
        self.detector.feed(samples, &mut |equipment| {
            let mode = match equipment {
                Equipment::FaxMachine => LINEMEDIAMODE_G3FAX,
                Equipment::DataModem => LINEMEDIAMODE_DATAMODEM,
            };
            if std::mem::replace(&mut self.told, mode) != mode && self.modes & mode != 0 {
                tell(mode);
            }
        });
    }
}

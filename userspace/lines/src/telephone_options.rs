//! How a line treats its telephone, or the device that is plugged in instead of one.
//!
//! The options are a part of the line's configuration, in which they are text: `battery-drop=500`
//! and so on, those that are usual left out.

use std::ops::RangeInclusive;
use std::time::Duration;

use ringback_country::Cadence;
use ringback_tspi::error::LineError;

use crate::SoundOptions;

/// The options of a line of a telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TelephoneOptions {
    /// For how long battery is taken from the line when the other side has hung up, 100 ms to 5 s
    /// in whole ms; `None` for not at all. Answering machines and exchanges notice it and hang up.
    pub battery_drop: Option<Duration>,
    /// How a call rings: 1 as the country does, up to [`RING_MODES`](TelephoneOptions::RING_MODES)
    /// for a ring that differs from all countries'.
    pub ring_mode: u32,
    /// What it does to its sound.
    pub sound: SoundOptions,
}

impl Default for TelephoneOptions {
    fn default() -> TelephoneOptions {
        TelephoneOptions { battery_drop: None, ring_mode: 1, sound: SoundOptions::default() }
    }
}

impl TelephoneOptions {
    /// The number of modes of ringing.
    pub const RING_MODES: u32 = 3;
    /// For how long battery can be taken from the line.
    pub const BATTERY_DROPS: RangeInclusive<Duration> =
        Duration::from_millis(100)..=Duration::from_secs(5);

    /// The options that differ from the usual, each as `name=value`.
    pub fn parts(&self) -> Vec<String> {
        let usual = TelephoneOptions::default();
        let drop = self.battery_drop.map(|time| format!("battery-drop={}", time.as_millis()));
        let ring =
            (self.ring_mode != usual.ring_mode).then(|| format!("ring-mode={}", self.ring_mode));
        [drop, ring].into_iter().flatten().chain(self.sound.parts()).collect()
    }

    /// Sets one option, from `name=value`.
    ///
    /// # Errors
    /// INVALPARAM for an unknown name or value; nothing is changed.
    pub fn set(&mut self, part: &str) -> Result<(), LineError> {
        let (name, value) = part.split_once('=').ok_or(LineError::INVALPARAM)?;
        if !matches!(name, "battery-drop" | "ring-mode") {
            return self.sound.set(name, value);
        }
        let value: u32 = value.parse().map_err(|_| LineError::INVALPARAM)?;
        let time = Duration::from_millis(u64::from(value));
        match name {
            "battery-drop" if TelephoneOptions::BATTERY_DROPS.contains(&time) => {
                self.battery_drop = Some(time);
            }
            "ring-mode" if (1..=TelephoneOptions::RING_MODES).contains(&value) => {
                self.ring_mode = value;
            }
            _ => return Err(LineError::INVALPARAM),
        }
        Ok(())
    }
}

/// The cadence of a mode of ringing: that of the country for 1, otherwise two long rings, or a
/// short and a long one.
pub(crate) fn ring_cadence(mode: u32, country: Cadence) -> Cadence {
    match mode {
        2 => Cadence::double(800, 400, 800, 4000),
        3 => Cadence::double(300, 200, 1000, 4000),
        _ => country,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_country::Country;

    #[test]
    fn options_are_read_as_they_are_written_and_others_are_refused() {
        for battery_drop in [None, Some(Duration::from_millis(500))] {
            for ring_mode in 1..=TelephoneOptions::RING_MODES {
                let sound = SoundOptions { echo_cancel: true, ..SoundOptions::default() };
                let options = TelephoneOptions { battery_drop, ring_mode, sound };
                let mut read = TelephoneOptions::default();
                options.parts().iter().for_each(|part| read.set(part).unwrap());
                assert_eq!(read, options);
            }
        }
        let mut options = TelephoneOptions::default();
        assert!(options.parts().is_empty());
        for wrong in ["", "ring-mode", "ring-mode=0", "ring-mode=4", "battery-drop=99", "x=1"] {
            assert_eq!(options.set(wrong), Err(LineError::INVALPARAM), "{wrong}");
        }
        assert_eq!(options, TelephoneOptions::default());
    }

    #[test]
    fn a_distinctive_ring_is_like_no_countrys() {
        for country in Country::each_zone() {
            let own = ring_cadence(1, country.ring());
            assert_eq!(own, country.ring());
            let modes = (2..=TelephoneOptions::RING_MODES).map(|mode| ring_cadence(mode, own));
            assert!(modes.into_iter().all(|cadence| cadence != own), "{country}");
        }
    }
}

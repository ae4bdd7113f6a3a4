//! What differs from a country on a user's own lines.

use crate::zones::Zone;
use crate::{Cadence, Companding, Country, Daa, Profile, Pulse, Signal};

/// What differs from a country; `None` is as the country has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// The registers of FXO modules.
    pub daa: Option<Daa>,
    /// The impedance of FXS modules, a value of [`Slic::impedance`](crate::Slic::impedance).
    pub impedance: Option<u8>,
    /// The law of the samples of all modules.
    pub companding: Option<Companding>,
    /// Dial tone.
    pub dial: Option<Signal>,
    /// Ringback.
    pub ringback: Option<Signal>,
    /// Busy.
    pub busy: Option<Signal>,
    /// Reorder.
    pub reorder: Option<Signal>,
    /// The special information tone.
    pub special_information: Option<Signal>,
    /// The second dial tone.
    pub recall: Option<Signal>,
    /// Dial tone that tells of waiting messages.
    pub stutter: Option<Signal>,
    /// Call waiting.
    pub waiting: Option<Signal>,
    /// How telephones are rung.
    pub ring: Option<Cadence>,
    /// The frequency of ringing: 25 Hz, or 20 Hz for every other value.
    pub ring_hz: Option<u16>,
    /// Pulse dialling: a pulse and the pause after it of up to 100 ms, and a gap of up to 800 ms.
    pub pulse: Option<Pulse>,
    /// The hook flash, up to 500 ms.
    pub flash_ms: Option<u16>,
    /// How long the loop of a telephone that is hung up is open.
    pub hang_up_ms: Option<u16>,
    /// How many cycles of busy or reorder tone end a call, 2 to 10.
    pub busy_cycles: Option<u8>,
    /// What the exchange can do with calls. Its name becomes that of the country.
    pub profile: Option<Profile>,
}

impl Country {
    /// This country with changes, by a name of its own: it is shown as `GERMANY/NAME`. It is kept
    /// for as long as the program runs, so it is for what a user sets once.
    #[must_use]
    pub fn changed(self, name: &str, changes: &Changes) -> Country {
        let Changes { daa, impedance, ring, ring_hz, pulse, flash_ms, hang_up_ms, .. } = *changes;
        let mut line = self.line.clone();
        line.daa = daa.unwrap_or(line.daa);
        line.impedance = impedance.unwrap_or(line.impedance);
        line.companding = changes.companding.unwrap_or(line.companding);
        let mut tones = self.zone.tones.clone();
        for (own, change) in [
            (&mut tones.dial, &changes.dial),
            (&mut tones.ringback, &changes.ringback),
            (&mut tones.busy, &changes.busy),
            (&mut tones.reorder, &changes.reorder),
        ] {
            change.clone_into_some(own);
        }
        for (own, change) in [
            (&mut tones.special_information, &changes.special_information),
            (&mut tones.recall, &changes.recall),
            (&mut tones.stutter, &changes.stutter),
            (&mut tones.waiting, &changes.waiting),
        ] {
            if change.is_some() {
                own.clone_from(change);
            }
        }
        let profile = changes.profile.clone().map(|profile| profile.kept(name));
        let zone = Zone {
            key: name.to_owned(),
            english: self.zone.english.clone(),
            tones,
            ring: ring.unwrap_or(self.zone.ring),
            ring_hz: ring_hz.unwrap_or(self.zone.ring_hz),
            caller_id: self.zone.caller_id,
            pulse: pulse.unwrap_or(self.zone.pulse),
            flash_ms: flash_ms.unwrap_or(self.zone.flash_ms),
            hang_up_ms: hang_up_ms.unwrap_or(self.zone.hang_up_ms),
            busy_cycles: changes.busy_cycles.unwrap_or(self.zone.busy_cycles),
            profile: profile.or(self.zone.profile),
        };
        Country { line: Box::leak(Box::new(line)), zone: Box::leak(Box::new(zone)) }
    }
}

/// A change of what every country has.
trait Change<T> {
    fn clone_into_some(&self, own: &mut T);
}

impl<T: Clone> Change<T> for Option<T> {
    fn clone_into_some(&self, own: &mut T) {
        if let Some(change) = self {
            own.clone_from(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_not_changed_is_as_the_country_has_it() {
        let germany: Country = "GERMANY".parse().unwrap();
        let same = germany.changed("own", &Changes::default());
        assert_eq!(same.to_string(), "GERMANY/own");
        assert_ne!(same, germany, "it has a name of its own");
        let parts = |country: Country| {
            (*country.daa(), country.slic(), country.tones().clone(), country.ring())
        };
        assert_eq!(parts(same), parts(germany));
        assert_eq!((same.pulse(), same.flash()), (germany.pulse(), germany.flash()));

        let busy = Signal::parse("500/300,0/300", -10.0).unwrap();
        let changes = Changes {
            impedance: Some(3),
            companding: Some(Companding::ULaw),
            busy: Some(busy.clone()),
            recall: Some(busy.clone()),
            ring: Some(Cadence::on_off(700, 900)),
            ring_hz: Some(20),
            flash_ms: Some(300),
            hang_up_ms: Some(900),
            busy_cycles: Some(2),
            profile: Some(Profile { flash_ms: 90, ..Profile::EUROPEAN_PBX }),
            ..Changes::default()
        };
        let changed = germany.changed("own", &changes);
        assert_eq!((&changed.tones().busy, &changed.tones().recall), (&busy, &Some(busy.clone())));
        assert_eq!(changed.tones().dial, germany.tones().dial);
        assert_eq!((changed.ring(), changed.slic().ring_hz), (Cadence::on_off(700, 900), 20));
        assert_eq!(changed.slic().impedance, 3);
        let laws = [germany, same, changed].map(Country::companding);
        assert_eq!(laws, [Companding::ALaw, Companding::ALaw, Companding::ULaw]);
        assert_eq!((changed.busy_cycles(), germany.busy_cycles()), (2, 3));
        let own = changed.profile().unwrap();
        assert_eq!(own, Profile::named("own.toml").unwrap(), "it is found by its name");
        assert_eq!((own.swap, own.flash_ms), (Profile::EUROPEAN_PBX.swap, 90));
        assert_eq!(germany.profile(), None);
        let times = [changed.flash(), changed.hang_up()];
        assert_eq!(times, [300, 900].map(Duration::from_millis));
    }
}

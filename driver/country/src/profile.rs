//! Profiles of exchanges: what a hook flash does in a conversation, as data.
//!
//! An analog line can't ask its exchange what it can do, so the owner of the line names a profile.
//! The lines follow it, and the software exchange behaves by it. What is to be dialled stands in
//! it as dial strings: `!` is a flash, `W` waits for dial tone, `,` is a pause. The codes that are
//! dialled outside of a conversation, too, are its [`Codes`].

use std::sync::{Mutex, PoisonError};

use crate::codes::{Bursts, Codes, ForwardCodes};

/// Users' own profiles.
static OWN: Mutex<Vec<&'static Profile>> = Mutex::new(Vec::new());

/// What one kind of exchange can do with calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name in configurations.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// How long the loop is opened for a flash, in ms.
    pub flash_ms: u16,
    /// Holds the party of the conversation, and leads to the second dial tone.
    pub hold: &'static str,
    /// Gives up what the line hears at the second dial tone or behind it, as long as nobody has
    /// answered, and connects the held party again.
    pub back: &'static str,
    /// Releases the party of the conversation, and connects the held one.
    pub release: &'static str,
    /// Connects the held party, and holds that of the conversation; `None` if it can't.
    pub swap: Option<&'static str>,
    /// Joins both parties with the line in a conference; `None` if it can't.
    pub join: Option<&'static str>,
    /// Releases the party that came last into the conference.
    pub release_last: &'static str,
    /// Gives up the held party, and the conversation goes on; `None` if it can't.
    pub release_held: Option<&'static str>,
    /// Whether hanging up connects the held party with the one that was called.
    pub transfers: bool,
    /// How long it takes at most until it has done what was dialled or refuses it, in ms: by busy
    /// or reorder tone.
    pub settles_ms: u16,
    /// What else can be dialled.
    pub codes: Codes,
}

impl Profile {
    /// An exchange of North America with three-way calling and transfer: a flash holds, the next
    /// one joins, and a third releases who came last.
    ///
    /// Codes: forwarding *72 and *73, automatic callback *66 and *86 are vertical service codes
    /// (NANPA, "VSC definitions"); *90 to *93 and the second dial tone before the number are as
    /// telephone companies describe them (South Slope, "Call Forwarding"), and so is a callback
    /// that is tried for 30 minutes (Foresthill Telephone, 2024 directory, "Repeat Dialing"). Park
    /// *68 and *88 (KM Voice, "Call Park") and pickup *35 and *36 (ThreePBX, "Star Codes") are
    /// those of Centrex, which has no common ones. Three bursts confirm, or two (AT&T System 25
    /// manual, "Tones": 350 + 440 Hz, 100 ms on, 100 ms off).
    pub const NORTH_AMERICA: Profile = Profile {
        name: "north-america",
        title: "a North American exchange with three-way calling",
        flash_ms: 500,
        hold: "!W",
        back: "!",
        release: "!,!",
        swap: None,
        join: Some("!"),
        release_last: "!",
        release_held: None,
        transfers: true,
        settles_ms: 1500,
        codes: Codes {
            forward: Some(ForwardCodes { set: "*72WN", cancel: "*73" }),
            forward_busy: Some(ForwardCodes { set: "*90WN", cancel: "*91" }),
            forward_no_answer: Some(ForwardCodes { set: "*92WN", cancel: "*93" }),
            park: Some("!W*68N#"),
            unpark: Some("*88N#"),
            pick_up: Some("*35N#"),
            pick_up_any: Some("*36"),
            call_back: Some("!W*66"),
            cancel_call_back: Some("*86"),
            call_back_minutes: 30,
            confirmation: Bursts { times: 2, on_ms: 100, off_ms: 100 },
            confirms_ms: 10_000,
            refuses_ms: 3000,
        },
    };

    /// A European PBX whose R key is followed by a digit: 0 gives up the held party, 1 releases, 2
    /// swaps, 3 joins.
    ///
    /// Codes: forwarding *21*, *67* and *61* are the European ones (Aastra OpenCom 100 and Swisscom
    /// Casatel 20 manuals, "Anrufumleitung"), callback *37# after R at busy tone, for up to 45
    /// minutes, too (Auerswald COMpact 5000 manual, "Rückruf bei besetzt"). Park *56 and #56 with a
    /// digit are those of Siemens Profiset 3030 ("Feature codes"), pickup *86 those of Ascom's
    /// Ascotel ("*/# Procedures"), as there is no common code. A tone of a second confirms (Tiptel
    /// 28 manual, "Positive acknowledge tone").
    pub const EUROPEAN_PBX: Profile = Profile {
        name: "european-pbx",
        title: "a European PBX with R key",
        flash_ms: 100,
        hold: "!W",
        back: "!",
        release: "!W1",
        swap: Some("!W2"),
        join: Some("!W3"),
        release_last: "!W1",
        release_held: Some("!W0"),
        transfers: true,
        settles_ms: 1500,
        codes: Codes {
            forward: Some(ForwardCodes { set: "*21*N#", cancel: "#21#" }),
            forward_busy: Some(ForwardCodes { set: "*67*N#", cancel: "#67#" }),
            forward_no_answer: Some(ForwardCodes { set: "*61*N#", cancel: "#61#" }),
            park: Some("!W*56N"),
            unpark: Some("#56N"),
            pick_up: Some("*86N"),
            pick_up_any: None,
            call_back: Some("!W*37#"),
            cancel_call_back: Some("#37#"),
            call_back_minutes: 45,
            confirmation: Bursts { times: 1, on_ms: 1000, off_ms: 100 },
            confirms_ms: 10_000,
            refuses_ms: 6000,
        },
    };

    /// Every profile.
    pub const ALL: [&'static Profile; 2] = [&Profile::NORTH_AMERICA, &Profile::EUROPEAN_PBX];

    /// The profile with this name; the latest, if several were [kept](Profile::kept) under it.
    pub fn named(name: &str) -> Option<&'static Profile> {
        let own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
        let all = Profile::ALL.iter().chain(own.iter().rev());
        all.copied().find(|profile| profile.name == name)
    }

    /// Keeps a user's own profile for as long as the program runs, as `NAME.toml`, so that it is
    /// found by that name. What separates the parts of a configuration is left out of the name.
    pub fn kept(self, name: &str) -> &'static Profile {
        let name: String = name.chars().filter(|c| !matches!(c, ';' | '=')).collect();
        let name = Box::leak(format!("{name}.toml").into_boxed_str());
        let profile: &'static Profile = Box::leak(Box::new(Profile { name, ..self }));
        OWN.lock().unwrap_or_else(PoisonError::into_inner).push(profile);
        profile
    }

    /// The digits of one of its dial strings.
    pub fn digits(dialled: &str) -> String {
        dialled.chars().filter(char::is_ascii_digit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_have_their_own_names_and_begin_with_a_flash() {
        for profile in Profile::ALL {
            assert_eq!(Profile::named(profile.name), Some(profile));
            let required = [profile.hold, profile.back, profile.release, profile.release_last];
            let optional = [profile.swap, profile.join, profile.release_held];
            for text in required.into_iter().chain(optional.into_iter().flatten()) {
                assert!(text.starts_with('!'), "{text} of {}", profile.name);
                assert!(text.chars().all(|c| "!W,".contains(c) || c.is_ascii_digit()));
            }
        }
        assert_eq!(Profile::named("none"), None);
        assert_eq!(Profile::digits("!W2"), "2");
    }
}

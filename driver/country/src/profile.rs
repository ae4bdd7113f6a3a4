//! Profiles of exchanges: what a hook flash does in a conversation, as data.
//!
//! An analog line can't ask its exchange what it can do, so the owner of the line names a profile.
//! The lines follow it, and the software exchange behaves by it. What is to be dialled stands in
//! it as dial strings: `!` is a flash, `W` waits for dial tone, `,` is a pause.

/// What one kind of exchange can do with calls.
#[derive(Debug, PartialEq, Eq)]
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
    /// Whether hanging up connects the held party with the one that was called.
    pub transfers: bool,
    /// How long it takes at most until it has done what was dialled or refuses it, in ms: by busy
    /// or reorder tone.
    pub settles_ms: u16,
}

impl Profile {
    /// An exchange of North America with three-way calling and transfer: a flash holds, the next
    /// one joins, and a third releases who came last.
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
        transfers: true,
        settles_ms: 1500,
    };

    /// A European PBX whose R key is followed by a digit: 1 releases, 2 swaps, 3 joins.
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
        transfers: true,
        settles_ms: 1500,
    };

    /// Every profile.
    pub const ALL: [&'static Profile; 2] = [&Profile::NORTH_AMERICA, &Profile::EUROPEAN_PBX];

    /// The profile with this name.
    pub fn named(name: &str) -> Option<&'static Profile> {
        Profile::ALL.into_iter().find(|profile| profile.name == name)
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
            for text in required.into_iter().chain(profile.swap).chain(profile.join) {
                assert!(text.starts_with('!'), "{text} of {}", profile.name);
                assert!(text.chars().all(|c| "!W,".contains(c) || c.is_ascii_digit()));
            }
        }
        assert_eq!(Profile::named("none"), None);
        assert_eq!(Profile::digits("!W2"), "2");
    }
}

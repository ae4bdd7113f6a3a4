//! The section `[exchange]` of a country file: a profile of the user's own, which says what differs
//! from a known one.

use ringback_country::{Bursts, Codes, ForwardCodes, Profile};
use serde::Deserialize;

/// The most characters of a dial string or code.
const MOST_CHARS: usize = 32;

/// The keys. An empty text says that the exchange can't do it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeSection {
    /// The profile that it changes.
    base: BaseProfile,
    flash_ms: Option<FlashMs>,
    hold: Option<Dialled>,
    back: Option<Dialled>,
    release: Option<Dialled>,
    release_held: Option<Dialled>,
    release_last: Option<Dialled>,
    swap: Option<Dialled>,
    join: Option<Dialled>,
    transfers: Option<bool>,
    forward: Option<Pair>,
    forward_busy: Option<Pair>,
    forward_no_answer: Option<Pair>,
    park: Option<Dialled>,
    unpark: Option<Dialled>,
    pick_up: Option<Dialled>,
    pick_up_any: Option<Dialled>,
    call_back: Option<Dialled>,
    cancel_call_back: Option<Dialled>,
    confirmation: Option<BurstTimes>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct BaseProfile(&'static Profile);

impl TryFrom<String> for BaseProfile {
    type Error = String;

    fn try_from(name: String) -> Result<BaseProfile, String> {
        parse_profile(&name).map(BaseProfile)
    }
}

/// Finds a profile by its name.
///
/// # Errors
/// What can be written instead.
pub(crate) fn parse_profile(name: &str) -> Result<&'static Profile, String> {
    Profile::named(name).ok_or_else(|| {
        let known = Profile::ALL.map(|profile| format!("{} ({})", profile.name, profile.title));
        format!("no profile is called {name:?}: write {}", known.join(" or "))
    })
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u16")]
struct FlashMs(u16);

impl TryFrom<u16> for FlashMs {
    type Error = String;

    fn try_from(ms: u16) -> Result<FlashMs, String> {
        if (80..=500).contains(&ms) {
            return Ok(FlashMs(ms));
        }
        Err(format!("a flash can't take {ms} ms: write 80 to 500"))
    }
}

/// A text that is kept for as long as the program runs, as a country is. By this name serde does
/// not take it for a part of the file.
type Kept = &'static str;

/// What is dialled.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Dialled(Kept);

impl TryFrom<String> for Dialled {
    type Error = String;

    fn try_from(text: String) -> Result<Dialled, String> {
        let known = |c: char| c.is_ascii_digit() || "*#!,WN".contains(c);
        if let Some(odd) = text.chars().find(|c| !known(*c)) {
            return Err(format!(
                "{odd:?} can't be dialled: write digits, *, #, ! for a flash, W for dial tone, a \
                 comma for a pause, and N for the number"
            ));
        }
        if text.len() > MOST_CHARS || text.matches('N').count() > 1 {
            return Err(format!("{text:?} has more than {MOST_CHARS} characters or one N"));
        }
        Ok(Dialled(Box::leak(text.into_boxed_str())))
    }
}

impl Dialled {
    fn some(self) -> Option<&'static str> {
        Some(self.0).filter(|text| !text.is_empty())
    }
}

/// A code that sets something, and one that cancels it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    set: Dialled,
    cancel: Dialled,
}

impl Pair {
    fn codes(self) -> Option<ForwardCodes> {
        Some(ForwardCodes { set: self.set.some()?, cancel: self.cancel.some()? })
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct BurstTimes {
    times: u8,
    on_ms: u16,
    #[serde(default)]
    off_ms: u16,
}

impl ExchangeSection {
    /// The profile that results.
    ///
    /// # Errors
    /// A text that does not do what its key says.
    pub(crate) fn profile(&self) -> Result<Profile, String> {
        let base = self.base.0;
        let required = |key: &str, own: Option<Dialled>, base: &'static str| match own {
            None => Ok(base),
            Some(Dialled(text)) if text.starts_with('!') && !text.contains('N') => Ok(text),
            Some(Dialled(text)) => {
                Err(format!("{key} = {text:?}: it begins with a flash (!) and has no N"))
            }
        };
        let optional = |key: &str, own: Option<Dialled>, base: Option<&'static str>| match own {
            Some(Dialled("")) => Ok(None),
            Some(own) => required(key, Some(own), "").map(Some),
            None => Ok(base),
        };
        let code = |key: &str, own: Option<Dialled>, base: Option<&'static str>, number: bool| {
            let Some(own) = own else { return Ok(base) };
            let text = own.some();
            let flashes = matches!(key, "park" | "call_back");
            let fits =
                |text: &&str| text.contains('N') == number && text.starts_with('!') == flashes;
            if text.is_none_or(|text| fits(&text)) {
                return Ok(text);
            }
            let flash = if flashes { "begins with a flash (!)" } else { "has no flash" };
            let about = if number { "an N for the number" } else { "no N" };
            Err(format!("{key} = {:?}: it {flash} and has {about}", own.0))
        };
        let forward = |key: &str, own: Option<Pair>, base: Option<ForwardCodes>| {
            let Some(pair) = own else { return Ok(base) };
            let set = code(key, Some(pair.set), None, true)?;
            code(key, Some(pair.cancel), None, false)?;
            Ok::<_, String>(set.and_then(|_| pair.codes()))
        };
        let confirmation = match self.confirmation {
            None => base.codes.confirmation,
            Some(BurstTimes { times, on_ms, off_ms }) => {
                let in_limits =
                    (1..=10).contains(&times) && (40..=5000).contains(&on_ms) && off_ms <= 5000;
                if !in_limits || times > 1 && off_ms < 40 {
                    return Err("confirmation: write 1 to 10 times, on_ms 40 to 5000, and off_ms \
                                40 to 5000 if it sounds more than once"
                        .to_owned());
                }
                Bursts { times, on_ms, off_ms: off_ms.max(40) }
            }
        };
        let old = &base.codes;
        let codes = Codes {
            forward: forward("forward", self.forward, old.forward)?,
            forward_busy: forward("forward_busy", self.forward_busy, old.forward_busy)?,
            forward_no_answer: forward(
                "forward_no_answer",
                self.forward_no_answer,
                old.forward_no_answer,
            )?,
            park: code("park", self.park, old.park, true)?,
            unpark: code("unpark", self.unpark, old.unpark, true)?,
            pick_up: code("pick_up", self.pick_up, old.pick_up, true)?,
            pick_up_any: code("pick_up_any", self.pick_up_any, old.pick_up_any, false)?,
            call_back: code("call_back", self.call_back, old.call_back, false)?,
            cancel_call_back: code(
                "cancel_call_back",
                self.cancel_call_back,
                old.cancel_call_back,
                false,
            )?,
            confirmation,
            ..*old
        };
        Ok(Profile {
            name: base.name,
            title: "of the user's own",
            flash_ms: self.flash_ms.map_or(base.flash_ms, |FlashMs(ms)| ms),
            hold: required("hold", self.hold, base.hold)?,
            back: required("back", self.back, base.back)?,
            release: required("release", self.release, base.release)?,
            release_last: required("release_last", self.release_last, base.release_last)?,
            release_held: optional("release_held", self.release_held, base.release_held)?,
            swap: optional("swap", self.swap, base.swap)?,
            join: optional("join", self.join, base.join)?,
            transfers: self.transfers.unwrap_or(base.transfers),
            settles_ms: base.settles_ms,
            codes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Profile, String> {
        let section: ExchangeSection = toml::from_str(text).map_err(|error| error.to_string())?;
        section.profile()
    }

    #[test]
    fn a_profile_is_changed_where_the_section_says_so() {
        let own = read(
            "base = 'european-pbx'\nflash_ms = 120\nhold = '!,'\njoin = ''\npark = '!W*23N'\n\
             forward = { set = '*5N#', cancel = '#5#' }\npick_up = ''\n\
             confirmation = { times = 3, on_ms = 200, off_ms = 200 }",
        )
        .unwrap();
        let base = Profile::EUROPEAN_PBX;
        assert_eq!((own.flash_ms, own.hold, own.join), (120, "!,", None));
        assert_eq!((own.swap, own.transfers), (base.swap, true));
        assert_eq!((own.codes.park, own.codes.pick_up), (Some("!W*23N"), None));
        assert_eq!(own.codes.forward, Some(ForwardCodes { set: "*5N#", cancel: "#5#" }));
        assert_eq!(own.codes.forward_busy, base.codes.forward_busy);
        assert_eq!(own.codes.confirmation, Bursts { times: 3, on_ms: 200, off_ms: 200 });
    }

    #[test]
    fn what_can_not_be_is_refused_with_its_cure() {
        for (text, cure) in [
            ("flash_ms = 100", "missing field `base`"),
            ("base = 'x'", "north-america (a North American exchange"),
            ("base = 'european-pbx'\nflash_ms = 50", "write 80 to 500"),
            ("base = 'european-pbx'\nhold = 'W'", "begins with a flash"),
            ("base = 'european-pbx'\nhold = ''", "begins with a flash"),
            ("base = 'european-pbx'\nswap = '!x'", "can't be dialled: write digits"),
            ("base = 'european-pbx'\npark = '!W*1'", "an N for the number"),
            ("base = 'european-pbx'\nunpark = '!*1N'", "has no flash"),
            ("base = 'european-pbx'\ncall_back = '!N'", "no N"),
            ("base = 'european-pbx'\nforward = { set = '*1', cancel = '#1#' }", "an N"),
            ("base = 'european-pbx'\nforward = { set = '*1N' }", "missing field `cancel`"),
            ("base = 'european-pbx'\nunpark = '*NN'", "one N"),
            (
                "base = 'european-pbx'\nconfirmation = { times = 2, on_ms = 100 }",
                "if it sounds more than once",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(cure), "{text:?}: {error}");
        }
    }
}

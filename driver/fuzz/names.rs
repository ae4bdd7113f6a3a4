//! Any text as the name of a country, a card or a PCI function: what is accepted reads the same
//! once it is written out, and what is refused is quoted in a sentence.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringback_country::{Country, CountryError};
use ringback_driver::device::pci::PciAddress;
use ringback_driver::device::selector::Selector;

fuzz_target!(|text: &str| {
    match text.parse::<Country>() {
        Ok(country) => assert_eq!(country.to_string().parse(), Ok(country), "{text:?}"),
        Err(refused) => {
            // Of a line mode and a zone, the one that is not known.
            let (CountryError::Unknown(name)
            | CountryError::NoLine(name)
            | CountryError::NoTones(name)) = &refused;
            assert!(text.contains(name.as_str()), "{text:?}");
            assert!(refused.to_string().contains(&format!("{name:?}")), "{text:?}");
        }
    }
    if let Ok(selector) = text.parse::<Selector>() {
        assert_eq!(selector.to_string().parse(), Ok(selector), "{text:?}");
    }
    if let Ok(address) = text.parse::<PciAddress>() {
        assert_eq!(address.to_string().parse(), Ok(address), "{text:?}");
    }
});

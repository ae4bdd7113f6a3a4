//! The card that the environment names.

use std::io::Write;
use std::sync::{Arc, Mutex};

use ringback_country::Country;
use ringback_driver::PortNumber;
use ringback_driver::device::selector::Selector;
use ringback_provider::{CardOptions, open_card};
use ringback_softcard::{RealClock, SoftCard, scenery};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::Provider;

/// The environment variable that names the card.
const CARD: &str = "RINGBACK_CARD";
/// The slot of the software card's line that is called, from two seconds after the start on.
const CALLED_SLOT: PortNumber = PortNumber(2);
/// The number of these calls, half a minute apart: enough for hours.
const CALLS: usize = 1000;

/// The clock of the software card, which runs as long as the process.
static CLOCK: Mutex<Option<RealClock>> = Mutex::new(None);

/// Opens the card. What is wrong is printed on stderr, because an error number can't say it.
///
/// # Errors
/// NODRIVER if no card is named, RESOURCEUNAVAIL if it can't be used.
pub fn provider() -> Result<Arc<dyn Provider>, LineError> {
    open().map_err(|(error, cause)| {
        // If stderr is closed, the cause can't be reported.
        let _ = writeln!(std::io::stderr(), "libringback_tsp: {cause}");
        error
    })
}

fn open() -> Result<Arc<dyn Provider>, (LineError, String)> {
    let Some(name) = std::env::var_os(CARD) else {
        let cause = format!(
            "{CARD} names no card: set it to what `ringback device` says, such as uio:/dev/uio0, \
             or to soft for a card in software"
        );
        return Err((LineError::NODRIVER, cause));
    };
    let name = name.to_string_lossy();
    let selector: Selector =
        name.parse().map_err(|error| (LineError::NODRIVER, format!("{CARD}={name}: {error}")))?;
    let unusable = |cause: String| (LineError::RESOURCEUNAVAIL, format!("{CARD}={name}: {cause}"));
    let country = Country::default();
    let soft = (selector == Selector::Soft).then(|| scenery::card(country));
    if let Some(card) = &soft {
        let clock = start(card).map_err(|error| unusable(error.to_string()))?;
        // This ends the clock of an earlier card, which did not come up.
        *CLOCK.lock().even_poisoned() = Some(clock);
    }
    let options = CardOptions { country, soft, ..CardOptions::default() };
    let card = open_card(&selector, options).map_err(|error| unusable(error.to_string()))?;
    Ok(Arc::from(card as Box<dyn Provider>))
}

/// Starts the software card's clock, with subscribers who answer and call. It is patient, so that
/// no digit is lost on a busy machine.
fn start(card: &SoftCard) -> std::io::Result<RealClock> {
    scenery::furnish(card);
    scenery::call(card, CALLED_SLOT, CALLS);
    RealClock::start_patient(card)
}

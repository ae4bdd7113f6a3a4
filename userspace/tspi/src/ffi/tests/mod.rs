//! The C interface both ways: exports called by the loader, and by C with invalid arguments; a
//! library in C under a host.

use std::sync::{Arc, Mutex};

use super::*;
use crate::error::LineError;
use crate::layer::{Asked, Layer, Layered, Outcome, Step};
use crate::provider::{
    Completion, Devices, InProcess, Init, LineMessage, PhoneMessage, Provider, Tapi,
};
use ringback_request::sync::EvenPoisoned;

mod broken;
mod late;
mod library;
mod openings;
mod round_trip;
mod upward;

/// A provider without functions.
struct Empty;

impl InProcess for Empty {}

impl Provider for Empty {
    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: 3, phones: 4 })
    }

    fn provider_init(&self, _: Init, _: Box<dyn Tapi>) -> Result<u32, LineError> {
        Ok(1)
    }
}

/// Notes each call, and returns what the test has set.
#[derive(Default)]
struct Notes {
    asked: Mutex<Vec<String>>,
    outcomes: Mutex<Vec<Outcome>>,
    answer: Mutex<Option<Outcome>>,
}

impl Layer for Arc<Notes> {
    type Kept<'a> = ();

    fn before(&self, asked: &Asked<'_>) -> Step<()> {
        self.asked.lock().even_poisoned().push(asked.json());
        self.answer.lock().even_poisoned().take().map_or(Step::Go(()), Step::Answer)
    }

    fn after(&self, _: &Asked<'_>, outcome: &Outcome, (): ()) {
        self.outcomes.lock().even_poisoned().push(outcome.clone());
    }
}

fn noted(provider: impl Provider + 'static, notes: &Arc<Notes>) -> Layered<Arc<Notes>> {
    Layered::new(Arc::new(provider) as Arc<dyn Provider>, Arc::clone(notes))
}

//! A driver as its writer makes it with driver/GUIDE.md in hand. `sensor.rs` is the page's engine,
//! word for word; `chip.rs` is its hardware in software.

pub mod chip;
pub mod sensor;

// By these names the mailbox finds the driver from here as it does in its own crate.
use ringback_driver::{device, engine, request};

/// The engine to read first, compiled outside of the driver.
#[path = "../../../../driver/src/card/mailbox/mod.rs"]
pub mod mailbox;

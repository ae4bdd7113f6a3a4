//! The bytes of a connection, for an application that reads them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_request::sync::EvenPoisoned;

/// Bytes that are kept. With more than this waiting, the modem is asked to wait.
pub const ROOM: usize = 65_536;

/// The application's end of what comes from the other modem. Clones are the same end.
///
/// What came before a call ended can still be fetched, until the next call is connected.
#[derive(Debug, Clone, Default)]
pub struct Data(Arc<Mutex<VecDeque<u8>>>);

impl Data {
    /// Moves what has come to the end of `bytes`.
    pub fn fetch(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.lock().drain(..));
    }

    /// How many bytes there are to be fetched.
    pub fn available(&self) -> usize {
        self.lock().len()
    }

    // For the engine of the line

    /// Takes in a byte. The caller has made sure that there is room for it.
    pub fn push(&self, byte: u8) {
        self.lock().push_back(byte);
    }

    /// How many more bytes can be taken in.
    pub fn room(&self) -> usize {
        ROOM.saturating_sub(self.available())
    }

    /// Drops what was not fetched, when another call is connected.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<u8>> {
        self.0.lock().even_poisoned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_fetched_once_and_in_order() {
        let data = Data::default();
        b"abc".iter().for_each(|byte| data.push(*byte));
        assert_eq!((data.available(), data.room()), (3, ROOM - 3));
        let mut bytes = b">".to_vec();
        data.clone().fetch(&mut bytes);
        data.fetch(&mut bytes);
        assert_eq!(bytes, b">abc");
        data.push(1);
        data.clear();
        assert_eq!(data.available(), 0);
    }
}

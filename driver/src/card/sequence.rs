//! Register sequences of a module that run at once or a few accesses per tick.
//!
//! Bringing a module up takes hundreds of register operations with waits between them. At start
//! they run one after the other; when a module must be set up again while calls are up on the other
//! ports, only as many may run in each tick as the tick has room for. So a sequence is written
//! once, as an `async` function over a [`Chip`], and asks for one [`Operation`] at a time; whoever
//! runs it performs the operation whenever it may. There is no executor and no waker: the future is
//! a state machine that is advanced by [`Sequence::advance`] and by nothing else.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// One thing a sequence wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Read a register of the module; the value is the answer.
    Read(u8),
    /// Write a register of the module.
    Write(u8, u8),
    /// Put the module's byte counter back to the first byte.
    Resync,
    /// Let this much time pass.
    Wait(Duration),
}

/// How far a sequence is.
#[derive(Debug)]
pub(crate) enum Step<T> {
    /// It wants this done next.
    Do(Operation),
    /// The sequence has ended with this result.
    Done(T),
}

#[derive(Debug, Default)]
struct Desk {
    operation: Option<Operation>,
    answer: Option<u8>,
}

/// The module as a sequence sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chip(Arc<Mutex<Desk>>);

impl Chip {
    /// Asks for the read of a register, and ends with its value.
    pub(crate) async fn read(&self, register: u8) -> u8 {
        self.perform(Operation::Read(register)).await
    }

    /// Asks for the write of a register.
    pub(crate) async fn write(&self, register: u8, value: u8) {
        self.perform(Operation::Write(register, value)).await;
    }

    /// Writes registers in the given order.
    pub(crate) async fn write_all(&self, values: &[(u8, u8)]) {
        for &(register, value) in values {
            self.write(register, value).await;
        }
    }

    /// Puts the module's byte counter back to the first byte.
    pub(crate) async fn resync(&self) {
        self.perform(Operation::Resync).await;
    }

    /// Asks to be advanced no sooner than after this time.
    pub(crate) async fn wait(&self, time: Duration) {
        self.perform(Operation::Wait(time)).await;
    }

    /// Reads a register every `every` until it is as wanted, at most for `limit`. Gives the last
    /// value read: `Ok` if it was as wanted.
    pub(crate) async fn poll(
        &self,
        register: u8,
        every: Duration,
        limit: Duration,
        wanted: impl Fn(u8) -> bool,
    ) -> Result<u8, u8> {
        let mut waited = Duration::ZERO;
        loop {
            let value = self.read(register).await;
            if wanted(value) {
                return Ok(value);
            }
            if waited >= limit {
                return Err(value);
            }
            self.wait(every).await;
            waited += every;
        }
    }

    async fn perform(&self, operation: Operation) -> u8 {
        self.with(|desk| desk.operation = Some(operation));
        poll_fn(|_| match self.with(|desk| desk.answer.take()) {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        })
        .await
    }

    fn with<R>(&self, f: impl FnOnce(&mut Desk) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A sequence under way.
pub(crate) struct Sequence<T> {
    chip: Chip,
    future: Pin<Box<dyn Future<Output = T> + Send>>,
}

impl<T> Sequence<T> {
    /// A sequence that has not begun.
    pub(crate) fn new<F: Future<Output = T> + Send + 'static>(
        body: impl FnOnce(Chip) -> F,
    ) -> Sequence<T> {
        let chip = Chip::default();
        Sequence { future: Box::pin(body(chip.clone())), chip }
    }

    /// Goes on to the next operation. `answer` is what the last one read (0 where it read nothing,
    /// `None` at the beginning). Not to be called again after [`Step::Done`].
    pub(crate) fn advance(&mut self, answer: Option<u8>) -> Step<T> {
        self.chip.with(|desk| desk.answer = answer);
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Step::Done(value),
            // A body awaits nothing but its chip, so an operation is always there.
            Poll::Pending => {
                let operation = self.chip.with(|desk| desk.operation.take());
                Step::Do(operation.unwrap_or(Operation::Wait(Duration::ZERO)))
            }
        }
    }

    /// Runs to the end, performing each operation with `perform`.
    pub(crate) fn run(mut self, mut perform: impl FnMut(Operation) -> u8) -> T {
        let mut answer = None;
        loop {
            match self.advance(answer) {
                Step::Do(operation) => answer = Some(perform(operation)),
                Step::Done(value) => return value,
            }
        }
    }
}

impl<T> std::fmt::Debug for Sequence<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequence").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_one_operation_at_a_time() {
        let mut sequence = Sequence::new(|chip| async move {
            chip.write(14, 0).await;
            chip.wait(Duration::from_millis(10)).await;
            chip.read(82).await
        });
        assert!(matches!(sequence.advance(None), Step::Do(Operation::Write(14, 0))));
        assert!(matches!(sequence.advance(Some(0)), Step::Do(Operation::Wait(_))));
        assert!(matches!(sequence.advance(Some(0)), Step::Do(Operation::Read(82))));
        assert!(matches!(sequence.advance(Some(0xC8)), Step::Done(0xC8)));
    }

    #[test]
    fn polls_until_wanted_or_late() {
        let poll = |wanted: u8| {
            let mut waits = 0;
            let mut value = 0;
            let result = Sequence::new(move |chip| async move {
                let every = Duration::from_millis(10);
                chip.poll(82, every, every * 5, |v| v >= wanted).await
            })
            .run(|operation| match operation {
                Operation::Read(82) => {
                    value += 1;
                    value
                }
                _ => {
                    waits += 1;
                    0
                }
            });
            (result, waits)
        };
        assert_eq!(poll(3), (Ok(3), 2));
        assert_eq!(poll(99), (Err(6), 5));
    }

    #[test]
    fn can_be_sent_to_another_thread() {
        fn send<T: Send>(_: &T) {}
        send(&Sequence::new(|chip| async move { chip.read(0).await }));
    }
}

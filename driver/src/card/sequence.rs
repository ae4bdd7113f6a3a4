//! Register sequences of a module that run at once or a few accesses per tick.
//!
//! Bringing a module up takes hundreds of register operations with waits between them. At start
//! they run one after the other; when a module must be set up again while calls are up on the other
//! ports, only as many may run in each tick as the tick has room for. So a sequence is written
//! once, as an `async` function over a [`Chip`], and asks for one [`Operation`] at a time; the code
//! that runs it performs the operation when the tick has room. There is no executor and no waker:
//! the future is a state machine that only [`Sequence::advance`] advances.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::register::{Address, Register, Value};
use crate::sync::EvenPoisoned;

/// An operation that a sequence requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Read a register of the module; the value is the answer.
    Read(Address),
    /// Write a register of the module.
    Write(Address, u8),
    /// Put the module's byte counter back to the first byte.
    Resync,
    /// Let this much time pass.
    Wait(Duration),
}

impl Operation {
    /// The write of a value to its register.
    pub(crate) fn write<M, V: Value>(register: Register<M, V>, value: V) -> Operation {
        Operation::Write(register.address(), value.raw() as u8)
    }
}

/// The progress of a sequence.
#[derive(Debug)]
pub(crate) enum SequenceProgress<T> {
    /// This operation is next.
    Do(Operation),
    /// The sequence has ended with this result.
    Done(T),
}

#[derive(Debug, Default)]
struct OperationCell {
    operation: Option<Operation>,
    answer: Option<u8>,
}

/// A module's chip for a sequence, with the registers of the map `M` only.
#[derive(Debug)]
pub(crate) struct Chip<M> {
    desk: Arc<Mutex<OperationCell>>,
    of: PhantomData<fn() -> M>,
}

impl<M> Chip<M> {
    /// Requests the read of a register, and ends with its value.
    pub(crate) async fn read<V: Value>(&self, register: Register<M, V>) -> V {
        V::from_raw(u32::from(self.perform(Operation::Read(register.address())).await))
    }

    /// Requests the write of a register.
    pub(crate) async fn write<V: Value>(&self, register: Register<M, V>, value: V) {
        self.perform(Operation::write(register, value)).await;
    }

    /// Writes registers that hold the same kind of value, in the given order.
    pub(crate) async fn write_all<V: Value>(&self, values: &[(Register<M, V>, V)]) {
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

    /// Reads a register every `every` until its value is as wanted, for at most `limit`. Returns
    /// the last value: `Ok` if it was as wanted.
    pub(crate) async fn poll<V: Value>(
        &self,
        register: Register<M, V>,
        every: Duration,
        limit: Duration,
        wanted: impl Fn(V) -> bool,
    ) -> Result<V, V> {
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

    /// Requests one operation, and ends with the value that it read (0 if it read nothing).
    pub(crate) async fn perform(&self, operation: Operation) -> u8 {
        with(&self.desk, |desk| desk.operation = Some(operation));
        poll_fn(|_| match with(&self.desk, |desk| desk.answer.take()) {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        })
        .await
    }
}

fn with<R>(desk: &Mutex<OperationCell>, f: impl FnOnce(&mut OperationCell) -> R) -> R {
    f(&mut desk.lock().even_poisoned())
}

/// A sequence under way.
pub(crate) struct Sequence<T> {
    desk: Arc<Mutex<OperationCell>>,
    future: Pin<Box<dyn Future<Output = T> + Send>>,
}

impl<T> Sequence<T> {
    /// A sequence that has not begun.
    pub(crate) fn new<M, F: Future<Output = T> + Send + 'static>(
        body: impl FnOnce(Chip<M>) -> F,
    ) -> Sequence<T> {
        let desk = Arc::<Mutex<OperationCell>>::default();
        let chip = Chip { desk: Arc::clone(&desk), of: PhantomData };
        Sequence { future: Box::pin(body(chip)), desk }
    }

    /// Advances to the next operation. `answer` is the value that the last one read (0 if it read
    /// nothing, `None` at the beginning). Not to be called again after [`SequenceProgress::Done`].
    pub(crate) fn advance(&mut self, answer: Option<u8>) -> SequenceProgress<T> {
        with(&self.desk, |desk| desk.answer = answer);
        match self.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => SequenceProgress::Done(value),
            // A sequence awaits nothing but its chip, so an operation was asked for.
            Poll::Pending => {
                let operation = with(&self.desk, |desk| desk.operation.take());
                SequenceProgress::Do(operation.unwrap_or(Operation::Wait(Duration::ZERO)))
            }
        }
    }

    /// Runs to the end, performing each operation with `perform`.
    pub(crate) fn run(mut self, mut perform: impl FnMut(Operation) -> u8) -> T {
        let mut answer = None;
        loop {
            match self.advance(answer) {
                SequenceProgress::Do(operation) => answer = Some(perform(operation)),
                SequenceProgress::Done(value) => return value,
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
    use crate::card::register::registers;

    registers! {
        /// A chip for these tests.
        Counter, "counter";
        /// Register 14, which the tests write.
        START = 14: u8;
        /// Register 82, which the tests read.
        COUNT = 82: u8;
    }

    #[test]
    fn asks_for_one_operation_at_a_time() {
        let mut sequence = Sequence::new(|chip| async move {
            chip.write(START, 0).await;
            chip.wait(Duration::from_millis(10)).await;
            chip.read(COUNT).await
        });
        let mut next = |answer| match sequence.advance(answer) {
            SequenceProgress::Do(operation) => Err(operation),
            SequenceProgress::Done(count) => Ok(count),
        };
        assert_eq!(next(None), Err(Operation::Write(START.address(), 0)));
        assert_eq!(next(Some(0)), Err(Operation::Wait(Duration::from_millis(10))));
        assert_eq!(next(Some(0)), Err(Operation::Read(COUNT.address())));
        assert_eq!(next(Some(0xC8)), Ok(0xC8));
    }

    #[test]
    fn polls_until_wanted_or_late() {
        let poll = |wanted: u8| {
            let mut waits = 0;
            let mut value = 0;
            let result = Sequence::new(move |chip| async move {
                let every = Duration::from_millis(10);
                chip.poll(COUNT, every, every * 5, |v| v >= wanted).await
            })
            .run(|operation| match operation {
                Operation::Read(register) if register == COUNT.address() => {
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
        send(&Sequence::new(|chip| async move { chip.read(COUNT).await }));
    }
}

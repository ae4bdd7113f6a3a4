//! The engine on the card in software, under a virtual clock.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::hardware::SoftEdu;
use super::*;
use crate::device::soft::{Hardware, SoftDevice, SoftInterrupt, SoftMemory};
use crate::reactor::{Handle, Refused, Stepper, Upcalls};
use crate::request::{Completion, ErrorCode, LineNumber};

/// The id of a request, its result and its answer.
type Told = (u32, Result<(), ErrorCode>, Answer);

struct Teller(Sender<Told>);

impl Upcalls<(), Answer> for Teller {
    fn completed(&mut self, completion: Completion<Answer>) {
        self.0.send((completion.id.get(), completion.result, completion.output)).unwrap();
    }
    fn event(&mut self, _: LineNumber, (): ()) {}
}

type SoftCard = Edu<SoftDevice<SoftEdu>>;

struct Bench {
    card: SoftEdu,
    stepper: Stepper<SoftCard, Teller>,
    handle: Handle<SoftCard>,
    told: Receiver<Told>,
}

fn soft(memory: usize) -> (SoftEdu, SoftDevice<SoftEdu>) {
    let memory = Arc::new(SoftMemory::new(memory));
    let interrupt = SoftInterrupt::new().unwrap();
    let card = SoftEdu::new(Arc::clone(&memory), interrupt.clone());
    (card.clone(), SoftDevice::new(card, Some(memory), interrupt))
}

fn bench() -> Bench {
    let (card, device) = soft(MEMORY_SIZE);
    start(card, device)
}

fn start(card: SoftEdu, device: SoftDevice<SoftEdu>) -> Bench {
    let (teller, told) = channel();
    let stepper = Stepper::new(Edu::new(device).unwrap(), Teller(teller), 16).unwrap();
    let handle = stepper.handle();
    Bench { card, stepper, handle, told }
}

impl Bench {
    fn submit(&self, work: Work) -> u32 {
        self.submit_for(work, Duration::from_secs(60))
    }

    fn submit_for(&self, work: Work, time_limit: Duration) -> u32 {
        self.handle.submit(LineNumber(0), Order { work, time_limit }).unwrap().id().get()
    }

    fn told(&mut self) -> Vec<Told> {
        self.stepper.deliver();
        self.told.try_iter().collect()
    }

    fn interrupt(&mut self) -> Vec<Told> {
        self.stepper.interrupt();
        self.told()
    }
}

fn factorial(operand: u32) -> Work {
    Work::Factorial { operand }
}

#[test]
fn factorials_are_answered_one_after_the_other() {
    let mut bench = bench();
    let ids: Vec<_> = [5, 0, 13].map(|n| bench.submit(factorial(n))).into();
    assert_eq!(bench.told(), []);
    for (id, operand, value) in [(ids[0], 5, 120), (ids[1], 0, 1), (ids[2], 13, 1_932_053_504)] {
        assert!(bench.card.finish_factorial());
        assert_eq!(bench.interrupt(), [(id, Ok(()), Answer::Factorial { operand, value })]);
    }
    assert!(!bench.card.finish_factorial());
    assert_eq!(bench.interrupt(), [], "an interrupt without a cause");
}

#[test]
fn what_is_stored_is_loaded() {
    let mut bench = bench();
    let words: Vec<u32> = (0..1024).map(|n: u32| n.wrapping_mul(0x9E37_79B9)).collect();
    let store = bench.submit(Work::Store { offset: 0, words: words.clone() });
    let load = bench.submit(Work::Load { offset: 4, words: 1023 });
    assert!(bench.card.finish_dma());
    assert_eq!(bench.interrupt(), [(store, Ok(()), Answer::Nothing)]);
    assert!(bench.card.finish_dma());
    let loaded = Answer::Loaded { offset: 4, words: words[1..].to_vec() };
    assert_eq!(bench.interrupt(), [(load, Ok(()), loaded)]);
}

#[test]
fn one_interrupt_may_end_both_units() {
    let mut bench = bench();
    let store = bench.submit(Work::Store { offset: 0, words: vec![1] });
    let three = bench.submit(factorial(3));
    assert!(bench.card.finish_dma() && bench.card.finish_factorial());
    let answer = Answer::Factorial { operand: 3, value: 6 };
    let told = bench.interrupt();
    assert_eq!(told, [(three, Ok(()), answer), (store, Ok(()), Answer::Nothing)]);
}

#[test]
fn copies_that_do_not_fit_are_refused() {
    let bench = bench();
    let limit = Duration::from_secs(1);
    for (offset, words) in
        [(0, 0), (2, 1), (4096, 1), (4, 1024), (usize::MAX - 3, 1), (0, usize::MAX)]
    {
        let work = Work::Load { offset, words };
        let refused =
            bench.handle.submit(LineNumber(0), Order { work, time_limit: limit }).unwrap_err();
        assert_eq!(
            refused,
            Refused::Rejected(ErrorCode::of::<{ -libc::EINVAL }>()),
            "{words} words at {offset}"
        );
    }
    let work = Work::Store { offset: 4092, words: vec![1, 2] };
    assert!(bench.handle.submit(LineNumber(0), Order { work, time_limit: limit }).is_err());
}

#[test]
fn an_abandoned_copy_keeps_the_memory_until_it_ends() {
    let mut bench = bench();
    let late = bench.submit_for(Work::Load { offset: 0, words: 1 }, Duration::from_millis(10));
    let next = bench.submit(Work::Store { offset: 0, words: vec![7] });
    bench.stepper.advance(Duration::from_millis(20));
    assert_eq!(bench.told(), [(late, Err(Failure::Deadline.errno()), Answer::Nothing)]);
    assert!(bench.card.finish_dma());
    assert_eq!(bench.interrupt(), [], "the abandoned copy");
    assert!(bench.card.finish_dma());
    assert_eq!(bench.interrupt(), [(next, Ok(()), Answer::Nothing)]);
}

#[test]
fn a_cancelled_request_is_not_started() {
    let mut bench = bench();
    let first = bench.submit(factorial(4));
    let time_limit = Duration::from_secs(1);
    let ticket =
        bench.handle.submit(LineNumber(0), Order { work: factorial(5), time_limit }).unwrap();
    let second = ticket.id().get();
    assert!(bench.handle.cancel(ticket.token()));
    drop(ticket);
    assert_eq!(bench.told(), [(second, Err(Failure::Cancelled.errno()), Answer::Nothing)]);
    assert!(bench.card.finish_factorial());
    let answer = Answer::Factorial { operand: 4, value: 24 };
    assert_eq!(bench.interrupt(), [(first, Ok(()), answer)]);
    assert!(!bench.card.finish_factorial());
}

#[test]
fn what_a_killed_user_left_is_waited_for() {
    let (card, device) = soft(MEMORY_SIZE);
    device.enable_bus_master().unwrap();
    Bus::new(device.registers()).write(FACTORIAL, 9);
    let mut bench = start(card, device);
    let mine = bench.submit(factorial(2));
    assert!(bench.card.finish_factorial());
    assert_eq!(bench.interrupt(), [], "the factorial of 9");
    assert!(bench.card.finish_factorial());
    let answer = Answer::Factorial { operand: 2, value: 2 };
    assert_eq!(bench.interrupt(), [(mine, Ok(()), answer)]);
}

#[test]
fn an_interrupt_left_by_a_killed_user_ends_nothing() {
    let (card, device) = soft(MEMORY_SIZE);
    Bus::new(device.registers()).write(STATUS, Status::INTERRUPT);
    Bus::new(device.registers()).write(FACTORIAL, 9);
    assert!(card.finish_factorial());
    let mut bench = start(card, device);
    let mine = bench.submit(factorial(6));
    assert_eq!(bench.interrupt(), [], "9 is done, 6 is not");
    assert!(bench.card.finish_factorial());
    let answer = Answer::Factorial { operand: 6, value: 720 };
    assert_eq!(bench.interrupt(), [(mine, Ok(()), answer)]);
}

#[test]
fn removal_fails_what_runs_waits_and_comes() {
    let mut bench = bench();
    let mut ids: Vec<_> = (0..3).map(|n| bench.submit(factorial(n))).collect();
    ids.push(bench.submit(Work::Load { offset: 0, words: 1 }));
    bench.card.remove();
    let told = bench.interrupt();
    let all: Vec<_> =
        ids.into_iter().map(|id| (id, Err(Failure::Gone.errno()), Answer::Nothing)).collect();
    assert_eq!(told, all);
    let time_limit = Duration::from_secs(1);
    let refused =
        bench.handle.submit(LineNumber(0), Order { work: factorial(1), time_limit }).unwrap_err();
    assert_eq!(refused, Refused::Rejected(Failure::Gone.errno()));
}

#[test]
fn stopping_settles_everything() {
    let mut bench = bench();
    let ids = [bench.submit(factorial(1)), bench.submit(factorial(2))];
    bench.stepper.stop();
    let told = bench.told();
    assert_eq!(told, ids.map(|id| (id, Err(Failure::Closed.errno()), Answer::Nothing)));
    assert_eq!(bench.card.read(STATUS.number(), 4) & Status::INTERRUPT.bits(), 0);
}

#[test]
fn another_device_is_refused() {
    let (card, device) = soft(MEMORY_SIZE);
    card.remove();
    assert!(matches!(Edu::new(device), Err(EduError::NotEdu(ABSENT))));
    let (_, device) = soft(MEMORY_SIZE - 4);
    assert!(matches!(Edu::new(device), Err(EduError::Memory { size: 4092, .. })));
}

//! A complete engine with the mailbox card, under load and with faults.

use std::time::Instant;

use super::*;
use crate::card::mailbox::{Complement, Mailbox, SoftMailbox};
use crate::device::Device;
use crate::device::soft::{SoftDevice, SoftInterrupt};
use crate::request::LineNumber;

/// Counts completions, and checks C3 by id.
struct Tally(Sender<Completion>);

impl Upcalls<()> for Tally {
    fn completed(&mut self, completion: Completion) {
        self.0.send(completion).ok();
    }
    fn event(&mut self, _: LineNumber, (): ()) {}
}

type SoftDriver = Running<Mailbox<SoftDevice<SoftMailbox>>>;

fn mailbox(
    mode: Mode,
    capacity: usize,
) -> (SoftMailbox, SoftInterrupt, SoftDriver, Receiver<Completion>) {
    let hardware = SoftMailbox::new(1024);
    let interrupt = SoftInterrupt::new().unwrap();
    let device = SoftDevice::new(hardware.clone(), None, interrupt.clone());
    let file = device.interrupt().unwrap();
    let engine = Mailbox::new(device, capacity).unwrap();
    let (tally, told) = channel();
    let driver = mode.run(engine, Some(file), Tally(tally), capacity);
    (hardware, interrupt, driver, told)
}

fn complement(operand: u32) -> Complement {
    Complement { operand, time_limit: DEADLINE }
}

#[test]
fn mailbox_thousands_outstanding_from_many_threads_each_once() {
    in_every_mode(|mode| {
        const EACH: usize = 5000;
        let (hardware, interrupt, driver, told) = mailbox(mode, 4096);
        let over = AtomicBool::new(false);
        let (submitted, ended) = thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    if hardware.step(64) != 0 {
                        interrupt.raise();
                    }
                    thread::yield_now();
                }
            });
            let submitters: Vec<_> = (0..4)
                .map(|_| {
                    let handle = driver.handle();
                    scope.spawn(move || {
                        let mut ids = Vec::with_capacity(EACH);
                        while ids.len() < EACH {
                            match handle.submit(LineNumber(0), complement(ids.len() as u32)) {
                                Ok(ticket) => ids.push(ticket.id()),
                                Err(Refused::Full(_)) => thread::yield_now(),
                                Err(other) => panic!("{other}"),
                            }
                        }
                        ids
                    })
                })
                .collect();
            let ended: Vec<_> =
                (0..4 * EACH).map(|_| told.recv_timeout(DEADLINE).expect("none is lost")).collect();
            over.store(true, Ordering::Relaxed);
            let submitted: Vec<_> =
                submitters.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
            (submitted, ended)
        });
        assert!(ended.iter().all(|one| one.result.is_ok()));
        let sorted = |mut ids: Vec<RequestId>| {
            ids.sort_unstable();
            ids
        };
        let ended = sorted(ended.into_iter().map(|one| one.id).collect());
        assert_eq!(ended, sorted(submitted), "C3: each submission has its completion");
        drop(driver);
        assert!(told.try_recv().is_err());
    });
}

#[test]
fn mailbox_wrong_answers_removal_and_lost_interrupts_end_requests_with_errors() {
    in_every_mode(|mode| {
        let (hardware, interrupt, driver, told) = mailbox(mode, 16);
        let handle = driver.handle();
        // Starts a command on the hardware, whichever thread holds the card.
        let put = |command| {
            drop(handle.submit(LineNumber(0), command).unwrap());
            let until = Instant::now() + DEADLINE;
            while hardware.waiting() == 0 {
                assert!(Instant::now() < until, "a command was left behind");
                thread::yield_now();
            }
        };
        put(complement(1));
        hardware.answer_wrongly();
        hardware.step(1);
        interrupt.raise();
        assert_eq!(
            told.recv_timeout(DEADLINE).unwrap().result,
            Err(ErrorCode::of::<{ -libc::EBADMSG }>())
        );

        // The hardware answers, but the interrupt is lost: the deadline ends the request, and the
        // late answer has no request. A polling reaper finds the answer in time. The loss may take
        // several attempts: a sleeping reaper may be woken a second time by the interrupt before,
        // and a polling one may get no CPU for as long.
        let mut lost = || {
            put(Complement { operand: 2, time_limit: Duration::from_millis(30) });
            hardware.step(1);
            told.recv_timeout(DEADLINE).unwrap().result
        };
        let mut comes_to = |end| std::iter::repeat_with(&mut lost).take(50).any(|one| one == end);
        match mode {
            Mode::Thread(Waiting::Sleep) | Mode::Local(Waiting::Sleep) => {
                assert!(comes_to(Err(Failure::Deadline.errno())));
            }
            Mode::Thread(Waiting::Poll) | Mode::Local(Waiting::Poll) => assert!(comes_to(Ok(()))),
            _ => assert!([Ok(()), Err(Failure::Deadline.errno())].contains(&lost())),
        }
        interrupt.raise();

        let running =
            [3, 4].map(|operand| handle.submit(LineNumber(0), complement(operand)).unwrap().id());
        hardware.remove();
        interrupt.raise();
        for id in running {
            let completion = told.recv_timeout(DEADLINE).unwrap();
            assert_eq!((completion.id, completion.result), (id, Err(Failure::Gone.errno())));
        }
        match handle.submit(LineNumber(0), complement(5)) {
            Err(refused) => assert_eq!(refused, Refused::Rejected(Failure::Gone.errno())),
            // The reaper held the card.
            Ok(ticket) => {
                drop(ticket);
                assert_eq!(told.recv_timeout(DEADLINE).unwrap().result, Err(Failure::Gone.errno()));
            }
        }
        drop(driver);
        assert!(told.try_recv().is_err(), "C3");
    });
}

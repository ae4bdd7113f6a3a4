//! Calls in both directions on all lines for a long time, in one process: neither memory nor
//! descriptors nor threads grow.
//!
//! `RINGBACK_SOAK_MINUTES=60` lets it run for an hour (`make soak`). What it measured is printed.
//! With `RINGBACK_SCARCE`, which `tests/scarce` sets (`make soak-scarce`), calls may fail;
//! everything else is the same.

use std::fmt::Write;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use ringback_driver::PortNumber;
use ringback_host::{Call, Events, Host, HostOptions, Line, LineEvent};
use ringback_softcard::{Behaviour, LineState};
use ringback_tests::{Bench, DEADLINE, FXO, FXS, SUPERVISED, eventually, incoming, make, state};
use ringback_tspi::callstate::CallState;

/// How many times it is measured.
const SAMPLES: usize = 60;
/// How long parties talk.
const TALK: Duration = Duration::from_millis(400);
/// How long a call may need to connect or to end where calls may fail.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a third of a run may hold more than the one before it at its least: the books of the
/// allocator, but no call.
const HEAP_SLACK: u64 = 16 * 1024;
/// The same for the resident memory, which the kernel counts in pages and the allocator gives back
/// late.
const RESIDENT_SLACK: u64 = 1024 * 1024;

/// What the process has at one time.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Bytes that are allocated.
    heap: u64,
    /// Bytes in memory.
    resident: u64,
    descriptors: u64,
    threads: u64,
}

impl Sample {
    #[expect(unsafe_code, reason = "mallinfo2, which no crate has a safe face for")]
    fn take() -> Sample {
        // SAFETY: mallinfo2 takes nothing and reads the allocator's own counters.
        let heap = unsafe { libc::mallinfo2() }.uordblks as u64;
        let statm = fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
        let entries = |folder: &str| fs::read_dir(folder).unwrap().count() as u64;
        Sample {
            heap,
            resident: pages * 4096,
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
        }
    }
}

/// Waits until a call is in the state. On a machine without time for it the sound has gaps, so that
/// a tone or a digit may not be recognised: then the call may have another end, or none by itself.
fn comes_to(events: &Events, call: &Call, wanted: CallState) {
    if std::env::var_os("RINGBACK_SCARCE").is_none() {
        state(events, call, wanted);
        return;
    }
    let ends = [wanted, CallState::Disconnected, CallState::Busy, CallState::SpecialInfo];
    for event in events.within(PATIENCE) {
        if let LineEvent::State { call: of, state, .. } = event
            && of == *call
            && ends.contains(&state)
        {
            return;
        }
    }
}

/// One end of a call hangs up, and the call is over on both sides.
fn drop_call(events: &Events, call: &Call) {
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    state(events, call, CallState::Idle);
    call.close().unwrap();
}

/// A telephone is rung, answers and is hung up.
fn ring_telephone(bench: &Bench, line: &Line, events: &Events) {
    let telephone = bench.card.telephone(PortNumber(0)).unwrap();
    let call = make(line, "");
    comes_to(events, &call, CallState::Connected);
    thread::sleep(TALK);
    drop_call(events, &call);
    telephone.on_hook();
    eventually("the telephone is on-hook", || !telephone.is_off_hook());
    bench.pass(Duration::from_secs(2));
}

/// A telephone calls us, is answered and hangs up.
fn telephone_calls(bench: &Bench, _: &Line, events: &Events) {
    let telephone = bench.card.telephone(PortNumber(1)).unwrap();
    telephone.call("77#");
    let call = incoming(events);
    call.answer().unwrap().wait(DEADLINE).unwrap();
    thread::sleep(TALK);
    telephone.on_hook();
    comes_to(events, &call, CallState::Disconnected);
    drop_call(events, &call);
    bench.pass(Duration::from_secs(1));
}

/// A call comes in from the exchange, is answered, and the caller hangs up.
fn exchange_calls(bench: &Bench, _: &Line, events: &Events) {
    bench.exchange().call("201", "102").unwrap();
    let call = incoming(events);
    call.answer().unwrap().wait(DEADLINE).unwrap();
    thread::sleep(TALK);
    bench.subscriber("201").on_hook();
    comes_to(events, &call, CallState::Disconnected);
    drop_call(events, &call);
    bench.until_line("102", LineState::Idle);
    bench.pass(Duration::from_secs(1));
}

/// A call over the exchange is answered, and we hang up.
fn call_out(bench: &Bench, line: &Line, events: &Events) {
    let call = make(line, "200");
    comes_to(events, &call, CallState::Connected);
    thread::sleep(TALK);
    drop_call(events, &call);
    bench.until_line("103", LineState::Idle);
    bench.pass(Duration::from_secs(1));
}

/// One kind of call on one line.
type Habit = fn(&Bench, &Line, &Events);

const HABITS: [(u32, Habit); 4] =
    [(FXS, ring_telephone), (1, telephone_calls), (FXO, exchange_calls), (SUPERVISED, call_out)];

#[test]
fn nothing_grows_while_calls_come_and_go() {
    let minutes = std::env::var("RINGBACK_SOAK_MINUTES");
    let minutes: f64 = minutes.map_or(0.5, |text| text.parse().expect("minutes"));
    let bench = Bench::new();
    bench.card.telephone(PortNumber(0)).unwrap().set_behaviour(Behaviour::AnswerAfterRings(1));
    // Without the witness, which keeps what it has seen.
    let host = Host::start(Arc::clone(bench.bare()), HostOptions::default()).unwrap();
    let (is_over, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    let samples = thread::scope(|scope| {
        for (device, habit) in HABITS {
            let (bench, host, is_over, calls) = (&bench, &host, &is_over, &calls);
            scope.spawn(move || {
                let line = host.open(device).unwrap();
                eventually("the line is in service", || {
                    line.status().is_ok_and(|status| status.in_service)
                });
                let events = line.events();
                while !is_over.load(SeqCst) {
                    habit(bench, &line, &events);
                    calls.fetch_add(1, SeqCst);
                }
                line.close().unwrap();
            });
        }
        let start = Instant::now();
        let every = Duration::from_secs_f64(minutes * 60.0 / SAMPLES as f64);
        let samples: Vec<Sample> = (1..=SAMPLES as u32)
            .map(|number| {
                thread::sleep((every * number).saturating_sub(start.elapsed()));
                Sample::take()
            })
            .collect();
        is_over.store(true, SeqCst);
        samples
    });
    host.shutdown().unwrap();
    let text = report(minutes, calls.load(SeqCst), &samples);
    println!("{text}");
    judge(&samples, calls.load(SeqCst), &text);
}

/// Asserts that the last third of a run needed no more than the second. In the first the program
/// comes to its size.
fn judge(samples: &[Sample], calls: usize, text: &str) {
    assert!(calls >= HABITS.len(), "only {calls} calls");
    let [.., second, third] = [0, 1, 2].map(|third| {
        let length = samples.len() / 3;
        &samples[third * length..(third + 1) * length]
    });
    let least = |part: &[Sample], of: fn(&Sample) -> u64| part.iter().map(of).min().unwrap();
    let (heap, resident) = (|s: &Sample| s.heap, |s: &Sample| s.resident);
    assert!(least(third, heap) <= least(second, heap) + HEAP_SLACK, "the heap grows\n{text}");
    assert!(
        least(third, resident) <= least(second, resident) + RESIDENT_SLACK,
        "the memory grows\n{text}"
    );
    for of in [|s: &Sample| s.descriptors, |s: &Sample| s.threads] {
        let most = |part: &[Sample]| part.iter().map(of).max().unwrap();
        assert!(most(third) <= most(second), "descriptors or threads grow\n{text}");
    }
}

/// What a value looks like in a graph, from 0 to the greatest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A table with a graph in each row.
fn report(minutes: f64, calls: usize, samples: &[Sample]) -> String {
    let mut text = format!("{calls} calls in {minutes} minutes\n\n");
    text += "| measure | least | most | over time |\n|---|---|---|---|\n";
    let mut row = |name: &str, of: fn(&Sample) -> u64| {
        let values: Vec<u64> = samples.iter().map(of).collect();
        let most = values.iter().copied().max().unwrap_or(0);
        let least = values.iter().copied().min().unwrap_or(0);
        // From 0 up, so that a small change looks small.
        let bar = |value: &u64| BARS[(value * 7 / most.max(1)) as usize];
        let bars: String = values.iter().map(bar).collect();
        writeln!(text, "| {name} | {least} | {most} | {bars} |").unwrap();
    };
    row("heap, KiB", |sample| sample.heap / 1024);
    row("resident memory, KiB", |sample| sample.resident / 1024);
    row("descriptors", |sample| sample.descriptors);
    row("threads", |sample| sample.threads);
    text
}

/// What the judgement would miss if it were too mild: a call that leaves 200 bytes behind.
#[test]
fn a_leak_of_a_call_is_seen() {
    let sample =
        |at: u64| Sample { heap: 1 << 20, resident: 1 << 24, descriptors: 20 + at, threads: 9 };
    let flat: Vec<Sample> = (0..60).map(|_| sample(0)).collect();
    judge(&flat, 100, "");
    let grows: [fn(&mut Sample, u64); 4] = [
        // An hour has about 4000 calls.
        |sample, at| sample.heap += at * 4000 / 60 * 200,
        |sample, at| sample.resident += at * 100_000,
        |sample, at| sample.descriptors += at / 20,
        |sample, at| sample.threads += at / 50,
    ];
    for grow in grows {
        let mut samples = flat.clone();
        (0..).zip(&mut samples).for_each(|(at, sample)| grow(sample, at));
        let judged = std::panic::catch_unwind(|| judge(&samples, 100, "grows"));
        assert!(judged.is_err());
    }
}

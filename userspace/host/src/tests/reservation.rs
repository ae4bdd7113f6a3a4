//! G1: nothing of a request is delivered before the function that made it has returned, with two
//! threads as well; and a request that the application does not use holds nothing back.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc;

use super::*;
use ringback_tspi::functions::TSPI_lineDial;
use ringback_tspi::layer::{Asked, Layer, Layered, Outcome, Step};

const ROUNDS: u32 = 40_000;
/// Long enough for another thread to deliver a completion meanwhile.
const WAY_OUT: Duration = Duration::from_micros(50);

/// Has a thread of its own complete each request as soon as it is accepted.
struct Completer {
    asked: AtomicU32,
    over: AtomicBool,
}

impl Completer {
    fn run(&self, mock: &Mock) {
        let mut done = 0;
        while !self.over.load(Ordering::Acquire) {
            let id = self.asked.load(Ordering::Acquire);
            match RequestId::new(id).filter(|_| id != done) {
                Some(request) => mock.complete(request, Ok(())),
                None => std::hint::spin_loop(),
            }
            done = id;
        }
    }
}

/// Makes requests while another thread completes them. Returns how many completions came before
/// the function that made the request had returned, and how many came in all.
fn early(reserved: bool) -> (u32, u64) {
    let completer = Arc::new(Completer { asked: AtomicU32::new(0), over: AtomicBool::new(false) });
    let returned = Arc::new(AtomicU32::new(0));
    let (early, told) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU64::new(0)));
    let options = {
        let (returned, early, told) =
            (Arc::clone(&returned), Arc::clone(&early), Arc::clone(&told));
        observed(move |happened| match happened {
            // Delays the return of the function, as if the thread were preempted there.
            Traced::Returned { .. } => {
                let start = Instant::now();
                while start.elapsed() < WAY_OUT {
                    std::hint::spin_loop();
                }
            }
            Traced::Completed { id, .. } => {
                told.fetch_add(1, Ordering::Relaxed);
                let is_early = returned.load(Ordering::Acquire) < id.get();
                early.fetch_add(u32::from(is_early), Ordering::Relaxed);
            }
            _ => {}
        })
    };
    let mock = Arc::new(Mock::default());
    let inside: Arc<dyn Provider> = Arc::clone(&mock) as Arc<dyn Provider>;
    let provider = Layered::new(inside, Asking(Arc::clone(&completer)));
    let host = Host::start(Arc::new(provider) as Arc<dyn Provider>, options).unwrap();
    let line = host.open(0).unwrap();
    let _call = {
        let pending = make(&line);
        mock.complete(pending.id(), Ok(()));
        pending.wait(DEADLINE).unwrap()
    };
    let call = &_call;
    early.store(0, Ordering::Relaxed);
    told.store(0, Ordering::Relaxed);
    thread::scope(|scope| {
        scope.spawn(|| completer.run(&mock));
        for _ in 0..ROUNDS {
            let pending = if reserved { call.reserve().dial("1") } else { call.dial("1") };
            let pending = pending.unwrap();
            returned.store(pending.id().get(), Ordering::Release);
            pending.wait(DEADLINE).unwrap();
        }
        completer.over.store(true, Ordering::Release);
    });
    (early.load(Ordering::Relaxed), told.load(Ordering::Relaxed))
}

/// Passes each request of lineDial to the completer.
struct Asking(Arc<Completer>);

impl Layer for Asking {
    type Kept<'a> = ();

    fn before(&self, _: &Asked<'_>) -> Step<()> {
        Step::Go(())
    }

    fn after(&self, asked: &Asked<'_>, outcome: &Outcome, (): ()) {
        if asked.is(&TSPI_lineDial) && outcome.is_ok() {
            self.0.asked.store(outcome.result.cast_unsigned(), Ordering::Release);
        }
    }
}

#[test]
fn g1_of_40000_completions_by_another_thread_none_overtakes_the_function_that_asked() {
    assert_eq!(early(false), (0, u64::from(ROUNDS)));
}

#[test]
fn g1_a_reserved_request_may_be_delivered_at_once() {
    let (early, told) = early(true);
    println!("{early} of {told} came before the function had returned");
    assert_eq!(told, u64::from(ROUNDS));
    // This also shows that the test above would notice them.
    assert_ne!(early, 0);
}

#[test]
fn a_reservation_that_is_not_used_gives_its_id_back() {
    let (_mock, host, line) = start(Mock::default());
    let reserved = line.reserve();
    assert_eq!((reserved.id(), host.outstanding()), (RequestId::FIRST, 0));
    drop(reserved);
    host.shared.requests.set_next(RequestId::FIRST);
    assert_eq!(line.reserve().id(), RequestId::FIRST);
    assert!(host.shutdown().is_ok());
    assert_eq!(host.counts().lost, 0);
}

#[test]
fn a_reserved_call_can_be_used_in_its_completion() {
    let (mock, _host, line) = start(Mock::default());
    let (give, dialled) = mpsc::channel();
    mock.in_make_call(|tapi, id, _, _| {
        tapi.completion(&done(id));
        None
    });
    let reserved = line.reserve();
    let pending = reserved.make_call("1", &CallOptions::default()).unwrap();
    pending.on_complete(move |made| give.send(made.unwrap().dial("2").is_ok()).unwrap());
    assert!(dialled.recv_timeout(DEADLINE).unwrap(), "N1: its handle is known");
}

/// Makes a request on a thread that then does this with its `Pending` until `end` was called.
/// Asserts that events behind the request are delivered before that.
fn is_told_beside(hold: impl FnOnce(Pending<Call>) + Send, end: impl FnOnce()) {
    let (mock, _host, line) = start(Mock::default());
    let events = line.events();
    let (give, asked) = mpsc::channel();
    thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let pending = make(&line);
            give.send((pending.id(), pending.call().handle())).unwrap();
            hold(pending);
        });
        let (id, call) = asked.recv_timeout(DEADLINE).unwrap();
        mock.complete(id, Ok(()));
        mock.state(call, CallState::Dialing);
        assert_eq!(states(&events, 1), [CallState::Dialing]);
        end();
        asker.join().unwrap();
    });
}

#[test]
fn o1_what_is_behind_a_request_that_is_not_waited_for_is_delivered() {
    let (end, ends) = mpsc::channel::<()>();
    let sleep = move |pending: Pending<Call>| {
        let _ = ends.recv();
        assert!(pending.wait(Duration::ZERO).is_ok());
    };
    is_told_beside(sleep, || drop(end));
}

#[test]
fn o1_what_is_behind_a_request_of_a_computing_thread_is_delivered() {
    let over = AtomicBool::new(false);
    let compute = |pending: Pending<Call>| {
        while !over.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        pending.release();
    };
    is_told_beside(compute, || over.store(true, Ordering::Relaxed));
}

#[test]
fn a_thread_that_has_ended_and_leaked_its_request_holds_nothing_back() {
    let (mock, _host, line) = start(Mock::default());
    let events = line.events();
    let (id, call) = thread::scope(|scope| {
        let asker = scope.spawn(|| {
            let pending = make(&line);
            let asked = (pending.id(), pending.call().handle());
            std::mem::forget(pending);
            asked
        });
        asker.join().unwrap()
    });
    mock.complete(id, Ok(()));
    mock.state(call, CallState::Dialing);
    assert!(matches!(events.try_next(), Some(LineEvent::State { .. })), "at once");
}

#[test]
fn requests_of_a_callback_are_delivered_when_the_callback_has_returned() {
    let (mock, host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let (give, second) = mpsc::channel();
    let dials = call.clone();
    call.dial("at once").unwrap().on_complete(move |_| {
        let pending = dials.dial("at once").unwrap();
        let id = pending.id();
        std::mem::forget(pending);
        give.send(id).unwrap();
    });
    second.recv_timeout(DEADLINE).unwrap();
    eventually("it is delivered", || host.shared.counters.read().completed == 3);
}

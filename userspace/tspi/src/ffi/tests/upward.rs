//! Upcalls of a library from several threads, and what TAPI makes of them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ringback_request::{ErrorCode, RequestId};

use super::*;
use crate::constants::LINE_NEWCALL;
use crate::error::LineError;
use crate::ffi::upward::{CALLBACKS, Upward, leave_place, take_place};
use crate::types::*;

const DEADLINE: Duration = Duration::from_secs(60);

/// What the test does with a completion.
type Act = Box<dyn FnMut(u32) + Send>;

/// Counts upcalls that overlap.
struct Alone {
    busy: Arc<AtomicBool>,
    overlapped: Arc<AtomicU32>,
    act: Act,
}

impl Alone {
    fn around<R>(&mut self, act: impl FnOnce(&mut Act) -> R) -> R {
        if self.busy.swap(true, Ordering::SeqCst) {
            self.overlapped.fetch_add(1, Ordering::SeqCst);
        }
        let result = act(&mut self.act);
        self.busy.store(false, Ordering::SeqCst);
        result
    }
}

impl Tapi for Alone {
    fn completion(&mut self, completion: &Completion) {
        self.around(|act| act(completion.id.get()));
    }
    fn line_event(&mut self, event: &LineMessage) {
        self.around(|act| act(event.message));
    }
    fn new_call(&mut self, _: HTAPILINE, _: HDRVCALL) -> Option<HTAPICALL> {
        self.around(|_| HTAPICALL::new(9))
    }
    fn phone_event(&mut self, event: &PhoneMessage) {
        self.around(|act| act(event.message));
    }
}

/// An upward interface that does this with each completion, and how often two upcalls overlapped.
fn up(act: impl FnMut(u32) + Send + 'static) -> (Arc<Upward>, Arc<AtomicU32>) {
    let overlapped = Arc::new(AtomicU32::new(0));
    let alone =
        Alone { busy: Arc::default(), overlapped: Arc::clone(&overlapped), act: Box::new(act) };
    let upward = Arc::new(Upward::default());
    assert!(upward.begin_pair(Box::new(alone)));
    (upward, overlapped)
}

/// The callbacks of a library, called as C does.
struct Library(usize);

impl Library {
    fn of(upward: &Arc<Upward>) -> Library {
        Library(take_place(upward).unwrap())
    }

    fn complete(&self, id: u32, result: i32) {
        // SAFETY: the callbacks take any numbers.
        unsafe { (CALLBACKS[self.0].completion)(id, result) };
    }

    /// LINE_NEWCALL; gives TAPI's handle.
    fn announce(&self, line: usize, call: usize) -> usize {
        let mut made = usize::MAX;
        let place = (&raw mut made).expose_provenance();
        // SAFETY: the place is this function's own.
        unsafe { (CALLBACKS[self.0].line)(line, 0, LINE_NEWCALL, call, place, 0) };
        made
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        leave_place(self.0);
    }
}

#[test]
fn c6_upcalls_of_many_threads_come_one_at_a_time_and_none_is_lost() {
    const THREADS: u32 = 4;
    const EACH: u32 = 500;
    let (give, told) = mpsc::channel();
    let (upward, overlapped) = up(move |id| {
        thread::yield_now();
        give.send(id).unwrap();
    });
    let library = Library::of(&upward);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let library = &library;
            scope.spawn(move || {
                for number in 0..EACH {
                    library.complete(thread * EACH + number + 1, 0);
                    if number % 50 == 0 {
                        assert_eq!(library.announce(70, 5), 9, "there is room for the call");
                    }
                }
            });
        }
    });
    upward.end_pair();
    let told: Vec<u32> = told.iter().collect();
    assert_eq!(overlapped.load(Ordering::SeqCst), 0);
    assert_eq!(told.len() as u32, THREADS * EACH);
    for thread in 0..THREADS {
        let range = thread * EACH + 1..=(thread + 1) * EACH;
        let of_thread = told.iter().copied().filter(|id| range.contains(id));
        assert!(of_thread.eq(range.clone()), "the order of each thread is kept");
    }
}

#[test]
fn n15_a_call_that_tapi_has_no_time_for_gets_no_handle() {
    let start = Arc::new(Barrier::new(2));
    let (go_on, wait) = mpsc::channel::<()>();
    let (upward, _) = up({
        let start = Arc::clone(&start);
        move |_| {
            start.wait();
            wait.recv_timeout(DEADLINE).unwrap();
        }
    });
    let library = Library::of(&upward);
    thread::scope(|scope| {
        scope.spawn(|| library.complete(1, 0));
        start.wait();
        let since = Instant::now();
        assert_eq!(library.announce(70, 5), 0, "TAPI is busy, and stays busy");
        assert!(since.elapsed() >= Duration::from_secs(2), "it has waited");
        go_on.send(()).unwrap();
    });
    assert_eq!(library.announce(70, 5), 9, "and later there is room");
}

#[test]
fn a_panic_of_tapis_stays_inside_and_stops_nothing() {
    let (give, told) = mpsc::channel();
    let (upward, _) = up(move |id| {
        assert_ne!(id, 1, "the application is broken");
        give.send(id).unwrap();
    });
    let library = Library::of(&upward);
    library.complete(1, 0);
    library.complete(2, 0);
    upward.end_pair();
    assert_eq!(told.iter().collect::<Vec<_>>(), [2]);
    library.complete(3, 0);
}

#[test]
fn a_shutdown_inside_an_upcall_comes_after_what_is_queued_d12() {
    let (give, told) = mpsc::channel();
    let inside: Arc<Mutex<Option<Arc<Upward>>>> = Arc::default();
    let (upward, _) = up({
        let inside = Arc::clone(&inside);
        move |id| {
            give.send(id).unwrap();
            if let Some(upward) = inside.lock().even_poisoned().take() {
                let library = Library::of(&upward);
                library.complete(2, 0);
                upward.end_pair();
                assert!(upward.is_up(), "its own upcall is under way");
            }
        }
    });
    *inside.lock().even_poisoned() = Some(Arc::clone(&upward));
    let library = Library::of(&upward);
    library.complete(1, 0);
    assert!(!upward.is_up());
    library.complete(3, 0);
    assert_eq!(told.iter().collect::<Vec<_>>(), [1, 2], "and its way up is dropped");
}

/// Passes the completions on.
struct Completions(mpsc::Sender<(u32, Result<(), ErrorCode>)>);

impl Tapi for Completions {
    fn completion(&mut self, completion: &Completion) {
        self.0.send((completion.id.get(), completion.result)).unwrap();
    }
    fn line_event(&mut self, _: &LineMessage) {}
    fn new_call(&mut self, _: HTAPILINE, _: HDRVCALL) -> Option<HTAPICALL> {
        None
    }
    fn phone_event(&mut self, _: &PhoneMessage) {}
}

#[test]
fn numbers_that_are_no_id_and_no_result_go_no_further_t2_c2() {
    let (give, told) = mpsc::channel();
    let upward = Arc::new(Upward::default());
    assert!(upward.begin_pair(Box::new(Completions(give))));
    let library = Library::of(&upward);
    for id in [0, 0x8000_0000, u32::MAX] {
        library.complete(id, 0);
    }
    let refused = RequestId::new(7).unwrap();
    upward.asking(refused);
    library.complete(7, 5);
    let failed: ErrorCode = LineError::OPERATIONFAILED.into();
    assert_eq!(upward.asked(refused), Some(failed), "a positive result inside the function");
    library.complete(1, 0);
    library.complete(2, i32::MAX);
    library.complete(RequestId::MAX, -1);
    upward.end_pair();
    let unknown = ErrorCode::of::<-1>();
    let all = [(1, Ok(())), (2, Err(failed)), (RequestId::MAX, Err(unknown))];
    assert_eq!(told.iter().collect::<Vec<_>>(), all, "T6: an unknown error is kept");
}

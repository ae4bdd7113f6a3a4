//! Compares what the provider does for every function on every kind of line with
//! `userspace/tspi/facts/verdict.tsv`.
//!
//! Each function is called through C, as a foreign host would call it, on an open line with a call,
//! beside which the phone is open if there is one.
//! A function that the provider does not have returns OPERATIONUNAVAIL, and one that it has returns
//! anything else.
#![allow(unsafe_code, reason = "functions are called through C")]

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ringback_country::Profile;
use ringback_tests::{Bench, FXO, FXS, Rack, eventually};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::constants::LINE_NEWCALL;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::ffi::{Face, exported};
use ringback_tspi::provider::Provider;

const VERSION: u32 = 0x0002_0000;

static CARD: Mutex<Option<Arc<dyn Provider>>> = Mutex::new(None);
static MODEM: Mutex<Option<Arc<dyn Provider>>> = Mutex::new(None);

fn of(place: &Mutex<Option<Arc<dyn Provider>>>) -> Result<Arc<dyn Provider>, LineError> {
    place.lock().even_poisoned().clone().ok_or(LineError::NODRIVER)
}

static CARD_FACE: Face = Face::new(|| of(&CARD));
static MODEM_FACE: Face = Face::new(|| of(&MODEM));

/// The request that is waited for, and how it ended; 1 until it has.
static AWAITED: AtomicU32 = AtomicU32::new(0);
static RESULT: AtomicI32 = AtomicI32::new(1);
static REQUESTS: AtomicU32 = AtomicU32::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0x100);

unsafe extern "C" fn completion(id: u32, result: i32) {
    if id == AWAITED.load(Ordering::SeqCst) {
        RESULT.store(result, Ordering::SeqCst);
    }
}

unsafe extern "C" fn line_event(_: usize, _: usize, message: u32, _: usize, at: usize, _: usize) {
    if message == LINE_NEWCALL {
        let place = std::ptr::with_exposed_provenance_mut::<usize>(at);
        // SAFETY: the provider guarantees memory for a handle.
        unsafe { place.write(CALLS.fetch_add(1, Ordering::SeqCst)) };
    }
}

unsafe extern "C" fn phone_event(_: usize, _: u32, _: usize, _: usize, _: usize) {}

fn next_request() -> u32 {
    REQUESTS.fetch_add(1, Ordering::SeqCst) + 1
}

/// The arguments with which functions are called.
struct With {
    device: u32,
    line: usize,
    phone: usize,
    call: usize,
    /// A structure of 16 KiB that says so, and room for whatever is given back.
    memory: Vec<u32>,
}

impl With {
    fn memory<T>(&mut self) -> *mut T {
        self.memory.fill(0);
        self.memory[0] = 16 << 10;
        self.memory.as_mut_ptr().cast()
    }
}

const TEXT: &[u16] = &[0x31, 0];

/// The C argument of a shape, or the two of it.
macro_rules! sample {
    ($with:ident first Request) => {
        next_request()
    };
    ($with:ident first DeviceId) => {
        $with.device
    };
    ($with:ident first Version) => {
        VERSION
    };
    ($with:ident first Line) => {
        $with.line
    };
    ($with:ident first LineOrNull) => {
        $with.line
    };
    ($with:ident first Call) => {
        $with.call
    };
    ($with:ident first CallOrNull) => {
        $with.call
    };
    ($with:ident first Number) => {
        0
    };
    ($with:ident first Word) => {
        0
    };
    ($with:ident first Creator) => {
        0
    };
    ($with:ident first Window) => {
        0
    };
    ($with:ident first Foreign) => {
        0
    };
    ($with:ident first TapiDialog) => {
        1
    };
    ($with:ident first Phone) => {
        $with.phone
    };
    ($with:ident first MspLine) => {
        1
    };
    ($with:ident first Dialog) => {
        1
    };
    ($with:ident first Address) => {
        TEXT.as_ptr()
    };
    ($with:ident first AddressOrNull) => {
        TEXT.as_ptr()
    };
    ($with:ident first GroupOrNull) => {
        TEXT.as_ptr()
    };
    ($with:ident first DigitsOrNull) => {
        TEXT.as_ptr()
    };
    ($with:ident first DeviceClass) => {
        TEXT.as_ptr()
    };
    ($with:ident first NarrowClass) => {
        c"1".as_ptr().cast::<u8>()
    };
    ($with:ident first SizedAddress) => {
        TEXT.as_ptr()
    };
    ($with:ident first SizedText) => {
        TEXT.as_ptr()
    };
    ($with:ident first UserInfo) => {
        null::<u8>()
    };
    ($with:ident first Params) => {
        null::<u8>()
    };
    ($with:ident first Config) => {
        null::<u8>()
    };
    ($with:ident first Block) => {
        null_mut::<u8>()
    };
    ($with:ident first [GivenOrNull $s:ident]) => {
        null::<u8>()
    };
    ($with:ident first [RecordOrNull $s:ident]) => {
        null::<u8>()
    };
    ($with:ident first [List $s:ident]) => {
        null::<u8>()
    };
    ($with:ident first [CountedList $s:ident]) => {
        0
    };
    ($with:ident first [New $tapi:ident $driver:ident]) => {
        CALLS.fetch_add(1, Ordering::SeqCst)
    };
    ($with:ident first NewCallOrNone) => {
        CALLS.fetch_add(1, Ordering::SeqCst)
    };
    ($with:ident first LineEvents) => {
        Some(line_event)
    };
    ($with:ident first PhoneEvents) => {
        Some(phone_event)
    };
    ($with:ident first Completions) => {
        Some(completion)
    };
    ($with:ident first $memory:tt) => {
        $with.memory()
    };
    ($with:ident second [List $s:ident]) => {
        0
    };
    ($with:ident second [CountedList $s:ident]) => {
        null::<u8>()
    };
    ($with:ident second [New $tapi:ident $driver:ident]) => {
        $with.memory()
    };
    ($with:ident second NewCallOrNone) => {
        $with.memory()
    };
    ($with:ident second DigitsLater) => {
        8
    };
    ($with:ident second $size:tt) => {
        0
    };
}

macro_rules! functions {
    (
        {}
        $({ $group:ident $error:ident
            $(
                $(#[$doc:meta])*
                $method:ident $name:ident $kind:ident $class:ident
                ($($parameter:ident: $shape:tt ($c1:ident $(, $c2:ident)?)),* $(,)?)
                [$($legal:tt)*] ($($listed:ident)*);
            )*
        })*
    ) => {
        /// Calls the function of this name.
        #[allow(clippy::multiple_unsafe_ops_per_block, reason = "one call")]
        fn ask(face: &'static Face, name: &str, with: &mut With) -> i32 {
            $($(
                if name == stringify!($name) {
                    // SAFETY: pointers are NULL or lead to the memory of `with`.
                    return unsafe {
                        exported::$name(
                            face,
                            $(sample!(with first $shape) $(, second!($c2 with $shape))?),*
                        )
                    };
                }
            )*)*
            panic!("{name} is no function")
        }
    };
}

macro_rules! second {
    ($c2:ident $with:ident $shape:tt) => {
        sample!($with second $shape)
    };
}

ringback_tspi::start_rows! {
    functions, {}, {}, provider_rows line_async_rows line_sync_rows phone_rows
}

/// One row of the table: the name, whether it is done today, the verdict for this kind of line.
fn rows(column: usize) -> Vec<(&'static str, bool, &'static str)> {
    let table = include_str!("../../userspace/tspi/facts/verdict.tsv");
    let row = |row: &'static str| {
        let cells: Vec<&str> = row.split('\t').collect();
        assert_eq!(cells.len(), 7, "{row}");
        assert!(["yes", "no"].contains(&cells[1]), "{row}");
        (cells[0], cells[1] == "yes", cells[column])
    };
    let rows: Vec<_> = table.lines().skip(1).map(row).collect();
    assert_eq!(rows.len(), 117);
    rows
}

/// A call to 200, or to whoever is at the telephone or the other modem.
fn call(face: &'static Face, line: usize, number: &str) -> usize {
    let number: Vec<u16> = number.encode_utf16().chain([0]).collect();
    let (id, mut call) = (next_request(), 0);
    AWAITED.store(id, Ordering::SeqCst);
    RESULT.store(1, Ordering::SeqCst);
    let tapi = CALLS.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the pointers lead to memory of this function's.
    let made = unsafe {
        exported::TSPI_lineMakeCall(face, id, line, tapi, &mut call, number.as_ptr(), 0, null())
    };
    assert_eq!(made, id.cast_signed(), "the call is accepted");
    eventually("the call is made", || RESULT.load(Ordering::SeqCst) != 1);
    assert_eq!(RESULT.load(Ordering::SeqCst), 0);
    call
}

/// These end what the others need; in this order.
const LAST: [&str; 5] = [
    "TSPI_lineDrop",
    "TSPI_lineCloseCall",
    "TSPI_lineClose",
    "TSPI_phoneClose",
    "TSPI_providerShutdown",
];

/// Calls every function on a line of this kind, and compares with the table's column; `profiled` if
/// the line has a profile of its exchange.
fn judge(
    face: &'static Face,
    kind: &str,
    column: usize,
    device: u32,
    number: &str,
    profiled: bool,
) {
    let mut with = With { device, line: 0, phone: 0, call: 0, memory: vec![0; 8 << 10] };
    let opened = {
        let place: *mut usize = with.memory();
        let event = Some(line_event as _);
        // SAFETY: the memory is the test's.
        let opened = unsafe { exported::TSPI_lineOpen(face, device, 7, place, VERSION, event) };
        // SAFETY: as above.
        with.line = unsafe { place.read() };
        opened
    };
    assert_eq!(opened, 0);
    if kind.starts_with("FXS") {
        let place: *mut usize = with.memory();
        let event = Some(phone_event as _);
        // SAFETY: the memory is the test's.
        let opened = unsafe { exported::TSPI_phoneOpen(face, device, 7, place, VERSION, event) };
        assert_eq!(opened, 0);
        // SAFETY: as above.
        with.phone = unsafe { place.read() };
    }
    with.call = call(face, with.line, number);
    let mut wrong = Vec::new();
    let of_table = rows(column);
    let (last, first): (Vec<_>, Vec<_>) =
        of_table.into_iter().partition(|row| LAST.contains(&row.0));
    assert_eq!(last.len(), LAST.len());
    let last = LAST.iter().filter_map(|name| last.iter().find(|row| row.0 == *name).copied());
    for (name, today, verdict) in first.into_iter().chain(last) {
        if ["OMIT", "-"].contains(&verdict) {
            continue;
        }
        let result = ask(face, name, &mut with);
        let unavailable = [LineError::OPERATIONUNAVAIL.raw(), PhoneError::OPERATIONUNAVAIL.raw()];
        let has_it = !unavailable.contains(&result);
        let answer = format!("{name} on {kind}, verdict {verdict}, answers {result:#x}");
        match verdict {
            "DO" | "BOOK" if has_it == today => {}
            "CONF" if profiled && has_it == today => {}
            "CONF" if profiled => wrong.push(format!("{answer}: today is {today}")),
            "DO" | "BOOK" if has_it => wrong.push(format!("{answer}: write yes under today")),
            "DO" | "BOOK" => wrong.push(format!("{answer}: it has to do it")),
            "NO" | "CONF" if has_it => wrong.push(format!("{answer}: it has to refuse it")),
            "NO" | "CONF" => {}
            other => panic!("{other} is no verdict"),
        }
    }
    assert!(wrong.is_empty(), "{kind}:\n{}", wrong.join("\n"));
}

fn init(face: &'static Face) {
    let mut options = 0;
    // SAFETY: the memory is this function's.
    let begun = unsafe {
        exported::TSPI_providerInit(face, VERSION, 1, 0, 0, 4, 0, Some(completion), &mut options)
    };
    assert_eq!(begun, 0);
}

#[test]
fn the_provider_does_what_the_verdict_says() {
    let bench = Bench::new();
    *CARD.lock().unwrap() = Some(Arc::clone(bench.bare()));
    init(&CARD_FACE);
    judge(&CARD_FACE, "FXO", 2, FXO, "200", false);
    init(&CARD_FACE);
    bench.set_profile(FXO, &Profile::EUROPEAN_PBX);
    judge(&CARD_FACE, "FXO with a profile", 2, FXO, "200", true);
    init(&CARD_FACE);
    judge(&CARD_FACE, "FXS", 3, FXS, "1", false);
    init(&CARD_FACE);
    judge(&CARD_FACE, "FXS telephone", 5, FXS, "1", false);

    let rack = Rack::new();
    rack.host.shutdown().unwrap();
    *MODEM.lock().unwrap() = Some(Arc::clone(&rack.bare));
    init(&MODEM_FACE);
    judge(&MODEM_FACE, "modem", 4, 0, "100", false);
}

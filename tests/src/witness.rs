//! A witness between host and provider.
//!
//! It sees every function and every upcall and judges: the order rules by
//! [`Monitor`](ringback_tspi::callstate::monitor::Monitor); that each request that was accepted is
//! completed once (C3, R5), not before its function returned (G1), and a refused one never (R4); that
//! results are 0 or negative (C2); that upcalls come one at a time from one thread (C6); that nothing
//! comes behind shutdown (D12).
//!
//! Handles and ids mean something within one pair of init and shutdown. With the next pair the books
//! begin anew; what was wrong, and what was seen, is kept.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::thread::ThreadId;
use std::time::Duration;

use ringback_driver::request::{Completion, RequestId};
use ringback_tspi::callstate::monitor::{Monitor, Seen};
use ringback_tspi::error::LineError;
use ringback_tspi::media::{Audio, Data};
use ringback_tspi::provider::{Devices, Init, Provider, Runner, Tapi, Ticket};
use ringback_tspi::types::{HDRVCALL, HDRVLINE, HTAPICALL, HTAPILINE, Version};

#[derive(Default)]
struct Book {
    monitor: Monitor,
    seen: Vec<Seen>,
    outstanding: HashSet<u32>,
    returned: HashSet<u32>,
    completed: u64,
    calls: HashMap<HDRVCALL, HTAPICALL>,
    lines: HashMap<HDRVLINE, HTAPILINE>,
    reaper: Option<ThreadId>,
    down: bool,
    /// Which pair of init and shutdown it is.
    pair: u64,
    pairs: u64,
    wrong: Vec<String>,
}

impl Book {
    /// A pair of init and shutdown begins.
    fn begin(&mut self, pair: u64) {
        let ended = std::mem::take(&mut self.monitor);
        self.wrong.extend(ended.violations().iter().map(ToString::to_string));
        let accepted = |id: &u32| self.returned.contains(id);
        let lost: Vec<u32> = self.outstanding.iter().copied().filter(accepted).collect();
        if !lost.is_empty() {
            self.wrong.push(format!("C3: not complete when the next pair began: {lost:?}"));
        }
        for id in lost {
            self.outstanding.remove(&id);
        }
        self.calls.clear();
        self.lines.clear();
        (self.pair, self.reaper, self.down) = (pair, None, false);
    }
}

thread_local! {
    /// The witnesses, by their addresses, in whose upcalls this thread is.
    static INSIDE: RefCell<Vec<*const Witness>> = const { RefCell::new(Vec::new()) };
}

/// An upcall that is under way; a panic of the host's ends it as well.
struct Inside<'a>(&'a Witness);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        INSIDE.with_borrow_mut(Vec::pop);
        self.0.in_upcall.store(false, Ordering::SeqCst);
    }
}

/// What the witness has seen.
#[derive(Default)]
pub struct Witness {
    book: Mutex<Book>,
    in_upcall: AtomicBool,
    refuse_calls: AtomicBool,
}

/// Has TAPI out of room for calls while it lives (N15).
pub struct Refusal(Arc<Witness>);

impl Drop for Refusal {
    fn drop(&mut self) {
        self.0.refuse_calls.store(false, Ordering::SeqCst);
    }
}

impl Witness {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that was seen, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.book().seen.clone()
    }

    /// How many completions were seen.
    pub fn completed(&self) -> u64 {
        self.book().completed
    }

    /// How many requests are outstanding.
    pub fn outstanding(&self) -> usize {
        self.book().outstanding.len()
    }

    /// The thread of the upcalls.
    pub fn reaper(&self) -> Option<ThreadId> {
        self.book().reaper
    }

    /// The provider's handle of a call.
    pub fn driver_call(&self, call: HTAPICALL) -> Option<HDRVCALL> {
        self.book().calls.iter().find(|(_, tapi)| **tapi == call).map(|(driver, _)| *driver)
    }

    /// From now on LINE_NEWCALL gets no handle.
    pub fn refuse_calls(self: &Arc<Self>) -> Refusal {
        self.refuse_calls.store(true, Ordering::SeqCst);
        Refusal(Arc::clone(self))
    }

    /// Does not expect the completion of this request any more.
    pub fn forgive(&self, id: u32) {
        self.book().outstanding.remove(&id);
    }

    /// What was against a rule so far.
    pub fn wrong(&self) -> Vec<String> {
        let book = self.book();
        let broken = book.monitor.violations().iter().map(ToString::to_string);
        broken.chain(book.wrong.iter().cloned()).collect()
    }

    /// Judges once nothing is outstanding any more.
    ///
    /// # Panics
    /// If anything was against a rule.
    pub fn judge(&self) {
        let mut wrong = self.wrong();
        let left = self.book().outstanding.clone();
        if !left.is_empty() {
            wrong.push(format!("C3: never completed: {left:?}"));
        }
        assert!(wrong.is_empty(), "{wrong:#?}\nseen: {:#?}", self.seen());
    }

    fn see(&self, seen: Seen) {
        let mut book = self.book();
        book.seen.push(seen);
        book.monitor.see(seen);
    }

    fn wrong_if(&self, is_wrong: bool, text: impl FnOnce() -> String) {
        if is_wrong {
            self.book().wrong.push(text());
        }
    }

    /// Something was closed. A thread in an upcall of another card does not wait for what this card
    /// is telling, so for it this is not the end.
    fn closed(&self, result: &Result<(), LineError>, seen: Option<Seen>) {
        let myself = std::ptr::from_ref(self);
        let ended = INSIDE.with_borrow(|inside| inside.is_empty() || inside.contains(&myself));
        if let Some(seen) = seen.filter(|_| result.is_ok() && ended) {
            self.see(seen);
        }
    }

    /// Around every upcall.
    fn upcall<R>(&self, pair: u64, what: &str, act: impl FnOnce() -> R) -> R {
        let busy = self.in_upcall.swap(true, Ordering::SeqCst);
        self.wrong_if(busy, || format!("C6: {what} while another upcall is under way"));
        INSIDE.with_borrow_mut(|inside| inside.push(self));
        let _inside = Inside(self);
        let here = thread::current().id();
        let reaper = *self.book().reaper.get_or_insert(here);
        self.wrong_if(reaper != here, || format!("{what} from another thread than the reaper"));
        let over = |book: &Book| book.down || book.pair != pair;
        let over = over(&self.book());
        self.wrong_if(over, || format!("D12: {what} after shutdown"));
        act()
    }

    /// Around init: `start` is given which pair it begins, and something to hold on to while the
    /// provider has its way up. One that it has ignored (D15) begins no pair.
    fn pair<R>(
        &self,
        start: impl FnOnce(u64, Arc<()>) -> Result<R, LineError>,
    ) -> Result<R, LineError> {
        let pair = {
            let mut book = self.book();
            book.pairs += 1;
            book.pairs
        };
        let kept = Arc::new(());
        let result = start(pair, Arc::clone(&kept));
        if result.is_ok() && Arc::strong_count(&kept) > 1 {
            self.book().begin(pair);
        }
        result
    }

    /// Around every asynchronous function.
    fn request<R>(
        &self,
        request: RequestId,
        act: impl FnOnce() -> Result<R, LineError>,
    ) -> Result<R, LineError> {
        let id = request.get();
        {
            let mut book = self.book();
            if !book.outstanding.insert(id) {
                book.wrong.push(format!("T3: {id} is outstanding already"));
            }
            book.returned.remove(&id);
        }
        let result = act();
        let mut book = self.book();
        match &result {
            Ok(_) => {
                book.returned.insert(id);
            }
            Err(_) => {
                if !book.outstanding.remove(&id) {
                    book.wrong.push(format!("R4: {id} was refused and completed"));
                }
            }
        }
        result
    }
}

/// A provider under a witness's eyes.
pub struct Watched {
    provider: Arc<dyn Provider>,
    witness: Arc<Witness>,
}

impl Watched {
    /// Puts the witness before the provider.
    pub fn new(provider: Arc<dyn Provider>, witness: Arc<Witness>) -> Watched {
        Watched { provider, witness }
    }
}

struct WatchedTapi {
    tapi: Box<dyn Tapi>,
    witness: Arc<Witness>,
    pair: u64,
    _kept: Arc<()>,
}

impl Tapi for WatchedTapi {
    fn completion(&mut self, id: u32, result: i32) {
        let witness = Arc::clone(&self.witness);
        witness.upcall(self.pair, "completion", || {
            let mut book = witness.book();
            book.completed += 1;
            if !book.outstanding.remove(&id) {
                book.wrong.push(format!("C3: completion of {id}, which is not outstanding"));
            }
            if !book.returned.contains(&id) {
                book.wrong.push(format!("G1: completion of {id} before its function returned"));
            }
            if result > 0 {
                book.wrong.push(format!("C2: {id} completed with {result}"));
            }
            drop(book);
            if let Some(request) = RequestId::new(id) {
                witness.see(Seen::Completed { request, result });
            }
            self.tapi.completion(id, result);
        });
    }

    fn line_event(
        &mut self,
        line: HTAPILINE,
        call: Option<HTAPICALL>,
        message: u32,
        param1: usize,
        param2: usize,
        param3: usize,
    ) {
        let witness = Arc::clone(&self.witness);
        witness.upcall(self.pair, "event", || {
            witness.see(Seen::Event { line, call, message, param1 });
            self.tapi.line_event(line, call, message, param1, param2, param3);
        });
    }

    fn new_call(&mut self, line: HTAPILINE, driver_call: HDRVCALL) -> Option<HTAPICALL> {
        let witness = Arc::clone(&self.witness);
        witness.upcall(self.pair, "new call", || {
            let call = if witness.refuse_calls.load(Ordering::SeqCst) {
                None
            } else {
                self.tapi.new_call(line, driver_call)
            };
            witness.see(Seen::NewCall { line, driver_call, call });
            if let Some(call) = call {
                witness.book().calls.insert(driver_call, call);
            }
            call
        })
    }

    fn timing(&mut self, completion: &Completion) {
        self.tapi.timing(completion);
    }
}

impl Provider for Watched {
    fn line_negotiate_tspi_version(
        &self,
        device_id: u32,
        low: u32,
        high: u32,
    ) -> Result<Version, LineError> {
        self.provider.line_negotiate_tspi_version(device_id, low, high)
    }

    fn provider_enum_devices(&self, permanent_provider_id: u32) -> Result<Devices, LineError> {
        self.provider.provider_enum_devices(permanent_provider_id)
    }

    fn provider_init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
        self.witness.pair(|pair, _kept| {
            let witness = Arc::clone(&self.witness);
            self.provider.provider_init(init, Box::new(WatchedTapi { tapi, witness, pair, _kept }))
        })
    }

    fn provider_init_local(
        &self,
        init: Init,
        tapi: Box<dyn Tapi>,
    ) -> Result<(u32, Box<dyn Runner>), LineError> {
        self.witness.pair(|pair, _kept| {
            let witness = Arc::clone(&self.witness);
            let tapi = Box::new(WatchedTapi { tapi, witness, pair, _kept });
            self.provider.provider_init_local(init, tapi)
        })
    }

    fn failure_text(&self) -> Option<String> {
        self.provider.failure_text()
    }

    fn cancel(&self, request: RequestId) -> bool {
        self.provider.cancel(request)
    }

    fn provider_shutdown(
        &self,
        version: Version,
        permanent_provider_id: u32,
    ) -> Result<(), LineError> {
        let pair = self.witness.book().pair;
        let result = self.provider.provider_shutdown(version, permanent_provider_id);
        // From inside an upcall, of another card as well, the rest comes afterwards.
        let waited = INSIDE.with_borrow(Vec::is_empty);
        let mut book = self.witness.book();
        book.down |= result.is_ok() && waited && book.pair == pair;
        result
    }

    fn line_open(
        &self,
        device_id: u32,
        line: HTAPILINE,
        version: Version,
    ) -> Result<HDRVLINE, LineError> {
        let handle = self.provider.line_open(device_id, line, version)?;
        self.witness.book().lines.insert(handle, line);
        Ok(handle)
    }

    fn line_close(&self, line: HDRVLINE) -> Result<(), LineError> {
        let tapi = self.witness.book().lines.get(&line).copied();
        let result = self.provider.line_close(line);
        self.witness.closed(&result, tapi.map(|line| Seen::LineClosed { line }));
        result
    }

    fn line_get_dev_caps(
        &self,
        device_id: u32,
        version: Version,
        ext_version: u32,
        caps: &mut [u8],
    ) -> Result<(), LineError> {
        self.provider.line_get_dev_caps(device_id, version, ext_version, caps)
    }

    fn line_get_address_caps(
        &self,
        device_id: u32,
        address_id: u32,
        version: Version,
        ext_version: u32,
        caps: &mut [u8],
    ) -> Result<(), LineError> {
        self.provider.line_get_address_caps(device_id, address_id, version, ext_version, caps)
    }

    fn line_get_num_address_ids(&self, line: HDRVLINE) -> Result<u32, LineError> {
        self.provider.line_get_num_address_ids(line)
    }

    fn line_get_line_dev_status(&self, line: HDRVLINE, status: &mut [u8]) -> Result<(), LineError> {
        self.provider.line_get_line_dev_status(line, status)
    }

    fn line_make_call(
        &self,
        request: RequestId,
        line: HDRVLINE,
        call: HTAPICALL,
        address: Option<&str>,
        country_code: u32,
        params: Option<&[u8]>,
    ) -> Result<(HDRVCALL, Ticket), LineError> {
        let tapi = self.witness.book().lines.get(&line).copied();
        if let Some(line) = tapi {
            self.witness.see(Seen::Making { request, line, call });
        }
        let made = self.witness.request(request, || {
            self.provider.line_make_call(request, line, call, address, country_code, params)
        });
        match &made {
            Ok((handle, _)) => {
                self.witness.book().calls.insert(*handle, call);
            }
            Err(error) => {
                let result = error.raw();
                self.witness.see(Seen::Completed { request, result });
            }
        }
        made
    }

    fn line_dial(
        &self,
        request: RequestId,
        call: HDRVCALL,
        address: &str,
        country_code: u32,
    ) -> Result<Ticket, LineError> {
        let dial = || self.provider.line_dial(request, call, address, country_code);
        self.witness.request(request, dial)
    }

    fn line_answer(
        &self,
        request: RequestId,
        call: HDRVCALL,
        user_user_info: &[u8],
    ) -> Result<Ticket, LineError> {
        let answer = || self.provider.line_answer(request, call, user_user_info);
        self.witness.request(request, answer)
    }

    fn line_drop(
        &self,
        request: RequestId,
        call: HDRVCALL,
        user_user_info: &[u8],
    ) -> Result<Ticket, LineError> {
        let drop = || self.provider.line_drop(request, call, user_user_info);
        self.witness.request(request, drop)
    }

    fn line_close_call(&self, call: HDRVCALL) -> Result<(), LineError> {
        let tapi = self.witness.book().calls.get(&call).copied();
        let result = self.provider.line_close_call(call);
        self.witness.closed(&result, tapi.map(|call| Seen::CallClosed { call }));
        result
    }

    fn line_get_call_address_id(&self, call: HDRVCALL) -> Result<u32, LineError> {
        self.provider.line_get_call_address_id(call)
    }

    fn line_get_call_info(&self, call: HDRVCALL, info: &mut [u8]) -> Result<(), LineError> {
        self.provider.line_get_call_info(call, info)
    }

    fn line_get_call_status(&self, call: HDRVCALL, status: &mut [u8]) -> Result<(), LineError> {
        self.provider.line_get_call_status(call, status)
    }

    fn line_generate_digits(
        &self,
        call: HDRVCALL,
        end_to_end_id: u32,
        digit_mode: u32,
        digits: Option<&str>,
        duration: u32,
    ) -> Result<(), LineError> {
        self.provider.line_generate_digits(call, end_to_end_id, digit_mode, digits, duration)
    }

    fn line_monitor_digits(&self, call: HDRVCALL, digit_modes: u32) -> Result<(), LineError> {
        self.provider.line_monitor_digits(call, digit_modes)
    }

    fn line_audio(&self, line: HDRVLINE) -> Option<Audio> {
        self.provider.line_audio(line)
    }

    fn call_send(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bytes: &[u8],
    ) -> Result<Ticket, LineError> {
        self.witness.request(request, || self.provider.call_send(request, call, bytes))
    }

    fn call_receive(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bytes: usize,
        time_limit: Duration,
    ) -> Result<Ticket, LineError> {
        let receive = || self.provider.call_receive(request, call, bytes, time_limit);
        self.witness.request(request, receive)
    }

    fn line_data(&self, line: HDRVLINE) -> Option<Data> {
        self.provider.line_data(line)
    }
}

//! What scenarios are written with: TAPI's steps, each with its bookkeeping.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringback_tspi::constants::{INITIALIZE_NEGOTIATION, LINECALLSTATE_CONNECTED};
use ringback_tspi::constants::{
    LINECALLSTATE_IDLE, LINEMEDIAMODE_DATAMODEM, LINEMEDIAMODE_INTERACTIVEVOICE,
};
use ringback_tspi::functions::*;
use ringback_tspi::structs::LINEDEVCAPS;

use super::arguments::{Around, handle, plausible, with};
use super::desk::{Desk, KnownCall};
use super::{Answer, Options, Subject};
use crate::log::Data;

/// How long nothing must come before it counts as quiet.
const SETTLED: Duration = Duration::from_millis(120);
/// The versions that TAPI knows.
const OLDEST: u32 = 0x0001_0003;
const NEWEST: u32 = 0x0003_0001;

/// A line that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub device: u32,
    pub tapi: u64,
    pub driver: u64,
    /// The media mode of its calls.
    media: u32,
}

/// A call of TAPI's, whose making was accepted, or which came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct StageCall {
    pub tapi: u64,
    pub driver: u64,
    /// The request that makes it; 0 if it came in.
    pub request: u32,
}

/// A provider, TAPI's side of it, and how far they are.
pub(super) struct Stage<'a> {
    pub subject: &'a Arc<dyn Subject>,
    pub desk: &'a Arc<Desk>,
    pub options: &'a Options,
    pub rng: RefCell<fastrand::Rng>,
    pub version: Cell<u32>,
    pub lines: Cell<u32>,
    pub phones: Cell<u32>,
    inits: Cell<u32>,
}

impl<'a> Stage<'a> {
    pub fn new(
        subject: &'a Arc<dyn Subject>,
        desk: &'a Arc<Desk>,
        options: &'a Options,
        seed: u64,
    ) -> Stage<'a> {
        Stage {
            subject,
            desk,
            options,
            rng: RefCell::new(fastrand::Rng::with_seed(seed)),
            version: Cell::new(0),
            lines: Cell::new(0),
            phones: Cell::new(0),
            inits: Cell::new(0),
        }
    }

    pub fn random(&self, below: u32) -> u32 {
        self.rng.borrow_mut().u32(0..below.max(1))
    }

    /// A gap, short or none.
    pub fn gap(&self) {
        let milliseconds = [0, 0, 1, 5, 30][self.random(5) as usize];
        std::thread::sleep(Duration::from_millis(milliseconds));
    }

    pub fn call(&self, function: &'static Function, arguments: BTreeMap<String, Data>) -> Answer {
        self.subject.call(function, arguments)
    }

    /// Asks for an asynchronous request; its id if it was accepted. TAPI's handles of new calls
    /// are made here, and are alive from then on if it was.
    pub fn request(
        &self,
        function: &'static Function,
        mut arguments: BTreeMap<String, Data>,
    ) -> Option<(u32, Vec<StageCall>)> {
        let (id, made) = {
            let mut state = self.desk.state();
            let id = state.new_id();
            state.completed.remove(&id);
            let line = match arguments.get("line") {
                Some(Data::Handle { value, .. }) => *value,
                _ => 0,
            };
            let mut made = Vec::new();
            for parameter in function.parameters.iter().filter(|p| p.shape == Shape::New) {
                let tapi = state.new_handle();
                state.calls.insert(tapi, KnownCall { line, ..KnownCall::default() });
                arguments.insert(parameter.name.to_owned(), handle("HTAPICALL", tapi));
                made.push(tapi);
            }
            (id, made)
        };
        arguments.insert("request".to_owned(), Data::Request(id));
        let own = self.desk.own_lock();
        let answer = self.subject.call(function, arguments);
        drop(own);
        let mut state = self.desk.state();
        if answer.result != id.cast_signed() {
            made.iter().for_each(|tapi| {
                state.calls.remove(tapi);
            });
            return None;
        }
        if !state.completed.contains_key(&id) {
            state.outstanding.insert(id);
        }
        let calls = made.into_iter().enumerate().map(|(index, tapi)| {
            let driver = answer.word(index);
            if let Some(known) = state.calls.get_mut(&tapi) {
                known.driver = driver;
            }
            StageCall { tapi, driver, request: id }
        });
        Some((id, calls.collect()))
    }

    /// The completion of a request; `None` if it does not come in time.
    pub fn done(&self, id: u32) -> Option<i32> {
        self.desk.wait(self.options.patience, |state| {
            state.completed.get_mut(&id).and_then(std::collections::VecDeque::pop_front)
        })
    }

    /// Asks, and waits for the completion.
    pub fn ask(
        &self,
        function: &'static Function,
        arguments: BTreeMap<String, Data>,
    ) -> Option<i32> {
        let (id, _) = self.request(function, arguments)?;
        self.done(id)
    }

    /// Negotiates, counts devices, and begins a pair. `false` if the provider does not start.
    pub fn start(&self) -> bool {
        let version = self.negotiate(&TSPI_lineNegotiateTSPIVersion, INITIALIZE_NEGOTIATION);
        self.version.set(version.unwrap_or(0x0002_0000));
        if self.subject.has(&TSPI_providerEnumDevices) {
            let arguments = with([
                ("permanent_provider_id", Data::Number(1)),
                ("provider", Data::Word(0x7A11)),
            ]);
            let devices = self.call(&TSPI_providerEnumDevices, arguments);
            if devices.result == 0 {
                self.lines.set((devices.word(0) as u32).min(64));
                self.phones.set((devices.word(1) as u32).min(64));
            }
        }
        if !self.init() {
            return false;
        }
        for device in 0..self.lines.get() {
            self.negotiate(&TSPI_lineNegotiateTSPIVersion, device);
        }
        for device in 0..self.phones.get() {
            self.negotiate(&TSPI_phoneNegotiateTSPIVersion, device);
        }
        true
    }

    pub fn negotiate(&self, function: &'static Function, device: u32) -> Option<u32> {
        let arguments = with([
            ("device_id", Data::Number(device)),
            ("low", Data::Number(OLDEST)),
            ("high", Data::Number(NEWEST)),
        ]);
        let answer = self.call(function, arguments);
        (answer.result == 0).then(|| answer.word(0) as u32)
    }

    /// TSPI_providerInit; whether it was done.
    pub fn init(&self) -> bool {
        let arguments = with([
            ("version", Data::Version(self.version.get())),
            ("permanent_provider_id", Data::Number(1)),
            ("line_device_id_base", Data::Number(0)),
            ("phone_device_id_base", Data::Number(0)),
            ("num_lines", Data::Word(u64::from(self.lines.get()))),
            ("num_phones", Data::Word(u64::from(self.phones.get()))),
        ]);
        let way = self.inits.replace(self.inits.get() + 1);
        let done = self.call(&TSPI_providerInit, arguments).result == 0;
        if done {
            self.subject.pair_is_open(way);
        }
        done
    }

    /// Begins a second pair inside of a pair, which is to be ignored (D15).
    pub fn init_again(&self) {
        let arguments = with([
            ("version", Data::Version(self.version.get())),
            ("permanent_provider_id", Data::Number(1)),
            ("num_lines", Data::Word(u64::from(self.lines.get()))),
            ("num_phones", Data::Word(u64::from(self.phones.get()))),
        ]);
        self.inits.set(self.inits.get() + 1);
        self.call(&TSPI_providerInit, arguments);
    }

    /// Ends the pair, and waits to see whether an upcall follows.
    pub fn shutdown(&self) {
        let arguments = with([
            ("version", Data::Version(self.version.get())),
            ("permanent_provider_id", Data::Number(1)),
        ]);
        self.call(&TSPI_providerShutdown, arguments);
        let mut state = self.desk.state();
        state.calls.values_mut().for_each(|call| call.is_closed = true);
        drop(state);
        self.quiet();
    }

    pub fn open(&self, device: u32) -> Option<Line> {
        let media = self.media(device);
        let tapi = self.desk.state().new_handle();
        let arguments = with([
            ("device_id", Data::Number(device)),
            ("line", handle("HTAPILINE", tapi)),
            ("version", Data::Version(self.version.get())),
        ]);
        let answer = self.call(&TSPI_lineOpen, arguments);
        if answer.result != 0 {
            return None;
        }
        let line = Line { device, tapi, driver: answer.word(0), media };
        let arguments =
            with([("line", handle("HDRVLINE", line.driver)), ("media_modes", Data::Number(media))]);
        self.call(&TSPI_lineSetDefaultMediaDetection, arguments);
        Some(line)
    }

    /// The media mode that calls of a line have, as its capabilities say.
    fn media(&self, device: u32) -> u32 {
        let around = Around { device, version: self.version.get(), ..Around::default() };
        let answer =
            self.call(&TSPI_lineGetDevCaps, plausible(&TSPI_lineGetDevCaps, &around, 4096));
        let at = LINEDEVCAPS::dwMediaModes.offset();
        let caps = answer.filled.get("caps").filter(|_| answer.result == 0);
        let modes = caps.and_then(|caps| caps.0.get(at..)?.first_chunk());
        usual_media(modes.map_or(0, |bytes| u32::from_le_bytes(*bytes)))
    }

    pub fn close(&self, line: Line) {
        self.call(&TSPI_lineClose, with([("line", handle("HDRVLINE", line.driver))]));
        let mut state = self.desk.state();
        let of_line = state
            .calls
            .values_mut()
            .filter(|call| call.line == line.tapi || call.line == line.driver);
        of_line.for_each(|call| call.is_closed = true);
    }

    pub fn around(&self, line: Line, call: u64) -> Around {
        let (device, version) = (line.device, self.version.get());
        Around { device, version, line: line.driver, call, phone: 0, media: line.media }
    }

    pub fn make_call(&self, line: Line, address: &str) -> Option<StageCall> {
        let mut arguments = plausible(&TSPI_lineMakeCall, &self.around(line, 0), 0);
        arguments.insert("dest_address".to_owned(), Data::Text(address.to_owned()));
        let (_, calls) = self.request(&TSPI_lineMakeCall, arguments)?;
        calls.first().copied()
    }

    /// Opens a line on which a call can be made, and makes one. Lines are tried from the last.
    pub fn first_call(&self) -> Option<(Line, StageCall)> {
        for device in (0..self.lines.get()).rev() {
            let Some(line) = self.open(device) else { continue };
            if let Some(call) = self.make_call(line, &self.options.dial) {
                return Some((line, call));
            }
            self.close(line);
        }
        None
    }

    /// The same, connected.
    pub fn connected_call(&self) -> Option<(Line, StageCall)> {
        for device in (0..self.lines.get()).rev() {
            let Some(line) = self.open(device) else { continue };
            if let Some(call) = self.make_call(line, &self.options.dial) {
                if self.done(call.request) == Some(0) && self.connects(call) {
                    return Some((line, call));
                }
                self.close_call(call);
            }
            self.close(line);
        }
        None
    }

    /// Waits until the call is connected. `false` if it ends before.
    pub fn connects(&self, call: StageCall) -> bool {
        let connected = self.desk.wait(self.options.patience * 2, |state| {
            let known = state.calls.get(&call.tapi)?;
            if known.was(LINECALLSTATE_CONNECTED) {
                Some(true)
            } else {
                known.was(LINECALLSTATE_IDLE).then_some(false)
            }
        });
        connected.unwrap_or(false)
    }

    pub fn drop_call(&self, call: StageCall) -> Option<u32> {
        let arguments = with([("call", handle("HDRVCALL", call.driver))]);
        let (id, _) = self.request(&TSPI_lineDrop, arguments)?;
        if let Some(known) = self.desk.state().calls.get_mut(&call.tapi) {
            known.is_dropped = true;
        }
        Some(id)
    }

    /// Waits until the call is IDLE.
    pub fn idle(&self, call: StageCall) -> bool {
        self.desk
            .wait(self.options.patience, |state| {
                state.calls.get(&call.tapi)?.was(LINECALLSTATE_IDLE).then_some(())
            })
            .is_some()
    }

    pub fn close_call(&self, call: StageCall) {
        self.call(&TSPI_lineCloseCall, with([("call", handle("HDRVCALL", call.driver))]));
        if let Some(known) = self.desk.state().calls.get_mut(&call.tapi) {
            known.is_closed = true;
        }
    }

    /// Starts generating or gathering; notes that its end is outstanding.
    pub fn starts(
        &self,
        function: &'static Function,
        message: u32,
        call: StageCall,
        id: u32,
        arguments: BTreeMap<String, Data>,
    ) -> bool {
        let mut all = plausible(function, &Around { call: call.driver, ..Around::default() }, 0);
        all.extend(arguments);
        all.insert("end_to_end_id".to_owned(), Data::Number(id));
        self.desk.state().unended.insert((message, id), call.tapi);
        let done = self.call(function, all).result == 0;
        if !done {
            self.desk.state().unended.remove(&(message, id));
        }
        done
    }

    /// Waits until nothing is outstanding, and notes it.
    pub fn quiet(&self) {
        let since = Instant::now();
        self.desk.wait_quiet(self.options.patience, SETTLED);
        self.subject.quiet(since.elapsed());
    }
}

/// Of several media modes speech, or else data, or else the lowest; speech if there is none.
fn usual_media(modes: u32) -> u32 {
    let usual = [LINEMEDIAMODE_INTERACTIVEVOICE, LINEMEDIAMODE_DATAMODEM];
    let found = usual.into_iter().find(|mode| modes & mode != 0);
    found.unwrap_or(match modes & modes.wrapping_neg() {
        0 => LINEMEDIAMODE_INTERACTIVEVOICE,
        lowest => lowest,
    })
}

#[cfg(test)]
mod tests {
    use ringback_tspi::constants::{LINEMEDIAMODE_AUTOMATEDVOICE, LINEMEDIAMODE_G3FAX};

    use super::*;

    #[test]
    fn calls_have_a_media_mode_that_the_line_can_carry() {
        for (modes, wanted) in [
            (0, LINEMEDIAMODE_INTERACTIVEVOICE),
            (LINEMEDIAMODE_DATAMODEM, LINEMEDIAMODE_DATAMODEM),
            (
                LINEMEDIAMODE_INTERACTIVEVOICE | LINEMEDIAMODE_AUTOMATEDVOICE,
                LINEMEDIAMODE_INTERACTIVEVOICE,
            ),
            (LINEMEDIAMODE_G3FAX | LINEMEDIAMODE_DATAMODEM, LINEMEDIAMODE_DATAMODEM),
            (LINEMEDIAMODE_G3FAX, LINEMEDIAMODE_G3FAX),
        ] {
            assert_eq!(usual_media(modes), wanted, "of {modes:#x}");
        }
    }
}

//! Any sequence of calls through the C interface of Ringback's provider, on the software card:
//! handles that are alive, dead or invented, and any numbers, texts and structures. A pointer is
//! NULL, or points to as much memory as the function's page demands, as TAPI checks (G5).
//!
//! What is returned is of the function's kind (K2, R1, R2). Each request that is accepted completes
//! exactly once, at the latest when lines and phones are closed, and no other completes
//! (R4, C2, C3, K3, D1, D10). A handle that is given out is not 0 (N2).
//!
//! UNSAFETY: functions of the provider are called as TAPI calls them, and memory that it names is
//! written.

#![no_main]
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock};

use libfuzzer_sys::fuzz_target;
use ringback_tspi::EvenPoisoned;
use ringback_tspi::constants::LINE_NEWCALL;
use ringback_tspi::ffi::{AsyncCompletion, LineEvent, PhoneEvent, Symbols, Word};
use ringback_tspi::functions::{self, Function, Kind, Parameter, Shape};

/// The memory for one parameter, in words of 8 bytes.
type Block = [u64; 512];
const BLOCK: usize = size_of::<Block>();

const VERSION: usize = 0x0003_0000;
const PROVIDER: usize = 1;
/// The texts that pages name, which a search by coverage would not find soon.
const NAMES: [&str; 8] = [
    "tapi/line",
    "tapi/phone",
    "comm",
    "comm/datamodem",
    "wave/in",
    "wave/out",
    "5550100",
    "+1 (555) 0100",
];
/// The functions that begin and end a provider, which have their place in a sequence.
const FRAME: [&str; 3] = ["TSPI_providerEnumDevices", "TSPI_providerInit", "TSPI_providerShutdown"];

/// What the provider has reported since the sequence began.
struct Upward {
    completed: Vec<(u32, i32)>,
    calls: Vec<usize>,
    /// The last handle of TAPI's, which is never used again.
    handle: usize,
}

static UPWARD: Mutex<Upward> =
    Mutex::new(Upward { completed: Vec::new(), calls: Vec::new(), handle: 0x1000 });

fn upward() -> MutexGuard<'static, Upward> {
    UPWARD.lock().even_poisoned()
}

fn tapi_handle() -> usize {
    let mut upward = upward();
    upward.handle += 1;
    upward.handle
}

extern "C" fn completion(id: u32, result: i32) {
    upward().completed.push((id, result));
}

extern "C" fn line_event(_: usize, _: usize, message: u32, call: usize, place: usize, _: usize) {
    if message == LINE_NEWCALL {
        let handle = tapi_handle();
        upward().calls.push(call);
        // SAFETY: the provider guarantees that it is the place for TAPI's handle.
        unsafe { std::ptr::with_exposed_provenance_mut::<usize>(place).write_unaligned(handle) };
    }
}

extern "C" fn phone_event(_: usize, _: u32, _: usize, _: usize, _: usize) {}

/// A provider that is begun once, and used by one sequence after the other.
struct Begun {
    symbols: Symbols,
    functions: Vec<&'static Function>,
}

impl Begun {
    fn new() -> Begun {
        // SAFETY: no other thread of this process uses the environment yet.
        unsafe { std::env::set_var("RINGBACK_CARD", "soft") };
        // SAFETY: the exports are made of the table of functions.
        let symbols = unsafe { Symbols::of_symbols(ringback_tsp::tspi_symbol) };
        let exported = |function: &&Function| symbols.has(function);
        let own = |function: &&Function| !FRAME.contains(&function.name);
        let functions = functions::all().filter(exported).filter(own).collect();
        let begun = Begun { symbols, functions };
        begun.begin();
        begun
    }

    fn begin(&self) {
        let (mut lines, mut phones, mut options) = (0_u32, 0_u32, 0_u32);
        let place = |number: &mut u32| (&raw mut *number).word();
        let words = [PROVIDER, place(&mut lines), place(&mut phones), 0, 0, 0];
        assert_eq!(self.call(&functions::TSPI_providerEnumDevices, &words), 0);
        let completion = Some(completion as AsyncCompletion).word();
        let (lines, phones) = (lines as usize, phones as usize);
        let words = [VERSION, PROVIDER, 0, 0, lines, phones, completion, place(&mut options)];
        assert_eq!(self.call(&functions::TSPI_providerInit, &words), 0);
    }

    fn end(&self) {
        assert_eq!(self.call(&functions::TSPI_providerShutdown, &[VERSION, PROVIDER]), 0);
    }

    fn call(&self, function: &Function, words: &[usize]) -> i32 {
        // SAFETY: each pointer among the words is NULL, or points to a block of `Sequence`, which
        // is kept until lines and phones are closed, or to a variable of the caller.
        unsafe { self.symbols.call(function, words) }.expect("a function with all its words")
    }
}

/// One sequence: the input that is not yet used, and what was handed out.
struct Sequence<'a> {
    begun: &'static Begun,
    input: std::slice::Iter<'a, u8>,
    blocks: Vec<Box<Block>>,
    accepted: BTreeMap<u32, &'static str>,
    lines: Vec<usize>,
    phones: Vec<usize>,
    /// Whether the provider was ended and begun again.
    restarted: bool,
}

impl Sequence<'_> {
    fn byte(&mut self) -> u8 {
        self.input.next().copied().unwrap_or_default()
    }

    fn number(&mut self) -> u32 {
        let byte = self.byte();
        match byte >> 6 {
            0 => u32::from(byte),
            1 => 1 << (byte & 31),
            2 => !u32::from(byte & 63),
            _ => u32::from_le_bytes([self.byte(), self.byte(), self.byte(), byte & 63]),
        }
    }

    /// Memory with these bytes in front.
    fn block(&mut self, front: &[u8]) -> *mut u8 {
        let mut block = Box::new([0_u64; 512]);
        let at = block.as_mut_ptr().cast::<u8>();
        // SAFETY: a block has room for what is put in front, which is cut here.
        unsafe { at.copy_from_nonoverlapping(front.as_ptr(), front.len().min(BLOCK)) };
        self.blocks.push(block);
        at
    }

    /// A text in UTF-16 with its NUL.
    fn text(&mut self) -> Vec<u16> {
        let byte = usize::from(self.byte());
        let mut units: Vec<u16> = match NAMES.get(byte) {
            Some(name) => name.encode_utf16().collect(),
            None => (0..byte % 40).map(|_| u16::from(self.byte())).collect(),
        };
        units.push(0);
        units
    }

    fn handle(&mut self, kind: &str) -> usize {
        let byte = usize::from(self.byte());
        let known = match kind {
            "HDRVLINE" => self.lines.clone(),
            "HDRVPHONE" => self.phones.clone(),
            _ => upward().calls.clone(),
        };
        match known.len() {
            0 => self.number() as usize,
            _ if byte >= 0xF0 => self.number() as usize,
            // The newest first.
            count => known[count - 1 - byte % count],
        }
    }

    /// A structure, whose dwTotalSize is not more than there is.
    fn structure(&mut self) -> *mut u8 {
        let mut front = vec![0_u8; BLOCK];
        let size = match self.byte() {
            byte @ 0x80.. => u32::from(byte & 0x7F),
            byte => BLOCK as u32 - u32::from(byte),
        };
        for _ in 0..self.byte() % 8 {
            let at = usize::from(self.byte()) * 4;
            let number = self.number();
            front[at..at + 4].copy_from_slice(&number.to_ne_bytes());
        }
        front[..4].copy_from_slice(&size.to_ne_bytes());
        self.block(&front)
    }

    /// NULL in place of a pointer, now and then.
    fn or_null(&mut self, pointer: usize) -> usize {
        if self.byte() == 0xFF { 0 } else { pointer }
    }

    /// The words of a parameter.
    fn words(&mut self, parameter: &Parameter, id: u32, words: &mut Vec<usize>) {
        let kind = parameter.c[0].kind;
        let pair = parameter.c.len() == 2;
        let word = match parameter.shape {
            Shape::RequestId => id as usize,
            Shape::DeviceId | Shape::Number => self.number() as usize,
            Shape::Version => {
                let known = [0x0001_0003, 0x0001_0004, 0x0002_0000, 0x0002_0002, VERSION];
                let byte = usize::from(self.byte());
                known.get(byte % 8).copied().unwrap_or_else(|| self.number() as usize)
            }
            Shape::Handle | Shape::HandleOrNull => self.handle(kind),
            Shape::Text | Shape::TextOrNull if kind == "LPCSTR" => {
                let mut text: Vec<u8> = self.text().iter().map(|unit| *unit as u8).collect();
                text.push(0);
                self.block(&text).word()
            }
            Shape::Text | Shape::TextOrNull | Shape::SizedText => {
                let units = self.text();
                let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_ne_bytes()).collect();
                let text = self.block(&bytes).word();
                words.push(self.or_null(text));
                if pair {
                    words.push(bytes.len());
                }
                return;
            }
            Shape::Given | Shape::GivenOrNull | Shape::Filled | Shape::Late if !pair => {
                self.structure().word()
            }
            Shape::Out => self.block(&[]).word(),
            Shape::New => {
                let place = self.block(&[]).word();
                words.extend([tapi_handle(), self.or_null(place)]);
                return;
            }
            Shape::Callback => match kind {
                "LINEEVENT" => Some(line_event as LineEvent).word(),
                "PHONEEVENT" => Some(phone_event as PhoneEvent).word(),
                _ => 0,
            },
            _ if pair => {
                // Bytes and their number, or records and theirs: a record has less than 64 bytes.
                let records = matches!(parameter.shape, Shape::List);
                let count = self.number() as usize % if records { 8 } else { 300 };
                let block = self.structure().word();
                let block = self.or_null(block);
                // Without memory there are no bytes.
                let count = if block == 0 { 0 } else { count };
                let first = kind == "DWORD";
                words.extend(if first { [count, block] } else { [block, count] });
                return;
            }
            _ => self.number() as usize,
        };
        let pointer = kind.starts_with("LP") || kind.ends_with('*');
        words.push(if pointer { self.or_null(word) } else { word });
    }

    /// Calls the function that the next bytes choose.
    fn step(&mut self) {
        let functions = &self.begun.functions;
        let chosen = usize::from(self.byte()) % (functions.len() + 1);
        let Some(function) = functions.get(chosen) else {
            // The card takes about a second to come up, so this is rare.
            if !self.restarted && self.byte() == 0xFF {
                self.restarted = true;
                self.close();
                self.begun.end();
                self.begun.begin();
            }
            return;
        };
        let id = match self.byte() {
            // Ids that TAPI never uses (T2).
            0xFF => 0,
            0xFE => 0x8000_0001,
            _ => u32::try_from(tapi_handle()).expect("few requests"),
        };
        let mut words = Vec::new();
        for parameter in function.parameters {
            self.words(parameter, id, &mut words);
        }
        let result = self.begun.call(function, &words);
        let name = function.name;
        match function.kind {
            Kind::Sync => assert!(result <= 0, "K2: {name} returned {result}"),
            Kind::Async if result < 0 => {}
            Kind::Async => {
                assert_eq!(result, id as i32, "R1, R2: {name}");
                assert!(result != 0, "T2: {name} accepted {id:#x}");
                self.accepted.insert(id, name);
            }
        }
        if result >= 0 {
            self.keep_handles(function, &words);
        }
    }

    /// Keeps the handles that a function has given out.
    fn keep_handles(&mut self, function: &Function, words: &[usize]) {
        let names = function.parameters.iter().flat_map(|parameter| parameter.c);
        for (parameter, word) in names.zip(words) {
            let pool = match parameter.kind {
                "LPHDRVLINE" => &mut self.lines,
                "LPHDRVPHONE" => &mut self.phones,
                "LPHDRVCALL" => &mut upward().calls,
                _ => continue,
            };
            let place = std::ptr::with_exposed_provenance::<usize>(*word);
            // SAFETY: the function was not refused, so this is the block that it was given.
            let handle = unsafe { place.read_unaligned() };
            let forwarded = function.name == "TSPI_lineForward";
            assert!(handle != 0 || forwarded, "N2: {} gave out 0", function.name);
            pool.push(handle);
        }
    }

    /// Closes what is open, and compares what was accepted with what has completed.
    fn close(&mut self) {
        for (close, open) in [
            (&functions::TSPI_lineClose, &mut self.lines),
            (&functions::TSPI_phoneClose, &mut self.phones),
        ] {
            for handle in open.drain(..) {
                // Most of the sequence's handles are closed already.
                self.begun.call(close, &[handle]);
            }
        }
        let completed = {
            let mut upward = upward();
            upward.calls.clear();
            std::mem::take(&mut upward.completed)
        };
        for (id, result) in completed {
            assert!(result <= 0, "C2: {result}");
            assert!(self.accepted.remove(&id).is_some(), "R4, C3, K3: {id} completes");
        }
        assert!(self.accepted.is_empty(), "D1, D10: outstanding: {:?}", self.accepted);
        self.blocks.clear();
    }
}

static BEGUN: OnceLock<Begun> = OnceLock::new();

fuzz_target!(|input: &[u8]| {
    let begun = BEGUN.get_or_init(Begun::new);
    let mut sequence = Sequence {
        begun,
        input: input.iter(),
        blocks: Vec::new(),
        accepted: BTreeMap::new(),
        lines: Vec::new(),
        phones: Vec::new(),
        restarted: false,
    };
    while !sequence.input.as_slice().is_empty() {
        sequence.step();
    }
    sequence.close();
});

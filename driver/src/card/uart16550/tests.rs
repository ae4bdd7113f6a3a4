//! The UART on the chip in software, and on chips that do not keep to the data sheet.

use std::sync::Mutex;
use std::time::Duration;

use ringback_softcard::{ModemSignals, SoftUart, UartModel};

use super::registers::{self, Fcr, Ier, Iir, Lcr, Lsr, Msr};
use super::*;
use crate::card::register::offsets;
use crate::device::soft::{Hardware, SoftDevice, SoftInterrupt};

offsets!(registers: DATA IER IIR FCR LCR LSR MSR);

/// Characters of 115200 8N1 in a millisecond, roughly.
const PER_MS: usize = 11;

type SoftCard = Uart16550<SoftDevice<SoftUart>>;

struct World {
    chip: SoftUart,
    uart: SoftCard,
    from_wire: VecDeque<u8>,
    to_wire: Vec<u8>,
}

fn open(chip: &SoftUart, options: Options) -> Result<SoftCard, OpenError> {
    let device = SoftDevice::new(chip.clone(), None, SoftInterrupt::new().unwrap());
    let mut delay = |time: Duration| {
        let characters = PER_MS * time.as_millis() as usize;
        chip.run(characters, &mut VecDeque::new(), &mut Vec::new());
    };
    Uart16550::open(device, options, &mut delay)
}

impl World {
    fn new() -> World {
        World::with(UartModel::Uart16550A, Options::default())
    }

    fn with(model: UartModel, options: Options) -> World {
        let chip = SoftUart::new(model);
        let mut uart = open(&chip, options).unwrap();
        uart.start().unwrap();
        World { chip, uart, from_wire: VecDeque::new(), to_wire: Vec::new() }
    }

    /// Lets time pass for this many characters, and services each interrupt.
    fn run(&mut self, characters: usize) {
        for _ in 0..characters {
            self.chip.run(1, &mut self.from_wire, &mut self.to_wire);
            if self.chip.interrupts() {
                assert_ne!(self.uart.service(), Service::Gone);
            }
        }
    }

    fn fetch(&mut self) -> Vec<u8> {
        std::iter::from_fn(|| self.uart.receive()).collect()
    }
}

#[test]
fn each_chip_of_the_family_is_known_by_its_fifos() {
    for (model, depth) in
        [(UartModel::Uart16450, 1), (UartModel::Uart16550, 1), (UartModel::Uart16550A, 16)]
    {
        let world = World::with(model, Options::default());
        assert_eq!(world.uart.fifo_depth(), depth, "{model:?}");
        assert_eq!(world.chip.divisor(), 1);
    }
}

#[test]
fn opening_is_silent_and_off_the_line_until_the_start() {
    let chip = SoftUart::new(UartModel::default());
    let format = LineFormat { baud: 9600, ..LineFormat::default() };
    let mut uart = open(&chip, Options { format, ..Options::default() }).unwrap();
    let mut to_wire = Vec::new();
    chip.run(1000, &mut VecDeque::new(), &mut to_wire);
    assert!(to_wire.is_empty(), "the loopback test sends nothing to the line");
    assert!(!chip.dtr() && !chip.rts() && !chip.interrupts());
    assert_eq!(chip.divisor(), 12);
    uart.start().unwrap();
    assert!(chip.dtr() && chip.rts());
    drop(uart);
    assert!(!chip.dtr() && !chip.rts(), "dropped is safe");
}

#[test]
fn bytes_go_both_ways_in_order_by_interrupts_alone() {
    for model in [UartModel::Uart16450, UartModel::Uart16550A] {
        let mut world = World::with(model, Options::default());
        let text: Vec<u8> = (0..1000_u32).map(|n| n as u8).collect();
        world.from_wire.extend(&text);
        assert_eq!(world.uart.send(&text), 1000);
        world.run(1100);
        assert_eq!(world.to_wire, text);
        assert_eq!(world.fetch(), text);
        assert_eq!(world.uart.unsent(), 0);
        assert_eq!(world.chip.overwritten(), 0);
        let counters = *world.uart.counters();
        assert_eq!((counters.received, counters.sent, counters.overruns), (1000, 1000, 0));
    }
}

#[test]
fn sent_is_reported_when_the_transmitter_is_empty_and_not_before() {
    let mut world = World::new();
    world.uart.send(&[7; 20]);
    assert_eq!(world.uart.unsent(), 20);
    world.run(15);
    assert_eq!(world.uart.unsent(), 20, "the last of the first sixteen is still in the FIFO");
    world.run(1);
    assert_eq!(world.uart.unsent(), 4);
    world.run(4);
    assert_eq!(world.uart.unsent(), 0);
    assert!(!world.chip.interrupts(), "no interrupt when all is sent");
}

#[test]
fn a_few_bytes_come_in_by_the_timeout() {
    let mut world = World::new();
    world.from_wire.extend(b"OK");
    world.run(3);
    assert_eq!(world.fetch(), b"");
    world.run(4);
    assert_eq!(world.fetch(), b"OK");
}

#[test]
fn queues_are_bounded_and_do_not_grow() {
    let mut world = World::new();
    let capacity = (world.uart.sending.capacity(), world.uart.received.capacity());
    assert_eq!(world.uart.send(&[1; 2 * QUEUE]), QUEUE);
    assert_eq!(world.uart.room(), 16, "the first are in the chip");
    world.from_wire.extend([2; 2 * QUEUE]);
    world.run(2 * QUEUE);
    assert_eq!(world.uart.counters().dropped, QUEUE as u64);
    assert_eq!(world.to_wire.len(), QUEUE);
    assert_eq!((world.uart.sending.capacity(), world.uart.received.capacity()), capacity);
    assert_eq!(world.fetch().len(), QUEUE);
}

#[test]
fn rts_stops_the_other_side_while_nothing_is_fetched() {
    let mut world = World::new();
    world.from_wire.extend([2; RECEIVED_HIGH + 8]);
    world.run(RECEIVED_HIGH - 8);
    assert!(world.chip.rts());
    world.run(32);
    assert!(!world.chip.rts() && world.chip.dtr());
    while world.uart.received.len() > RECEIVED_LOW {
        world.uart.receive();
        assert!(!world.chip.rts());
    }
    world.fetch();
    assert!(world.chip.rts());

    let options = Options { flow_control: FlowControl::None, ..Options::default() };
    let mut world = World::with(UartModel::default(), options);
    world.from_wire.extend([2; QUEUE]);
    world.run(QUEUE + 8);
    assert!(world.chip.rts(), "RTS is not used");
}

#[test]
fn cts_makes_us_wait() {
    let mut world = World::new();
    let wait = ModemSignals { dsr: true, ..ModemSignals::default() };
    let go = ModemSignals { cts: true, ..wait };
    world.chip.set_inputs(wait);
    world.run(1);
    world.uart.send(b"hello");
    world.run(100);
    assert_eq!(world.to_wire, b"");
    world.chip.set_inputs(go);
    world.run(6);
    assert_eq!(world.to_wire, b"hello");

    let options = Options { flow_control: FlowControl::None, ..Options::default() };
    let mut world = World::with(UartModel::default(), options);
    world.chip.set_inputs(wait);
    world.uart.send(b"hello");
    world.run(6);
    assert_eq!(world.to_wire, b"hello");
}

#[test]
fn the_modems_lines_are_seen_and_rings_are_counted() {
    let mut world = World::new();
    let on = ModemSignals { cts: true, dsr: true, ri: true, dcd: true };
    let seen = ModemStatus { cts: true, dsr: true, ri: true, dcd: true };
    for _ in 0..3 {
        world.chip.set_inputs(on);
        // The beginning of a ring makes no interrupt.
        assert_eq!(world.uart.service(), Service::Done);
        assert_eq!(world.uart.modem_status(), seen);
        world.chip.set_inputs(ModemSignals { ri: false, ..on });
        world.run(1);
    }
    assert!(!world.uart.modem_status().ri);
    assert_eq!(world.uart.counters().rings, 3);
}

#[test]
fn what_is_wrong_with_a_byte_is_counted_once() {
    let mut world = World::new();
    world.chip.receive_broken(b'a', Lsr::PARITY.bits());
    world.chip.receive_broken(b'b', Lsr::FRAMING.bits());
    world.chip.receive_broken(0, (Lsr::BREAK | Lsr::FRAMING).bits());
    world.run(5);
    assert_eq!(world.fetch(), b"ab", "the byte of a break was never sent");
    world.from_wire.extend([1; 40]);
    let (chip, from_wire) = (world.chip.clone(), &mut world.from_wire);
    chip.run(40, from_wire, &mut Vec::new());
    world.run(1);
    assert_eq!(world.fetch().len(), 16);
    let counters = *world.uart.counters();
    let errors =
        (counters.parity_errors, counters.framing_errors, counters.breaks, counters.overruns);
    assert_eq!(errors, (1, 1, 1, 1));
}

#[test]
fn lost_interrupts_are_made_up_for() {
    let mut world = World::new();
    world.uart.send(&[3; 40]);
    world.from_wire.extend(b"abc");
    for _ in 0..5 {
        world.chip.run(16, &mut world.from_wire, &mut world.to_wire);
        world.chip.read(IIR);
        assert_eq!(world.uart.service(), Service::Done);
    }
    assert_eq!((world.fetch(), world.to_wire.len()), (b"abc".to_vec(), 40));
}

#[test]
fn removal_is_reported_and_nothing_is_transferred_any_more() {
    let mut world = World::new();
    world.uart.send(&[3; 40]);
    world.chip.remove();
    assert_eq!(world.uart.service(), Service::Gone);
    assert!(matches!(world.uart.failure(), Some(Failure::Removed)));
    assert_eq!(world.uart.service(), Service::Gone);
    assert_eq!((world.uart.send(b"x"), world.uart.receive(), world.uart.unsent()), (0, None, 0));
    assert!(matches!(open(&world.chip, Options::default()), Err(OpenError::AllOnes)));
}

#[test]
fn an_interrupt_that_never_ends_is_served_in_bounds() {
    /// Works as a chip, but its interrupt register always says that there is data.
    struct Stuck(SoftUart);
    impl Hardware for Stuck {
        fn len(&self) -> usize {
            8
        }
        fn read(&self, offset: usize, width: u32) -> u32 {
            let value = Hardware::read(&self.0, offset, width);
            if offset == IIR { 0xC4 } else { value }
        }
        fn write(&self, offset: usize, width: u32, value: u32) {
            Hardware::write(&self.0, offset, width, value);
        }
    }
    let chip = SoftUart::new(UartModel::default());
    let clock = chip.clone();
    let mut delay = |_| clock.run(PER_MS, &mut VecDeque::new(), &mut Vec::new());
    let device = SoftDevice::new(Stuck(chip.clone()), None, SoftInterrupt::new().unwrap());
    let mut uart = Uart16550::open(device, Options::default(), &mut delay).unwrap();
    uart.start().unwrap();
    chip.run(2, &mut VecDeque::from(*b"hi"), &mut Vec::new());
    assert_eq!(uart.service(), Service::More);
    assert_eq!((uart.receive(), uart.receive()), (Some(b'h'), Some(b'i')));
}

#[test]
fn what_is_no_16550_is_refused_with_a_reason() {
    /// Registers whose reads a function of the test determines.
    struct Odd(usize, fn(usize, u8) -> u8, Mutex<[u8; 8]>);
    impl Hardware for Odd {
        fn len(&self) -> usize {
            self.0
        }
        fn read(&self, offset: usize, _: u32) -> u32 {
            u32::from(self.1(offset, self.2.lock().unwrap()[offset & 7]))
        }
        fn write(&self, offset: usize, _: u32, value: u32) {
            self.2.lock().unwrap()[offset & 7] = value as u8;
        }
    }
    let refused = |len, read| {
        let odd = Odd(len, read, Mutex::default());
        let device = SoftDevice::new(odd, None, SoftInterrupt::new().unwrap());
        let mut waited = Duration::ZERO;
        let mut delay = |time| waited += time;
        let error = Uart16550::open(device, Options::default(), &mut delay).err().unwrap();
        assert!(waited < Duration::from_secs(1));
        error
    };
    assert!(matches!(refused(4, |_, kept| kept), OpenError::Window { len: 4 }));
    assert!(matches!(refused(8, |_, _| 0xFF), OpenError::AllOnes));
    let error = refused(8, |_, _| 0);
    assert!(matches!(error, OpenError::Scratch { wrote: 0xAA, read: 0 }), "{error}");
    // Memory: it keeps everything, also what was "received".
    let error = refused(8, |offset, kept| if offset == LSR { 0x60 } else { kept });
    assert!(matches!(error, OpenError::Loopback { wrote: 0x55, read: None }), "{error}");
    let error = refused(8, |offset, kept| if offset == DATA { 0x12 } else { kept | 1 });
    assert!(matches!(error, OpenError::Scratch { .. }), "{error}");
    let error = refused(8, |offset, kept| match offset {
        DATA => 0x12,
        LSR => 0x61,
        _ => kept,
    });
    assert!(error.to_string().contains("0x55 was sent and 0x12 came back"), "{error}");
    let baud = LineFormat { baud: 56_000, ..LineFormat::default() };
    let chip = SoftUart::new(UartModel::default());
    let error = open(&chip, Options { format: baud, ..Options::default() }).err().unwrap();
    assert!(matches!(error, OpenError::Format(FormatError::Baud { baud: 56_000, .. })), "{error}");
}

/// The kernel's sample device mtty: one FIFO that is transmitter and receiver, so that "transmitter
/// empty" means that all was read back; its causes are ORed together and stay while they last; its
/// change bits are always set; divisor bytes are ORed into a divisor that DLAB zeroes.
#[derive(Default)]
struct Mtty(Mutex<MttyState>);

#[derive(Default)]
struct MttyState {
    fifo: VecDeque<u8>,
    registers: [u8; 8],
    overrun: bool,
    interrupts: u64,
}

impl Hardware for &'static Mtty {
    fn len(&self) -> usize {
        8
    }

    fn read(&self, offset: usize, _: u32) -> u32 {
        let mut state = self.0.lock().unwrap();
        let enabled = state.registers[IER];
        let value = match offset {
            DATA => state.fifo.pop_front().unwrap_or(0xFF),
            IIR => {
                let received = enabled & Ier::RECEIVED.bits() != 0 && !state.fifo.is_empty();
                let empty = enabled & Ier::TRANSMITTER_EMPTY.bits() != 0 && state.fifo.is_empty();
                0xC0 | match (if received { 4 } else { 0 }) | (if empty { 2 } else { 0 }) {
                    0 => Iir::NONE.bits(),
                    cause => cause,
                }
            }
            LSR => {
                let overrun = if state.overrun { Lsr::OVERRUN.bits() } else { 0 };
                overrun | if state.fifo.is_empty() { 0x60 } else { Lsr::DATA_READY.bits() }
            }
            MSR => (Msr::DSR | Msr::DSR_CHANGED | Msr::DCD | Msr::CTS | Msr::CTS_CHANGED).bits(),
            other => state.registers[other],
        };
        u32::from(value)
    }

    fn write(&self, offset: usize, _: u32, value: u32) {
        let value = value as u8;
        let mut state = self.0.lock().unwrap();
        let latch = state.registers[LCR] & Lcr::DLAB.bits() != 0;
        match offset {
            DATA | IER if latch => {}
            DATA => {
                state.overrun = state.fifo.len() == 16;
                if !state.overrun {
                    state.fifo.push_back(value);
                }
                // An edge, and only where the FIFO reaches its trigger level, which is 1.
                state.interrupts += u64::from(state.fifo.len() == 1);
            }
            FCR if value & Fcr::CLEAR.bits() != 0 => state.fifo.clear(),
            FCR | LSR | MSR => {}
            other => state.registers[other] = value,
        }
    }
}

#[test]
fn mtty_sends_back_what_is_written_to_it_without_an_overrun() {
    let mtty: &'static Mtty = Box::leak(Box::default());
    let device = SoftDevice::new(mtty, None, SoftInterrupt::new().unwrap());
    let mut uart = Uart16550::open(device, Options::default(), &mut |_| {}).unwrap();
    assert_eq!(uart.fifo_depth(), 16);
    uart.start().unwrap();
    let status = uart.modem_status();
    assert!(status.dcd && status.dsr && status.cts && !status.ri);
    let text: Vec<u8> = (0..=255).collect();
    assert_eq!(uart.send(&text), 256);
    let mut back = Vec::new();
    for _ in 0..64 {
        let interrupts = std::mem::take(&mut mtty.0.lock().unwrap().interrupts);
        if interrupts == 0 && uart.unsent() == 0 {
            break;
        }
        assert_ne!(uart.service(), Service::Gone);
        back.extend(std::iter::from_fn(|| uart.receive()));
    }
    assert_eq!(back, text);
    assert_eq!(uart.counters().overruns, 0);
    assert_eq!(uart.service(), Service::Done, "nothing is left to do");
}

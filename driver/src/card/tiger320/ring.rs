//! The DMA ring: where the card is, what came in, what was lost.
//!
//! Memory: 16 words that the card plays (TX) and behind them 16 that it fills (RX); one word is one
//! frame of 125 us, one byte of it one slot. The card goes round without descriptors and does not
//! report when it overtakes the driver; it interrupts when its current address reaches word 7 and
//! word 15.
//!
//! **Where the card is.** When it interrupts, the current address *equals* the interrupt word, so
//! the transfer of that word may not have happened yet. Only words before it are complete. A chunk
//! is therefore words 15, 0..=6 or words 7..=14: it is whole at its interrupt, whichever way the
//! chip counts, and the words to play go into the same places, which the card comes to 1 ms later.
//!
//! **What was lost.** The current address says how far the card has moved modulo 16 words. The
//! latched status bits say which interrupt words it has passed at least once. Whole rounds are
//! added by the clock in two cases: both bits are set, or no bit is set because the kernel has
//! acknowledged the interrupt. In the second case a software card has to run in real time: if it
//! runs slower, the clock counts rounds that did not happen. Where the kernel acknowledges nothing,
//! no bit means that the card has not come to an interrupt word, and an interrupt is one too many:
//! a virtual machine can deliver one after its cause has been acknowledged. A chunk is
//! lost when the card came to one of its words again before it was taken: a service less than 1 ms
//! late loses nothing, each further millisecond one chunk.

use ringback_country::Companding;

use super::registers::{
    Bus, Interrupts, RX_END, RX_INTERRUPT, RX_START, TX_END, TX_INTERRUPT, TX_START,
};
use crate::Time;
use crate::card::port::FRAME;
use crate::device::{DmaMemory, Registers};

/// Bytes of memory that the ring takes.
pub(super) const RING_BYTES: usize = 128;
/// Slots of the card.
pub(super) const SLOTS: usize = 4;
/// One frame of every slot.
pub(super) type Samples = [[u8; FRAME]; SLOTS];

const WORDS: u32 = 16;
const CHUNK: u32 = FRAME as u32;
/// Words at which the card interrupts.
const HALF: u32 = CHUNK - 1;
const END: u32 = WORDS - 1;
const WORD_NANOS: u128 = 125_000;
const RX_OFFSET: u32 = 64;

/// What a service has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// Words the card has moved since the last service.
    pub(super) moved: u64,
    /// Chunks that were lost.
    pub(super) missed: u64,
    /// The chunk that is to be exchanged now.
    pub(super) chunk: Option<Chunk>,
}

/// A chunk of the ring, by its first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk(u32);

/// The DMA ring, and how far the driver has come in it.
#[derive(Debug)]
pub(super) struct Ring {
    base: u32,
    /// The code word of silence.
    silence: u8,
    /// Word the card was at when it was last asked, and when that was.
    position: u32,
    asked: Time,
    /// First word that was not taken yet, and how many are complete from there.
    next: u32,
    waiting: u64,
    /// Status bits of interrupt words that already count as passed, but whose bit was not read yet.
    /// They are ignored when they come.
    owed: Interrupts,
}

impl Ring {
    /// A ring at a bus address (a multiple of 4, with [`RING_BYTES`] below 4 GiB), for samples of
    /// this law.
    pub(super) const fn new(base: u32, companding: Companding) -> Ring {
        let (silence, owed) = (companding.silence(), Interrupts::empty());
        Ring { base, silence, position: 0, asked: Time::ZERO, next: END, waiting: 0, owed }
    }

    /// Writes the ring's addresses to the card.
    pub(super) fn program(&self, r: Bus<'_, impl Registers>) {
        let word = |n: u32| self.base.wrapping_add(n * 4);
        r.write(TX_START, word(0));
        r.write(TX_INTERRUPT, word(HALF));
        r.write(TX_END, word(END));
        r.write(RX_START, word(WORDS));
        r.write(RX_INTERRUPT, word(WORDS + HALF));
        r.write(RX_END, word(WORDS + END));
    }

    /// The card starts from `position`; both rings are filled with silence.
    pub(super) fn restart(&mut self, memory: &impl DmaMemory, position: u32, now: Time) {
        for offset in (0..RING_BYTES).step_by(4) {
            memory.write32(offset, u32::from_le_bytes([self.silence; SLOTS]));
        }
        self.position = position % WORDS;
        self.asked = now;
        self.next = END;
        self.waiting = u64::from(forward(END, self.position));
        self.owed = Interrupts::empty();
    }

    /// Tells the kernel module what to play where nothing is queued: the byte of each slot behind
    /// the ring.
    pub(super) fn tell_silence(&self, memory: &impl DmaMemory) {
        memory.write32(RING_BYTES, u32::from_le_bytes([self.silence; SLOTS]));
    }

    /// Clears what came in, so that it is seen what comes from now on: no word is zero in which a
    /// slot sends nothing.
    pub(super) fn clear_received(&self, memory: &impl DmaMemory) {
        for word in 0..WORDS {
            memory.write32((RX_OFFSET + word * 4) as usize, 0);
        }
    }

    /// All words that came in, in no order.
    pub(super) fn every_received(&self, memory: &impl DmaMemory) -> [u32; WORDS as usize] {
        std::array::from_fn(|word| memory.read32(RX_OFFSET as usize + word * 4))
    }

    /// The word that an RX current address is at; `None` for an address outside of the ring.
    pub(super) fn rx_word(&self, address: u32) -> Option<u32> {
        word(self.base.wrapping_add(RX_OFFSET), address)
    }

    /// Whether the card, at this TX current address, has begun to play a chunk.
    pub(super) fn is_late(&self, chunk: Chunk, address: u32) -> bool {
        // In time the card is in the other chunk, or has read ahead at most one word.
        word(self.base, address)
            .is_some_and(|word| !(1..=CHUNK + 1).contains(&forward(word, chunk.0)))
    }

    /// Whether the card is where it was when it was last asked.
    pub(super) fn is_at(&self, position: u32) -> bool {
        self.position == position
    }

    /// Takes note of where the card is now. `status` are the interrupt bits that are now
    /// acknowledged; `acknowledged` says whether an interrupt led to this call whose bits the
    /// kernel has acknowledged before.
    pub(super) fn advance(
        &mut self,
        memory: &impl DmaMemory,
        position: u32,
        status: Interrupts,
        acknowledged: bool,
        now: Time,
    ) -> Progress {
        let moved = self.moved(position, status.difference(self.owed), acknowledged, now);
        let passed = [(HALF, Interrupts::RX_HALF), (END, Interrupts::RX_END)]
            .into_iter()
            .filter(|&(word, _)| u64::from(self.distance(word)) <= moved)
            .fold(Interrupts::empty(), |bits, (_, bit)| bits | bit);
        self.owed = passed.difference(status);
        self.position = position;
        self.asked = now;
        self.waiting += moved;

        // The word the card is at may be half transferred, so one word less than the ring is safe.
        let missed = self.waiting.saturating_sub(u64::from(WORDS - 1)).div_ceil(u64::from(CHUNK));
        self.waiting -= missed * u64::from(CHUNK);
        if missed > 0 {
            if missed % 2 == 1 {
                self.next = (self.next + CHUNK) % WORDS;
            }
            // The other chunk, which the card plays next, was not filled. It gets silence, so that
            // old samples are not played again.
            let silence = [[self.silence; FRAME]; SLOTS];
            self.play(memory, Chunk((self.next + CHUNK) % WORDS), &silence);
        }
        let chunk = (self.waiting >= u64::from(CHUNK)).then_some(Chunk(self.next));
        if chunk.is_some() {
            self.waiting -= u64::from(CHUNK);
            self.next = (self.next + CHUNK) % WORDS;
        }
        Progress { moved, missed, chunk }
    }

    /// Whether the card is elsewhere than when it was last asked; for a ring that the kernel
    /// serves.
    pub(super) fn has_moved(&mut self, position: u32) -> bool {
        std::mem::replace(&mut self.position, position) != position
    }

    /// What came in, slot by slot.
    pub(super) fn received(&self, memory: &impl DmaMemory, chunk: Chunk) -> Samples {
        let mut samples = [[self.silence; FRAME]; SLOTS];
        for (n, offset) in (0..FRAME).zip(offsets(chunk)) {
            let word = memory.read32(offset + RX_OFFSET as usize).to_le_bytes();
            for (slot, byte) in samples.iter_mut().zip(word) {
                slot[n] = byte;
            }
        }
        samples
    }

    /// What to play, slot by slot.
    pub(super) fn play(&self, memory: &impl DmaMemory, chunk: Chunk, samples: &Samples) {
        for (n, offset) in (0..FRAME).zip(offsets(chunk)) {
            memory.write32(offset, u32::from_le_bytes(samples.each_ref().map(|slot| slot[n])));
        }
    }

    /// How many words the card has moved.
    fn moved(&self, position: u32, status: Interrupts, acknowledged: bool, now: Time) -> u64 {
        let rest = u64::from(forward(self.position, position));
        let half = status.contains(Interrupts::RX_HALF);
        let end = status.contains(Interrupts::RX_END);
        let least = [(half, HALF), (end, END)]
            .into_iter()
            .filter(|&(set, _)| set)
            .map(|(_, word)| u64::from(self.distance(word)))
            .max()
            .unwrap_or(0);
        let round = u64::from(WORDS);
        let mut rounds = least.saturating_sub(rest).div_ceil(round);
        if half == end && (half || acknowledged) {
            let clock = u64::try_from(now.since(self.asked).as_nanos() / WORD_NANOS)
                .unwrap_or(u64::MAX / 2);
            rounds = rounds.max((clock + round / 2 - 1).saturating_sub(rest) / round);
        }
        rest + rounds * round
    }

    /// Words the card had to move to reach a word, at least one.
    fn distance(&self, word: u32) -> u32 {
        forward(self.position + 1, word) + 1
    }
}

/// Byte offsets of a chunk's words in the TX half of the memory.
fn offsets(chunk: Chunk) -> impl Iterator<Item = usize> {
    (chunk.0..chunk.0 + CHUNK).map(|word| (word % WORDS) as usize * 4)
}

/// Words from one place to another, going forward.
const fn forward(from: u32, to: u32) -> u32 {
    to.wrapping_sub(from) % WORDS
}

fn word(start: u32, address: u32) -> Option<u32> {
    // The address behind the last word counts as the first word, in case the chip wraps only after
    // counting.
    let offset = address.wrapping_sub(start);
    (offset <= WORDS * 4).then_some(offset / 4 % WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Duration;

    const BASE: u32 = 0xFFFF_FF80;

    struct Memory(Mutex<Vec<u32>>);

    impl DmaMemory for Memory {
        fn len(&self) -> usize {
            RING_BYTES
        }
        fn bus_address(&self) -> u64 {
            u64::from(BASE)
        }
        fn read32(&self, offset: usize) -> u32 {
            self.0.lock().unwrap()[offset / 4]
        }
        fn write32(&self, offset: usize, value: u32) {
            self.0.lock().unwrap()[offset / 4] = value;
        }
    }

    /// A card that moves word by word and records what it played and captured.
    struct Card {
        memory: Memory,
        ring: Ring,
        /// Words moved since the start.
        moved: u64,
        status: Interrupts,
        played: Vec<u32>,
        /// Whether the word at the interrupt address is transferred before (true) or after.
        eager: bool,
        /// Whether the kernel acknowledges the interrupts.
        kernel_acknowledges: bool,
        now: Time,
    }

    impl Card {
        fn new(eager: bool) -> Card {
            let mut ring = Ring::new(BASE, Companding::ULaw);
            let memory = Memory(Mutex::new(vec![0; 32]));
            ring.restart(&memory, 0, Time::ZERO);
            let (status, played) = (Interrupts::empty(), Vec::new());
            let (kernel_acknowledges, now) = (false, Time::ZERO);
            Card { memory, ring, moved: 0, status, played, eager, kernel_acknowledges, now }
        }

        fn run(&mut self, words: u64) {
            for _ in 0..words {
                self.moved += 1;
                let transferred = if self.eager { self.moved } else { self.moved - 1 };
                let n = (transferred % 16) as usize;
                let mut memory = self.memory.0.lock().unwrap();
                self.played.push(memory[n]);
                memory[16 + n] = transferred as u32;
                match self.moved % 16 {
                    7 => self.status |= Interrupts::RX_HALF,
                    15 => self.status |= Interrupts::RX_END,
                    _ => {}
                }
                self.now += Duration::from_micros(125);
            }
        }

        /// A service; gives what came in, as word numbers, and how many chunks were lost.
        fn serve(&mut self, play: u32) -> (Vec<u32>, u64) {
            let mut status = std::mem::replace(&mut self.status, Interrupts::empty());
            if self.kernel_acknowledges {
                status = Interrupts::empty();
            }
            let address = BASE.wrapping_add(64 + (self.moved % 16) as u32 * 4);
            let position = self.ring.rx_word(address).unwrap();
            let acknowledged = self.kernel_acknowledges;
            let progress =
                self.ring.advance(&self.memory, position, status, acknowledged, self.now);
            let Some(chunk) = progress.chunk else { return (Vec::new(), progress.missed) };
            let received = self.ring.received(&self.memory, chunk);
            let words = (0..8).map(|n| {
                u32::from_le_bytes([received[0][n], received[1][n], received[2][n], received[3][n]])
            });
            self.ring.play(&self.memory, chunk, &play.to_le_bytes().map(|byte| [byte; 8]));
            (words.collect(), progress.missed)
        }
    }

    const SILENT: u32 = u32::MAX;

    #[test]
    fn the_ring_is_where_the_card_is_told() {
        struct Writes(Mutex<Vec<(usize, u32)>>);
        impl Registers for Writes {
            fn len(&self) -> usize {
                256
            }
            fn read8(&self, _: usize) -> u8 {
                0
            }
            fn write8(&self, _: usize, _: u8) {}
            fn read32(&self, _: usize) -> u32 {
                0
            }
            fn write32(&self, offset: usize, value: u32) {
                self.0.lock().unwrap().push((offset, value));
            }
        }
        let writes = Writes(Mutex::default());
        Ring::new(0x1000, Companding::ULaw).program(Bus::new(&writes));
        assert_eq!(
            *writes.0.lock().unwrap(),
            [
                (0x08, 0x1000),
                (0x0C, 0x101C),
                (0x10, 0x103C),
                (0x18, 0x1040),
                (0x1C, 0x105C),
                (0x20, 0x107C)
            ]
        );
    }

    #[test]
    fn silence_is_that_of_the_law_in_the_ring_and_behind_it_where_the_kernel_looks() {
        for (law, silent) in [(Companding::ULaw, u32::MAX), (Companding::ALaw, 0xD5D5_D5D5)] {
            let mut ring = Ring::new(BASE, law);
            let memory = Memory(Mutex::new(vec![0; 34]));
            ring.restart(&memory, 0, Time::ZERO);
            assert_eq!(memory.0.lock().unwrap()[..], [[silent; 32].as_slice(), &[0; 2]].concat());
            ring.tell_silence(&memory);
            assert_eq!(memory.0.lock().unwrap()[32..], [silent, 0]);
            // Two chunks too late: the one that is played next was not filled.
            memory.0.lock().unwrap()[..16].fill(7);
            let progress = ring.advance(&memory, 7, Interrupts::RX_HALF, false, Time::ZERO);
            assert_eq!(progress.missed, 0);
            let both = Interrupts::RX_HALF | Interrupts::RX_END;
            let late = Time::ZERO + Duration::from_millis(2);
            assert_eq!(ring.advance(&memory, 7, both, false, late).missed, 1);
            assert_eq!(memory.0.lock().unwrap()[..16].iter().filter(|w| **w == silent).count(), 8);
        }
    }

    #[test]
    fn every_interrupt_gives_the_next_eight_words_whichever_way_the_chip_counts() {
        for eager in [false, true] {
            let mut card = Card::new(eager);
            let mut received = Vec::new();
            card.run(7);
            for n in 0..100 {
                let (words, missed) = card.serve(1000 + n);
                assert_eq!((words.len(), missed), (8, 0));
                received.extend(words);
                card.run(8);
            }
            let first = u32::from(eager);
            assert_eq!(received[0], SILENT, "the word before the first");
            assert_eq!(
                received[1 + first as usize..],
                (first..799).collect::<Vec<_>>()[..799 - first as usize]
            );
            // Played without a gap, one chunk late.
            let from = card.played.iter().position(|&word| word == 1000).unwrap();
            let expected: Vec<u32> = (0..98).flat_map(|n| [1000 + n; 8]).collect();
            assert_eq!(card.played[from..from + expected.len()], expected);
            assert!((14..=15).contains(&from), "{from}");
        }
    }

    #[test]
    fn services_less_than_a_millisecond_late_lose_nothing() {
        for eager in [false, true] {
            let mut card = Card::new(eager);
            let mut received = Vec::new();
            card.run(7);
            for delay in [0, 1, 3, 6, 7, 2, 7, 0, 5].into_iter().cycle().take(200) {
                card.run(delay);
                let (words, missed) = card.serve(0);
                assert_eq!(missed, 0);
                received.extend(words);
                card.run(8 - delay);
            }
            assert_eq!(received.len(), 1600);
            assert!(received[2..].is_sorted_by(|a, b| a + 1 == *b));
        }
    }

    #[test]
    fn each_missed_interrupt_is_counted_once_and_nothing_else_is_lost() {
        for late in 2..=40u64 {
            let mut card = Card::new(false);
            card.run(7);
            for _ in 0..5 {
                assert_eq!(card.serve(0).1, 0);
                card.run(8);
            }
            // `late` chunks are due at this service: one is whole.
            card.run(8 * (late - 1));
            let (words, missed) = card.serve(7);
            assert_eq!(missed, late - 1);
            let newest = 5 * 8 + 8 * late as u32 - 2;
            assert_eq!(words, (newest - 7..=newest).collect::<Vec<_>>(), "{late}");
            card.run(8);
            let (words, missed) = card.serve(8);
            assert_eq!((words, missed), ((newest + 1..=newest + 8).collect(), 0));
            // The chunk that was not filled in time was silence.
            card.run(16);
            let from = card.played.iter().position(|&word| word == 7).unwrap();
            assert_eq!(card.played[from - 7..from], [SILENT; 7]);
        }
    }

    #[test]
    fn a_service_too_many_finds_nothing() {
        let mut card = Card::new(false);
        card.run(7);
        assert_eq!(card.serve(0).0.len(), 8);
        for _ in 0..7 {
            assert_eq!(card.serve(0), (vec![], 0));
            card.run(1);
        }
        card.run(1);
        assert_eq!(card.serve(0).0.len(), 8);
    }

    #[test]
    fn an_interrupt_too_many_loses_nothing_however_slow_the_card_is() {
        // A card in a virtual machine, whose milliseconds are longer and which waits for the driver
        // at each interrupt.
        let mut card = Card::new(false);
        card.run(7);
        let mut received = Vec::new();
        for n in 1..=40 {
            let (words, missed) = card.serve(n);
            assert_eq!((words.len(), missed), (8, 0));
            received.extend(words);
            card.now += Duration::from_millis(u64::from(n) * 7);
            assert_eq!(card.serve(99), (vec![], 0));
            card.run(8);
        }
        assert!(received[2..].is_sorted_by(|a, b| a + 1 == *b));
        assert!(!card.played.contains(&99));
    }

    #[test]
    fn a_burst_of_ticks_in_no_time_is_counted_by_the_status() {
        // A software card whose thread was held up: two ticks, then a service, all in one moment.
        let mut card = Card::new(true);
        card.run(7);
        card.serve(0);
        let now = card.now;
        card.run(16);
        card.now = now;
        assert_eq!(card.serve(0).1, 1);
    }

    #[test]
    fn a_tick_that_took_longer_on_the_clock_is_still_one() {
        let mut card = Card::new(true);
        card.run(7);
        card.serve(0);
        card.run(8);
        card.now += Duration::from_millis(20);
        let (words, missed) = card.serve(0);
        assert_eq!((words.len(), missed), (8, 0));
    }

    #[test]
    fn without_status_bits_the_clock_counts_where_the_kernel_acknowledges() {
        let mut card = Card::new(false);
        card.kernel_acknowledges = true;
        card.run(7);
        card.serve(0);
        for late in [1, 1, 3, 1, 2, 1, 10, 1] {
            card.run(8 * late);
            let (words, missed) = card.serve(0);
            assert_eq!((words.len(), missed), (8, late - 1));
        }
    }

    #[test]
    fn a_word_passed_after_its_status_was_read_is_not_counted_twice() {
        let mut card = Card::new(false);
        card.run(7);
        card.serve(0);
        card.run(8);
        // The status is read, then the card moves on over the next interrupt word, then the address
        // is read.
        let status = std::mem::replace(&mut card.status, Interrupts::empty());
        card.run(8);
        let progress = card.ring.advance(&card.memory, 7, status, false, card.now);
        assert_eq!((progress.moved, progress.missed), (16, 1));
        // The bit of that word comes now, and must not count again.
        card.run(1);
        let progress = card.ring.advance(
            &card.memory,
            8,
            std::mem::replace(&mut card.status, Interrupts::empty()),
            false,
            card.now,
        );
        assert_eq!((progress.moved, progress.missed), (1, 0));
    }

    #[test]
    fn addresses_outside_of_the_ring_are_no_position() {
        let ring = Ring::new(0x1000, Companding::ULaw);
        assert_eq!(ring.rx_word(0x1040), Some(0));
        assert_eq!(ring.rx_word(0x107C), Some(15));
        assert_eq!(ring.rx_word(0x1080), Some(0));
        assert_eq!(ring.rx_word(0x103C), None);
        assert_eq!(ring.rx_word(0x1084), None);
        assert_eq!(ring.rx_word(u32::MAX), None);
    }

    #[test]
    fn lateness_is_seen_by_the_tx_address() {
        let ring = Ring::new(0x1000, Companding::ULaw);
        let late = |word: u32| ring.is_late(Chunk(15), 0x1000 + word * 4);
        assert!((6..=14).all(|word| !late(word)));
        assert!(late(15) && late(0) && late(3));
    }
}

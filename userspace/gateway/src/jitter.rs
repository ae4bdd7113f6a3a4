//! The jitter buffer: puts received sound into its order and time, and adapts to how unevenly it
//! comes and to a clock that differs from the card's.
//!
//! Sound is taken from it in frames of 20 ms by the card's clock. What is missing then is
//! concealed, or is noise if the other side has announced that. Sound that is late makes the buffer
//! longer: it is played after what was concealed in its place. A buffer that was longer than needed
//! for two seconds is shortened by 10 ms.

use std::collections::BTreeMap;

use ringback_media::loss::LossConcealer;

/// Samples of a frame.
pub(crate) const FRAME: usize = 160;
/// Frames that the first sound waits.
const FIRST_WAIT: u32 = 2;
/// The most samples that wait, 400 ms; what is older is dropped.
const MOST: i64 = 3200;
/// The most packets that wait: 10 ms each, and some that overlap.
const MOST_PACKETS: usize = 64;
/// Sound that is later than this is no longer played, 160 ms.
const LATEST: i64 = 1280;
/// A buffer that always has more than this is too long, 40 ms.
const SPARE: i64 = 320;
/// How long it has to be too long, in frames, and by how much it is shortened then.
const WATCH: u32 = 100;
const SHORTER: i64 = 80;
/// A time that differs by more than this, 4 s, begins the stream anew.
const ANEW: i64 = 32_000;

/// What has become of a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct JitterStatistics {
    /// Samples that were concealed.
    pub(crate) concealed: u64,
    /// Packets that came too late to be played.
    pub(crate) late: u64,
    /// Samples that were dropped, because the buffer was too long.
    pub(crate) dropped: u64,
}

/// Where a stream is.
#[derive(Debug, Clone, Copy)]
struct StreamTime {
    source: u32,
    /// The timestamp that came last, and the same counted on without wrapping.
    timestamp: u32,
    extended: i64,
}

/// Noise in place of silence (RFC 3389).
#[derive(Debug, Clone, Copy)]
struct ComfortNoise {
    from: i64,
    /// The peak of its samples.
    peak: i16,
}

/// The buffer of one stream.
#[derive(Debug, Default)]
pub(crate) struct JitterBuffer {
    time: Option<StreamTime>,
    /// What waits, by its extended timestamp.
    waiting: BTreeMap<i64, Vec<i16>>,
    /// The time that is played next.
    next: i64,
    /// The end of what was played last of what was received.
    played: i64,
    /// Frames to conceal without going on, by which the buffer becomes longer.
    wait: u32,
    concealer: LossConcealer,
    noise: Option<ComfortNoise>,
    /// The least that waited since this many frames.
    watched: (u32, i64),
    statistics: JitterStatistics,
}

impl JitterBuffer {
    pub(crate) fn statistics(&self) -> JitterStatistics {
        self.statistics
    }

    /// Begins a stream at this time.
    fn begin(&mut self, source: u32, timestamp: u32) -> i64 {
        self.time = Some(StreamTime { source, timestamp, extended: 0 });
        self.waiting.clear();
        (self.next, self.played, self.wait) = (0, 0, FIRST_WAIT);
        (self.noise, self.watched) = (None, (0, i64::MAX));
        0
    }

    /// The extended time of a packet.
    fn extended(&mut self, source: u32, timestamp: u32) -> i64 {
        match &mut self.time {
            Some(time) if time.source == source => {
                let step = i64::from(timestamp.wrapping_sub(time.timestamp).cast_signed());
                let extended = time.extended + step;
                if (extended - self.next).abs() > ANEW {
                    return self.begin(source, timestamp);
                }
                if step > 0 {
                    (time.timestamp, time.extended) = (timestamp, extended);
                }
                extended
            }
            _ => self.begin(source, timestamp),
        }
    }

    /// Takes in the sound of a packet.
    pub(crate) fn put(&mut self, source: u32, timestamp: u32, samples: Vec<i16>) {
        let start = self.extended(source, timestamp);
        let len = i64::try_from(samples.len()).unwrap_or(i64::MAX);
        if samples.is_empty() || len > MOST {
            return;
        }
        let late = self.next - start;
        if late >= len {
            // What was concealed in its place is over: play it now, if nothing behind it was.
            if start < self.played || late > LATEST {
                self.statistics.late += 1;
                return;
            }
            self.next = start;
        }
        if self.waiting.len() >= MOST_PACKETS {
            self.waiting.pop_first();
        }
        self.waiting.insert(start, samples);
        let newest = self.newest();
        if newest - self.next > MOST {
            self.skip(newest - FRAME as i64 * i64::from(FIRST_WAIT) - self.next);
        }
    }

    /// Takes in comfort noise: its level is in -dBov (RFC 3389).
    pub(crate) fn put_noise(&mut self, source: u32, timestamp: u32, payload: &[u8]) {
        let from = self.extended(source, timestamp);
        let level = f32::from(payload.first().copied().unwrap_or(127) & 0x7F);
        // Samples of which every value is as likely have their peak above their mean.
        let peak = 32_767.0 * 10f32.powf(-level / 20.0) * 3f32.sqrt();
        self.noise = Some(ComfortNoise { from, peak: peak.min(32_767.0) as i16 });
    }

    /// The end of what waits.
    fn newest(&self) -> i64 {
        let last = self.waiting.last_key_value();
        last.map_or(self.next, |(start, samples)| start + samples.len() as i64)
    }

    /// Leaves samples out.
    fn skip(&mut self, samples: i64) {
        self.next += samples;
        self.statistics.dropped += samples.unsigned_abs();
    }

    /// Fills a frame with what is played next.
    pub(crate) fn take(&mut self, frame: &mut [i16; FRAME]) {
        frame.fill(0);
        if self.time.is_none() {
            return;
        }
        if self.wait > 0 {
            self.wait -= 1;
            return self.make_up(frame);
        }
        let mut rest = &mut frame[..];
        while !rest.is_empty() {
            let gap = match self.waiting.first_key_value() {
                Some((start, samples)) if start + samples.len() as i64 <= self.next => {
                    self.waiting.pop_first();
                    continue;
                }
                Some((start, samples)) if *start <= self.next => {
                    let from = usize::try_from(self.next - start).unwrap_or(0);
                    let samples = samples.get(from..).unwrap_or_default();
                    let count = samples.len().min(rest.len());
                    let (now, later) = rest.split_at_mut(count);
                    now.copy_from_slice(&samples[..count]);
                    self.concealer.receive(now);
                    self.next += count as i64;
                    self.played = self.next;
                    // Sound ends the noise that was announced before it.
                    self.noise = self.noise.filter(|noise| noise.from >= self.next);
                    rest = later;
                    continue;
                }
                Some((start, _)) => usize::try_from(start - self.next).unwrap_or(usize::MAX),
                None => rest.len(),
            };
            let (now, later) = rest.split_at_mut(gap.min(rest.len()));
            self.next += now.len() as i64;
            self.make_up(now);
            rest = later;
        }
        self.watch();
    }

    /// Fills what is missing.
    fn make_up(&mut self, samples: &mut [i16]) {
        match self.noise {
            Some(ComfortNoise { from, peak }) if from <= self.next => {
                samples.fill_with(|| fastrand::i16(-peak..=peak));
            }
            // The beginning of a stream waits in silence.
            _ if self.played == 0 => {}
            _ => {
                self.concealer.conceal(samples);
                self.statistics.concealed += samples.len() as u64;
            }
        }
    }

    /// Shortens the buffer, if it was too long for a while.
    fn watch(&mut self) {
        let (frames, least) = self.watched;
        let least = least.min(self.newest() - self.next);
        self.watched = (frames + 1, least);
        if frames + 1 >= WATCH {
            self.watched = (0, i64::MAX);
            if least > SPARE {
                self.skip(SHORTER);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of samples that tell their time.
    fn frame(number: u32) -> Vec<i16> {
        let start = (number * 160) as i16;
        (0..160).map(|sample| start.wrapping_add(sample)).collect()
    }

    fn put(buffer: &mut JitterBuffer, number: u32) {
        buffer.put(1, 0xFFFF_FF00u32.wrapping_add(number * 160), frame(number));
    }

    fn take(buffer: &mut JitterBuffer) -> Vec<i16> {
        let mut samples = [0; FRAME];
        buffer.take(&mut samples);
        samples.to_vec()
    }

    #[test]
    fn sound_comes_out_in_order_two_frames_later_and_over_the_end_of_the_counter() {
        let mut buffer = JitterBuffer::default();
        assert_eq!(take(&mut buffer), [0; FRAME]);
        let mut out = Vec::new();
        for number in [0, 2, 1, 4, 3, 5, 6, 7] {
            put(&mut buffer, number);
            out.push(take(&mut buffer));
        }
        assert_eq!(out[..2], [[0; FRAME]; 2]);
        for (number, samples) in (0..6).zip(&out[2..]) {
            assert_eq!(*samples, frame(number), "frame {number}");
        }
        assert_eq!(buffer.statistics(), JitterStatistics::default());
    }

    #[test]
    fn a_lost_packet_is_concealed_and_the_next_is_in_its_time() {
        let mut buffer = JitterBuffer::default();
        put(&mut buffer, 0);
        let mut out = vec![take(&mut buffer)];
        for number in [1, 2, 4, 5, 6] {
            put(&mut buffer, number);
            out.push(take(&mut buffer));
            if number == 2 {
                // The third one is lost.
                out.push(take(&mut buffer));
            }
        }
        out.extend((0..2).map(|_| take(&mut buffer)));
        assert_eq!(out[2..5], [frame(0), frame(1), frame(2)]);
        assert_eq!(
            (&out[6][40..], &out[7]),
            (&frame(4)[40..], &frame(5)),
            "blended, then as it is"
        );
        assert_eq!(buffer.statistics().concealed, 160);
    }

    #[test]
    fn late_sound_makes_the_buffer_longer_and_nothing_is_lost() {
        let mut buffer = JitterBuffer::default();
        put(&mut buffer, 0);
        for _ in 0..6 {
            take(&mut buffer);
        }
        // 60 ms late, and from now on always.
        let mut out = Vec::new();
        for number in 1..20 {
            put(&mut buffer, number);
            out.push(take(&mut buffer));
        }
        assert_eq!(out[0][40..], frame(1)[40..]);
        assert_eq!(out[1..], (2..20).map(frame).collect::<Vec<_>>());
        assert_eq!(buffer.statistics().late, 0);
        // Behind what was played it is too late.
        put(&mut buffer, 3);
        assert_eq!(buffer.statistics().late, 1);
    }

    #[test]
    fn a_buffer_that_is_longer_than_needed_becomes_shorter() {
        let mut buffer = JitterBuffer::default();
        (0..10).for_each(|number| put(&mut buffer, number));
        let mut least = i64::MAX;
        for number in 10..3000 {
            put(&mut buffer, number);
            take(&mut buffer);
            least = buffer.newest() - buffer.next;
        }
        assert!((FRAME as i64..=SPARE).contains(&least), "{least}");
        assert!(buffer.statistics().dropped > 0);
        assert_eq!(buffer.statistics().concealed, 0);
    }

    #[test]
    fn a_clock_that_is_faster_or_slower_by_a_hundredth_is_followed() {
        for faster in [true, false] {
            let mut buffer = JitterBuffer::default();
            let mut number = 0;
            for tick in 0..10_000u32 {
                let skipped = !faster && tick % 100 == 99;
                let twice = faster && tick % 100 == 99;
                for _ in 0..u32::from(!skipped) + u32::from(twice) {
                    put(&mut buffer, number % 200 + number / 200 * 200);
                    number += 1;
                }
                take(&mut buffer);
                let depth = buffer.newest() - buffer.next;
                assert!(depth <= MOST, "{depth} samples wait");
            }
            let JitterStatistics { concealed, dropped, .. } = buffer.statistics();
            // A hundredth of 10000 frames, and what adapting takes.
            let most = 100 * FRAME as u64 * 3 / 2;
            assert!(concealed < most && dropped < most, "{concealed} concealed, {dropped} dropped");
        }
    }

    #[test]
    fn comfort_noise_fills_the_silence_until_there_is_sound() {
        let mut buffer = JitterBuffer::default();
        put(&mut buffer, 0);
        buffer.put_noise(1, 0xFFFF_FF00u32.wrapping_add(160), &[40]);
        (0..3).for_each(|_| drop(take(&mut buffer)));
        let noise = take(&mut buffer);
        let level = ringback_media::level::rms_dbm0(&noise);
        // 0 dBov is 6.15 dBm0 of u-law and a sine's 3.14.
        assert!((-37.0..-31.0).contains(&level), "{level} dBm0");
        put(&mut buffer, 2);
        assert_eq!(take(&mut buffer)[40..], frame(2)[40..]);
        assert_eq!(buffer.statistics().concealed, 0);
    }

    #[test]
    fn another_stream_begins_anew_and_no_timestamp_does_harm() {
        let mut buffer = JitterBuffer::default();
        put(&mut buffer, 0);
        for (source, timestamp) in
            [(1, 0), (1, u32::MAX), (1, 1 << 31), (2, 5), (2, 5), (3, u32::MAX / 2), (3, 0)]
        {
            buffer.put(source, timestamp, frame(1));
            buffer.put(source, timestamp, Vec::new());
            buffer.put(source, timestamp, vec![1; 70_000]);
            take(&mut buffer);
        }
        buffer.put(4, 77, frame(9));
        (0..2).for_each(|_| drop(take(&mut buffer)));
        assert_eq!(take(&mut buffer)[40..], frame(9)[40..]);
        for number in 0..100 {
            buffer.put(4, 77 + number * 160, frame(1));
        }
        assert!(buffer.waiting.len() <= 101 && buffer.newest() - buffer.next <= MOST);
    }
}

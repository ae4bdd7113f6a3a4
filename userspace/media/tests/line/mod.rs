//! A telephone line between a sender and a detector, and sounds other than tones.

use ringback_media::{g711, level, tone};

/// Pseudo-random numbers that are the same in every run (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(2).wrapping_add(0x9E37_79B9_7F4A_7C15))
    }

    /// Uniformly distributed from -1 to 1.
    pub fn even(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        bits as f32 / 8_388_608.0 - 1.0
    }

    /// Uniformly distributed over `from` to `to`.
    pub fn between(&mut self, from: f32, to: f32) -> f32 {
        from + (self.even() + 1.0) / 2.0 * (to - from)
    }

    /// Normally distributed around 0 with deviation 1, as the sum of twelve.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.even()).sum::<f32>() / 2.0
    }
}

pub fn samples(ms: usize) -> usize {
    ms * ringback_media::SAMPLE_RATE as usize / 1000
}

pub fn silence(ms: usize) -> Vec<i16> {
    vec![0; samples(ms)]
}

/// White noise.
pub fn noise(ms: usize, level_dbm0: f32, seed: u64) -> Vec<i16> {
    let mut random = Random::new(seed);
    let rms = level::amplitude(level_dbm0) / 2f32.sqrt();
    (0..samples(ms)).map(|_| (rms * random.normal()) as i16).collect()
}

/// The sum of sines, given in Hz and dBm0.
pub fn sines(ms: usize, tones: &[(f32, f32)]) -> Vec<i16> {
    tones.iter().fold(silence(ms), |sum, &(hz, level)| {
        let mut sine = silence(ms);
        tone::Generator::sine(hz, level).fill(&mut sine);
        mix(&sum, &sine)
    })
}

/// The sum of both, as long as the first.
pub fn mix(a: &[i16], b: &[i16]) -> Vec<i16> {
    let b = b.iter().copied().chain(std::iter::repeat(0));
    a.iter().zip(b).map(|(a, b)| a.saturating_add(b)).collect()
}

/// Sends samples over a u-law line with this noise.
pub fn through_line(sent: &[i16], noise_dbm0: f32, seed: u64) -> Vec<i16> {
    let noise = noise(sent.len() / 8 + 1, noise_dbm0, seed);
    mix(sent, &noise).into_iter().map(|s| g711::ulaw_decode(g711::ulaw_encode(s))).collect()
}

/// A sound similar to speech: syllables of a voice with varying pitch and three formants, hissing
/// consonants, and pauses. At about -15 dBm0.
pub fn speech(ms: usize, seed: u64) -> Vec<i16> {
    let mut random = Random::new(seed);
    let mut out = Vec::new();
    while out.len() < samples(ms) {
        let mut formants = [
            Resonator::new(random.between(250.0, 850.0), 70.0),
            Resonator::new(random.between(850.0, 2400.0), 100.0),
            Resonator::new(random.between(2200.0, 3300.0), 150.0),
        ];
        let (pitch, slope) = (random.between(85.0, 260.0), random.between(-0.25, 0.25));
        let length = random.between(60.0, 350.0) as usize * 8;
        let mut phase = 0.0;
        let vowel: Vec<f32> = (0..length)
            .map(|n| {
                let part = n as f32 / length as f32;
                phase += pitch * (1.0 + slope * part) / 8000.0;
                let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
                phase %= 1.0;
                let x = pulse + 0.01 * random.normal();
                let [low, middle, high] = formants.each_mut().map(|f| f.next(x));
                (low + 0.5 * middle + 0.25 * high) * (std::f32::consts::PI * part).sin()
            })
            .collect();
        let loudest = vowel.iter().fold(0.0, |max: f32, x| max.max(x.abs()));
        out.extend(vowel.iter().map(|x| (x / loudest * 14_000.0) as i16));
        let hiss = random.between(0.0, 120.0) as usize;
        out.extend(noise(hiss, random.between(-40.0, -22.0), seed ^ out.len() as u64));
        if random.even() > 0.6 {
            out.extend(silence(random.between(50.0, 700.0) as usize));
        }
    }
    out.truncate(samples(ms));
    out
}

/// A sound similar to music: three notes of the tempered scale at a time, with decaying overtones.
/// The scale has 349 and 440 Hz, and 466 and 494 Hz near 480.
pub fn music(ms: usize, seed: u64) -> Vec<i16> {
    let mut random = Random::new(seed);
    let mut out = vec![0.0; samples(ms)];
    let mut start = 0;
    while start < out.len() {
        let length = samples(random.between(150.0, 1200.0) as usize);
        for _ in 0..3 {
            let hz = 220.0 * 2f32.powf(random.between(0.0, 24.0).floor() / 12.0);
            let decay = random.between(0.2, 3.0);
            for (n, sample) in out[start..].iter_mut().take(length).enumerate() {
                let t = n as f32 / 8000.0;
                let wave = |k: f32| (std::f32::consts::TAU * hz * k * t).sin() / k;
                let overtones = wave(2.0) + wave(3.0) + wave(4.0);
                *sample += 3000.0 * (-t * decay).exp() * (wave(1.0) + overtones);
            }
        }
        start += length;
    }
    out.into_iter().map(|x| x as i16).collect()
}

/// A second-order resonance at `hz`, `width` Hz wide.
struct Resonator {
    a: f32,
    b: f32,
    z: [f32; 2],
}

impl Resonator {
    fn new(hz: f32, width: f32) -> Resonator {
        let r = (-std::f32::consts::PI * width / 8000.0).exp();
        Resonator {
            a: 2.0 * r * (std::f32::consts::TAU * hz / 8000.0).cos(),
            b: r * r,
            z: [0.0; 2],
        }
    }

    fn next(&mut self, x: f32) -> f32 {
        let y = x + self.a * self.z[0] - self.b * self.z[1];
        self.z = [y, self.z[0]];
        y
    }
}

//! G.711 companding: u-law (North America, Japan and some others) and A-law (elsewhere).
//!
//! Decoding is one lookup in a table that is made at compile time. Encoding finds the interval of a
//! sample, with clipping. A-law code words are as on the line: with even bits inverted, as ITU-T
//! G.711 sends them. Each code word is that of its own sample, so that decoding and encoding by the
//! same law changes nothing; only u-law's second zero (0x7F) becomes the first.

use ringback_country::Companding;

/// Added to the magnitude, so that every u-law segment starts at a power of two (33 in the 14-bit
/// scale of G.711).
const ULAW_BIAS: u32 = 0x84;

/// Inverts the even bits of an A-law code word.
const ALAW_EVEN_BITS: u8 = 0x55;

static ULAW_TO_LINEAR: [i16; 256] = ulaw_table();
static ALAW_TO_LINEAR: [i16; 256] = alaw_table();

/// The code word of a linear sample by this law.
pub const fn encode(companding: Companding, sample: i16) -> u8 {
    match companding {
        Companding::ULaw => ulaw_encode(sample),
        Companding::ALaw => alaw_encode(sample),
    }
}

/// The linear sample of a code word by this law.
pub const fn decode(companding: Companding, code: u8) -> i16 {
    match companding {
        Companding::ULaw => ulaw_decode(code),
        Companding::ALaw => alaw_decode(code),
    }
}

/// The u-law code word of a linear sample. Beyond +-32635 it is clipped.
pub const fn ulaw_encode(sample: i16) -> u8 {
    let magnitude = sample.unsigned_abs() as u32 + ULAW_BIAS;
    let sign = if sample < 0 { 0x7F } else { 0xFF };
    // Magnitudes from 32636 up are beyond the last code word's interval.
    let magnitude = if magnitude > 0x7FFF { 0x7FFF } else { magnitude };
    let segment = 24 - magnitude.leading_zeros();
    let step = (magnitude >> (segment + 3)) & 0x0F;
    ((segment << 4 | step) as u8) ^ sign
}

/// The linear sample of a u-law code word, -32124 to 32124.
pub const fn ulaw_decode(code: u8) -> i16 {
    ULAW_TO_LINEAR[code as usize]
}

/// The A-law code word of a linear sample.
pub const fn alaw_encode(sample: i16) -> u8 {
    // One's complement folds -32768..=-1 onto 0..=32767.
    let (magnitude, sign) = if sample < 0 { (!sample as u32, 0x00) } else { (sample as u32, 0x80) };
    let segment = 24 - (magnitude | 0xFF).leading_zeros();
    let step = (magnitude >> if segment == 0 { 4 } else { segment + 3 }) & 0x0F;
    ((segment << 4 | step) as u8 | sign) ^ ALAW_EVEN_BITS
}

/// The linear sample of an A-law code word, -32256 to 32256. A-law has no zero: silence is 8.
pub const fn alaw_decode(code: u8) -> i16 {
    ALAW_TO_LINEAR[code as usize]
}

const fn ulaw_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let inverted = !(code as u8);
        let segment = (inverted >> 4) & 0x07;
        let step = (inverted & 0x0F) as u32;
        let magnitude = (((step << 3) + ULAW_BIAS) << segment) - ULAW_BIAS;
        table[code] = if inverted & 0x80 == 0 { magnitude as i16 } else { -(magnitude as i16) };
        code += 1;
    }
    table
}

const fn alaw_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let plain = code as u8 ^ ALAW_EVEN_BITS;
        let segment = (plain >> 4) & 0x07;
        let step = ((plain & 0x0F) as u32) << 4;
        let magnitude = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
        table[code] = if plain & 0x80 != 0 { magnitude as i16 } else { -(magnitude as i16) };
        code += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const ULAW_SILENCE: u8 = Companding::ULaw.silence();
    const ALAW_SILENCE: u8 = Companding::ALaw.silence();

    /// Decoder output values of G.711 table 2a (14-bit scale), at the ends of every segment.
    const ULAW_TABLE_2A: [(u8, i16); 16] = [
        (0x80, 8031),
        (0x8F, 4191),
        (0x90, 3999),
        (0x9F, 2079),
        (0xA0, 1983),
        (0xAF, 1023),
        (0xB0, 975),
        (0xBF, 495),
        (0xC0, 471),
        (0xCF, 231),
        (0xD0, 219),
        (0xDF, 99),
        (0xE0, 93),
        (0xEF, 33),
        (0xFE, 2),
        (0xFF, 0),
    ];

    /// Decoder output values of G.711 table 1a (13-bit scale) by the character signal before the
    /// inversion of the even bits, at the ends of every segment.
    const ALAW_TABLE_1A: [(u8, i16); 14] = [
        (0xFF, 4032),
        (0xF0, 2112),
        (0xEF, 2016),
        (0xE0, 1056),
        (0xDF, 1008),
        (0xD0, 528),
        (0xCF, 504),
        (0xC0, 264),
        (0xBF, 252),
        (0xB0, 132),
        (0xAF, 126),
        (0xA0, 66),
        (0x90, 33),
        (0x80, 1),
    ];

    #[test]
    fn ulaw_agrees_with_the_recommendation() {
        for (code, value) in ULAW_TABLE_2A {
            assert_eq!(ulaw_decode(code), value * 4, "{code:#04x}");
            assert_eq!(ulaw_decode(code & 0x7F), -value * 4, "{code:#04x}, negative");
            assert_eq!(ulaw_encode(value * 4), code);
        }
        assert_eq!(ulaw_encode(i16::MAX), 0x80);
        assert_eq!(ulaw_encode(i16::MIN), 0x00);
        assert_eq!(ulaw_encode(0), ULAW_SILENCE);
        assert_eq!(ulaw_decode(ULAW_SILENCE), 0);
    }

    #[test]
    fn alaw_agrees_with_the_recommendation() {
        for (plain, value) in ALAW_TABLE_1A {
            let code = plain ^ 0x55;
            assert_eq!(alaw_decode(code), value * 8, "{plain:#04x}");
            assert_eq!(alaw_decode(code ^ 0x80), -value * 8, "{plain:#04x}, negative");
            assert_eq!(alaw_encode(value * 8), code);
        }
        assert_eq!(alaw_encode(i16::MAX), 0xFF ^ 0x55);
        assert_eq!(alaw_encode(i16::MIN), 0x7F ^ 0x55);
        assert_eq!(alaw_encode(0), ALAW_SILENCE);
        assert_eq!(alaw_encode(-1), 0x55);
        assert_eq!(alaw_decode(ALAW_SILENCE), 8);
    }

    #[test]
    fn every_code_word_survives_decoding_and_encoding() {
        for code in 0..=255 {
            assert_eq!(alaw_encode(alaw_decode(code)), code);
            // u-law has two zeros; the negative one becomes the positive one.
            let expected = if code == 0x7F { ULAW_SILENCE } else { code };
            assert_eq!(ulaw_encode(ulaw_decode(code)), expected);
            for law in [Companding::ULaw, Companding::ALaw] {
                let expected = if law == Companding::ULaw { expected } else { code };
                assert_eq!(encode(law, decode(law, code)), expected);
            }
        }
    }

    /// The error is at most half the quantising interval of the segment, for all samples except
    /// those beyond the last interval, which are clipped.
    #[test]
    fn encoding_keeps_within_half_an_interval() {
        for sample in i16::MIN..=i16::MAX {
            let wanted = i32::from(sample);
            let code = ulaw_encode(sample);
            let half = 4 << (!code >> 4 & 7);
            let error = (i32::from(ulaw_decode(code)) - wanted).abs();
            assert!(error <= half || wanted.abs() > 32_635, "u-law {sample}: off by {error}");
            let code = alaw_encode(sample);
            let half = 8 << ((code ^ 0x55) >> 4 & 7).saturating_sub(1);
            let error = (i32::from(alaw_decode(code)) - wanted).abs();
            assert!(error <= half, "A-law {sample}: off by {error}");
        }
    }

    #[test]
    fn louder_is_never_decoded_quieter() {
        for sample in i16::MIN..i16::MAX {
            assert!(ulaw_decode(ulaw_encode(sample)) <= ulaw_decode(ulaw_encode(sample + 1)));
            assert!(alaw_decode(alaw_encode(sample)) <= alaw_decode(alaw_encode(sample + 1)));
        }
    }
}

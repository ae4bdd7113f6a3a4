//! G.711 under the names of SDP: the two codecs that every PBX has.

use ringback_media::g711;

/// A codec, with 8000 samples in a second and a byte for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// u-law.
    Pcmu,
    /// A-law.
    Pcma,
}

impl Codec {
    /// Its name in SDP.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// Its static payload type (RFC 3551, table 4).
    pub fn static_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    /// Decodes a payload.
    pub(crate) fn decode(self, payload: &[u8]) -> Vec<i16> {
        let decode = match self {
            Codec::Pcmu => g711::ulaw_decode,
            Codec::Pcma => g711::alaw_decode,
        };
        payload.iter().map(|code| decode(*code)).collect()
    }

    /// Encodes samples to the end of `payload`.
    pub(crate) fn encode(self, samples: &[i16], payload: &mut Vec<u8>) {
        let encode = match self {
            Codec::Pcmu => g711::ulaw_encode,
            Codec::Pcma => g711::alaw_encode,
        };
        payload.extend(samples.iter().map(|sample| encode(*sample)));
    }
}

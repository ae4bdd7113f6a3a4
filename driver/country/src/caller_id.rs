//! How the exchanges of a country tell a line who calls.
//!
//! Sources: Telcordia GR-30, ETSI EN 300 659-1, BT SIN 227, and for who does it how the manuals of
//! gateways and line emulators. A country about which these disagree, or say nothing, has none.
//! Japan's way is that of NTT's number display, as spandsp's `adsi.h`, Dialogic's manual of CAS and
//! drivers of telephone adapters have it; no document of NTT's own was at hand.

/// How exchanges tell who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerIdMethod {
    /// How it is coded in sound.
    pub coding: CallerIdCoding,
    /// When it is sent.
    pub moment: CallerIdMoment,
}

/// How a caller is coded in sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallerIdCoding {
    /// A data message at 1200 bit/s, as Bell 202 modems send: 1200 Hz for 1, 2200 Hz for 0.
    Bell202,
    /// A data message at 1200 bit/s, as V.23 modems send: 1300 Hz for 1, 2100 Hz for 0.
    V23,
    /// A data message of Japan's at 1200 bit/s by the tones of V.23: characters with parity between
    /// control characters, and a cyclic redundancy check.
    Ntt,
    /// DTMF digits, of which the last one is this: `C`, or `#`.
    Dtmf {
        /// The digit that ends them.
        end: char,
    },
}

/// When a caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallerIdMoment {
    /// Between the first ring and the second.
    AfterRing,
    /// Before the first ring, announced by reversed battery; a data message also by a tone.
    AfterReversal,
    /// Before the first ring, without announcement.
    BeforeRing,
    /// Before the first ring, to a line that answers a short ringing signal behind reversed
    /// battery; it hangs up when it was told, and is rung then.
    OffHook,
}

impl CallerIdMethod {
    /// North America, and what follows it.
    pub(crate) const BELL_202: CallerIdMethod =
        CallerIdMethod { coding: CallerIdCoding::Bell202, moment: CallerIdMoment::AfterRing };
    /// Most of Europe.
    pub(crate) const V_23: CallerIdMethod =
        CallerIdMethod { coding: CallerIdCoding::V23, moment: CallerIdMoment::AfterRing };
    /// The United Kingdom.
    pub(crate) const BRITISH: CallerIdMethod =
        CallerIdMethod { coding: CallerIdCoding::V23, moment: CallerIdMoment::AfterReversal };
    /// Japan.
    pub(crate) const JAPANESE: CallerIdMethod =
        CallerIdMethod { coding: CallerIdCoding::Ntt, moment: CallerIdMoment::OffHook };
    /// Northern Europe and India.
    pub(crate) const DTMF: CallerIdMethod = CallerIdMethod {
        coding: CallerIdCoding::Dtmf { end: 'C' },
        moment: CallerIdMoment::AfterReversal,
    };
    /// Denmark.
    pub(crate) const DANISH: CallerIdMethod =
        CallerIdMethod { coding: CallerIdCoding::Dtmf { end: '#' }, ..CallerIdMethod::DTMF };
    /// Brazil.
    pub(crate) const BRAZILIAN: CallerIdMethod =
        CallerIdMethod { moment: CallerIdMoment::BeforeRing, ..CallerIdMethod::DTMF };
}

//! What can be set on a phone.

/// Something that a request sets on a phone. The provider has checked the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneSetting {
    /// TSPI_phoneSetVolume of the handset: 0 (silent) to 0xFFFF.
    Volume(u32),
    /// TSPI_phoneSetGain of the handset: 0 (silent) to 0xFFFF.
    Gain(u32),
    /// TSPI_phoneSetLamp of the message lamp: one PHONELAMPMODE_.
    Lamp(u32),
    /// TSPI_phoneSetRing: the mode in which it rings, up to
    /// [`RING_MODES`](crate::TelephoneOptions::RING_MODES); 0 for not at all.
    Ring(u32),
}

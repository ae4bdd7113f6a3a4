//! Why a card could not be opened or started, in words for the person who has the card.

use std::io;

use thiserror::Error;

/// Why a card could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The device has no memory for DMA.
    #[error("the device offers no DMA memory: a TDM400P needs a block that it can reach by itself")]
    NoDmaMemory,
    /// The block is too small.
    #[error("the DMA block has {len} bytes: a TDM400P needs at least 128")]
    DmaTooSmall {
        /// Its size in bytes.
        len: usize,
    },
    /// The card can't reach the block.
    #[error(
        "the DMA block is at bus address {address:#x}: a TDM400P reaches whole words below 4 GiB \
         only"
    )]
    DmaAddress {
        /// The block's first address on the bus.
        address: u64,
    },
    /// The register window is too small.
    #[error(
        "the register window has {len} bytes: a TDM400P has 256 I/O ports or 4096 bytes of memory"
    )]
    Window {
        /// Its size in bytes.
        len: usize,
    },
    /// Every register reads as all ones.
    #[error(
        "every register of the card reads as ones: it is gone, or memory decoding is off (is it \
         bound to the right driver, is it enabled?); if it is in the slot, reseat it"
    )]
    AllOnes,
    /// The samples of the slots are in each other's places.
    #[error(
        "the card's samples arrive in the places of other slots, although its serial port was \
         reset again and again: reseat the card or try another slot; if that does not help, the \
         card is defective"
    )]
    Shifted,
    /// Something answers, but it has no CPLD of a TDM400P.
    #[error(
        "this is not a TDM400P or a clone of it (CPLD version {version:#04x}, and its registers \
         hold nothing): other cards share its PCI id, check the subsystem id"
    )]
    NotTdm400p {
        /// What the version register reads.
        version: u8,
    },
    /// The CPLD does not hold every value.
    #[error(
        "register test failed: {wrote:#04x} was written to register {register:#04x} and \
         {read:#04x} came back; reseat the card or try another PCI slot (a bad slot or PCIe bridge \
         does this)"
    )]
    RegisterTest {
        /// Offset of the register.
        register: usize,
        /// The value that was written.
        wrote: u8,
        /// The value that was read back.
        read: u8,
    },
}

/// Why a card that was running is not any more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// Every register reads as all ones.
    #[error("the card was removed, or its PCI bridge lost it: every register reads as ones")]
    Removed,
    /// DMA does not move although it was restarted several times.
    #[error(
        "the card's DMA stands still after {attempts} new starts: its bus accesses are refused \
         (PCI bus master, IOMMU) or its clock has stopped"
    )]
    Stuck {
        /// How many starts were tried without a single frame.
        attempts: u32,
    },
    /// The card loses its settings again and again.
    #[error(
        "the card was reset again and again: its slot, its PCI bridge or its power supply is \
         defective; reseat the card or try another slot"
    )]
    Resets,
    /// The samples of the slots are in each other's places since DMA was started anew.
    #[error(
        "the card's samples arrive in the places of other slots since its DMA was started anew, \
         although its serial port was reset again and again: start the program again; if that does \
         not help, reseat the card or try another slot"
    )]
    Shifted,
    /// The operating system refuses the device.
    #[error("the operating system refuses the card's device: {0}")]
    Device(#[source] io::Error),
}

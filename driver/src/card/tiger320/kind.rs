//! How a TDM400P is recognised and opened.

use ringback_country::Country;

use super::ring::RING_BYTES;
use super::{OpenError, Options, Tiger320};
use crate::card::Delay;
use crate::card::port_card::{OpenCardError, PortCardKind};
use crate::device::pci::PciIds;
use crate::device::{Description, Device, Kind, Needs};

/// The TigerJet chip on all cards of the family.
const TIGER320: (u16, u16) = (0xE159, 0x0001);
/// The subsystem vendor ids of TDM400P cards and their clones (OpenVox A400P, A400E, A400M), which
/// distinguish them from other cards with the same chip.
const MAKERS: [u16; 12] = [
    0xA159, 0xE159, 0xB100, 0xB1D9, 0xB118, 0xB119, 0xA9FD, 0xA8FD, 0xA800, 0xA801, 0xA908, 0xA901,
];
/// The window of 256 registers, which are also I/O ports, and the ring.
const NEEDS: Needs = Needs { registers: 0x100, dma: RING_BYTES, msi: false };

/// Digium TDM400P, OpenVox A400P and clones.
pub const KIND: Kind = Kind::new(&Description {
    name: "TDM400P (or A400P)",
    is_pci: |ids| has_chip(ids) && MAKERS.contains(&ids.subsystem_vendor),
    uio: Some("ringback"),
    mdev: None,
    needs: NEEDS,
    is_driven: true,
    unsuited: &[(
        "uio_pci_generic",
        "its chip can't mask its interrupt, which that module wants; use ringback or vfio-pci",
    )],
});

/// Another card with a Tiger320, which no engine drives.
pub const OTHER_KIND: Kind = Kind::new(&Description {
    name: "Tiger320 card of another family",
    is_pci: has_chip,
    uio: None,
    mdev: None,
    needs: Needs { registers: 0, dma: 0, msi: false },
    is_driven: false,
    unsuited: &[],
});

fn has_chip(ids: &PciIds) -> bool {
    (ids.vendor, ids.device) == TIGER320
}

/// The TDM400P as a kind of card with ports: a type without values, by which it is opened.
#[derive(Debug)]
pub enum Tdm400p {}

impl PortCardKind for Tdm400p {
    const KIND: Kind = KIND;
    type Card<D: Device> = Tiger320<D>;

    fn open<D: Device>(
        device: D,
        country: Country,
        delay: &mut dyn Delay,
    ) -> Result<Tiger320<D>, OpenCardError> {
        Tiger320::open(device, Options { country }, delay).map_err(|error| OpenCardError {
            is_gone: matches!(error, OpenError::AllOnes),
            cause: Box::new(error),
        })
    }
}

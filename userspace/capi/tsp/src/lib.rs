//! `libringback_tsp`: Ringback's provider as a library for any TAPI on Linux.
//!
//! It exports the functions of TSPI that a provider of plain telephone lines can have
//! (`symbols.txt` beside this crate lists them; `userspace/tspi/facts/verdict.tsv` says why not the
//! others). The card is the one that the environment variable `RINGBACK_CARD` names, as `--card`
//! does for the program: `uio:/dev/uio0`, `pci:0000:05:00.0`, or `soft` for the software card.
//! Without the variable every function fails with NODRIVER, and the reason is printed on stderr.
//! There is no default, so that a forgotten setting does not let calls succeed on the software
//! card. One process has one card.
//!
//! UNSAFETY: the exported functions, made by [`export_provider!`](ringback_tspi::export_provider);
//! the caller guarantees what their pages say of their pointers.
#![allow(unsafe_code)]

mod card;

/// Keeps the functions that are exported. The others serve dialogs, media service providers and
/// call hubs, of which a plain line has none, or were given up with TSPI 2.0.
macro_rules! exported {
    (TSPI_lineCloseMSPInstance $($item:tt)*) => {};
    (TSPI_lineConfigDialog $($item:tt)*) => {};
    (TSPI_lineConfigDialogEdit $($item:tt)*) => {};
    (TSPI_lineCreateMSPInstance $($item:tt)*) => {};
    (TSPI_lineDropNoOwner $($item:tt)*) => {};
    (TSPI_lineDropOnClose $($item:tt)*) => {};
    (TSPI_lineGetCallHubTracking $($item:tt)*) => {};
    (TSPI_lineMSPIdentify $($item:tt)*) => {};
    (TSPI_lineReceiveMSPData $($item:tt)*) => {};
    (TSPI_lineSetCallHubTracking $($item:tt)*) => {};
    (TSPI_lineSetCurrentLocation $($item:tt)*) => {};
    (TSPI_phoneConfigDialog $($item:tt)*) => {};
    (TSPI_providerConfig $($item:tt)*) => {};
    (TSPI_providerFreeDialogInstance $($item:tt)*) => {};
    (TSPI_providerGenericDialogData $($item:tt)*) => {};
    (TSPI_providerUIIdentify $($item:tt)*) => {};
    ($name:ident $($item:tt)*) => { $($item)* };
}

ringback_tspi::export_provider!(card::provider, exported);

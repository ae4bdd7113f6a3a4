//! The surface between TAPI and a provider, as Rust traits: TSPI and nothing else.

use super::{Completion, InProcess, LineMessage, PhoneMessage};
use crate::error::{LineError, PhoneError};
use crate::types::{HDRVCALL, HTAPICALL, HTAPILINE, Version};

/// The parameters of TSPI_providerInit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Init {
    /// The version that was negotiated for the provider itself.
    pub version: Version,
    /// Identifies the installation of the provider.
    pub permanent_provider_id: u32,
    /// The device id of its first line; the others follow.
    pub line_device_id_base: u32,
    /// The device id of its first phone.
    pub phone_device_id_base: u32,
    /// The number of lines that it has reported.
    pub num_lines: u32,
    /// The number of phones that it has reported.
    pub num_phones: u32,
}

/// How many devices a provider has (TSPI_providerEnumDevices).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Devices {
    /// The number of line devices.
    pub lines: u32,
    /// The number of phone devices.
    pub phones: u32,
}

/// The trait, a method a row.
macro_rules! provider {
    (
        {}
        $({ $group:ident $error:ident
            $(
                $(#[$doc:meta])*
                $method:ident $name:ident $kind:ident $class:ident $parameters:tt
                [$($legal:tt)*] ($($listed:ident)*);
            )*
        })*
    ) => {
        /// A TAPI service provider: the TSPI functions under their names in snake case, each from
        /// its row of the [table](crate::functions).
        ///
        /// Functions that take a [`RequestId`](crate::functions::RequestId) are asynchronous (K1):
        /// they return an error, and then no completion comes (R4), or a [`Ticket`](super::Ticket),
        /// and then exactly one completion comes (R5, C3). All others are synchronous (K2) and
        /// never complete anything (K3). Input is copied before a function returns (B1). Any
        /// function may be called from any thread at any time (G8), from inside an upcall as well.
        /// Errors are those of both columns of the row
        /// ([`Function::may_give`](crate::functions::Function)).
        ///
        /// A function that a provider does not implement returns OPERATIONUNAVAIL, as TAPI does for
        /// a missing export. A wrapper is made with [`Layered`](crate::layer::Layered), which
        /// forwards every function, and never by hand. [`InProcess`] has what a provider offers
        /// beyond TSPI.
        #[allow(clippy::too_many_arguments, reason = "they are those of TSPI")]
        pub trait Provider: InProcess + Send + Sync {
            /// How many devices there are. Called before
            /// [`provider_init`](Provider::provider_init).
            ///
            /// # Errors
            /// NOMEM, OPERATIONFAILED.
            fn provider_enum_devices(
                &self,
                permanent_provider_id: u32,
            ) -> Result<Devices, LineError>;

            /// Starts the provider, until [`provider_shutdown`](Provider::provider_shutdown). From
            /// now on `tapi` gets completions and events. A second call before the shutdown returns
            /// success and does nothing, and its `tapi` is never used (D15). The value is the
            /// options word, 0 or LINETSPIOPTION_NONREENTRANT.
            ///
            /// # Errors
            /// INCOMPATIBLEAPIVERSION, RESOURCEUNAVAIL, OPERATIONFAILED and the like.
            fn provider_init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError>;

            $($(crate::functions::sorted! {
                method { [$(#[$doc])*] $method $name $error $kind } $parameters
            })*)*
        }
    };
}

/// A method that answers OPERATIONUNAVAIL.
macro_rules! method {
    (
        { [$($doc:tt)*] $method:ident $name:ident $error:ident $kind:ident }
        [$(($taken:ident $shape:tt))*] [$(($given:ident $given_shape:tt))*]
    ) => {
        $($doc)*
        #[doc = concat!(
            "\n\n", stringify!($kind), "; its row is [`", stringify!($name),
            "`](crate::functions::", stringify!($name), ")."
        )]
        fn $method(
            &self,
            $($taken: crate::rust_type!($shape)),*
        ) -> Result<crate::functions::returns!($kind $($given_shape)*), $error> {
            let _ = ($($taken,)*);
            Err($error::OPERATIONUNAVAIL)
        }
    };
}

crate::all_rows! { provider, {} }

/// The upward interface that TAPI gives a provider, for completions and events. The provider drops
/// it when it will send nothing more.
///
/// Called by one thread at a time and never nested (C6), with no lock of the provider's held. It
/// may call into the provider.
pub trait Tapi: Send {
    /// ASYNC_COMPLETION: completes a request. Its id may be in use again (T4).
    fn completion(&mut self, completion: &Completion);

    /// LINEEVENT: a message of a line, or of a call. Never LINE_REPLY (C14) nor LINE_NEWCALL.
    fn line_event(&mut self, event: &LineMessage);

    /// LINEEVENT with LINE_NEWCALL: announces a call that began in the provider, and returns TAPI's
    /// handle for it. `None` if TAPI has no room: then the provider sends no message of the call,
    /// and drops it (N15).
    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL>;

    /// PHONEEVENT: a message of an open phone. Never PHONE_REPLY (C14).
    fn phone_event(&mut self, event: &PhoneMessage);
}

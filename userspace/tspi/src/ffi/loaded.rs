//! The functions of a [`Loaded`] provider, made of the rows: each lends its parameters to the
//! library's function, calls it, and reads the outputs.
//!
//! A structure whose dwTotalSize is larger than its memory is refused with STRUCTURETOOSMALL before
//! the library is called, because the library would write beyond it.

use super::lend::*;
use super::loader::Loaded;
use super::outward::error;
use super::read::Fault;
use crate::error::{LineError, PhoneError};
use crate::functions::{self, RequestId};
use crate::layer::answered;
use crate::provider::{Devices, Init, Provider, Tapi};
use crate::types::{HDRVCALL, HTAPICALL, Version};

/// A parameter with its memory, or its fault.
macro_rules! lend {
    ($up:ident Request $x:ident) => {
        Ok::<_, Fault>(Plain($x.get()))
    };
    ($up:ident Version $x:ident) => {
        Ok::<_, Fault>(Plain($x.word()))
    };
    ($up:ident DeviceId $x:ident) => {
        Ok::<_, Fault>(Plain($x))
    };
    ($up:ident Number $x:ident) => {
        Ok::<_, Fault>(Plain($x))
    };
    ($up:ident Word $x:ident) => {
        Ok::<_, Fault>(Plain($x))
    };
    ($up:ident Window $x:ident) => {
        Ok::<_, Fault>(Plain($x))
    };
    ($up:ident Foreign $x:ident) => {
        Ok::<_, Fault>(Plain($x))
    };
    ($up:ident LineOrNull $x:ident) => {
        Ok::<_, Fault>(Plain($x.map_or(0, |line| line.raw())))
    };
    ($up:ident CallOrNull $x:ident) => {
        Ok::<_, Fault>(Plain($x.map_or(0, |call| call.raw())))
    };
    ($up:ident Line $x:ident) => {
        Ok::<_, Fault>(Plain($x.raw()))
    };
    ($up:ident Call $x:ident) => {
        Ok::<_, Fault>(Plain($x.raw()))
    };
    ($up:ident Phone $x:ident) => {
        Ok::<_, Fault>(Plain($x.raw()))
    };
    ($up:ident MspLine $x:ident) => {
        Ok::<_, Fault>(Plain($x.raw()))
    };
    ($up:ident Dialog $x:ident) => {
        Ok::<_, Fault>(Plain($x.raw()))
    };
    ($up:ident Address $x:ident) => {
        Ok::<_, Fault>(Wide::new(Some($x)))
    };
    ($up:ident DeviceClass $x:ident) => {
        Ok::<_, Fault>(Wide::new(Some($x)))
    };
    ($up:ident SizedAddress $x:ident) => {
        Ok::<_, Fault>(Wide::new(Some($x)))
    };
    ($up:ident SizedText $x:ident) => {
        Ok::<_, Fault>(Wide::new(Some($x)))
    };
    ($up:ident AddressOrNull $x:ident) => {
        Ok::<_, Fault>(Wide::new($x))
    };
    ($up:ident GroupOrNull $x:ident) => {
        Ok::<_, Fault>(Wide::new($x))
    };
    ($up:ident DigitsOrNull $x:ident) => {
        Ok::<_, Fault>(Wide::new($x))
    };
    ($up:ident NarrowClass $x:ident) => {
        Ok::<_, Fault>(Narrow::new($x))
    };
    ($up:ident UserInfo $x:ident) => {
        Bytes::new($x)
    };
    ($up:ident Params $x:ident) => {
        Bytes::new($x)
    };
    ($up:ident Config $x:ident) => {
        Bytes::new($x)
    };
    ($up:ident Block $x:ident) => {
        Block::new($x)
    };
    ($up:ident [Filled $s:ident] $x:ident) => {
        Block::filled($x)
    };
    ($up:ident [Given $s:ident] $x:ident) => {
        GivenStructure::new(Some($x))
    };
    ($up:ident [Changeable $s:ident] $x:ident) => {
        GivenStructure::new(Some($x))
    };
    ($up:ident [GivenOrNull $s:ident] $x:ident) => {
        GivenStructure::new($x)
    };
    ($up:ident [RecordOrNull $s:ident] $x:ident) => {
        List::new($x.as_ref().map(std::slice::from_ref))
    };
    ($up:ident [List $s:ident] $x:ident) => {
        List::new($x)
    };
    ($up:ident [CountedList $s:ident] $x:ident) => {
        List::new($x).map(CountedList)
    };
    ($up:ident NumberOut $x:ident) => {
        Ok::<_, Fault>(Out::new(0_u32))
    };
    ($up:ident VersionOut $x:ident) => {
        Ok::<_, Fault>(Out::new(0_u32))
    };
    ($up:ident IconOut $x:ident) => {
        Ok::<_, Fault>(Out::new(0_usize))
    };
    ($up:ident GuidOut $x:ident) => {
        Ok::<_, Fault>(Out::new([0_u8; 16]))
    };
    ($up:ident [ExtensionOut $s:ident] $x:ident) => {
        Ok::<_, Fault>(Out::new([0_u8; 16]))
    };
    ($up:ident PathOut $x:ident) => {
        Ok::<_, Fault>(Out::new([0_u16; PATH_UNITS]))
    };
    ($up:ident [New $tapi:ident $driver:ident] $x:ident) => {
        Ok::<_, Fault>(Exchange::new($x.raw()))
    };
    ($up:ident NewCallOrNone $x:ident) => {
        Ok::<_, Fault>(Exchange::new($x.map_or(0, HTAPICALL::raw)))
    };
    ($up:ident LineEvents $x:ident) => {
        Ok::<_, Fault>(Plain(Some($up.callbacks().line)))
    };
    ($up:ident PhoneEvents $x:ident) => {
        Ok::<_, Fault>(Plain(Some($up.callbacks().phone)))
    };
}

/// The request of an asynchronous function, which is its first parameter.
macro_rules! request {
    (Sync $($parameter:ident)*) => {
        None::<RequestId>
    };
    (Async $request:ident $($parameter:ident)*) => {
        Some($request)
    };
}

/// The second C parameter of a lent one.
macro_rules! second {
    ($c2:ident $parameter:ident) => {
        $parameter.second()
    };
}

/// One method. Those with memory that is filled later, and init and shutdown, are written by hand.
macro_rules! method {
    ({ line_complete_call $($row:tt)* } $taken:tt $given:tt) => {
        fn line_complete_call(
            &self,
            request: RequestId,
            call: HDRVCALL,
            completion_id: &crate::late::LateOutput,
            completion_mode: u32,
            message_id: u32,
        ) -> Result<crate::provider::Ticket, LineError> {
            self.complete_call(request, call, completion_id, completion_mode, message_id)
        }
    };
    ({ line_park $($row:tt)* } $taken:tt $given:tt) => {
        fn line_park(
            &self,
            request: RequestId,
            call: HDRVCALL,
            park_mode: u32,
            dir_address: Option<&str>,
            non_dir_address: Option<&crate::late::LateOutput>,
        ) -> Result<crate::provider::Ticket, LineError> {
            self.park(request, call, park_mode, dir_address, non_dir_address)
        }
    };
    ({ line_gather_digits $($row:tt)* } $taken:tt $given:tt) => {
        fn line_gather_digits(
            &self,
            call: HDRVCALL,
            end_to_end_id: u32,
            digit_modes: u32,
            digits: Option<&crate::late::LateOutput>,
            termination_digits: Option<&str>,
            first_digit_timeout: u32,
            inter_digit_timeout: u32,
        ) -> Result<(), LineError> {
            let timeouts = [first_digit_timeout, inter_digit_timeout];
            self.gather(call, end_to_end_id, digit_modes, digits, termination_digits, timeouts)
        }
    };
    ({ provider_shutdown $($row:tt)* } $taken:tt $given:tt) => {
        fn provider_shutdown(&self, version: Version, id: u32) -> Result<(), LineError> {
            self.shutdown(version, id)
        }
    };
    (
        {
            $method:ident $name:ident $error:ident $kind:ident
            ($($parameter:ident: $row_shape:tt ($c1:ident $(, $c2:ident)?)),* $(,)?)
        }
        [$(($taken:ident $shape:tt))*] [$(($given:ident $given_shape:tt))*]
    ) => {
        fn $method(
            &self,
            $($taken: crate::rust_type!($shape)),*
        ) -> Result<functions::returns!($kind $($given_shape)*), $error> {
            let Some(function) = self.slots.$name else { return Err($error::OPERATIONUNAVAIL) };
            let request = request!($kind $($parameter)*);
            let invalid = |fault, invalid| Err(error::<$error>(fault, invalid));
            $(
                let mut $parameter = match lend!(self $row_shape $parameter) {
                    Ok(lent) => lent,
                    Err(fault) => {
                        return invalid(fault, crate::shape! { invalid { $error } $row_shape });
                    }
                };
            )*
            if let Some(request) = request {
                self.upward.asking(request);
            }
            // SAFETY: the library guarantees the function; what it is lent lives until it has
            // returned.
            let result = unsafe {
                function($($parameter.first() $(, second!($c2 $parameter))?),*)
            };
            let given = vec![$($given.value()),*];
            let failed = $error::OPERATIONFAILED.raw();
            let outcome = self.outcome(result, request, given, failed);
            let accepted = outcome.is_ok();
            let result = (|| answered!($kind $error request outcome $(($given $given_shape))*))();
            if let Some(request) = request
                && accepted
                && result.is_err()
            {
                // N1: without a handle there is no call for its completion.
                self.upward.unwanted(request);
            }
            result
        }
    };
}

/// The methods of all rows.
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
        #[allow(unused_mut, reason = "not every parameter has memory of its own")]
        impl Provider for Loaded {
            fn provider_enum_devices(&self, id: u32) -> Result<Devices, LineError> {
                self.enum_devices(id)
            }

            fn provider_init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
                self.init(init, tapi)
            }

            $($(functions::sorted! {
                method { $method $name $error $kind $parameters } $parameters
            })*)*
        }
    };
}

crate::all_rows! { provider, {} }

//! The functions of a [`Face`] under their C names, made of the rows.
//!
//! Each reads its parameters, calls the provider's method, writes the outputs, and drops the ticket
//! as its last act (G1). An invalid parameter is refused with the general error of its shape before
//! the provider is called.
//!
//! Every function here requires the same of its caller: each pointer is NULL, or points to what the
//! function's page says, for as long as it says.
#![allow(non_snake_case, clippy::too_many_arguments, reason = "they are those of TSPI")]

use super::face::Face;
pub use super::face::{
    TSPI_lineClose, TSPI_lineOpen, TSPI_phoneClose, TSPI_phoneOpen, TSPI_providerEnumDevices,
    TSPI_providerInit, TSPI_providerShutdown,
};
use super::outward::{ErrorFamily, error, guarded, returned};
use super::read::{self, Fault, Place};
use crate::error::{LineError, PhoneError};
use crate::functions::{self, RequestId};
use crate::layer::{OutputType, Value};
use crate::types::*;

/// A parameter in Rust, or its fault. An output is a [`Place`].
macro_rules! read {
    (Request $c:ident) => {
        RequestId::new($c).ok_or(Fault::Invalid)
    };
    (DeviceId $c:ident) => {
        Ok::<_, Fault>($c)
    };
    (Number $c:ident) => {
        Ok::<_, Fault>($c)
    };
    (Word $c:ident) => {
        Ok::<_, Fault>($c)
    };
    (Window $c:ident) => {
        Ok::<_, Fault>($c)
    };
    (Foreign $c:ident) => {
        Ok::<_, Fault>($c)
    };
    (Version $c:ident) => {
        Version::from_word($c).ok_or(Fault::Invalid)
    };
    (Line $c:ident) => {
        HDRVLINE::new($c).ok_or(Fault::Invalid)
    };
    (LineOrNull $c:ident) => {
        Ok::<_, Fault>(HDRVLINE::new($c))
    };
    (Call $c:ident) => {
        HDRVCALL::new($c).ok_or(Fault::Invalid)
    };
    (CallOrNull $c:ident) => {
        Ok::<_, Fault>(HDRVCALL::new($c))
    };
    (Phone $c:ident) => {
        HDRVPHONE::new($c).ok_or(Fault::Invalid)
    };
    (MspLine $c:ident) => {
        HDRVMSPLINE::new($c).ok_or(Fault::Invalid)
    };
    (Dialog $c:ident) => {
        HDRVDIALOGINSTANCE::new($c).ok_or(Fault::Invalid)
    };
    (Address $c:ident) => {
        read::text($c).and_then(|text| text.ok_or(Fault::Null))
    };
    (DeviceClass $c:ident) => {
        read::text($c).and_then(|text| text.ok_or(Fault::Null))
    };
    (AddressOrNull $c:ident) => {
        read::text($c)
    };
    (GroupOrNull $c:ident) => {
        read::text($c)
    };
    (DigitsOrNull $c:ident) => {
        read::text($c)
    };
    (NarrowClass $c:ident) => {
        read::narrow($c)
    };
    (SizedAddress $c:ident $size:ident) => {
        read::sized_text($c, $size)
    };
    (SizedText $c:ident $size:ident) => {
        read::sized_text($c, $size)
    };
    (UserInfo $c:ident $size:ident) => {
        read::bytes($c, $size)
    };
    (Params $c:ident $size:ident) => {
        read::bytes($c, $size)
    };
    (Config $c:ident $size:ident) => {
        read::bytes($c, $size)
    };
    (Block $c:ident $size:ident) => {
        read::block($c, $size)
    };
    ([Given $s:ident] $c:ident) => {
        read::given($c)
    };
    ([Changeable $s:ident] $c:ident) => {
        read::given($c)
    };
    ([GivenOrNull $s:ident] $c:ident) => {
        read::given_or_null($c)
    };
    ([RecordOrNull $s:ident] $c:ident) => {
        read::record::<crate::structs::$s>($c)
    };
    ([List $s:ident] $c:ident $count:ident) => {
        read::list::<crate::structs::$s>($c, $count)
    };
    ([CountedList $s:ident] $count:ident $c:ident) => {
        read::list::<crate::structs::$s>($c, $count)
    };
    ([Filled $s:ident] $c:ident) => {
        read::filled($c)
    };
    (NumberOut $c:ident) => {
        Place::Number($c).checked()
    };
    (VersionOut $c:ident) => {
        Place::Number($c).checked()
    };
    (IconOut $c:ident) => {
        Place::Word($c).checked()
    };
    (GuidOut $c:ident) => {
        Place::Bytes($c).checked()
    };
    (PathOut $c:ident) => {
        Place::Path($c).checked()
    };
    ([ExtensionOut $s:ident] $c:ident) => {
        Place::Bytes($c).checked()
    };
    ([New $tapi:ident $driver:ident] $c:ident $place:ident) => {
        read_new($tapi::new($c).ok_or(Fault::Null), Place::Word($place).checked())
    };
    (NewCallOrNone $c:ident $place:ident) => {
        Ok::<_, Fault>((
            HTAPICALL::new($c),
            Place::Word($place).checked().unwrap_or(Place::Nowhere),
        ))
    };
    (NumberLater $c:ident) => {
        read::late($c.cast(), 4).ok_or(Fault::Null)
    };
    ([FilledLater $s:ident] $c:ident) => {
        read::filled_later($c)
    };
    (DigitsLater $c:ident $count:ident) => {
        Ok::<_, Fault>(read::late($c.cast(), $count as usize * 2))
    };
}

fn read_new<T>(tapi: Result<T, Fault>, place: Result<Place, Fault>) -> Result<(T, Place), Fault> {
    Ok((tapi?, place?))
}

/// A parameter as the method takes it.
macro_rules! pass {
    (Address $x:ident) => {
        &$x
    };
    (DeviceClass $x:ident) => {
        &$x
    };
    (NarrowClass $x:ident) => {
        &$x
    };
    (SizedAddress $x:ident) => {
        &$x
    };
    (SizedText $x:ident) => {
        &$x
    };
    (AddressOrNull $x:ident) => {
        $x.as_deref()
    };
    (GroupOrNull $x:ident) => {
        $x.as_deref()
    };
    (DigitsOrNull $x:ident) => {
        $x.as_deref()
    };
    ([List $s:ident] $x:ident) => {
        $x.as_deref()
    };
    ([CountedList $s:ident] $x:ident) => {
        $x.as_deref()
    };
    (NumberLater $x:ident) => {
        &$x
    };
    ([FilledLater $s:ident] $x:ident) => {
        $x.as_ref()
    };
    (DigitsLater $x:ident) => {
        $x.as_ref()
    };
    ([Tapi $tapi:ident] $x:ident) => {
        $x.0
    };
    (TapiCallOrNone $x:ident) => {
        $x.0
    };
    ($shape:tt $x:ident) => {
        $x
    };
}

/// Where the output is written.
macro_rules! place {
    ([Driver $driver:ident] $x:ident) => {
        $x.1
    };
    (DriverCallOrNone $x:ident) => {
        $x.1
    };
    ($shape:tt $x:ident) => {
        $x
    };
}

/// Calls the method, and writes its output.
macro_rules! invoke {
    (
        { $provider:ident $method:ident $kind:ident }
        [$(($taken:ident $shape:tt))*] [$(($given:ident $given_shape:tt))*]
    ) => {{
        let places: Vec<Place> = vec![$(place!($given_shape $given)),*];
        let result = $provider.$method($(pass!($shape $taken)),*);
        invoke!(@ $kind result places $($given)*)
    }};
    (@ Sync $result:ident $places:ident) => { $result.map(|()| (None, Vec::new(), $places)) };
    (@ Sync $result:ident $places:ident $one:ident) => {
        $result.map(|$one| (None, vec![$one.value()], $places))
    };
    (@ Sync $result:ident $places:ident $($given:ident)+) => {
        $result.map(|($($given),+)| (None, vec![$($given.value()),+], $places))
    };
    (@ Async $result:ident $places:ident) => {
        $result.map(|ticket| (Some(ticket), Vec::<Value>::new(), $places))
    };
    (@ Async $result:ident $places:ident $($given:ident)+) => {
        $result.map(|($($given),+, ticket)| (Some(ticket), vec![$($given.value()),+], $places))
    };
}

/// The error of a shape whose parameter is invalid.
#[doc(hidden)]
#[macro_export]
macro_rules! invalid {
    ({ $error:ident } $kind:ident, $c:tt, $ffi:tt, $rust:ty, []) => {
        $error::OPERATIONFAILED
    };
    ({ $error:ident } $kind:ident, $c:tt, $ffi:tt, $rust:ty, [$first:ident $($more:ident)*]) => {
        $error::$first
    };
}

/// One function. Those that take or drop a callback are in `face`.
macro_rules! function {
    ({ line_open $($row:tt)* } $parameters:tt) => {};
    ({ line_close $($row:tt)* } $parameters:tt) => {};
    ({ phone_open $($row:tt)* } $parameters:tt) => {};
    ({ phone_close $($row:tt)* } $parameters:tt) => {};
    ({ provider_shutdown $($row:tt)* } $parameters:tt) => {};
    (
        { $method:ident $name:ident $error:ident $kind:ident }
        ($($parameter:ident: $shape:tt ($c1:ident $(, $c2:ident)?)),* $(,)?)
    ) => {
        #[doc = concat!("`", stringify!($name), "` of the face's provider.")]
        ///
        /// # Safety
        /// Each pointer is NULL, or points to what the function's page says, for as long as it
        /// says.
        pub unsafe fn $name(
            face: &'static Face,
            $($c1: crate::c_type!(first $shape) $(, $c2: crate::c_type!(second $shape))?),*
        ) -> i32 {
            guarded::<$error>(|| {
                $(
                    #[allow(unused_unsafe, reason = "not every shape is a pointer")]
                    // SAFETY: the caller guarantees what the page says of this parameter.
                    let $parameter = unsafe { read!($shape $c1 $($c2)?) }.map_err(|fault| {
                        error(fault, crate::shape! { invalid { $error } $shape })
                    })?;
                )*
                let provider = face.provider().map_err($error::of_line)?;
                let (ticket, values, places) = functions::sorted! {
                    invoke { provider $method $kind } ($($parameter: $shape ($c1)),*)
                }?;
                for (place, value) in places.iter().zip(&values) {
                    // SAFETY: the caller guarantees what the page says of this parameter.
                    unsafe { place.write(value) };
                }
                Ok(returned(ticket))
            })
        }
    };
}

/// The functions of all rows.
macro_rules! face {
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
        $($(function! { { $method $name $error $kind } $parameters })*)*
    };
}

crate::all_rows! { face, {} }

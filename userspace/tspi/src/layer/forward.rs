//! The functions of a [`Layered`] provider: before, the provider's function, after.

use std::time::Duration;

use super::asked::{AsArgument, Asked};
use super::outcome::{Outcome, OutputType};
use super::{Layer, Layered, Step};
use crate::error::{LineError, PhoneError};
use crate::functions::{self, RequestId};
use crate::media::{Audio, Data};
use crate::provider::{Control, Devices, InProcess, Init, Media, Provider, Runner, Tapi, Ticket};
use crate::types::{HDRVCALL, HDRVLINE};

/// A method that shows the arguments to the layer before and after it calls the provider.
macro_rules! method {
    (
        { $method:ident $name:ident $error:ident $kind:ident }
        [$(($taken:ident $shape:tt))*] [$(($given:ident $given_shape:tt))*]
    ) => {
        fn $method(
            &self,
            $($taken: crate::rust_type!($shape)),*
        ) -> Result<functions::returns!($kind $($given_shape)*), $error> {
            let kept = {
                let arguments = [$((stringify!($taken), $taken.as_argument())),*];
                let asked = Asked::of(&functions::$name, &arguments);
                match self.layer.before(&asked) {
                    Step::Go(kept) => kept,
                    Step::Answer(answer) => {
                        let request = asked.request();
                        return answered!($kind $error request answer $(($given $given_shape))*);
                    }
                }
            };
            let result = self.provider.$method($($taken),*);
            let arguments = [$((stringify!($taken), $taken.as_argument())),*];
            let asked = Asked::of(&functions::$name, &arguments);
            let given = match &result {
                Ok(pattern!($kind $($given)*)) => Ok(vec![$($given.value()),*]),
                Err(error) => Err(*error),
            };
            self.layer.after(&asked, &Outcome::of(asked.request(), given), kept);
            result
        }
    };
}

/// What a successful result looks like.
macro_rules! pattern {
    (Sync) => { () };
    (Sync $one:ident) => { $one };
    (Sync $($given:ident)+) => { ($($given),+) };
    (Async) => { _ };
    (Async $($given:ident)+) => { ($($given),+, _) };
}

/// The result for an outcome, which is a layer's answer or the return of a C function.
macro_rules! answered {
    ($kind:ident $error:ident $request:ident $answer:ident $(($given:ident $shape:tt))*) => {{
        // A synchronous function has none.
        let _: Option<crate::functions::RequestId> = $request;
        if let Some(error) = $error::from_raw($answer.result) {
            return Err(error);
        }
        #[allow(unused_mut, unused_variables, reason = "not all functions give something back")]
        let mut values = $answer.given.into_iter();
        $(
            let given =
                <crate::rust_type!($shape) as crate::layer::OutputType>::from_value(values.next());
            let Some($given) = given else {
                return Err($error::OPERATIONFAILED);
            };
        )*
        crate::layer::answered!(@ $kind $error $request $($given)*)
    }};
    (@ Sync $error:ident $request:ident) => { Ok(()) };
    (@ Sync $error:ident $request:ident $one:ident) => { Ok($one) };
    (@ Sync $error:ident $request:ident $($given:ident)+) => { Ok(($($given),+)) };
    (@ Async $error:ident $request:ident) => {
        $request.map(crate::provider::Ticket::ungated).ok_or($error::OPERATIONFAILED)
    };
    (@ Async $error:ident $request:ident $($given:ident)+) => {
        match $request {
            Some(request) => Ok(($($given),+, crate::provider::Ticket::ungated(request))),
            None => Err($error::OPERATIONFAILED),
        }
    };
}
pub(crate) use answered;

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
        impl<L: Layer> Provider for Layered<L> {
            fn provider_enum_devices(
                &self,
                permanent_provider_id: u32,
            ) -> Result<Devices, LineError> {
                self.enum_devices(permanent_provider_id)
            }

            fn provider_init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
                let start = |tapi| {
                    self.provider.provider_init(init, tapi).map(|options| (options, ()))
                };
                self.begin(init, tapi, start, Ok((0, ()))).map(|(options, ())| options)
            }

            $($(functions::sorted! { method { $method $name $error $kind } $parameters })*)*
        }
    };
}

crate::all_rows! { provider, {} }

impl<L: Layer> Layered<L> {
    fn enum_devices(&self, permanent_provider_id: u32) -> Result<Devices, LineError> {
        let arguments = [("permanent_provider_id", permanent_provider_id.as_argument())];
        let asked = Asked::of(&functions::TSPI_providerEnumDevices, &arguments);
        let kept = match self.layer.before(&asked) {
            Step::Go(kept) => kept,
            Step::Answer(answer) => {
                if let Some(error) = LineError::from_raw(answer.result) {
                    return Err(error);
                }
                let mut values = answer.given.into_iter().map(|value| u32::from_value(Some(value)));
                let mut next = || values.next().flatten().ok_or(LineError::OPERATIONFAILED);
                return Ok(Devices { lines: next()?, phones: next()? });
            }
        };
        let result = self.provider.provider_enum_devices(permanent_provider_id);
        let given = result.map(|devices| vec![devices.lines.value(), devices.phones.value()]);
        self.layer.after(&asked, &Outcome::of(None, given), kept);
        result
    }

    /// Either init. `R` is the runner of a local one; `ignored` is the result if the layer returned
    /// success without calling it.
    fn begin<R>(
        &self,
        init: Init,
        tapi: Box<dyn Tapi>,
        start: impl FnOnce(Box<dyn Tapi>) -> Result<(u32, R), LineError>,
        ignored: Result<(u32, R), LineError>,
    ) -> Result<(u32, R), LineError> {
        let arguments = [
            ("version", init.version.as_argument()),
            ("permanent_provider_id", init.permanent_provider_id.as_argument()),
            ("line_device_id_base", init.line_device_id_base.as_argument()),
            ("phone_device_id_base", init.phone_device_id_base.as_argument()),
            ("num_lines", init.num_lines.as_argument()),
            ("num_phones", init.num_phones.as_argument()),
        ];
        let asked = Asked::of(&functions::TSPI_providerInit, &arguments);
        let kept = match self.layer.before(&asked) {
            Step::Go(kept) => kept,
            // A layer can't make a runner, so its answer can only be an error.
            Step::Answer(answer) => {
                return Err(
                    LineError::from_raw(answer.result).unwrap_or(LineError::OPERATIONFAILED)
                );
            }
        };
        let mut started = ignored;
        let allowed = self.layer.init(tapi, |tapi| {
            started = start(tapi);
            started.as_ref().map(|_| ()).map_err(|error| *error)
        });
        let result = allowed.and(started);
        let given = result.as_ref().map(|(options, _)| vec![options.value()]);
        self.layer.after(&asked, &Outcome::of(None, given.map_err(|error| *error)), kept);
        result
    }

    /// Around an asynchronous function beside TSPI.
    fn around(
        &self,
        asked: &Asked<'_>,
        act: impl FnOnce() -> Result<Ticket, LineError>,
    ) -> Result<Ticket, LineError> {
        let kept = match self.layer.before(asked) {
            Step::Go(kept) => kept,
            Step::Answer(answer) => {
                let request = asked.request();
                return answered!(Async LineError request answer);
            }
        };
        let result = act();
        let given = result.as_ref().map(|_| Vec::new()).map_err(|error| *error);
        self.layer.after(asked, &Outcome::of(asked.request(), given), kept);
        result
    }
}

impl<L: Layer> InProcess for Layered<L> {
    fn media(&self) -> Option<&dyn Media> {
        self.provider.media().map(|_| self as &dyn Media)
    }

    fn control(&self) -> Option<&dyn Control> {
        self.provider.control().map(|_| self as &dyn Control)
    }

    fn calls_up_under_locks(&self) -> bool {
        self.provider.calls_up_under_locks()
    }
}

impl<L: Layer> Media for Layered<L> {
    fn line_audio(&self, line: HDRVLINE) -> Option<Audio> {
        self.provider.media()?.line_audio(line)
    }

    fn line_data(&self, line: HDRVLINE) -> Option<Data> {
        self.provider.media()?.line_data(line)
    }

    fn call_send(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bytes: &[u8],
    ) -> Result<Ticket, LineError> {
        let media = self.provider.media().ok_or(LineError::OPERATIONUNAVAIL)?;
        let arguments = [
            ("request", request.as_argument()),
            ("call", call.as_argument()),
            ("bytes", bytes.as_argument()),
        ];
        self.around(&Asked::beside("call_send", &arguments), || {
            media.call_send(request, call, bytes)
        })
    }

    fn call_receive(
        &self,
        request: RequestId,
        call: HDRVCALL,
        bytes: usize,
        time_limit: Duration,
    ) -> Result<Ticket, LineError> {
        let media = self.provider.media().ok_or(LineError::OPERATIONUNAVAIL)?;
        let milliseconds = usize::try_from(time_limit.as_millis()).unwrap_or(usize::MAX);
        let arguments = [
            ("request", request.as_argument()),
            ("call", call.as_argument()),
            ("bytes", bytes.as_argument()),
            ("milliseconds", milliseconds.as_argument()),
        ];
        self.around(&Asked::beside("call_receive", &arguments), || {
            media.call_receive(request, call, bytes, time_limit)
        })
    }
}

impl<L: Layer> Control for Layered<L> {
    fn provider_init_local(
        &self,
        init: Init,
        tapi: Box<dyn Tapi>,
    ) -> Result<(u32, Box<dyn Runner>), LineError> {
        let control = self.provider.control().ok_or(LineError::OPERATIONUNAVAIL)?;
        let start = |tapi| control.provider_init_local(init, tapi);
        self.begin(init, tapi, start, Err(LineError::OPERATIONUNAVAIL))
    }

    fn failure_text(&self) -> Option<String> {
        self.provider.control()?.failure_text()
    }

    fn cancel(&self, request: RequestId) -> bool {
        self.provider.control().is_some_and(|control| control.cancel(request))
    }
}

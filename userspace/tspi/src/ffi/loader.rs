//! A provider in a shared library.
//!
//! The functions are looked up by dlsym when the library is loaded; one that it does not export
//! returns OPERATIONUNAVAIL, as with TAPI. Loading calls none of them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::lend::Out;
use super::symbols::Word;
use super::upward::{self, CALLBACKS, Callbacks, Upward};
use crate::error::LineError;
use crate::functions::{Function, RequestId};
use crate::layer::{Outcome, Value};
use crate::provider::{Devices, InProcess, Init, Tapi};
use crate::types::Version;

/// Why a library could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The system's loader has refused it; its message names the missing file, library or symbol.
    #[error("{path} can't be loaded: {cause}")]
    Library {
        /// The library that was to be loaded.
        path: PathBuf,
        /// What dlopen says about it.
        cause: libloading::Error,
    },
    /// It exports no TSPI_providerInit.
    #[error("{0} is no service provider: it does not export TSPI_providerInit")]
    NoProvider(PathBuf),
    /// All 64 sets of callbacks are in use. Callbacks of C have no context, so each library needs a
    /// set.
    #[error(
        "64 providers are loaded, and a process can have no more, because each needs callbacks of \
         its own: end the host of one that is not used any more, or load the others in another \
         process"
    )]
    TooMany,
}

/// The functions of a library, `None` where it has none.
macro_rules! slots {
    (
        {}
        $({ $group:ident $error:ident
            $(
                $(#[$doc:meta])*
                $method:ident $name:ident $kind:ident $class:ident
                ($($parameter:ident: $shape:tt ($c1:ident $(, $c2:ident)?)),* $(,)?)
                [$($legal:tt)*] ($($listed:ident)*);
            )*
        })*
    ) => {
        #[allow(non_snake_case, reason = "the names are those of C")]
        pub(super) struct Slots {
            $($(pub $name: Option<unsafe extern "C" fn(
                $(crate::c_type!(first $shape) $(, slots!(@second $c2 $shape))?),*
            ) -> i32>,)*)*
        }

        impl Slots {
            /// Looks for each function by its name.
            ///
            /// # Safety
            /// What is found under a function's name is that function.
            #[allow(clippy::missing_transmute_annotations, reason = "the slot has the type")]
            pub(super) unsafe fn find(symbol: &dyn Fn(&str) -> Option<*const ()>) -> Slots {
                Slots {
                    $($($name: symbol(stringify!($name)).map(|found| {
                        // SAFETY: the caller guarantees that it is the function of this name.
                        unsafe { std::mem::transmute(found) }
                    }),)*)*
                }
            }

            /// Whether the library has the function of this name.
            pub(super) fn has(&self, name: &str) -> bool {
                match name {
                    $($(stringify!($name) => self.$name.is_some(),)*)*
                    _ => false,
                }
            }

            /// Calls the function of this name with a word for each C parameter, in their order.
            /// `None` if the library does not have it, or if there are too few words.
            ///
            /// # Safety
            /// The function is that of its name, and the words are what its page says.
            pub(super) unsafe fn call(&self, name: &str, words: &[usize]) -> Option<i32> {
                let mut words = words.iter().copied();
                match name {
                    $($(stringify!($name) => {
                        let function = self.$name?;
                        // SAFETY: the caller guarantees function and words.
                        Some(unsafe {
                            function($(
                                Word::of_word(words.next()?)
                                $(, slots!(@word $c2 words))?
                            ),*)
                        })
                    })*)*
                    _ => None,
                }
            }
        }
    };
    (@second $c2:ident $shape:tt) => { crate::c_type!(second $shape) };
    (@word $c2:ident $words:ident) => { Word::of_word($words.next()?) };
}

crate::start_rows! {
    slots, {}, {}, provider_rows line_async_rows line_sync_rows phone_rows
}

/// Loads a library that is a provider, and finds its functions.
///
/// # Safety
/// As of [`Loaded::open`].
pub(super) unsafe fn load(path: &Path) -> Result<(Slots, Library), LoadError> {
    // SAFETY: the caller guarantees that the library may run here.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|cause| LoadError::Library { path: path.to_owned(), cause })?;
    let symbol = |name: &str| {
        // SAFETY: the symbol is only looked for; what it is the caller guarantees below.
        let found = unsafe { library.get::<*const ()>(name) }.ok()?;
        Some(found.as_raw_ptr().cast_const().cast::<()>())
    };
    // SAFETY: the caller guarantees that the names of TSPI are those functions.
    let slots = unsafe { Slots::find(&symbol) };
    if slots.TSPI_providerInit.is_none() {
        return Err(LoadError::NoProvider(path.to_owned()));
    }
    Ok((slots, library))
}

/// A provider whose functions are those of a library.
///
/// It may complete at any time, also inside its functions (C4): its tickets are ungated, and the
/// host holds back early completions. A request that has failed before its function returned is
/// refused by the function instead, which is the same to TAPI (R6), and works with a library that
/// returns no handle then. Return values that violate R1 to R3 become OPERATIONFAILED.
pub struct Loaded {
    pub(super) slots: Slots,
    pub(super) upward: Arc<Upward>,
    place: usize,
    library: Option<Library>,
}

impl Loaded {
    /// Loads a library that is a provider.
    ///
    /// # Errors
    /// [`LoadError`].
    ///
    /// # Safety
    /// The library's code runs in this process from now on: its constructors at once, its functions
    /// when they are called. It is a service provider, so what it exports under the names of TSPI
    /// are those functions, and they do what their pages say.
    pub unsafe fn open(path: impl AsRef<Path>) -> Result<Loaded, LoadError> {
        // SAFETY: the caller guarantees it.
        let (slots, library) = unsafe { load(path.as_ref()) }?;
        Loaded::with(slots, Some(library))
    }

    /// A provider of functions that are in this process already, by their names.
    ///
    /// # Errors
    /// [`LoadError::TooMany`].
    ///
    /// # Safety
    /// What is found under a function's name is that function.
    pub unsafe fn of_symbols(
        symbol: impl Fn(&str) -> Option<*const ()>,
    ) -> Result<Loaded, LoadError> {
        // SAFETY: the caller guarantees it.
        Loaded::with(unsafe { Slots::find(&symbol) }, None)
    }

    fn with(slots: Slots, library: Option<Library>) -> Result<Loaded, LoadError> {
        let upward = Arc::new(Upward::default());
        let place = upward::take_place(&upward).ok_or(LoadError::TooMany)?;
        Ok(Loaded { slots, upward, place, library })
    }

    /// Whether the library exports this function.
    pub fn has(&self, function: &Function) -> bool {
        self.slots.has(function.name)
    }

    /// The callbacks that the library is given.
    pub(super) fn callbacks(&self) -> Callbacks {
        CALLBACKS[self.place]
    }

    /// What a function returned, with what it gave back; `failed` is the family's OPERATIONFAILED.
    pub(super) fn outcome(
        &self,
        result: i32,
        request: Option<RequestId>,
        given: Vec<Value>,
        failed: i32,
    ) -> Outcome {
        let early = request.and_then(|request| self.upward.asked(request));
        let accepted = request.map_or(0, |request| request.get().cast_signed());
        match early {
            // R4: the return value says so already.
            _ if result < 0 => Outcome::failed(result),
            Some(failure) => Outcome::failed(failure.get()),
            None if result == accepted => Outcome { result, given },
            // R2, R3, K2.
            None => {
                if let Some(request) = request {
                    self.upward.unwanted(request);
                }
                Outcome::failed(failed)
            }
        }
    }

    pub(super) fn enum_devices(&self, id: u32) -> Result<Devices, LineError> {
        let function = self.slots.TSPI_providerEnumDevices.ok_or(LineError::OPERATIONUNAVAIL)?;
        let (mut lines, mut phones) = (Out::new(0_u32), Out::new(0_u32));
        let Callbacks { line, phone, .. } = self.callbacks();
        let (at_lines, at_phones) = (lines.first(), phones.first());
        // SAFETY: the library guarantees the function; the numbers live until it has returned.
        let result = unsafe { function(id, at_lines, at_phones, 1, Some(line), Some(phone)) };
        succeeded(result)?;
        Ok(Devices { lines: lines.number(), phones: phones.number() })
    }

    pub(super) fn init(&self, init: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
        let function = self.slots.TSPI_providerInit.ok_or(LineError::OPERATIONUNAVAIL)?;
        if !self.upward.begin_pair(tapi) {
            // D15.
            return Ok(0);
        }
        let mut options = Out::new(0_u32);
        let at_options = options.first();
        // SAFETY: the library guarantees the function; its callbacks lead here as long as this
        // lives.
        let result = unsafe {
            function(
                init.version.word(),
                init.permanent_provider_id,
                init.line_device_id_base,
                init.phone_device_id_base,
                init.num_lines as usize,
                init.num_phones as usize,
                Some(self.callbacks().completion),
                at_options,
            )
        };
        succeeded(result).inspect_err(|_| self.upward.end_pair())?;
        Ok(options.number())
    }

    pub(super) fn shutdown(&self, version: Version, id: u32) -> Result<(), LineError> {
        let function = self.slots.TSPI_providerShutdown.ok_or(LineError::OPERATIONUNAVAIL)?;
        // SAFETY: the library guarantees the function.
        succeeded(unsafe { function(version.word(), id) })?;
        self.upward.end_pair();
        Ok(())
    }
}

/// The result of a synchronous line function; a positive one violates K2 and is a failure.
fn succeeded(result: i32) -> Result<(), LineError> {
    match result {
        0 => Ok(()),
        _ => Err(LineError::from_raw(result).unwrap_or(LineError::OPERATIONFAILED)),
    }
}

impl InProcess for Loaded {
    fn calls_up_under_locks(&self) -> bool {
        true
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        if self.upward.is_up() {
            // It was not shut down, so its threads may still run code of it, and call: it stays
            // loaded, and no other library gets its callbacks.
            std::mem::forget(self.library.take());
        } else {
            upward::leave_place(self.place);
        }
        self.upward.end_pair();
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("place", &self.place).finish_non_exhaustive()
    }
}

//! The functions of a library as C has them: called with words, and their results not corrected.
//!
//! [`Loaded`](super::Loaded) corrects some violations of the contract; code that must see them
//! calls the functions here. [`export_words!`](crate::export_words) is the other side: a library
//! whose functions get their parameters as words.

use std::path::Path;

use libloading::os::unix::Library;

use super::loader::{LoadError, Slots, load};
use super::{AsyncCompletion, LineEvent, PhoneEvent};
use crate::functions::Function;

/// A C parameter as a word, and back.
pub trait Word {
    /// The parameter that this word is. A DWORD is its lower half.
    fn of_word(word: usize) -> Self;

    /// The word that this parameter is.
    fn word(self) -> usize;
}

impl Word for u32 {
    fn of_word(word: usize) -> u32 {
        word as u32
    }

    fn word(self) -> usize {
        self as usize
    }
}

impl Word for usize {
    fn of_word(word: usize) -> usize {
        word
    }

    fn word(self) -> usize {
        self
    }
}

impl<T> Word for *const T {
    fn of_word(word: usize) -> *const T {
        std::ptr::with_exposed_provenance(word)
    }

    fn word(self) -> usize {
        self.expose_provenance()
    }
}

impl<T> Word for *mut T {
    fn of_word(word: usize) -> *mut T {
        std::ptr::with_exposed_provenance_mut(word)
    }

    fn word(self) -> usize {
        self.expose_provenance()
    }
}

macro_rules! callback {
    ($($callback:ty)*) => { $(
        impl Word for Option<$callback> {
            fn of_word(word: usize) -> Option<$callback> {
                let at: *const () = std::ptr::with_exposed_provenance(word);
                // SAFETY: NULL is `None`; the caller that passes a word guarantees the callback.
                unsafe { std::mem::transmute::<*const (), Option<$callback>>(at) }
            }

            fn word(self) -> usize {
                self.map_or(0, |callback| (callback as *const ()).expose_provenance())
            }
        }
    )* };
}

callback! { AsyncCompletion LineEvent PhoneEvent }

/// The functions of a library that is a provider.
pub struct Symbols {
    slots: Slots,
    _library: Option<Library>,
}

impl Symbols {
    /// Loads a library that is a provider.
    ///
    /// # Errors
    /// [`LoadError`].
    ///
    /// # Safety
    /// As of [`Loaded::open`](super::Loaded::open). It must not be dropped while threads of the
    /// library run.
    pub unsafe fn open(path: impl AsRef<Path>) -> Result<Symbols, LoadError> {
        // SAFETY: the caller guarantees it.
        let (slots, library) = unsafe { load(path.as_ref()) }?;
        Ok(Symbols { slots, _library: Some(library) })
    }

    /// The functions of a provider that is in this process already, by their names.
    ///
    /// # Safety
    /// What is found under a function's name is that function.
    pub unsafe fn of_symbols(symbol: impl Fn(&str) -> Option<*const ()>) -> Symbols {
        // SAFETY: the caller guarantees it.
        Symbols { slots: unsafe { Slots::find(&symbol) }, _library: None }
    }

    /// Whether the library exports this function.
    pub fn has(&self, function: &Function) -> bool {
        self.slots.has(function.name)
    }

    /// Calls a function with a word for each C parameter, in their order; what it returned.
    /// `None` if the library does not export it, or if there are too few words.
    ///
    /// # Safety
    /// The words are what the function's page says.
    pub unsafe fn call(&self, function: &Function, words: &[usize]) -> Option<i32> {
        // SAFETY: the caller guarantees the words, the library its functions.
        unsafe { self.slots.call(function.name, words) }
    }
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbols").finish_non_exhaustive()
    }
}

/// Makes a library a provider all of whose functions call `$answer`. It gets the function's row and
/// a word for each C parameter, in their order, and its result is what the function returns.
#[macro_export]
macro_rules! export_words {
    ($answer:path) => {
        $crate::start_rows! {
            $crate::export_words_of_rows, { $answer }, {},
            provider_rows line_async_rows line_sync_rows phone_rows
        }
    };
}

/// The exports of all rows.
#[doc(hidden)]
#[macro_export]
macro_rules! export_words_of_rows {
    (
        { $answer:path }
        $({ $group:ident $error:ident
            $(
                $(#[$doc:meta])*
                $method:ident $name:ident $kind:ident $class:ident
                ($($parameter:ident: $shape:tt ($c1:ident $(, $c2:ident)?)),* $(,)?)
                [$($legal:tt)*] ($($listed:ident)*);
            )*
        })*
    ) => {
        $crate::export_words_of_rows! { @each { $answer } $($({
            $name ($($parameter: $shape ($c1 $(, $c2)?)),*)
        })*)* }
    };
    (@each { $answer:path } $({
        $name:ident
        ($($parameter:ident: $shape:tt ($c1:ident $(, $c2:ident)?)),*)
    })*) => {
        $(
            #[doc = concat!("`", stringify!($name), "` of this library.")]
            ///
            /// # Safety
            /// As the function's page says.
            #[allow(non_snake_case, clippy::too_many_arguments)]
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(
                $($c1: $crate::c_type!(first $shape) $(, $c2: $crate::c_type!(second $shape))?),*
            ) -> i32 {
                $answer(
                    &$crate::functions::$name,
                    &[$($crate::ffi::Word::word($c1) $(, $crate::ffi::Word::word($c2))?),*],
                )
            }
        )*
    };
}

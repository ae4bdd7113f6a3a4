//! The exported symbols of a library that is a provider.

/// Makes a library a provider: exports every TSPI function of
/// [`Provider`](crate::provider::Provider) under its C name. `$make` is a
/// [`Make`](crate::ffi::Make), called when the first function is; if it fails, the function does,
/// with its error, and the next one tries again.
///
/// The crate it is used in also gets `tspi_symbol(name)`, by which the functions can be found
/// without a loader.
#[macro_export]
macro_rules! export_provider {
    ($make:expr) => {
        static TSPI_FACE: $crate::ffi::Face = $crate::ffi::Face::new($make);

        $crate::start_rows! {
            $crate::export_rows, {}, {}, provider_rows line_async_rows line_sync_rows phone_rows
        }
    };
}

/// The exports of all rows.
#[doc(hidden)]
#[macro_export]
macro_rules! export_rows {
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
        $($(
            #[doc = concat!("`", stringify!($name), "` of this library's provider.")]
            ///
            /// # Safety
            /// Each pointer is NULL, or leads to what the function's page says, for as long as it
            /// says.
            #[allow(non_snake_case, clippy::too_many_arguments)]
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(
                $($c1: $crate::c_type!(first $shape) $(, $c2: $crate::c_type!(second $shape))?),*
            ) -> i32 {
                // SAFETY: the caller guarantees what the function's page says.
                unsafe { $crate::ffi::exported::$name(&TSPI_FACE, $($c1 $(, $c2)?),*) }
            }
        )*)*

        /// The exported function of this name.
        pub fn tspi_symbol(name: &str) -> Option<*const ()> {
            match name {
                $($(stringify!($name) => Some($name as *const ()),)*)*
                _ => None,
            }
        }
    };
}

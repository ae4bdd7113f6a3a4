//! The exported symbols of a library that is a provider.

/// Makes a library a provider: exports every TSPI function of
/// [`Provider`](crate::provider::Provider) under its C name. `$make` is a
/// [`Make`](crate::ffi::Make), called at the first call of a function. If it fails, the function
/// returns its error, and the next function calls it again.
///
/// `$keep` is a macro that gets each function as its name and an item or a statement, and expands
/// to that, or to nothing for a function that is not exported, for which TAPI returns
/// OPERATIONUNAVAIL. Without `$keep` all are exported.
///
/// The crate it is used in also gets `tspi_symbol(name)`, by which the functions can be found
/// without a loader.
#[macro_export]
macro_rules! export_provider {
    ($make:expr) => {
        $crate::export_provider! { $make, $crate::export_all }
    };
    ($make:expr, $keep:path) => {
        static TSPI_FACE: $crate::ffi::Face = $crate::ffi::Face::new($make);

        $crate::start_rows! {
            $crate::export_rows, { $keep }, {},
            provider_rows line_async_rows line_sync_rows phone_rows
        }
    };
}

/// Keeps every function.
#[doc(hidden)]
#[macro_export]
macro_rules! export_all {
    ($name:ident $($kept:tt)*) => { $($kept)* };
}

/// The exports of all rows.
#[doc(hidden)]
#[macro_export]
macro_rules! export_rows {
    (
        { $keep:path }
        $({ $group:ident $error:ident
            $(
                $(#[$doc:meta])*
                $method:ident $name:ident $kind:ident $class:ident
                ($($parameter:ident: $shape:tt ($c1:ident $(, $c2:ident)?)),* $(,)?)
                [$($legal:tt)*] ($($listed:ident)*);
            )*
        })*
    ) => {
        $crate::export_rows! { @each { $keep } $($({
            $name ($($parameter: $shape ($c1 $(, $c2)?)),*)
        })*)* }
    };
    (@each { $keep:path } $({
        $name:ident
        ($($parameter:ident: $shape:tt ($c1:ident $(, $c2:ident)?)),*)
    })*) => {
        $($keep! { $name
            #[doc = concat!("`", stringify!($name), "` of this library's provider.")]
            ///
            /// # Safety
            /// Each pointer is NULL, or points to what the function's page says, for as long as it
            /// says.
            #[allow(non_snake_case, clippy::too_many_arguments)]
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(
                $($c1: $crate::c_type!(first $shape) $(, $c2: $crate::c_type!(second $shape))?),*
            ) -> i32 {
                // SAFETY: the caller guarantees what the function's page says.
                unsafe { $crate::ffi::exported::$name(&TSPI_FACE, $($c1 $(, $c2)?),*) }
            }
        })*

        /// The exported function of this name.
        pub fn tspi_symbol(name: &str) -> Option<*const ()> {
            $($keep! { $name
                if name == stringify!($name) {
                    return Some($name as *const ());
                }
            })*
            None
        }
    };
}

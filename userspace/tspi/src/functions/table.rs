//! What is made of a row: a constant of the table, and what other modules make with its macros.
//!
//! A file of rows is a macro that hands its rows to another one. From
//! `all_rows! { use_them, { context } }` the macro `use_them` gets
//! `{ context } { Group Error rows } { Group Error rows } ...`: all rows that are methods of
//! [`Provider`](crate::provider::Provider). The two whose methods are written by hand come from
//! `start_rows!`. [`sorted`] divides a row's parameters into what the method takes and what it
//! returns.

/// Hands the rows of one file to the next macro: that of another file, or the one that uses them.
#[doc(hidden)]
#[macro_export]
macro_rules! take_rows {
    ([$use:path, { $($context:tt)* }, { $($taken:tt)* },] $($rows:tt)*) => {
        $use! { { $($context)* } $($taken)* { $($rows)* } }
    };
    (
        [$use:path, { $($context:tt)* }, { $($taken:tt)* }, $next:ident $($more:ident)*]
        $($rows:tt)*
    ) => {
        $crate::$next! { $use, { $($context)* }, { $($taken)* { $($rows)* } }, $($more)* }
    };
}

/// Hands all rows that are methods of a provider to `$use`, but for the two of `start_rows`.
#[doc(hidden)]
#[macro_export]
macro_rules! all_rows {
    ($use:path, { $($context:tt)* }) => {
        $crate::provider_rows! {
            $use, { $($context)* }, {}, line_async_rows line_sync_rows phone_rows
        }
    };
}

/// A table of functions, and each function as a constant.
macro_rules! functions {
    (
        { $table:ident }
        { $group:ident $error:ident
            $(
                $(#[$doc:meta])*
                $method:ident $name:ident $kind:ident $class:ident
                ($($parameter:ident: $shape:tt ($($c:ident),+)),* $(,)?)
                [$($legal:tt)*] ($($listed:ident)*);
            )*
        }
    ) => {
        $(
            $(#[$doc])*
            #[allow(non_upper_case_globals)]
            pub const $name: Function = Function {
                name: stringify!($name),
                group: Group::$group,
                kind: Kind::$kind,
                class: Class::$class,
                parameters: &[$(
                    $crate::shape! { parameter { $error $parameter $($c)+ } $shape }
                ),*],
                legal: $crate::functions::table::legal!($($legal)*),
                errors: $crate::functions::table::errors!($error $($listed)*),
            };
        )*
        pub(super) const $table: &[Function] = &[$($name),*];
    };
}
pub(super) use functions;

/// One parameter of the table.
#[doc(hidden)]
#[macro_export]
macro_rules! parameter {
    (
        { $error:ident $name:ident $($c:ident)+ }
        $shape:ident, ($($kind:expr),+), ($($ffi:ty),+), $rust:ty, [$($general:ident)*]
    ) => {
        Parameter {
            name: stringify!($name),
            shape: $crate::functions::Shape::$shape,
            c: &[$(CParameter { kind: $kind, name: stringify!($c) }),+],
            errors: $crate::functions::table::errors!($error $($general)*),
        }
    };
}

/// Errors of the family of this type.
macro_rules! errors {
    (LineError $($error:ident)*) => { Errors::Line(&[$($crate::error::LineError::$error),*]) };
    (PhoneError $($error:ident)*) => { Errors::Phone(&[$($crate::error::PhoneError::$error),*]) };
}
pub(super) use errors;

/// The call states in which a function is legal.
macro_rules! legal {
    (not stated) => { Legal::NotStated };
    (any) => { Legal::Any };
    (device) => { Legal::DeviceSpecific };
    ($($handle:ident: $($states:ident)* $(- $($except:ident)*)? $(| $null:ident)?),*) => {
        Legal::In(&[$(CallParameter {
            name: stringify!($handle),
            states: $crate::functions::table::legal!(@states [$($states)*] $([$($except)*])?),
            or_null: $crate::functions::table::legal!(@null $($null)?),
        }),*])
    };
    (@states [any] [$($except:ident)*]) => {
        CallStates::all_but(&[$(CallState::$except),*])
    };
    (@states [$($state:ident)*]) => { CallStates::of(&[$(CallState::$state),*]) };
    (@null) => { false };
    (@null NULL) => { true };
}
pub(super) use legal;

/// Divides a row's parameters into those that the method takes and those that it gives back:
/// `$use! { { context } [(name Shape) ...] [(name Shape) ...] }`. TAPI's handle of something new is
/// taken, the provider's is given. The callbacks of C are neither: in Rust they came with the init.
macro_rules! sorted {
    ($use:ident $context:tt ($($parameters:tt)*)) => {
        $crate::functions::sorted! { @ $use $context [] [] $($parameters)*, }
    };
    (@ $use:ident $context:tt [$($taken:tt)*] [$($given:tt)*] $(,)?) => {
        $use! { $context [$($taken)*] [$($given)*] }
    };
    (@ $use:ident $context:tt $taken:tt $given:tt
        $name:ident: LineEvents $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! { @ $use $context $taken $given $($rest)* }
    };
    (@ $use:ident $context:tt $taken:tt $given:tt
        $name:ident: PhoneEvents $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! { @ $use $context $taken $given $($rest)* }
    };
    (@ $use:ident $context:tt $taken:tt $given:tt
        $name:ident: NumberOut $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! { @given $use $context $taken $given $name NumberOut $($rest)* }
    };
    (@ $use:ident $context:tt $taken:tt $given:tt
        $name:ident: VersionOut $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! { @given $use $context $taken $given $name VersionOut $($rest)* }
    };
    (@ $use:ident $context:tt $taken:tt $given:tt
        $name:ident: IconOut $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! { @given $use $context $taken $given $name IconOut $($rest)* }
    };
    (@ $use:ident $context:tt $taken:tt $given:tt
        $name:ident: GuidOut $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! { @given $use $context $taken $given $name GuidOut $($rest)* }
    };
    (@ $use:ident $context:tt $taken:tt $given:tt
        $name:ident: PathOut $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! { @given $use $context $taken $given $name PathOut $($rest)* }
    };
    (@ $use:ident $context:tt $taken:tt $given:tt
        $name:ident: [ExtensionOut $s:ident] $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! {
            @given $use $context $taken $given $name [ExtensionOut $s] $($rest)*
        }
    };
    (@ $use:ident $context:tt [$($taken:tt)*] [$($given:tt)*]
        $name:ident: [New $tapi:ident $driver:ident] $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! {
            @ $use $context [$($taken)* ($name [Tapi $tapi])]
            [$($given)* ($name [Driver $driver])] $($rest)*
        }
    };
    (@ $use:ident $context:tt [$($taken:tt)*] [$($given:tt)*]
        $name:ident: NewCallOrNone $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! {
            @ $use $context [$($taken)* ($name TapiCallOrNone)]
            [$($given)* ($name DriverCallOrNone)] $($rest)*
        }
    };
    (@ $use:ident $context:tt [$($taken:tt)*] $given:tt
        $name:ident: $shape:tt $c:tt, $($rest:tt)*) => {
        $crate::functions::sorted! {
            @ $use $context [$($taken)* ($name $shape)] $given $($rest)*
        }
    };
    (@given $use:ident $context:tt $taken:tt [$($given:tt)*]
        $name:ident $shape:tt $($rest:tt)*) => {
        $crate::functions::sorted! { @ $use $context $taken [$($given)* ($name $shape)] $($rest)* }
    };
}
pub(crate) use sorted;

/// What a method returns when it succeeds: what it gives, and the ticket of an asynchronous one.
macro_rules! returns {
    (Sync) => { () };
    (Sync $one:tt) => { $crate::rust_type!($one) };
    (Sync $($given:tt)+) => { ($($crate::rust_type!($given)),+) };
    (Async) => { $crate::provider::Ticket };
    (Async $($given:tt)+) => {
        ($($crate::rust_type!($given)),+, $crate::provider::Ticket)
    };
}
pub(crate) use returns;

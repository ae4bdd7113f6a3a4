//! The table of all functions between TAPI and a provider.
//!
//! Which are asynchronous, what they take, in which call states they are legal, which errors they
//! may give. Each function is a constant under its C name ([`TSPI_lineDrop`]), and all of them are
//! reached through [`all`] and [`find`]. The table agrees cell by cell with `facts/functions.tsv` (a
//! test compares it), which restates the pages of Microsoft's TSPI reference.
//!
//! A function is asynchronous if and only if its first parameter is a `DRV_REQUESTID`; there are
//! 42 of them, 33 for lines and 9 for phones (K1).

mod line_async;
mod line_sync;
mod phone;
mod provider;

pub use line_async::*;
pub use line_sync::*;
pub use phone::*;
pub use provider::*;

use crate::callstate::{CallState, CallStates};
use crate::error::{LineError, PhoneError};

/// What a function is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The provider as a whole (`TSPI_provider...`).
    Provider,
    /// Lines and calls (`TSPI_line...`).
    Line,
    /// Phones (`TSPI_phone...`).
    Phone,
    /// Dialogs, in a library inside the application (`TUISPI_...`).
    Ui,
}

/// How a function ends (K1, K2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// On the caller's thread: 0 or an error, and no completion ever (K3).
    Sync,
    /// By one completion under its request id, or by an error at once (R1).
    Async,
}

/// How much a provider needs the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Basic telephony: every provider has it.
    Basic,
    /// Mandatory by its own page.
    Mandatory,
    /// Not on the list of basic functions, but called on every open or every call.
    Required,
    /// Optional; announced by feature bits.
    Supplementary,
    /// A vendor's extension.
    Extended,
    /// Added in 3.0.
    Version3,
    /// Dialogs.
    UserInterface,
    /// Replaced by something newer.
    Obsolete,
}

/// In which states of its call a function is legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legal {
    /// The page names no states, or there is no call.
    NotStated,
    /// In every state.
    Any,
    /// The device decides.
    DeviceSpecific,
    /// The call handles and the states of each; a handle that may be NULL is legal without a call.
    In(&'static [CallParameter]),
}

/// A call handle among a function's parameters, and its legal states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallParameter {
    /// The parameter's C name, e.g. `hdCall`.
    pub name: &'static str,
    /// The states the call may be in.
    pub states: CallStates,
    /// Whether the handle may be NULL.
    pub or_null: bool,
}

/// The errors a function's page lists. NODRIVER, NODEVICE and REINIT may come at any time beside
/// them, and a function that a provider does not export gives OPERATIONUNAVAIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// Of a line, provider or dialog function.
    Line(&'static [LineError]),
    /// Of a phone function.
    Phone(&'static [PhoneError]),
}

/// One function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// The C name, e.g. `TSPI_lineDrop`.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// Synchronous or asynchronous.
    pub kind: Kind,
    /// How much a provider needs it.
    pub class: Class,
    /// The C parameter list.
    pub parameters: &'static str,
    /// The call states in which it is legal.
    pub legal: Legal,
    /// The errors its page lists.
    pub errors: Errors,
}

impl Function {
    /// The parameters in order, each with its C type and name: `("DRV_REQUESTID", "dwRequestID")`.
    pub fn parameter_list(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.parameters.split(", ").filter_map(|parameter| {
            let name = parameter.rsplit([' ', '*']).next()?;
            Some((parameter.strip_suffix(name)?.trim_end(), name))
        })
    }

    /// Whether the function is asynchronous (K1).
    pub const fn is_async(&self) -> bool {
        matches!(self.kind, Kind::Async)
    }

    /// Whether the function is legal while the call it names first is in this state. True where the
    /// page leaves it to the device.
    pub const fn is_legal_in(&self, state: CallState) -> bool {
        match self.legal {
            Legal::In([first, ..]) => first.states.contains(state),
            _ => true,
        }
    }

    /// Refuses the function if it is not legal in this state of the call it names first.
    ///
    /// # Errors
    /// INVALCALLSTATE.
    pub const fn check_state(&self, state: CallState) -> Result<(), LineError> {
        if self.is_legal_in(state) { Ok(()) } else { Err(LineError::INVALCALLSTATE) }
    }

    /// Whether the page lists this error. The phone errors are a range of their own, so the code
    /// alone decides.
    pub fn lists_error(&self, code: i32) -> bool {
        match self.errors {
            Errors::Line(errors) => errors.iter().any(|error| error.raw() == code),
            Errors::Phone(errors) => errors.iter().any(|error| error.raw() == code),
        }
    }
}

/// Every function, provider functions first, then line, phone and dialog functions.
pub fn all() -> impl Iterator<Item = &'static Function> {
    provider::PROVIDER
        .iter()
        .chain(line_async::LINE_ASYNC)
        .chain(line_sync::LINE_SYNC)
        .chain(phone::PHONE)
        .chain(provider::UI_LINE)
        .chain(provider::UI_PHONE)
}

/// The function with this C name.
pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// A table of functions and each function as a constant. One row reads
/// `name Group Kind Class "parameters" [states] (errors)`.
macro_rules! functions {
    (
        $(#[$table_doc:meta])*
        $table:ident: $group:ident, $errors:ident $error_type:ident {
            $(
                $(#[$doc:meta])*
                $name:ident $kind:ident $class:ident $parameters:literal
                [$($legal:tt)*] ($($error:ident)*);
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
                parameters: $parameters,
                legal: functions!(@legal $($legal)*),
                errors: Errors::$errors(&[$($error_type::$error),*]),
            };
        )*
        $(#[$table_doc])*
        pub(super) const $table: &[Function] = &[$($name),*];
    };
    (@legal not stated) => { Legal::NotStated };
    (@legal any) => { Legal::Any };
    (@legal device) => { Legal::DeviceSpecific };
    (@legal $($handle:ident: $($states:ident)* $(- $($except:ident)*)? $(| $null:ident)?),*) => {
        Legal::In(&[$(CallParameter {
            name: stringify!($handle),
            states: functions!(@states [$($states)*] $([$($except)*])?),
            or_null: functions!(@null $($null)?),
        }),*])
    };
    (@states [any] [$($except:ident)*]) => {
        CallStates::all_but(&[$(CallState::$except),*])
    };
    (@states [$($state:ident)*]) => { CallStates::of(&[$(CallState::$state),*]) };
    (@null) => { false };
    (@null NULL) => { true };
}
use functions;

#[cfg(test)]
mod tests;

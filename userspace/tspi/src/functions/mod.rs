//! The table of all functions between TAPI and a provider.
//!
//! A function is written down once, as a row: its method's name and its C name, whether it is
//! asynchronous, how much a provider needs it, the shapes of its parameters, the call states in
//! which it is legal, the errors of its page:
//!
//! ```text
//! line_drop TSPI_lineDrop Async Basic
//!     (request: Request(dwRequestID), call: Call(hdCall),
//!      user_user_info: UserInfo(lpsUserUserInfo, dwSize))
//!     [hdCall: any - Idle] (INVALCALLHANDLE OPERATIONFAILED ...);
//! ```
//!
//! From the rows come the constants here ([`TSPI_lineDrop`], reached also through [`all`] and
//! [`find`]), the methods of [`Provider`](crate::provider::Provider), the
//! [`layer`](crate::layer) around all of them, and the exports and the loader of
//! the C interface. What a shape is in C, in Rust and in the table is written down once as well, in
//! `shapes`. The table agrees cell by cell with `facts/functions.tsv` (a test compares it), which
//! restates the pages of Microsoft's TSPI reference.
//!
//! | file | what |
//! |---|---|
//! | `provider`, `line_async`, `line_sync`, `phone` | the rows |
//! | `shapes` | the shapes of parameters |
//! | `errors` | the two columns of errors |
//! | `table` | what is made of a row |
//!
//! A function is asynchronous if and only if its first parameter is a `DRV_REQUESTID`; there are
//! 42 of them, 33 for lines and 9 for phones (K1).

mod errors;
mod line_async;
mod line_sync;
mod phone;
mod provider;
mod shapes;
mod table;

pub use errors::Errors;
pub use line_async::*;
pub use line_sync::*;
pub use phone::*;
pub use provider::*;
pub use ringback_request::RequestId;
pub use shapes::{CParameter, Parameter, Shape};
pub(crate) use table::{returns, sorted};

use crate::callstate::{CallState, CallStates};

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
    /// Only for providers with a vendor's extensions.
    Extended,
    /// A function that TSPI 3.0 added: call hubs and media service providers.
    Version3,
    /// A function of dialogs, or that serves them.
    UserInterface,
    /// Replaced by something newer.
    Obsolete,
}

/// In which states of its call a function is legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legal {
    /// The page names no states, or there is no call.
    NotStated,
    /// It is legal in every state.
    Any,
    /// The device says in which states it is legal.
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

/// One function of TSPI, as its row describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// The C name, e.g. `TSPI_lineDrop`.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// Whether it ends at once or by a completion.
    pub kind: Kind,
    /// How much a provider needs it.
    pub class: Class,
    /// What it takes and gives, in the order of its C prototype.
    pub parameters: &'static [Parameter],
    /// The call states in which it is legal.
    pub legal: Legal,
    /// The errors its page lists. [`general_errors`](Function::general_errors) has the others.
    pub errors: Errors,
}

impl Function {
    /// The C parameters in order: `DRV_REQUESTID dwRequestID`, `HDRVCALL hdCall`.
    pub fn c_parameters(&self) -> impl Iterator<Item = &'static CParameter> {
        self.parameters.iter().flat_map(|parameter| parameter.c)
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
}

/// Every function, provider functions first, then line, phone and dialog functions.
pub fn all() -> impl Iterator<Item = &'static Function> {
    provider::START
        .iter()
        .chain(provider::PROVIDER)
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

#[cfg(test)]
mod tests;

//! A call of a function as data, and how it is printed.

use std::fmt::{self, Write};

use crate::functions::{Function, RequestId};
use crate::late::LateOutput;
use crate::structs::{
    LINEDIALPARAMS, LINEGENERATETONE, LINEMEDIACONTROLCALLSTATE, LINEMEDIACONTROLDIGIT,
    LINEMEDIACONTROLMEDIA, LINEMEDIACONTROLTONE, LINEMONITORTONE,
};
use crate::types::*;

/// A function and its arguments.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    name: &'static str,
    function: Option<&'static Function>,
    arguments: &'a [(&'static str, Argument<'a>)],
}

impl<'a> Asked<'a> {
    pub(super) fn of(
        function: &'static Function,
        arguments: &'a [(&'static str, Argument<'a>)],
    ) -> Asked<'a> {
        Asked { name: function.name, function: Some(function), arguments }
    }

    pub(super) fn beside(
        name: &'static str,
        arguments: &'a [(&'static str, Argument<'a>)],
    ) -> Asked<'a> {
        Asked { name, function: None, arguments }
    }

    /// The C name of a TSPI function, such as `TSPI_lineDrop`; the method's name of a function
    /// beside TSPI.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The function's row. `None` of one beside TSPI ([`Media`](crate::provider::Media)).
    pub fn function(&self) -> Option<&'static Function> {
        self.function
    }

    /// Whether this is the function of the row.
    pub fn is(&self, function: &Function) -> bool {
        self.name == function.name
    }

    /// The arguments in order, by the names of the row's parameters.
    pub fn arguments(&self) -> &'a [(&'static str, Argument<'a>)] {
        self.arguments
    }

    /// The argument of this name.
    pub fn argument(&self, name: &str) -> Option<Argument<'a>> {
        self.arguments.iter().find(|argument| argument.0 == name).map(|argument| argument.1)
    }

    /// The request id that an asynchronous function is called with.
    pub fn request(&self) -> Option<RequestId> {
        self.arguments.iter().find_map(|(_, argument)| match argument {
            Argument::Request(id) => Some(*id),
            _ => None,
        })
    }

    /// The number or handle under this name; 0 if there is none, which is no handle (N2).
    pub fn word(&self, name: &str) -> usize {
        match self.argument(name) {
            Some(Argument::Number(number)) => number as usize,
            Some(Argument::Word(word) | Argument::Handle(_, word)) => word,
            _ => 0,
        }
    }

    /// The call as one JSON object: `{"function": "TSPI_lineDrop", "request": 5, ...}`. Bytes are
    /// strings of hexadecimal digits, handles and words are numbers.
    pub fn json(&self) -> String {
        let mut text = format!("{{\"function\": \"{}\"", self.name);
        for (name, argument) in self.arguments {
            // Writing to a string does not fail.
            let _ = write!(text, ", \"{name}\": ");
            let _ = argument.write_json(&mut text);
        }
        text.push('}');
        text
    }
}

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (index, (name, argument)) in self.arguments.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{name}: {argument}")?;
        }
        f.write_str(")")
    }
}

/// One argument as data.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Argument<'a> {
    /// The id of an asynchronous request.
    Request(RequestId),
    /// A number, a set of flags, or a device id.
    Number(u32),
    /// A version of the contract.
    Version(Version),
    /// A word as wide as a pointer.
    Word(usize),
    /// A handle, with the name of its type.
    Handle(&'static str, usize),
    /// NULL where that is allowed.
    Null,
    /// A text in UTF-8.
    Text(&'a str),
    /// Bytes or a structure, as input or to be filled.
    Bytes(&'a [u8]),
    /// Records of numbers, which can be printed.
    Records(&'a dyn Listed),
    /// Memory of so many bytes that is filled later (C12).
    Late(usize),
}

impl Argument<'_> {
    fn write_json(&self, out: &mut String) -> fmt::Result {
        match self {
            Argument::Request(id) => write!(out, "{}", id.get()),
            Argument::Number(number) => write!(out, "{number}"),
            Argument::Version(version) => write!(out, "\"{version}\""),
            Argument::Word(word) | Argument::Handle(_, word) => write!(out, "{word}"),
            Argument::Null => out.write_str("null"),
            Argument::Text(text) => write_json_text(out, text),
            Argument::Bytes(bytes) => {
                out.push('"');
                bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))?;
                out.write_char('"')
            }
            Argument::Records(records) => write_json_text(out, &format!("{records:?}")),
            Argument::Late(size) => write!(out, "{{\"bytes\": {size}}}"),
        }
    }
}

/// A string of JSON, with what must be escaped in it.
fn write_json_text(out: &mut String, text: &str) -> fmt::Result {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}")?,
            control if control < ' ' => write!(out, "\\u{:04x}", u32::from(control))?,
            other => out.push(other),
        }
    }
    out.write_char('"')
}

impl fmt::Display for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Request(id) => write!(f, "{}", id.get()),
            Argument::Number(number) => write!(f, "{number:#x}"),
            Argument::Version(version) => write!(f, "{version}"),
            Argument::Word(word) => write!(f, "{word:#x}"),
            Argument::Handle(name, handle) => write!(f, "{name}({handle:#x})"),
            Argument::Null => f.write_str("NULL"),
            Argument::Text(text) => write!(f, "{text:?}"),
            Argument::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Argument::Records(records) => write!(f, "{records:?}"),
            Argument::Late(size) => write!(f, "{size} bytes later"),
        }
    }
}

/// Records of any kind that are an argument.
pub trait Listed: fmt::Debug {}

impl<T: fmt::Debug> Listed for T {}

/// What can be an argument.
pub(super) trait AsArgument {
    fn as_argument(&self) -> Argument<'_>;
}

impl AsArgument for RequestId {
    fn as_argument(&self) -> Argument<'_> {
        Argument::Request(*self)
    }
}

impl AsArgument for u32 {
    fn as_argument(&self) -> Argument<'_> {
        Argument::Number(*self)
    }
}

impl AsArgument for usize {
    fn as_argument(&self) -> Argument<'_> {
        Argument::Word(*self)
    }
}

impl AsArgument for Version {
    fn as_argument(&self) -> Argument<'_> {
        Argument::Version(*self)
    }
}

impl AsArgument for &str {
    fn as_argument(&self) -> Argument<'_> {
        Argument::Text(self)
    }
}

impl AsArgument for &[u8] {
    fn as_argument(&self) -> Argument<'_> {
        Argument::Bytes(self)
    }
}

impl AsArgument for &mut [u8] {
    fn as_argument(&self) -> Argument<'_> {
        Argument::Bytes(self)
    }
}

impl AsArgument for &LateOutput {
    fn as_argument(&self) -> Argument<'_> {
        Argument::Late(self.size())
    }
}

impl<T: AsArgument> AsArgument for Option<T> {
    fn as_argument(&self) -> Argument<'_> {
        self.as_ref().map_or(Argument::Null, AsArgument::as_argument)
    }
}

macro_rules! handles {
    ($($name:ident)*) => {$(
        impl AsArgument for $name {
            fn as_argument(&self) -> Argument<'_> {
                Argument::Handle(stringify!($name), self.raw())
            }
        }
    )*};
}

handles! {
    HDRVLINE HDRVCALL HDRVPHONE HDRVMSPLINE HDRVDIALOGINSTANCE HTAPILINE HTAPICALL HTAPIPHONE
    HTAPIMSPLINE
}

macro_rules! records {
    ($($record:ident)*) => {$(
        impl AsArgument for &[$record] {
            fn as_argument(&self) -> Argument<'_> {
                Argument::Records(self)
            }
        }
    )*};
}

records! {
    LINEGENERATETONE LINEMONITORTONE LINEMEDIACONTROLDIGIT LINEMEDIACONTROLMEDIA
    LINEMEDIACONTROLTONE LINEMEDIACONTROLCALLSTATE
}

impl AsArgument for LINEDIALPARAMS {
    fn as_argument(&self) -> Argument<'_> {
        Argument::Records(self)
    }
}

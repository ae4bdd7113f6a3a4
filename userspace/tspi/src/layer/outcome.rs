//! The outcome of a call of a function, as data.

use crate::functions::RequestId;
use crate::structs::{Guid, LINEEXTENSIONID, Wire};
use crate::types::*;

/// What a function returned, or what a layer answers instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// 0, or the id of the request that was accepted, or a negative error (T5).
    pub result: i32,
    /// Its outputs, in the order of the row's parameters. Empty if it failed.
    pub given: Vec<Value>,
}

impl Outcome {
    /// Success, with the outputs. For an asynchronous function the result becomes its request's id.
    pub fn done(given: Vec<Value>) -> Outcome {
        Outcome { result: 0, given }
    }

    /// A failure with this error.
    pub fn failed(error: impl Into<i32>) -> Outcome {
        Outcome { result: error.into(), given: Vec::new() }
    }

    pub(super) fn of<E: Copy + Into<i32>>(
        request: Option<RequestId>,
        given: Result<Vec<Value>, E>,
    ) -> Outcome {
        match given {
            Ok(given) => Outcome { result: request.map_or(0, |id| id.get().cast_signed()), given },
            Err(error) => Outcome::failed(error),
        }
    }

    /// Whether the function has done its work, or accepted the request.
    pub fn is_ok(&self) -> bool {
        self.result >= 0
    }

    /// The first output as a word, a handle or a number; 0 if there is none.
    pub fn word(&self) -> usize {
        match self.given.first() {
            Some(Value::Number(number)) => *number as usize,
            Some(Value::Word(word)) => *word,
            _ => 0,
        }
    }
}

/// An output of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A number or a version.
    Number(u32),
    /// A word as wide as a pointer, or a handle; 0 where there is none.
    Word(usize),
    /// A record, as it lies in memory.
    Bytes(Vec<u8>),
    /// A text in UTF-8.
    Text(String),
}

/// The types of outputs.
pub(crate) trait OutputType: Sized {
    fn value(&self) -> Value;

    /// The thing with this value; `None` if the value is of another kind.
    fn from_value(value: Option<Value>) -> Option<Self>;
}

impl OutputType for u32 {
    fn value(&self) -> Value {
        Value::Number(*self)
    }

    fn from_value(value: Option<Value>) -> Option<u32> {
        if let Some(Value::Number(number)) = value { Some(number) } else { None }
    }
}

impl OutputType for usize {
    fn value(&self) -> Value {
        Value::Word(*self)
    }

    fn from_value(value: Option<Value>) -> Option<usize> {
        if let Some(Value::Word(word)) = value { Some(word) } else { None }
    }
}

impl OutputType for Version {
    fn value(&self) -> Value {
        Value::Number(self.word())
    }

    fn from_value(value: Option<Value>) -> Option<Version> {
        Version::from_word(u32::from_value(value)?)
    }
}

impl OutputType for String {
    fn value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn from_value(value: Option<Value>) -> Option<String> {
        if let Some(Value::Text(text)) = value { Some(text) } else { None }
    }
}

impl OutputType for Option<HDRVCALL> {
    fn value(&self) -> Value {
        Value::Word(self.map_or(0, HDRVCALL::raw))
    }

    fn from_value(value: Option<Value>) -> Option<Option<HDRVCALL>> {
        usize::from_value(value).map(HDRVCALL::new)
    }
}

macro_rules! handles {
    ($($name:ident)*) => {$(
        impl OutputType for $name {
            fn value(&self) -> Value {
                Value::Word(self.raw())
            }

            fn from_value(value: Option<Value>) -> Option<$name> {
                $name::new(usize::from_value(value)?)
            }
        }
    )*};
}

handles! { HDRVLINE HDRVCALL HDRVPHONE HDRVMSPLINE }

macro_rules! records {
    ($($name:ident)*) => {$(
        impl OutputType for $name {
            fn value(&self) -> Value {
                let mut bytes = vec![0; $name::SIZE];
                self.write(&mut bytes);
                Value::Bytes(bytes)
            }

            fn from_value(value: Option<Value>) -> Option<$name> {
                if let Some(Value::Bytes(bytes)) = value { $name::read(&bytes) } else { None }
            }
        }
    )*};
}

records! { Guid LINEEXTENSIONID }

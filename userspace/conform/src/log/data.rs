//! Arguments and output of functions, as data that can be written and read.

use std::fmt;

use ringback_tspi::layer::{Argument, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An argument of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Data {
    /// The id of an asynchronous request, as it was handed out.
    Request(u32),
    /// A number, a set of flags, or the id of a device.
    Number(u32),
    /// A version of the contract, the major number in the upper half.
    Version(u32),
    /// A word as wide as a pointer.
    Word(u64),
    /// A handle.
    Handle {
        /// The name of its type, `HDRVCALL`.
        of: String,
        /// Its value; 0 where there is none.
        value: u64,
    },
    /// NULL where that is allowed.
    Null,
    /// A text.
    Text(String),
    /// Bytes that are handed in, or memory that is to be filled, as it was before.
    Bytes(Hex),
    /// Records, printed.
    Records(String),
    /// So many bytes of memory that is filled later (C12).
    Late(u64),
}

impl Data {
    /// The argument as data.
    pub fn of(argument: &Argument<'_>) -> Data {
        match argument {
            Argument::Request(id) => Data::Request(id.get()),
            Argument::Number(number) => Data::Number(*number),
            Argument::Version(version) => Data::Version(version.word()),
            Argument::Word(word) => Data::Word(*word as u64),
            Argument::Handle(of, value) => {
                Data::Handle { of: (*of).to_owned(), value: *value as u64 }
            }
            Argument::Null => Data::Null,
            Argument::Text(text) => Data::Text((*text).to_owned()),
            Argument::Bytes(bytes) => Data::Bytes(Hex(bytes.to_vec())),
            Argument::Records(records) => Data::Records(format!("{records:?}")),
            Argument::Late(size) => Data::Late(*size as u64),
            other => Data::Records(format!("{other:?}")),
        }
    }
}

/// Something that a function has given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Gave {
    /// A number or a version.
    Number(u32),
    /// A word as wide as a pointer, or a handle; 0 where there is none.
    Word(u64),
    /// A record, as it lies in memory.
    Bytes(Hex),
    /// A text.
    Text(String),
}

impl Gave {
    /// The value as data.
    pub fn of(value: &Value) -> Gave {
        match value {
            Value::Number(number) => Gave::Number(*number),
            Value::Word(word) => Gave::Word(*word as u64),
            Value::Bytes(bytes) => Gave::Bytes(Hex(bytes.clone())),
            Value::Text(text) => Gave::Text(text.clone()),
            other => Gave::Text(format!("{other:?}")),
        }
    }

    /// The number, word or handle; 0 for what is none.
    pub fn word(&self) -> u64 {
        match self {
            Gave::Number(number) => u64::from(*number),
            Gave::Word(word) => *word,
            Gave::Bytes(_) | Gave::Text(_) => 0,
        }
    }
}

/// Bytes, which a log holds as hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hex, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len().is_multiple_of(2));
        let digits = digits.ok_or_else(|| de::Error::custom("bytes are pairs of hex digits"))?;
        // A digit has four bits.
        Ok(Hex(digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()))
    }
}

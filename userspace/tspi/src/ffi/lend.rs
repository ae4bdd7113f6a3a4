//! Parameters on their way to C: each holds its memory until the function has returned.
//!
//! `first` is the first C parameter, `second` the one that belongs to it: a size, a number of
//! records, the place for a handle. `value` is the library's output.
//!
//! With a dwTotalSize that is larger than the structure's memory the library would write beyond it,
//! so that is refused here.

use std::ptr;

use super::read::Fault;
use crate::layer::Value;
use crate::structs::Wire;

/// How many units TSPI_providerUIIdentify may write (MAX_PATH).
pub const PATH_UNITS: usize = 260;

/// A number, a handle or a callback: passed as it is.
pub struct Plain<T>(pub T);

impl<T: Copy> Plain<T> {
    pub fn first(&mut self) -> T {
        self.0
    }
}

/// A text in UTF-16, with its NUL; or NULL.
pub struct Wide(Option<Vec<u16>>);

impl Wide {
    /// Holds this text, up to the first NUL in it, as C would read it.
    pub fn new(text: Option<&str>) -> Wide {
        Wide(text.map(|text| {
            let units = text.encode_utf16().take_while(|unit| *unit != 0);
            units.chain([0]).collect()
        }))
    }

    pub fn first(&mut self) -> *const u16 {
        self.0.as_ref().map_or(ptr::null(), |units| units.as_ptr())
    }

    /// The size in bytes, with the NUL.
    pub fn second(&self) -> u32 {
        self.0.as_ref().map_or(0, |units| u32::try_from(units.len() * 2).unwrap_or(u32::MAX))
    }
}

/// A text of bytes, with its NUL.
pub struct Narrow(Vec<u8>);

impl Narrow {
    pub fn new(text: &str) -> Narrow {
        Narrow(text.bytes().take_while(|byte| *byte != 0).chain([0]).collect())
    }

    pub fn first(&mut self) -> *const u8 {
        self.0.as_ptr()
    }
}

/// Bytes as input.
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// # Errors
    /// More of them than a DWORD can say.
    pub fn new(bytes: &'a [u8]) -> Result<Bytes<'a>, Fault> {
        u32::try_from(bytes.len()).map(|_| Bytes(bytes)).map_err(|_| Fault::Invalid)
    }

    /// The C parameter; NULL for no bytes.
    pub fn first(&mut self) -> *const u8 {
        if self.0.is_empty() { ptr::null() } else { self.0.as_ptr() }
    }

    pub fn second(&self) -> u32 {
        self.0.len() as u32
    }
}

/// Bytes that the library may change.
pub struct Block<'a>(&'a mut [u8]);

impl<'a> Block<'a> {
    /// # Errors
    /// More of them than a DWORD can say.
    pub fn new(bytes: &'a mut [u8]) -> Result<Block<'a>, Fault> {
        if u32::try_from(bytes.len()).is_err() { Err(Fault::Invalid) } else { Ok(Block(bytes)) }
    }

    /// Lends a structure to be filled.
    ///
    /// # Errors
    /// A dwTotalSize that is missing, or says more than there is.
    pub fn filled(bytes: &'a mut [u8]) -> Result<Block<'a>, Fault> {
        checked(bytes)?;
        Ok(Block(bytes))
    }

    pub fn first(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }

    pub fn second(&self) -> u32 {
        self.0.len() as u32
    }
}

/// Whether a structure's dwTotalSize is within its memory.
pub fn checked(bytes: &[u8]) -> Result<(), Fault> {
    let size = u32::read(bytes).ok_or(Fault::Size)? as usize;
    if size < 4 || size > bytes.len() { Err(Fault::Size) } else { Ok(()) }
}

/// A structure as input, or NULL.
pub struct GivenStructure<'a>(Option<&'a [u8]>);

impl<'a> GivenStructure<'a> {
    /// # Errors
    /// A dwTotalSize that is missing, or says more than there is.
    pub fn new(bytes: Option<&'a [u8]>) -> Result<GivenStructure<'a>, Fault> {
        bytes.map_or(Ok(()), checked)?;
        Ok(GivenStructure(bytes))
    }

    pub fn first(&mut self) -> *const u8 {
        self.0.map_or(ptr::null(), <[u8]>::as_ptr)
    }
}

/// Records with their number, or NULL.
pub struct List {
    bytes: Option<Vec<u8>>,
    count: u32,
}

impl List {
    /// # Errors
    /// More of them than a DWORD can say.
    pub fn new<T: Wire + Copy>(records: Option<&[T]>) -> Result<List, Fault> {
        let records_or_none = records.unwrap_or_default();
        let count = u32::try_from(records_or_none.len()).map_err(|_| Fault::Invalid)?;
        let bytes = records.map(|records| {
            let mut bytes = vec![0; records.len() * T::SIZE];
            for (place, record) in bytes.chunks_exact_mut(T::SIZE).zip(records) {
                record.write(place);
            }
            bytes
        });
        Ok(List { bytes, count })
    }

    pub fn first(&mut self) -> *const u8 {
        self.bytes.as_ref().map_or(ptr::null(), |bytes| bytes.as_ptr())
    }

    pub fn second(&self) -> u32 {
        self.count
    }
}

/// Records whose number comes first.
pub struct CountedList(pub List);

impl CountedList {
    pub fn first(&mut self) -> u32 {
        self.0.count
    }

    pub fn second(&mut self) -> *const u8 {
        self.0.first()
    }
}

/// The place for an output, and TAPI's handle if the output is the handle of something new.
pub struct Out<T> {
    tapi: usize,
    place: T,
}

impl<T> Out<T> {
    /// A place with this in it.
    pub fn new(place: T) -> Out<T> {
        Out { tapi: 0, place }
    }
}

impl Out<u32> {
    /// The number in the place.
    pub fn number(&self) -> u32 {
        self.place
    }

    pub fn first(&mut self) -> *mut u32 {
        &raw mut self.place
    }

    /// What was given back.
    pub fn value(&self) -> Value {
        Value::Number(self.place)
    }
}

impl Out<usize> {
    pub fn first(&mut self) -> *mut usize {
        &raw mut self.place
    }

    /// What was given back.
    pub fn value(&self) -> Value {
        Value::Word(self.place)
    }
}

impl Out<[u8; 16]> {
    pub fn first(&mut self) -> *mut u8 {
        self.place.as_mut_ptr()
    }

    /// What was given back.
    pub fn value(&self) -> Value {
        Value::Bytes(self.place.to_vec())
    }
}

impl Out<[u16; PATH_UNITS]> {
    pub fn first(&mut self) -> *mut u16 {
        self.place.as_mut_ptr()
    }

    /// What was given back.
    pub fn value(&self) -> Value {
        let units = self.place.iter().copied().take_while(|unit| *unit != 0);
        let text =
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
        Value::Text(text.collect())
    }
}

/// TAPI's handle of something new, and the place for the provider's.
pub struct Exchange(Out<usize>);

impl Exchange {
    /// Hands this handle over; 0 for none.
    pub fn new(tapi: usize) -> Exchange {
        Exchange(Out { tapi, place: 0 })
    }

    pub fn first(&mut self) -> usize {
        self.0.tapi
    }

    /// Where the provider's is to be written.
    pub fn second(&mut self) -> *mut usize {
        self.0.first()
    }

    pub fn value(&self) -> Value {
        self.0.value()
    }
}

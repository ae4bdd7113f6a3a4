//! Converts parameters from C to Rust.
//!
//! What can be checked is checked here: NULL, sizes that are too small, numbers that are no handle
//! or no version, texts that are not UTF-16. Whether a pointer points to as much memory as its size
//! says can't be checked; the caller guarantees it, as in every C interface.

use std::slice;

use crate::late::{LateMemory, LateOutput};
use crate::layer::Value;
use crate::structs::Wire;

/// What is wrong with a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is NULL and may not be: INVALPOINTER.
    Null,
    /// The structure's dwTotalSize is less than its header: STRUCTURETOOSMALL.
    Size,
    /// It is invalid otherwise: the first general error of its shape.
    Invalid,
}

/// The longest text that is read, in units of UTF-16: a limit for one without a NUL.
const LONGEST_TEXT: usize = 1 << 16;

/// How many units TSPI_providerUIIdentify has room for (MAX_PATH).
const PATH_UNITS: usize = 260;

/// A text that ends with a NUL; `None` for NULL.
///
/// # Safety
/// NULL, or readable up to its NUL.
pub unsafe fn text(at: *const u16) -> Result<Option<String>, Fault> {
    if at.is_null() {
        return Ok(None);
    }
    let mut units = Vec::new();
    loop {
        // SAFETY: the caller guarantees that the text can be read up to its NUL, which has not
        // come.
        match unsafe { at.wrapping_add(units.len()).read_unaligned() } {
            0 => break,
            _ if units.len() == LONGEST_TEXT => return Err(Fault::Invalid),
            unit => units.push(unit),
        }
    }
    String::from_utf16(&units).map(Some).map_err(|_| Fault::Invalid)
}

/// A text of bytes that ends with a NUL.
///
/// # Safety
/// NULL, or readable up to its NUL.
pub unsafe fn narrow(at: *const u8) -> Result<String, Fault> {
    if at.is_null() {
        return Err(Fault::Null);
    }
    let mut bytes = Vec::new();
    loop {
        // SAFETY: the caller guarantees that the text can be read up to its NUL, which has not
        // come.
        match unsafe { at.wrapping_add(bytes.len()).read() } {
            0 => break,
            _ if bytes.len() == LONGEST_TEXT => return Err(Fault::Invalid),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| Fault::Invalid)
}

/// A text of this many bytes, up to the first NUL in it.
///
/// # Safety
/// NULL, or readable for so many bytes.
pub unsafe fn sized_text(at: *const u16, size: u32) -> Result<String, Fault> {
    if at.is_null() {
        return if size == 0 { Ok(String::new()) } else { Err(Fault::Null) };
    }
    // SAFETY: the caller guarantees so many bytes.
    let bytes = unsafe { slice::from_raw_parts(at.cast::<u8>(), size as usize) };
    let units = bytes.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).map_err(|_| Fault::Invalid)
}

/// Bytes as input. NULL stands for none.
///
/// # Safety
/// NULL, or readable for so many bytes as long as the slice lives.
pub unsafe fn bytes<'a>(at: *const u8, size: u32) -> Result<&'a [u8], Fault> {
    match (at.is_null(), size) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Fault::Null),
        // SAFETY: the caller guarantees so many bytes.
        (false, size) => Ok(unsafe { slice::from_raw_parts(at, size as usize) }),
    }
}

/// Bytes that may be changed.
///
/// # Safety
/// NULL, or writable for so many bytes and not used otherwise as long as the slice lives.
pub unsafe fn block<'a>(at: *mut u8, size: u32) -> Result<&'a mut [u8], Fault> {
    match (at.is_null(), size) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(Fault::Null),
        // SAFETY: the caller guarantees so many bytes, for this function alone.
        (false, size) => Ok(unsafe { slice::from_raw_parts_mut(at, size as usize) }),
    }
}

/// The dwTotalSize of a structure, if it is at least the four bytes of dwTotalSize itself.
///
/// # Safety
/// NULL, or readable for four bytes.
unsafe fn total_size(at: *const u8) -> Result<usize, Fault> {
    if at.is_null() {
        return Err(Fault::Null);
    }
    // SAFETY: every structure with a size begins with its four bytes, which the caller guarantees.
    let size = unsafe { at.cast::<u32>().read_unaligned() };
    if size < 4 { Err(Fault::Size) } else { Ok(size as usize) }
}

/// A structure as input, of the length in its dwTotalSize.
///
/// # Safety
/// NULL, or readable for as many bytes as its dwTotalSize says, as long as the slice lives.
pub unsafe fn given<'a>(at: *const u8) -> Result<&'a [u8], Fault> {
    // SAFETY: the caller guarantees at least the size.
    let size = unsafe { total_size(at) }?;
    // SAFETY: the caller guarantees as many bytes as the size says.
    Ok(unsafe { slice::from_raw_parts(at, size) })
}

/// As [`given`]; `None` for NULL.
///
/// # Safety
/// As [`given`].
pub unsafe fn given_or_null<'a>(at: *const u8) -> Result<Option<&'a [u8]>, Fault> {
    // SAFETY: the caller guarantees what `given` asks for.
    if at.is_null() { Ok(None) } else { unsafe { given(at) }.map(Some) }
}

/// A structure to be filled.
///
/// # Safety
/// NULL, or writable for as many bytes as its dwTotalSize says, and not used otherwise as long as
/// the slice lives.
pub unsafe fn filled<'a>(at: *mut u8) -> Result<&'a mut [u8], Fault> {
    // SAFETY: the caller guarantees at least the size.
    let size = unsafe { total_size(at) }?;
    // SAFETY: the caller guarantees as many bytes as the size says, for this function alone.
    Ok(unsafe { slice::from_raw_parts_mut(at, size) })
}

/// One record; `None` for NULL.
///
/// # Safety
/// NULL, or readable for the record.
pub unsafe fn record<T: Wire>(at: *const u8) -> Result<Option<T>, Fault> {
    if at.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller guarantees a whole record.
    let bytes = unsafe { slice::from_raw_parts(at, T::SIZE) };
    T::read(bytes).map(Some).ok_or(Fault::Invalid)
}

/// So many records; `None` for NULL.
///
/// # Safety
/// NULL, or readable for so many records.
pub unsafe fn list<T: Wire>(at: *const u8, count: u32) -> Result<Option<Vec<T>>, Fault> {
    if at.is_null() {
        return Ok(None);
    }
    let size = (count as usize).checked_mul(T::SIZE).filter(|size| *size <= isize::MAX as usize);
    // SAFETY: the caller guarantees so many records.
    let bytes = unsafe { slice::from_raw_parts(at, size.ok_or(Fault::Invalid)?) };
    bytes
        .chunks_exact(T::SIZE)
        .map(|bytes| T::read(bytes).ok_or(Fault::Invalid))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Memory of C code that is filled later.
struct ForeignMemory {
    at: *mut u8,
    size: usize,
}

// SAFETY: the caller of an asynchronous function guarantees that its memory may be written by any
// thread until the completion (C12).
unsafe impl Send for ForeignMemory {}
// SAFETY: as for Send; two writers at once are kept apart by the provider, whose own memory it is
// until then (B7).
unsafe impl Sync for ForeignMemory {}

impl LateMemory for ForeignMemory {
    fn size(&self) -> usize {
        self.size
    }

    fn write(&self, bytes: &[u8]) {
        let count = bytes.len().min(self.size);
        // SAFETY: the caller of the function guarantees so much memory until the completion (C12),
        // and users of LateOutput do not write after it.
        unsafe { self.at.copy_from_nonoverlapping(bytes.as_ptr(), count) };
    }
}

/// Memory of so many bytes that is filled later; `None` for NULL.
///
/// # Safety
/// NULL, or writable by any thread until the function's completion, or the event that stands for
/// it.
pub unsafe fn late(at: *mut u8, size: usize) -> Option<LateOutput> {
    (!at.is_null()).then(|| LateOutput::new(ForeignMemory { at, size }))
}

/// A structure that is filled later; `None` for NULL.
///
/// # Safety
/// As [`late`], and readable for its dwTotalSize now.
pub unsafe fn filled_later(at: *mut u8) -> Result<Option<LateOutput>, Fault> {
    if at.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller guarantees at least the size.
    let size = unsafe { total_size(at) }?;
    // SAFETY: the caller guarantees as much memory as the size says, until the completion.
    Ok(unsafe { late(at, size) })
}

/// Where an output is written when the function returns.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// A number of 32 bits.
    Number(*mut u32),
    /// A handle or another word.
    Word(*mut usize),
    /// A record, as it lies in memory.
    Bytes(*mut u8),
    /// A path of at most MAX_PATH units.
    Path(*mut u16),
    /// NULL: the caller does not want this output.
    Nowhere,
}

impl Place {
    /// This place, unless it is NULL.
    pub fn checked(self) -> Result<Place, Fault> {
        let is_null = match self {
            Place::Number(at) => at.is_null(),
            Place::Word(at) => at.is_null(),
            Place::Bytes(at) => at.is_null(),
            Place::Path(at) => at.is_null(),
            Place::Nowhere => false,
        };
        if is_null { Err(Fault::Null) } else { Ok(self) }
    }

    /// Writes the output.
    ///
    /// # Safety
    /// The place is writable for what its kind says.
    pub unsafe fn write(self, value: &Value) {
        match (self, value) {
            // SAFETY: the caller guarantees a number's memory.
            (Place::Number(at), Value::Number(number)) => unsafe { at.write_unaligned(*number) },
            // SAFETY: the caller guarantees a word's memory.
            (Place::Word(at), Value::Word(word)) => unsafe { at.write_unaligned(*word) },
            // SAFETY: the caller guarantees the record's memory.
            (Place::Bytes(at), Value::Bytes(bytes)) => unsafe {
                at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            },
            (Place::Path(at), Value::Text(text)) => {
                let mut units: Vec<u16> = text.encode_utf16().take(PATH_UNITS - 1).collect();
                units.push(0);
                // SAFETY: the caller guarantees MAX_PATH units.
                unsafe { at.copy_from_nonoverlapping(units.as_ptr(), units.len()) };
            }
            // The macros pair each place with its own kind of value.
            _ => {}
        }
    }
}

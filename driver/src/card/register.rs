//! Registers with names and types, and the trace of every access to them.
//!
//! A chip's table is declared once, with `registers!`: of each register its name, its number, what
//! it is for, and the type of what it holds. The table is a type too, so a register of one chip
//! can't be given to another, and a value of one register can't be written to another. `flags!`
//! declares what a register holds bit by bit, `values!` what it holds as one of several codes.
//!
//! Every access is traced at the level TRACE, by `report!`: chip, slot, register, direction, value,
//! and the names in it. While TRACE is disabled, an access costs one relaxed load of the log's
//! level, and nothing is formatted or allocated. The pins of a serial bus are the exception
//! ([`Window::pins`]): accesses to them together are one traced access to a module's register. A
//! device that records a [trace](crate::device::trace) of its own is told the same accesses.

use std::fmt;
use std::marker::PhantomData;

use super::register_dump::DumpedRegister;
use crate::device::{NotedAccess, Registers};
use crate::{PortNumber, report};

/// The registers of one kind of chip, as a type.
pub(crate) trait RegisterMap {
    /// The rows of the chip's table, in its order.
    const ROWS: &'static [&'static Row];
}

/// What a register holds, in the width in which it is accessed.
pub(crate) trait Value: Copy {
    /// Width of the register in bytes: 1 or 4 in a device's window, 2 of an indirect register.
    const BYTES: usize;
    /// The value of these bits; bits without a name are kept.
    fn from_raw(raw: u32) -> Self;
    /// The bits of this value.
    fn raw(self) -> u32;
    /// Writes ` = ` and the names of what is in the value; nothing where it is just a number.
    fn names(self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl Value for u8 {
    const BYTES: usize = 1;
    fn from_raw(raw: u32) -> u8 {
        raw as u8
    }
    fn raw(self) -> u32 {
        u32::from(self)
    }
    fn names(self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Value for u16 {
    const BYTES: usize = 2;
    fn from_raw(raw: u32) -> u16 {
        raw as u16
    }
    fn raw(self) -> u32 {
        u32::from(self)
    }
    fn names(self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Value for u32 {
    const BYTES: usize = 4;
    fn from_raw(raw: u32) -> u32 {
        raw
    }
    fn raw(self) -> u32 {
        self
    }
    fn names(self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// A row of a chip's table.
#[derive(Debug)]
pub(crate) struct Row {
    /// The chip's name, as its data sheet has it.
    pub(crate) chip: &'static str,
    /// The register's name in the table.
    pub(crate) name: &'static str,
    /// The register's number, or its byte offset in the chip's window.
    pub(crate) number: u16,
    /// Its width in bytes, [`Value::BYTES`].
    pub(crate) bytes: usize,
    /// [`Value::names`] of the type that the register holds.
    pub(crate) names: fn(u32, &mut fmt::Formatter<'_>) -> fmt::Result,
}

/// The first `N` registers of a chip by their numbers, those without a name in its table included.
/// A dump reads them all.
pub(crate) const fn numbered<M: RegisterMap, const N: usize>(chip: &'static str) -> [Row; N] {
    let mut rows =
        [const { Row { chip: "", name: "", number: 0, bytes: 1, names: |_, _| Ok(()) } }; N];
    let mut number = 0;
    while number < N {
        rows[number].chip = chip;
        rows[number].number = number as u16;
        number += 1;
    }
    let mut place = 0;
    while place < M::ROWS.len() {
        let row = M::ROWS[place];
        if (row.number as usize) < N {
            rows[row.number as usize].name = row.name;
        }
        place += 1;
    }
    rows
}

/// A register of the chip `M` that holds a `V`.
pub(crate) struct Register<M, V> {
    row: &'static Row,
    of: PhantomData<fn() -> (M, V)>,
}

impl<M, V> Clone for Register<M, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, V> Copy for Register<M, V> {}

impl<M, V> Register<M, V> {
    /// The register of a row; `registers!` makes them.
    pub(crate) const fn new(row: &'static Row) -> Register<M, V> {
        Register { row, of: PhantomData }
    }

    /// Its row in the chip's table.
    pub(crate) const fn row(self) -> &'static Row {
        self.row
    }

    /// Its number, or its byte offset in the chip's window.
    pub(crate) const fn number(self) -> usize {
        self.row.number as usize
    }

    /// The register without the types, for what treats registers of several chips alike.
    pub(crate) const fn address(self) -> Address {
        Address(self.row)
    }
}

/// A register of any chip: its row. Two are equal if they name the same register of the same chip.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address(&'static Row);

impl Address {
    /// The register of a row of [`numbered`].
    pub(crate) const fn of(row: &'static Row) -> Address {
        Address(row)
    }

    /// The register's number. Those of a module's chip fit into a byte.
    pub(crate) const fn number(self) -> u8 {
        self.0.number as u8
    }

    /// The register's name in its chip's table.
    pub(crate) const fn name(self) -> &'static str {
        self.0.name
    }

    /// Converts a value to the type that `register` holds; `None` if this is not its address.
    pub(crate) fn holds<M, V: Value>(self, register: Register<M, V>, value: u8) -> Option<V> {
        (self == register.address()).then(|| V::from_raw(u32::from(value)))
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        (self.0.chip, self.0.number) == (other.0.chip, other.0.number)
    }
}

impl Eq for Address {}

/// An access to a register, for the trace.
struct Access {
    slot: Option<PortNumber>,
    row: &'static Row,
    verb: &'static str,
    raw: u32,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { chip, name, number, names, .. } = *self.row;
        match self.slot {
            // Data sheets number the registers of a module's chip in decimal.
            Some(slot) => write!(f, "slot {slot}: {chip} {number} {name}")?,
            None => write!(f, "{chip} {number:#04x} {name}")?,
        }
        write!(f, ": {} {:#04x}", self.verb, self.raw)?;
        names(self.raw, f)
    }
}

#[cold]
fn tell(access: Access) {
    report!(TRACE, "{access}");
}

/// A device's register window as the registers of the chip `M`.
pub(crate) struct Window<'a, M, R> {
    registers: &'a R,
    of: PhantomData<fn() -> M>,
}

impl<M, R> Clone for Window<'_, M, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, R> Copy for Window<'_, M, R> {}

impl<'a, M: RegisterMap, R: Registers> Window<'a, M, R> {
    /// The window of a device that has such a chip.
    pub(crate) const fn new(registers: &'a R) -> Window<'a, M, R> {
        Window { registers, of: PhantomData }
    }

    /// Size of the window in bytes.
    pub(crate) fn len(self) -> usize {
        self.registers.len()
    }

    /// Reads a register in one bus access.
    #[inline]
    pub(crate) fn read<V: Value>(self, register: Register<M, V>) -> V {
        let offset = register.number();
        let raw = match V::BYTES {
            1 => u32::from(self.registers.read8(offset)),
            _ => self.registers.read32(offset),
        };
        self.note(None, register.row, false, raw);
        V::from_raw(raw)
    }

    /// Writes a register in one bus access.
    #[inline]
    pub(crate) fn write<V: Value>(self, register: Register<M, V>, value: V) {
        let (offset, raw) = (register.number(), value.raw());
        match V::BYTES {
            1 => self.registers.write8(offset, raw as u8),
            _ => self.registers.write32(offset, raw),
        }
        self.note(None, register.row, true, raw);
    }

    /// Traces that a register of a module was read, over a serial bus made of pins.
    #[inline]
    pub(crate) fn module_read(self, slot: PortNumber, register: Address, value: u8) {
        self.note(Some(slot), register.0, false, value.into());
    }

    /// Traces that a register of a module was written, over a serial bus made of pins.
    #[inline]
    pub(crate) fn module_written(self, slot: PortNumber, register: Address, value: u8) {
        self.note(Some(slot), register.0, true, value.into());
    }

    /// Traces an access: by the log, and by the device if that wants it.
    #[inline]
    fn note(self, slot: Option<PortNumber>, row: &'static Row, written: bool, raw: u32) {
        let Row { chip, number, .. } = *row;
        self.registers.note(NotedAccess { chip, slot, number, written, value: raw });
        if report::is_traced() {
            tell(Access { slot, row, verb: if written { "wrote" } else { "read" }, raw });
        }
    }

    /// Reads every register of the table.
    pub(crate) fn dump(self) -> Vec<DumpedRegister> {
        let read = |row: &&'static Row| {
            let value = match row.bytes {
                1 => u32::from(self.read::<u8>(Register::new(row))),
                _ => self.read::<u32>(Register::new(row)),
            };
            DumpedRegister { number: row.number, name: row.name, value }
        };
        M::ROWS.iter().map(read).collect()
    }

    /// The same registers, for the pins of a serial bus, whose accesses are not traced: what they
    /// carry is traced as one access to a module's register.
    pub(crate) const fn pins(self) -> Pins<'a, M, R> {
        Pins(self)
    }
}

/// Registers that are accessed without a trace ([`Window::pins`]).
pub(crate) struct Pins<'a, M, R>(Window<'a, M, R>);

impl<M: RegisterMap, R: Registers> Pins<'_, M, R> {
    /// Reads the levels of pins.
    #[inline]
    pub(crate) fn read<V: Value>(&self, register: Register<M, V>) -> V {
        V::from_raw(u32::from(self.0.registers.read8(register.number())))
    }

    /// Sets the levels of pins.
    #[inline]
    pub(crate) fn write<V: Value>(&self, register: Register<M, V>, value: V) {
        self.0.registers.write8(register.number(), value.raw() as u8);
    }
}

/// Declares the registers of a chip: a type for the chip, and a constant for each register.
macro_rules! registers {
    (
        $(#[$doc:meta])*
        $vis:vis $map:ident, $chip:literal;
        $($(#[$about:meta])* $name:ident = $number:literal: $value:ty;)+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $map {}

        impl $crate::card::register::RegisterMap for $map {
            const ROWS: &'static [&'static $crate::card::register::Row] = &[$($name.row()),+];
        }

        $(
            $(#[$about])*
            $vis const $name: $crate::card::register::Register<$map, $value> = {
                const ROW: &$crate::card::register::Row = &$crate::card::register::Row {
                    chip: $chip,
                    name: stringify!($name),
                    number: $number,
                    bytes: <$value as $crate::card::register::Value>::BYTES,
                    names: |raw, f| {
                        use $crate::card::register::Value;
                        <$value as Value>::from_raw(raw).names(f)
                    },
                };
                $crate::card::register::Register::new(ROW)
            };
        )+
    };
}

/// Declares what a register holds as bits with names.
macro_rules! flags {
    (
        $(#[$($doc:tt)*])*
        $vis:vis struct $name:ident: $bits:ty {
            $($(#[$($about:tt)*])* const $flag:ident = $value:expr;)+
        }
    ) => {
        ::bitflags::bitflags! {
            $(#[$($doc)*])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
            $vis struct $name: $bits {
                $($(#[$($about)*])* const $flag = $value;)+
            }
        }

        #[allow(clippy::unnecessary_cast, clippy::useless_conversion, reason = "u8 and u32")]
        impl $crate::card::register::Value for $name {
            const BYTES: usize = size_of::<$bits>();
            fn from_raw(raw: u32) -> $name {
                $name::from_bits_retain(raw as $bits)
            }
            fn raw(self) -> u32 {
                u32::from(self.bits())
            }
            fn names(self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                // Unnamed bits need no text, because the trace also has the number.
                if self.iter_names().next().is_none() {
                    return Ok(());
                }
                f.write_str(" = ")?;
                ::bitflags::parser::to_writer(&self, f)
            }
        }
    };
}

/// Declares what a register holds as one of several codes, which are no flags.
macro_rules! values {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident {
            $($(#[$about:meta])* const $code:ident = $value:literal;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis struct $name(u8);

        impl $name {
            $($(#[$about])* $vis const $code: $name = $name($value);)+

            /// The code as the register holds it.
            $vis const fn code(self) -> u8 {
                self.0
            }
        }

        impl $crate::card::register::Value for $name {
            const BYTES: usize = 1;
            fn from_raw(raw: u32) -> $name {
                $name(raw as u8)
            }
            fn raw(self) -> u32 {
                u32::from(self.0)
            }
            fn names(self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $($name::$code => f.write_str(concat!(" = ", stringify!($code))),)+
                    _ => Ok(()),
                }
            }
        }
    };
}

/// Offsets of registers as plain numbers, which the hardware of tests matches.
#[cfg(test)]
macro_rules! offsets {
    ($table:ident: $($name:ident)+) => {
        $(const $name: usize = $table::$name.number();)+
    };
}

#[cfg(test)]
pub(crate) use offsets;
pub(crate) use {flags, registers, values};

//! Values as bytes: how words, GUIDs, times, records and strings lie in memory.
//!
//! Everything is little-endian, and nothing asks for alignment (P6): a structure may start at an
//! odd address, and so may an item in it.

/// A value of fixed size inside a structure.
pub trait Wire: Copy + Default {
    /// How many bytes the value takes on the wire.
    const SIZE: usize;

    /// Writes the value to the front of `out`; false and nothing written if it does not fit.
    fn write(self, out: &mut [u8]) -> bool;

    /// Reads the value from the front of `bytes`; `None` if there are too few.
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Wire for u32 {
    const SIZE: usize = 4;

    fn write(self, out: &mut [u8]) -> bool {
        write_bytes(out, &self.to_le_bytes())
    }

    fn read(bytes: &[u8]) -> Option<u32> {
        Some(u32::from_le_bytes(*bytes.first_chunk()?))
    }
}

/// A GUID as its 16 bytes in memory: the first three parts little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// The protocol of an ordinary telephone line (LINEDEVCAPS, ProtocolGuid; `tapi3.h`):
    /// 831CE2D6-83B5-11D1-BB5C-00C04FB6809F.
    pub const PROTOCOL_PSTN: Guid = Guid([
        0xD6, 0xE2, 0x1C, 0x83, 0xB5, 0x83, 0xD1, 0x11, 0xBB, 0x5C, 0x00, 0xC0, 0x4F, 0xB6, 0x80,
        0x9F,
    ]);
}

impl Wire for Guid {
    const SIZE: usize = 16;

    fn write(self, out: &mut [u8]) -> bool {
        write_bytes(out, &self.0)
    }

    fn read(bytes: &[u8]) -> Option<Guid> {
        bytes.first_chunk().copied().map(Guid)
    }
}

/// A point in time (SYSTEMTIME), in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct SystemTime {
    /// Year, e.g. 2026.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u16,
    /// Day of the week, 0 for Sunday.
    pub day_of_week: u16,
    /// Day of the month, 1 to 31.
    pub day: u16,
    /// Hour, 0 to 23.
    pub hour: u16,
    /// Minute, 0 to 59.
    pub minute: u16,
    /// Second, 0 to 59.
    pub second: u16,
    /// Millisecond, 0 to 999.
    pub millisecond: u16,
}

impl From<std::time::SystemTime> for SystemTime {
    fn from(time: std::time::SystemTime) -> SystemTime {
        let utc = time::UtcDateTime::from(time);
        SystemTime {
            year: u16::try_from(utc.year()).unwrap_or_default(),
            month: u8::from(utc.month()).into(),
            day_of_week: utc.weekday().number_days_from_sunday().into(),
            day: utc.day().into(),
            hour: utc.hour().into(),
            minute: utc.minute().into(),
            second: utc.second().into(),
            millisecond: utc.millisecond(),
        }
    }
}

impl Wire for SystemTime {
    const SIZE: usize = 16;

    fn write(self, out: &mut [u8]) -> bool {
        let words = [
            self.year,
            self.month,
            self.day_of_week,
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.millisecond,
        ];
        let mut bytes = [0; 16];
        for (pair, word) in bytes.chunks_exact_mut(2).zip(words) {
            pair.copy_from_slice(&word.to_le_bytes());
        }
        write_bytes(out, &bytes)
    }

    fn read(bytes: &[u8]) -> Option<SystemTime> {
        let bytes: &[u8; 16] = bytes.first_chunk()?;
        let mut words = bytes.chunks_exact(2).map(|pair| match pair {
            [low, high] => u16::from_le_bytes([*low, *high]),
            _ => 0,
        });
        Some(SystemTime {
            year: words.next()?,
            month: words.next()?,
            day_of_week: words.next()?,
            day: words.next()?,
            hour: words.next()?,
            minute: words.next()?,
            second: words.next()?,
            millisecond: words.next()?,
        })
    }
}

/// Copies `bytes` to the front of `out`; false and nothing written if they do not fit.
pub(super) fn write_bytes(out: &mut [u8], bytes: &[u8]) -> bool {
    match out.get_mut(..bytes.len()) {
        Some(front) => {
            front.copy_from_slice(bytes);
            true
        }
        None => false,
    }
}

/// Reads an array of records that fills `bytes` exactly; `None` if it does not.
///
/// For arrays beside a structure, such as the tones of TSPI_lineGenerateTone.
pub fn read_array<T: Wire>(bytes: &[u8]) -> Option<Vec<T>> {
    let records = bytes.chunks_exact(T::SIZE);
    if records.remainder().is_empty() { records.map(T::read).collect() } else { None }
}

/// A string as the interface wants it: UTF-16LE with terminator (B6, V11). A NUL inside ends it.
pub fn utf16(text: &str) -> Vec<u8> {
    text.split('\0')
        .next()
        .unwrap_or("")
        .encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}

/// Reads a string of the interface: up to its terminator, or to the end if it has none. A
/// surrogate without its partner and a last half character become U+FFFD.
pub fn from_utf16(bytes: &[u8]) -> String {
    let units = bytes
        .chunks(2)
        .map(|unit| match unit {
            [low, high] => u16::from_le_bytes([*low, *high]),
            // Size=1 and a zero byte is one of the ways to write "no string" (B5).
            [0] => 0,
            _ => 0xFFFD,
        })
        .take_while(|unit| *unit != 0);
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// One record: a structure of 32-bit words and nothing else.
macro_rules! record {
    (
        $(#[$doc:meta])*
        $name:ident, $size:literal {
            $($(#[$field_doc:meta])* $field:ident: $member:ident,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
        pub struct $name {
            $(
                $(#[$field_doc])*
                #[doc = concat!("(`", stringify!($member), "`)")]
                pub $field: u32,
            )*
        }

        impl $name {
            /// The C names of the members, in their order.
            #[cfg(test)]
            pub(crate) const MEMBERS: &'static [&'static str] = &[$(stringify!($member)),*];
        }

        impl $crate::structs::wire::Wire for $name {
            const SIZE: usize = $size;

            fn write(self, out: &mut [u8]) -> bool {
                let mut bytes = [0; $size];
                for (word, value) in bytes.chunks_exact_mut(4).zip([$(self.$field),*]) {
                    word.copy_from_slice(&value.to_le_bytes());
                }
                $crate::structs::wire::write_bytes(out, &bytes)
            }

            fn read(bytes: &[u8]) -> Option<$name> {
                let bytes: &[u8; $size] = bytes.first_chunk()?;
                let mut words = bytes.chunks_exact(4).filter_map(u32::read);
                Some($name { $($field: words.next()?),* })
            }
        }
    };
}
pub(super) use record;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::structs::{LINEGENERATETONE, LINEMONITORTONE};

    #[test]
    fn strings_are_utf16_with_terminator_b6() {
        assert_eq!(utf16("A1"), [0x41, 0, 0x31, 0, 0, 0]);
        assert_eq!(utf16(""), [0, 0]);
        assert_eq!(utf16("1\u{0}2"), utf16("1"));
        assert_eq!(from_utf16(&utf16("Müller 📞")), "Müller 📞");
    }

    #[test]
    fn every_way_to_write_no_string_is_read_b5() {
        assert_eq!(from_utf16(&[]), "");
        assert_eq!(from_utf16(&[0]), "");
        assert_eq!(from_utf16(&[0, 0]), "");
    }

    #[test]
    fn a_broken_string_is_marked() {
        assert_eq!(from_utf16(&[0x31, 0, 0x00, 0xD8]), "1\u{FFFD}", "half a surrogate pair");
        assert_eq!(from_utf16(&[0x31, 0, 0x32]), "1\u{FFFD}", "half a character");
        assert_eq!(from_utf16(&[0x31, 0]), "1", "no terminator");
    }

    #[test]
    fn arrays_fill_their_memory_exactly() {
        let tones = [
            LINEGENERATETONE { frequency: 350, cadence_on: 100, cadence_off: 0, volume: 9 },
            LINEGENERATETONE { frequency: 440, cadence_on: 200, cadence_off: 5, volume: 0 },
        ];
        let mut bytes = [0; 32];
        assert!(tones[0].write(&mut bytes) && tones[1].write(&mut bytes[16..]));
        assert_eq!(&bytes[..6], [94, 1, 0, 0, 100, 0]);
        assert_eq!(read_array(&bytes).as_deref(), Some(&tones[..]));
        assert_eq!(read_array::<LINEMONITORTONE>(&bytes), None, "32 is no multiple of 20");
        assert_eq!(read_array::<LINEGENERATETONE>(&[]), Some(vec![]));
        assert!(!tones[0].write(&mut bytes[..15]));
    }

    #[test]
    fn a_system_time_is_in_utc() {
        let since = |ms| std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(ms);
        let told = SystemTime::from(since(1_709_208_000_250));
        let leap_day = SystemTime {
            year: 2024,
            month: 2,
            day_of_week: 4,
            day: 29,
            hour: 12,
            minute: 0,
            second: 0,
            millisecond: 250,
        };
        assert_eq!(told, leap_day);
        let epoch = SystemTime::from(since(0));
        assert_eq!((epoch.year, epoch.month, epoch.day, epoch.day_of_week), (1970, 1, 1, 4));
    }

    #[test]
    fn a_time_is_eight_words() {
        let time = SystemTime {
            year: 2026,
            month: 11,
            day_of_week: 0,
            day: 22,
            hour: 16,
            minute: 8,
            second: 59,
            millisecond: 999,
        };
        let mut bytes = [0xEE; 17];
        assert!(time.write(&mut bytes));
        assert_eq!(bytes[..4], [0xEA, 0x07, 11, 0]);
        assert_eq!(bytes[16], 0xEE);
        assert_eq!(SystemTime::read(&bytes), Some(time));
        assert_eq!(SystemTime::read(&bytes[..15]), None);
    }

    proptest! {
        #[test]
        fn any_string_without_nul_comes_back(text in "[^\\x00]{0,40}") {
            prop_assert_eq!(from_utf16(&utf16(&text)), text);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = from_utf16(&bytes);
            let _ = read_array::<LINEMONITORTONE>(&bytes);
            let _ = Guid::read(&bytes);
        }
    }
}

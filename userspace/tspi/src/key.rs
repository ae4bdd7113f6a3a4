//! The keys of a telephone, which are what can be dialled, generated and monitored.

use std::fmt;

/// One of the sixteen keys of a telephone with tone dialling: 0-9, A-D, * and # (ITU-T Q.23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u8);

impl Key {
    /// The key of a character; `a` to `d` are taken as `A` to `D`. None for what is on no key.
    pub const fn from_char(c: char) -> Option<Key> {
        match c {
            '0'..='9' | 'A'..='D' | '*' | '#' => Some(Key(c as u8)),
            'a'..='d' => Some(Key(c.to_ascii_uppercase() as u8)),
            _ => None,
        }
    }

    /// What is on the key, letters in upper case.
    pub const fn as_char(self) -> char {
        self.0 as char
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_char(f, self.as_char())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_characters_and_four_small_letters_are_on_keys() {
        let all = (0..=u32::from(char::MAX)).filter_map(char::from_u32);
        let keys: String = all.filter_map(Key::from_char).map(Key::as_char).collect();
        assert_eq!(keys, "#*0123456789ABCDABCD");
        assert_eq!(Key::from_char('d').map(|key| key.to_string()), Some("D".to_owned()));
    }
}

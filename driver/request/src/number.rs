//! Types for numbers that must not be confused with each other.

use std::fmt;

macro_rules! number {
    ($(#[$about:meta])* $name:ident($word:ident); $at:literal, $index:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(transparent)]
        pub struct $name(pub $word);

        impl $name {
            #[doc = $at]
            #[inline]
            pub const fn at(index: usize) -> $name {
                $name(if index > $word::MAX as usize { $word::MAX } else { index as $word })
            }

            #[doc = $index]
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// The number of a line among the lines of its engine, from 0.
    LineNumber(u32);
    "The line at this place of a list of all lines. No engine has more lines than a `u32` counts.",
    "Its place in a list of all lines."
}

number! {
    /// The number of a port among the ports of its card, from 0, and of the slot that its module
    /// is in. It is printed as it is, and the application finds it in dwDevSpecific.
    PortNumber(u8);
    "The port at this place of a list of all ports. No card has more ports than a `u8` counts.",
    "Its place in a list of all ports, or of all slots."
}

number! {
    /// The number of a request slot in its [`Table`](crate::Table), from 0.
    RequestSlot(u16);
    "The slot at this place of a list of all slots. No table has more slots than a `u16` counts.",
    "Its place in a list of all slots, below the capacity of the table."
}

impl PortNumber {
    /// All numbers in order, from 0.
    pub fn each() -> impl Iterator<Item = PortNumber> {
        (0..=u8::MAX).map(PortNumber)
    }
}

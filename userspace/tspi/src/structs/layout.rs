//! Layouts as data: where each member of a structure lies, which side fills it, and since which
//! version it exists.
//!
//! A structure is an empty type ([`LINECALLINFO`](super::LINECALLINFO)) whose members are constants
//! under their C names: a [`Member`] for what lies in the fixed part, an [`Item`] for the pair of
//! Size and Offset that leads to something in the variable part. Both carry the structure they
//! belong to and their owner in their type, so that a member of another structure, or one that is
//! TAPI's to fill (B4), can't be written at all.

use std::marker::PhantomData;

use crate::types::Version;

/// A structure that crosses the interface.
pub trait Structure {
    /// Where its members lie.
    const LAYOUT: Layout;
}

/// A structure that the provider fills: it starts with dwTotalSize, dwNeededSize, dwUsedSize (V1).
pub trait Returned: Structure {}

/// A structure that is handed to the provider: it has dwTotalSize only (V2).
pub trait Given: Structure {}

/// Where the members of a structure lie.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The member's name in C, `dwTotalSize` for example.
    pub name: &'static str,
    /// Every member, by rising offset and without gaps.
    pub rows: &'static [Row],
    /// The size of the fixed part from a version on, oldest first. Newer versions only add members
    /// at the end.
    pub sizes: &'static [(Version, usize)],
}

impl Layout {
    /// Size of the fixed part in the newest version, in bytes.
    pub const fn size(&self) -> usize {
        match self.sizes {
            [.., (_, size)] => *size,
            [] => 0,
        }
    }

    /// Size of the fixed part in this version, in bytes. The variable part starts there.
    pub fn fixed_size(&self, version: Version) -> usize {
        self.sizes
            .iter()
            .rev()
            .find(|(since, _)| *since <= version)
            .map_or(self.size(), |(_, size)| *size)
    }
}

/// One member, or one pair of Size and Offset.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Bytes from the start of the structure.
    pub offset: usize,
    /// The C name; of a pair, what both names have in common (`dwCallerID`).
    pub name: &'static str,
    /// The C type, or `ITEM` for a pair.
    pub kind: &'static str,
    /// Size in bytes; 8 for a pair.
    pub size: usize,
    /// Which side writes the member.
    pub owner: Owner,
}

/// Which side fills a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// TAPI: the provider must not overwrite it (B4).
    Tapi,
    /// The provider writes it.
    Provider,
    /// The provider writes it, and TAPI adds to it afterwards.
    Both,
    /// The caller that hands the structure in.
    Caller,
}

/// Marks a member as the provider's to write.
#[derive(Debug, Clone, Copy)]
pub enum ByProvider {}

/// Marks a member as TAPI's: readable, not writable (B4).
#[derive(Debug, Clone, Copy)]
pub enum ByTapi {}

/// A phantom type, which is `Send` and `Sync` whatever `T` is.
type Tag<T> = fn() -> T;

/// A member of type `T` in the fixed part of `S`.
#[derive(Debug)]
pub struct Member<S, T, O = ByProvider> {
    offset: usize,
    marker: PhantomData<Tag<(S, T, O)>>,
}

impl<S, T, O> Member<S, T, O> {
    pub(super) const fn at(offset: usize) -> Self {
        Member { offset, marker: PhantomData }
    }

    /// Bytes from the start of the structure.
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

impl<S, T, O> Clone for Member<S, T, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, T, O> Copy for Member<S, T, O> {}

/// A pair of Size and Offset in the fixed part of `S`, leading to an item of the variable part.
#[derive(Debug)]
pub struct Item<S, O = ByProvider> {
    offset: usize,
    marker: PhantomData<Tag<(S, O)>>,
}

impl<S, O> Item<S, O> {
    pub(super) const fn at(offset: usize) -> Self {
        Item { offset, marker: PhantomData }
    }

    /// Where the Size lies, in bytes from the start of the structure; the Offset follows it.
    pub const fn offset(&self) -> usize {
        self.offset
    }
}

impl<S, O> Clone for Item<S, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, O> Copy for Item<S, O> {}

/// One structure: `NAME: Returned {versions and sizes} [offset name: type, owner; ...]`.
///
/// HEADER is a size word that only this module writes; ITEM is a Size/Offset pair.
macro_rules! structure {
    (
        $(#[$doc:meta])*
        $name:ident: $direction:ident {$($version:ident: $size:literal),*} [
            $($offset:literal $member:ident: $kind:ident, $owner:ident;)*
        ]
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}

        impl $crate::structs::layout::Structure for $name {
            const LAYOUT: $crate::structs::layout::Layout = $crate::structs::layout::Layout {
                name: stringify!($name),
                rows: &[$($crate::structs::layout::Row {
                    offset: $offset,
                    name: stringify!($member),
                    kind: structure!(@c_type $kind),
                    size: structure!(@size $kind),
                    owner: $crate::structs::layout::Owner::$owner,
                }),*],
                sizes: &[$(($crate::types::Version::$version, $size)),*],
            };
        }

        impl $crate::structs::layout::$direction for $name {}

        #[allow(non_upper_case_globals)]
        impl $name {
            $(structure!(@member $name $offset $member $kind $owner);)*
        }
    };
    (@c_type HEADER) => { "DWORD" };
    (@c_type $kind:ident) => { stringify!($kind) };
    (@size ITEM) => { 8 };
    (@size $kind:ident) => {
        <structure!(@type $kind) as $crate::structs::wire::Wire>::SIZE
    };
    (@type HEADER) => { u32 };
    (@type DWORD) => { u32 };
    (@type HLINE) => { u32 };
    (@type GUID) => { $crate::structs::wire::Guid };
    (@type SYSTEMTIME) => { $crate::structs::wire::SystemTime };
    (@type $record:ident) => { $crate::structs::records::$record };
    (@owner HEADER $owner:ident) => { $crate::structs::layout::ByTapi };
    (@owner $kind:ident Tapi) => { $crate::structs::layout::ByTapi };
    (@owner $kind:ident $owner:ident) => { $crate::structs::layout::ByProvider };
    (@member $name:ident $offset:literal $member:ident ITEM $owner:ident) => {
        #[doc = concat!(
            "Pair at offset ", stringify!($offset), ": `", stringify!($member), "Size` and `",
            stringify!($member), "Offset`."
        )]
        pub const $member: $crate::structs::layout::Item<$name, structure!(@owner ITEM $owner)> =
            $crate::structs::layout::Item::at($offset);
    };
    (@member $name:ident $offset:literal $member:ident $kind:ident $owner:ident) => {
        #[doc = concat!(
            structure!(@c_type $kind), " at offset ", stringify!($offset), "."
        )]
        pub const $member: $crate::structs::layout::Member<
            $name,
            structure!(@type $kind),
            structure!(@owner $kind $owner),
        > = $crate::structs::layout::Member::at($offset);
    };
}
pub(super) use structure;

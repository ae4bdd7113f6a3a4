//! The shapes of parameters: what each is in C, in Rust and in the table, written down once.
//!
//! The C prototypes have 51 types of parameters, but few shapes: a handle, a number, a text, a
//! block with its size, a structure that is handed in or filled, something that is given back at
//! once or by the time of the completion. A row names the shape, and the C types, the Rust type and
//! the general errors follow from it.

use super::Errors;

/// What kind of thing a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// The id of an asynchronous request (T1, T2).
    RequestId,
    /// The id of a device, which it has before it is open.
    DeviceId,
    /// A DWORD: a number, a set of flags, or a mode.
    Number,
    /// A version of the contract.
    Version,
    /// A handle that must be alive.
    Handle,
    /// A handle, or NULL.
    HandleOrNull,
    /// A word as wide as a pointer that is passed on uninterpreted: a window, a foreign handle.
    Word,
    /// A text that ends with a NUL.
    Text,
    /// A text that ends with a NUL, or NULL.
    TextOrNull,
    /// A text whose size is a parameter of its own.
    SizedText,
    /// Bytes that are handed in, and their number. NULL stands for none.
    Bytes,
    /// A block of bytes that the function may change before it returns.
    Block,
    /// A structure that is handed in.
    Given,
    /// A structure that is handed in, or NULL.
    GivenOrNull,
    /// Records that are handed in, and their number; or NULL.
    List,
    /// A structure that the function fills; it says by itself how much memory it has.
    Filled,
    /// Something that is given back when the function returns.
    Out,
    /// TAPI's handle of something new, and the place for the provider's handle of it.
    New,
    /// Memory that is filled after the function has returned (C12, B7).
    Late,
    /// The address of a callback.
    Callback,
}

/// A parameter of the C prototype.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CParameter {
    /// The C type, e.g. `LPLINECALLPARAMS const`.
    pub kind: &'static str,
    /// The C name, e.g. `lpCallParams`.
    pub name: &'static str,
}

/// A parameter of a row: one of the C prototype, or two that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The name in Rust.
    pub name: &'static str,
    /// What kind of thing it is.
    pub shape: Shape,
    /// What it is in C, in order.
    pub c: &'static [CParameter],
    /// The errors that a parameter of this shape may bring, whatever the page says.
    pub errors: Errors,
}

/// The table of shapes: `shape! { use_it { context } Shape }` gives
/// `use_it! { { context } kind, (C types), (their types at the interface), Rust type, [errors] }`.
#[doc(hidden)]
#[macro_export]
macro_rules! shape {
    ($use:ident $x:tt Request) => { $crate::$use! { $x
        RequestId, ("DRV_REQUESTID"), (u32), $crate::functions::RequestId, [INVALPARAM]
    } };
    ($use:ident $x:tt DeviceId) => { $crate::$use! { $x
        DeviceId, ("DWORD"), (u32), u32, [BADDEVICEID NODEVICE]
    } };
    ($use:ident $x:tt Number) => { $crate::$use! { $x
        Number, ("DWORD"), (u32), u32, []
    } };
    ($use:ident $x:tt Version) => { $crate::$use! { $x
        Version, ("DWORD"), (u32), $crate::types::Version, [INCOMPATIBLEAPIVERSION]
    } };
    ($use:ident $x:tt Line) => { $crate::$use! { $x
        Handle, ("HDRVLINE"), (usize), $crate::types::HDRVLINE, [INVALLINEHANDLE]
    } };
    ($use:ident $x:tt LineOrNull) => { $crate::$use! { $x
        HandleOrNull, ("HDRVLINE"), (usize), Option<$crate::types::HDRVLINE>, [INVALLINEHANDLE]
    } };
    ($use:ident $x:tt Call) => { $crate::$use! { $x
        Handle, ("HDRVCALL"), (usize), $crate::types::HDRVCALL, [INVALCALLHANDLE]
    } };
    ($use:ident $x:tt CallOrNull) => { $crate::$use! { $x
        HandleOrNull, ("HDRVCALL"), (usize), Option<$crate::types::HDRVCALL>, [INVALCALLHANDLE]
    } };
    ($use:ident $x:tt Phone) => { $crate::$use! { $x
        Handle, ("HDRVPHONE"), (usize), $crate::types::HDRVPHONE, [INVALPHONEHANDLE]
    } };
    ($use:ident $x:tt MspLine) => { $crate::$use! { $x
        Handle, ("HDRVMSPLINE"), (usize), $crate::types::HDRVMSPLINE, [INVALPOINTER]
    } };
    ($use:ident $x:tt Dialog) => { $crate::$use! { $x
        Handle, ("HDRVDIALOGINSTANCE"), (usize), $crate::types::HDRVDIALOGINSTANCE, [INVALPARAM]
    } };
    ($use:ident $x:tt TapiDialog) => { $crate::$use! { $x
        Word, ("HTAPIDIALOGINSTANCE"), (usize), usize, [INVALPARAM]
    } };
    ($use:ident $x:tt Creator) => { $crate::$use! { $x
        Word, ("HPROVIDER"), (usize), usize, []
    } };
    ($use:ident $x:tt Word) => { $crate::$use! { $x
        Word, ("DWORD_PTR"), (usize), usize, []
    } };
    ($use:ident $x:tt Window) => { $crate::$use! { $x
        Word, ("HWND"), (usize), usize, []
    } };
    ($use:ident $x:tt Foreign) => { $crate::$use! { $x
        Word, ("HANDLE"), (usize), usize, []
    } };
    ($use:ident $x:tt Address) => { $crate::$use! { $x
        Text, ("LPCWSTR"), (*const u16), &str, [INVALADDRESS INVALPOINTER]
    } };
    ($use:ident $x:tt AddressOrNull) => { $crate::$use! { $x
        TextOrNull, ("LPCWSTR"), (*const u16), Option<&str>, [INVALADDRESS]
    } };
    ($use:ident $x:tt GroupOrNull) => { $crate::$use! { $x
        TextOrNull, ("LPCWSTR"), (*const u16), Option<&str>, [INVALGROUPID]
    } };
    ($use:ident $x:tt DigitsOrNull) => { $crate::$use! { $x
        TextOrNull, ("LPCWSTR"), (*const u16), Option<&str>, [INVALPARAM]
    } };
    ($use:ident $x:tt DeviceClass) => { $crate::$use! { $x
        Text, ("LPCWSTR"), (*const u16), &str, [INVALDEVICECLASS INVALPOINTER]
    } };
    ($use:ident $x:tt NarrowClass) => { $crate::$use! { $x
        Text, ("LPCSTR"), (*const u8), &str, [INVALDEVICECLASS INVALPOINTER]
    } };
    ($use:ident $x:tt SizedAddress) => { $crate::$use! { $x
        SizedText, ("LPCWSTR", "DWORD"), (*const u16, u32), &str, [INVALADDRESS INVALPOINTER]
    } };
    ($use:ident $x:tt SizedText) => { $crate::$use! { $x
        SizedText, ("LPCWSTR", "DWORD"), (*const u16, u32), &str, [INVALPARAM INVALPOINTER]
    } };
    ($use:ident $x:tt UserInfo) => { $crate::$use! { $x
        Bytes, ("LPCSTR", "DWORD"), (*const u8, u32), &[u8], [INVALPOINTER]
    } };
    ($use:ident $x:tt Params) => { $crate::$use! { $x
        Bytes, ("LPVOID", "DWORD"), (*const u8, u32), &[u8], [INVALPOINTER]
    } };
    ($use:ident $x:tt Config) => { $crate::$use! { $x
        Bytes, ("LPVOID const", "DWORD"), (*const u8, u32), &[u8], [INVALPOINTER]
    } };
    ($use:ident $x:tt Block) => { $crate::$use! { $x
        Block, ("LPVOID", "DWORD"), (*mut u8, u32), &mut [u8], [INVALPOINTER]
    } };
    ($use:ident $x:tt [Given $s:ident]) => { $crate::$use! { $x
        Given, (concat!("LP", stringify!($s), " const")), (*const u8), &[u8],
        [INVALPOINTER STRUCTURETOOSMALL]
    } };
    ($use:ident $x:tt [Changeable $s:ident]) => { $crate::$use! { $x
        Given, (concat!("LP", stringify!($s))), (*const u8), &[u8],
        [INVALPOINTER STRUCTURETOOSMALL]
    } };
    ($use:ident $x:tt [GivenOrNull $s:ident]) => { $crate::$use! { $x
        GivenOrNull, (concat!("LP", stringify!($s), " const")), (*const u8), Option<&[u8]>,
        [STRUCTURETOOSMALL]
    } };
    ($use:ident $x:tt [RecordOrNull $s:ident]) => { $crate::$use! { $x
        GivenOrNull, (concat!("LP", stringify!($s), " const")), (*const u8),
        Option<$crate::structs::$s>, []
    } };
    ($use:ident $x:tt [List $s:ident]) => { $crate::$use! { $x
        List, (concat!("LP", stringify!($s), " const"), "DWORD"), (*const u8, u32),
        Option<&[$crate::structs::$s]>, [INVALPOINTER]
    } };
    ($use:ident $x:tt [CountedList $s:ident]) => { $crate::$use! { $x
        List, ("DWORD", concat!("LP", stringify!($s), " const")), (u32, *const u8),
        Option<&[$crate::structs::$s]>, [INVALPOINTER]
    } };
    ($use:ident $x:tt [Filled $s:ident]) => { $crate::$use! { $x
        Filled, (concat!("LP", stringify!($s))), (*mut u8), &mut [u8],
        [INVALPOINTER STRUCTURETOOSMALL]
    } };
    ($use:ident $x:tt NumberOut) => { $crate::$use! { $x
        Out, ("LPDWORD"), (*mut u32), u32, [INVALPOINTER]
    } };
    ($use:ident $x:tt VersionOut) => { $crate::$use! { $x
        Out, ("LPDWORD"), (*mut u32), $crate::types::Version, [INVALPOINTER]
    } };
    ($use:ident $x:tt IconOut) => { $crate::$use! { $x
        Out, ("LPHICON"), (*mut usize), usize, [INVALPOINTER]
    } };
    ($use:ident $x:tt GuidOut) => { $crate::$use! { $x
        Out, ("GUID *"), (*mut u8), $crate::structs::Guid, [INVALPOINTER]
    } };
    ($use:ident $x:tt PathOut) => { $crate::$use! { $x
        Out, ("LPWSTR"), (*mut u16), String, [INVALPOINTER]
    } };
    ($use:ident $x:tt [ExtensionOut $s:ident]) => { $crate::$use! { $x
        Out, (concat!("LP", stringify!($s))), (*mut u8), $crate::structs::LINEEXTENSIONID,
        [INVALPOINTER]
    } };
    ($use:ident $x:tt [New $tapi:ident $driver:ident]) => { $crate::$use! { $x
        New, (stringify!($tapi), concat!("LP", stringify!($driver))), (usize, *mut usize),
        $crate::types::$tapi, [INVALPOINTER]
    } };
    ($use:ident $x:tt NewCallOrNone) => { $crate::$use! { $x
        New, ("HTAPICALL", "LPHDRVCALL"), (usize, *mut usize), Option<$crate::types::HTAPICALL>,
        [INVALPOINTER]
    } };
    ($use:ident $x:tt NumberLater) => { $crate::$use! { $x
        Late, ("LPDWORD"), (*mut u32), &$crate::late::LateOutput, [INVALPOINTER]
    } };
    ($use:ident $x:tt [FilledLater $s:ident]) => { $crate::$use! { $x
        Late, (concat!("LP", stringify!($s))), (*mut u8), Option<&$crate::late::LateOutput>,
        [INVALPOINTER STRUCTURETOOSMALL]
    } };
    ($use:ident $x:tt DigitsLater) => { $crate::$use! { $x
        Late, ("LPWSTR", "DWORD"), (*mut u16, u32), Option<&$crate::late::LateOutput>,
        [INVALPOINTER]
    } };
    ($use:ident $x:tt LineEvents) => { $crate::$use! { $x
        Callback, ("LINEEVENT"), (Option<$crate::ffi::LineEvent>), (), [INVALPOINTER]
    } };
    ($use:ident $x:tt PhoneEvents) => { $crate::$use! { $x
        Callback, ("PHONEEVENT"), (Option<$crate::ffi::PhoneEvent>), (), [INVALPOINTER]
    } };
    ($use:ident $x:tt Completions) => { $crate::$use! { $x
        Callback, ("ASYNC_COMPLETION"), (Option<$crate::ffi::AsyncCompletion>), (), [INVALPOINTER]
    } };
    ($use:ident $x:tt UiCallback) => { $crate::$use! { $x
        Callback, ("TUISPIDLLCALLBACK"), (usize), usize, [INVALPOINTER]
    } };
    // The two halves of something new, as `sorted` divides it.
    ($use:ident $x:tt [Tapi $tapi:ident]) => { $crate::$use! { $x
        New, (""), (usize), $crate::types::$tapi, []
    } };
    ($use:ident $x:tt [Driver $driver:ident]) => { $crate::$use! { $x
        New, (""), (usize), $crate::types::$driver, []
    } };
    ($use:ident $x:tt TapiCallOrNone) => { $crate::$use! { $x
        New, (""), (usize), Option<$crate::types::HTAPICALL>, []
    } };
    ($use:ident $x:tt DriverCallOrNone) => { $crate::$use! { $x
        New, (""), (usize), Option<$crate::types::HDRVCALL>, []
    } };
}

/// The type of a shape in Rust.
#[doc(hidden)]
#[macro_export]
macro_rules! rust_type {
    ($shape:tt) => {
        $crate::shape! { rust_type {} $shape }
    };
    ({} $kind:ident, $c:tt, $ffi:tt, $rust:ty, $errors:tt) => {
        $rust
    };
}

/// The type at the C interface of a shape's first parameter, or of its second.
#[doc(hidden)]
#[macro_export]
macro_rules! c_type {
    (first $shape:tt) => {
        $crate::shape! { c_type { first } $shape }
    };
    (second $shape:tt) => {
        $crate::shape! { c_type { second } $shape }
    };
    ({ first } $kind:ident, $c:tt, ($a:ty $(, $b:ty)?), $rust:ty, $errors:tt) => {
        $a
    };
    ({ second } $kind:ident, $c:tt, ($a:ty, $b:ty), $rust:ty, $errors:tt) => {
        $b
    };
}

//! What a completion carries besides its result.

/// A type that completions can carry: [`Engine::Output`](super::Engine::Output).
///
/// A request that fails has no output, and neither has one that its engine completes by
/// [`Context::complete`](super::Context::complete): their completions carry [`Payload::NONE`]. That
/// is a constant, so that making it can neither panic nor allocate. If a type has no such value,
/// use `Option` of it.
///
/// ```
/// use ringback_driver::engine::Payload;
///
/// /// One measurement.
/// struct Sample { millivolts: i32 }
/// impl Payload for Sample {
///     const NONE: Sample = Sample { millivolts: 0 };
/// }
/// assert_eq!(Sample::NONE.millivolts, 0);
/// assert_eq!(Option::<std::net::TcpStream>::NONE.is_none(), true);
/// ```
pub trait Payload: Send + 'static {
    /// What a completion without output carries.
    const NONE: Self;
}

impl Payload for () {
    const NONE: () = ();
}

impl Payload for bool {
    const NONE: bool = false;
}

impl Payload for String {
    const NONE: String = String::new();
}

impl<T: Send + 'static> Payload for Option<T> {
    const NONE: Option<T> = None;
}

impl<T: Send + 'static> Payload for Vec<T> {
    const NONE: Vec<T> = Vec::new();
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Payload for $number {
            const NONE: $number = 0 as $number;
        })*
    };
}

numbers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64);

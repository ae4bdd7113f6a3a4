//! Tests of the whole, in `tests/`; this library is what they share.

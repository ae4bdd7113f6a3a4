//! The C libraries as C programs see them: installed, compiled against and linked by pkg-config
//! alone, run under sanitizers and valgrind.

mod examples;
mod header;
mod host;
mod installed;
mod symbols;

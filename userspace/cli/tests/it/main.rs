//! The program seen from outside: exit codes, stdout, stderr, signals.
//!
//! All tests run on the software card. Every wait has a limit far beyond what it takes.

mod callers;
mod calls;
mod conform;
mod cut_off;
mod demo;
mod ends;
mod files;
mod line_sound;
mod manual;
mod matrix;
mod owner;
mod program;
mod rules;
mod softcard;
mod usage;

//! What could keep the program from exiting: others that do not answer, and pipes that nobody
//! reads.

use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::program::{Program, start};

/// Far more than the second that it may take, and far less than for ever.
const SOON: Duration = Duration::from_secs(20);

/// Checks that the first Ctrl-C ends the program.
#[track_caller]
fn ends(mut program: Program) {
    let asked = Instant::now();
    program.signal(Signal::SIGINT);
    program.end().with(130);
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
}

#[test]
fn ctrl_c_ends_waiting_for_the_other_end_of_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    for option in ["--play", "--record", "--send", "--receive"] {
        let program = start(&format!("call 2 5550100 --card soft {option} {}", fifo.display()));
        program.await_thread("open");
        ends(program);
    }
}

#[test]
fn ctrl_c_ends_waiting_for_a_log_from_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    let program = start(&format!("conform --replay {}", fifo.display()));
    program.await_thread("open");
    ends(program);
}

#[test]
fn ctrl_c_ends_a_program_whose_output_is_not_read() {
    let program = Program::start_full("monitor --card soft");
    // Once the software card runs, the first line of the table is the next thing to be written.
    program.await_thread("softcard-clock");
    program.await_still();
    ends(program);
}

#[test]
fn ctrl_c_ends_a_slow_card() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("card");
    let arguments = format!("softcard --vfio-user {} --time-scale 4294967295", socket.display());
    let arguments = arguments.split_whitespace().map(str::to_owned).collect();
    let program = Program::start_with(arguments, Stdio::piped());
    program.await_thread("stdin");
    ends(program);
}

#[cfg(feature = "bench")]
#[test]
fn ctrl_c_ends_the_benchmark() {
    let program = start("bench latency --rounds 100");
    program.await_thread("bench");
    program.await_still();
    ends(program);
}

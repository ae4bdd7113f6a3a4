//! Measures all figures of the latency path, and prints which targets are reached; `make bench`.
//!
//! The tools that count run it again as `figures workload NAME COUNT`; `--rounds N` makes the run
//! shorter or longer.

use std::io::{self, Write};
use std::process::ExitCode;

use ringback_bench::{Options, ROUNDS, Relaunch, lab, run, workload};
use ringback_driver::device::selector::Selector;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match &arguments[..] {
        [first, name, count] if first == "workload" => count
            .parse()
            .map_err(|_| format!("{count} is no number"))
            .and_then(|n| workload(name, n)),
        // cargo adds `--bench`, or `--test` if it only checks that the program starts.
        others if others.iter().any(|other| other == "--test") => Ok(()),
        [flag, rounds, ..] if flag == "--rounds" => {
            rounds.parse().map_err(|_| format!("{rounds} is no number")).and_then(everything)
        }
        _ => everything(ROUNDS),
    };
    ended.map_or_else(
        |error| {
            eprintln!("{error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn everything(rounds: usize) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let options = Options {
        card: Selector::Soft,
        rounds,
        json: false,
        relaunch: Relaunch { program, arguments: vec!["workload".into()] },
        lab: lab::instructions,
    };
    let report = run(&options, &|| false).map_err(|error| error.to_string())?;
    let mut out = io::stdout();
    let written = out.write_all(report.text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| format!("the results can't be written: {error}"))
}

//! A call of Ringback's own program, which moves the samples itself in each millisecond: WAV files
//! at one end, a telephone of the software card at the other.
//!
//! With UIO the kernel module acknowledges the interrupt, and the card does not wait for the
//! program. In a machine in software emulation milliseconds are therefore lost, on a slow host
//! almost all of them. Patterns are played until enough milliseconds of them have arrived, each of
//! them sample by sample and in its place after the one before; no other sound contains even one.

use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ringback_media::{g711, wav};

use crate::Outcome;
use crate::far::{Far, deadline};
use crate::pattern::{self, Pattern};

/// The files that the program plays and records.
const SAID: &str = "/run/said.wav";
const HEARD: &str = "/run/heard.wav";
/// The size of a WAV header in bytes.
const HEADER: usize = 44;
/// The command for what the telephone has heard last.
const HEARD_THERE: &str = "telephone 0 heard 1500";
const HEARD_LENGTH: Duration = Duration::from_millis(1500);
/// The seeds of the patterns that the program plays, one after the other. They last as long as the
/// test waits for them.
const OURS: Range<u64> = 100..110;
const ROUNDS: u64 = 12;
/// The first pattern that the telephone plays.
const THEIRS: u64 = 200;
/// How many milliseconds of patterns have to arrive in each direction.
const ENOUGH: usize = 5;

/// `lab-guest sound-call CARD`: calls the telephone of line 0, which answers, plays and hangs up.
pub fn call() -> Outcome {
    let card = std::env::args().nth(2).ok_or("which card?")?;
    write().map_err(|error| format!("{SAID}: {error}"))?;
    let mut far = Far::open()?;
    far.ask("telephone 0 answer-after 1")?;
    let mut program = Program::start(
        Command::new("ringback")
            .args(["call", "0", "1", "--card", &card, "--play", SAID, "--record", HEARD])
            // Longer than it takes until the called telephone hangs up.
            .args(["--hangup-after", "1000"]),
    )?;
    program.says(" connected")?;
    program.moves_samples()?;

    let began = Instant::now();
    let mut heard = 0;
    while heard < ENOUGH {
        if began.elapsed() > deadline() {
            return Err(format!("the telephone heard {heard} ms of what is played"));
        }
        // Nothing is counted twice.
        thread::sleep(HEARD_LENGTH);
        heard += arrived("heard", OURS, &pattern::samples(&far.ask(HEARD_THERE)?));
    }
    let mut seeds = THEIRS..THEIRS;
    let began = Instant::now();
    while arrived("recorded", seeds.clone(), &recorded()?) < ENOUGH {
        if began.elapsed() > deadline() {
            return Err("too little of what the telephone says is in the recording".to_owned());
        }
        far.ask(&format!("telephone 0 speak {}", Pattern::new(seeds.end).as_samples()))?;
        far.until("the end of it", "telephone 0 state", |state| state["busy"] == false)?;
        seeds.end += 1;
    }
    far.ask("telephone 0 on-hook")?;

    program.says("hung up")?;
    let status = program.child.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("ringback ended with {status}"));
    }
    // The recording is a complete file.
    wav::read(HEARD).map(drop).map_err(|error| error.to_string())
}

fn write() -> Result<(), wav::WavError> {
    let mut writer = wav::Writer::create(SAID)?;
    for seed in (0..ROUNDS).flat_map(|_| OURS) {
        let bytes = Pattern::new(seed).bytes().to_vec();
        writer.write(&bytes.into_iter().map(g711::ulaw_decode).collect::<Vec<_>>())?;
    }
    writer.finish()
}

/// Reads the recording so far, while it is being written.
fn recorded() -> Result<Vec<u8>, String> {
    let file = fs::read(HEARD).map_err(|error| format!("{HEARD}: {error}"))?;
    let (samples, _) = file.get(HEADER..).unwrap_or_default().as_chunks();
    Ok(samples.iter().map(|sample| g711::ulaw_encode(i16::from_le_bytes(*sample))).collect())
}

/// Returns how many milliseconds of the patterns were received.
fn arrived(what: &str, seeds: Range<u64>, samples: &[u8]) -> usize {
    let found = seeds.map(|seed| Pattern::new(seed).milliseconds_in(samples)).sum();
    println!("{what}: {found} ms of {} that came", samples.len() / pattern::MS);
    found
}

/// The program that calls, which is killed when this is dropped.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(command: &mut Command) -> Result<Program, String> {
        let child = command.stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("ringback: {error}"))?;
        let output = BufReader::new(child.stdout.take().ok_or("ringback says nothing")?);
        Ok(Program { child, output })
    }

    /// Prints its output until a line contains the text.
    fn says(&mut self, text: &str) -> Outcome {
        for line in (&mut self.output).lines() {
            let line = line.map_err(|error| error.to_string())?;
            println!("{line}");
            if line.contains(text) {
                return Ok(());
            }
        }
        Err(format!("ringback has ended, and did not say '{text}'"))
    }

    /// Checks that it uses the card as a UIO device alone, and has opened no file of samples.
    fn moves_samples(&self) -> Outcome {
        let folder = format!("/proc/{}/fd", self.child.id());
        let files = fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
        let files = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        let names: Vec<String> = files.map(|path| path.display().to_string()).collect();
        let has = |start: &str| names.iter().any(|name| name.starts_with(start));
        if has("/dev/uio") && !has("/dev/ringback") {
            return Ok(());
        }
        Err(format!("ringback has these files: {}", names.join(" ")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

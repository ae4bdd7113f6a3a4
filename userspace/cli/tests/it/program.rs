//! Runs the program, feeds it and checks its output.

use std::fmt;
use std::io::{BufRead, BufReader, PipeReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Limit of every wait; no step takes a quarter of it.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A running program, which is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    errors: Option<JoinHandle<String>>,
    reader: Option<JoinHandle<()>>,
    /// Keeps the read end of a pipe open that nobody reads.
    _unread: Option<PipeReader>,
}

/// The output and exit code of a program that has ended.
pub(crate) struct Ended {
    /// The exit code; `None` if a signal killed it.
    pub(crate) code: Option<i32>,
    pub(crate) lines: Vec<String>,
    pub(crate) errors: String,
}

/// Starts `ringback` with these arguments, separated by spaces.
pub(crate) fn start(arguments: &str) -> Program {
    Program::start(arguments.split_whitespace().map(str::to_owned).collect())
}

/// Runs `ringback` with these arguments, separated by spaces, to its end.
pub(crate) fn run(arguments: &str) -> Ended {
    start(arguments).end()
}

/// Starts `ringback` with one limit of `prlimit`.
pub(crate) fn limited(limit: &str, arguments: &str) -> Program {
    let before = vec!["prlimit".to_owned(), limit.to_owned()];
    let arguments = arguments.split_whitespace().map(str::to_owned).collect();
    Program::start_after(before, arguments, Stdio::null())
}

impl Program {
    pub(crate) fn start(arguments: Vec<String>) -> Program {
        Program::start_with(arguments, Stdio::null())
    }

    pub(crate) fn start_with(arguments: Vec<String>, stdin: Stdio) -> Program {
        Program::start_after(Vec::new(), arguments, stdin)
    }

    /// Starts the program through another one that prepares its environment.
    pub(crate) fn start_after(
        before: Vec<String>,
        arguments: Vec<String>,
        stdin: Stdio,
    ) -> Program {
        let (reader, writer) = std::io::pipe().unwrap();
        let errors = thread::spawn(move || {
            let mut text = String::new();
            BufReader::new(reader).read_to_string(&mut text).unwrap();
            text
        });
        Program::start_saying(before, arguments, stdin, writer.into(), errors)
    }

    /// Starts it with a stderr that takes nothing: a full disk, or a pipe whose reader closes after
    /// a byte.
    pub(crate) fn start_unheard(arguments: &str, full: bool) -> Program {
        let arguments = arguments.split_whitespace().map(str::to_owned).collect();
        if full {
            let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            let nothing = thread::spawn(String::new);
            return Program::start_saying(
                Vec::new(),
                arguments,
                Stdio::null(),
                full.into(),
                nothing,
            );
        }
        let (mut reader, writer) = std::io::pipe().unwrap();
        let errors = thread::spawn(move || {
            let mut byte = [0];
            reader.read_exact(&mut byte).unwrap();
            String::from_utf8_lossy(&byte).into_owned()
        });
        Program::start_saying(Vec::new(), arguments, Stdio::null(), writer.into(), errors)
    }

    /// Starts it with a stdout that is a full pipe, which nobody reads.
    pub(crate) fn start_full(arguments: &str) -> Program {
        let (unread, mut full) = std::io::pipe().unwrap();
        fcntl(&full, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        while full.write(&[0; 4096]).is_ok() {}
        fcntl(&full, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
        let child = Command::new("env")
            .args(["--default-signal", env!("CARGO_BIN_EXE_ringback")])
            .args(arguments.split_whitespace())
            .stdin(Stdio::null())
            .stdout(full)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (errors, reader) = (thread::spawn(String::new), thread::spawn(|| ()));
        let (_, lines) = mpsc::channel();
        let (errors, reader) = (Some(errors), Some(reader));
        Program { child, lines, seen: Vec::new(), errors, reader, _unread: Some(unread) }
    }

    fn start_saying(
        before: Vec<String>,
        arguments: Vec<String>,
        stdin: Stdio,
        stderr: Stdio,
        errors: JoinHandle<String>,
    ) -> Program {
        // nohup and a shell's background start programs with ignored signals, which are inherited,
        // so that they are reset first.
        let mut child = Command::new("env")
            .arg("--default-signal")
            .args(before)
            .arg(env!("CARGO_BIN_EXE_ringback"))
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // This ends, and closes the pipe, when the receiver of the lines is gone.
        let reader = thread::spawn(move || {
            for line in stdout.lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        let (errors, reader) = (Some(errors), Some(reader));
        Program { child, lines, seen: Vec::new(), errors, reader, _unread: None }
    }

    /// Reads until a line contains the text.
    pub(crate) fn until(&mut self, text: &str) -> &mut Program {
        let deadline = Instant::now() + LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("{text:?} did not come:\n{}", self.seen.join("\n"));
            };
            self.seen.push(line);
            if self.seen.last().is_some_and(|line| line.contains(text)) {
                return self;
            }
        }
    }

    /// Reads until each of the texts has been in a line.
    pub(crate) fn until_all(&mut self, texts: &[String]) {
        for text in texts {
            if !self.seen.iter().any(|line| line.contains(text)) {
                self.until(text);
            }
        }
    }

    /// Writes a line to its stdin, and returns the next line of its stdout.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        let mut stdin = self.child.stdin.as_ref().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
        self.lines.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("{line:?} is not answered"))
    }

    /// Waits until the program has a thread of this name.
    #[track_caller]
    pub(crate) fn await_thread(&self, name: &str) {
        let deadline = Instant::now() + LIMIT;
        let named = |thread: std::fs::DirEntry| {
            std::fs::read_to_string(thread.path().join("comm"))
                .is_ok_and(|comm| comm.trim() == name)
        };
        let threads = format!("/proc/{}/task", self.id());
        while !std::fs::read_dir(&threads).unwrap().flatten().any(named) {
            assert!(Instant::now() < deadline, "it has no thread {name:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until its main thread blocks and does not go on.
    #[track_caller]
    pub(crate) fn await_still(&self) {
        let deadline = Instant::now() + LIMIT;
        let switches = || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
            let line = |line: &str| line.starts_with("voluntary_ctxt_switches");
            status.lines().find(|one| line(one)).map(str::to_owned)
        };
        loop {
            let before = switches();
            thread::sleep(Duration::from_millis(500));
            if switches() == before {
                return;
            }
            assert!(Instant::now() < deadline, "its main thread does not wait");
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> &mut Program {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
        self
    }

    /// Closes the read end of its stdout, as `| head` does.
    pub(crate) fn stop_reading(&mut self) -> &mut Program {
        let (_, nothing) = mpsc::channel();
        self.lines = nothing;
        self
    }

    /// Waits until the program exits.
    pub(crate) fn end(mut self) -> Ended {
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it did not end:\n{}", self.seen.join("\n"));
            thread::sleep(Duration::from_millis(10));
        };
        self.reader.take().unwrap().join().unwrap();
        self.seen.extend(self.lines.try_iter());
        let errors = self.errors.take().unwrap().join().unwrap();
        assert!(!errors.contains("panicked"), "{errors}");
        Ended { code: status.code(), lines: std::mem::take(&mut self.seen), errors }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The program has exited already, or a test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Stdout as one JSON object per line.
    #[track_caller]
    pub(crate) fn objects(&self) -> Vec<Value> {
        let parse = |line: &String| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        self.lines.iter().map(parse).collect()
    }

    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Asserts that stderr is one sentence of the program, and that it contains the text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Ended {
        assert!(self.errors.contains(text), "{text:?} is not said: {self}");
        assert!(self.errors.starts_with("ringback: "), "{self}");
        assert_eq!(self.errors.lines().count(), 1, "{self}");
        self
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {:?}\n{}\n{}", self.code, self.text(), self.errors)
    }
}

/// The objects with this `event`.
pub(crate) fn of<'a>(objects: &'a [Value], event: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["event"] == event).collect()
}

/// The states of a line's calls, in order.
pub(crate) fn states(objects: &[Value], line: u32) -> Vec<&str> {
    let on_line = objects.iter().filter(|object| object["line"] == line);
    on_line.filter_map(|object| object["state"].as_str()).collect()
}

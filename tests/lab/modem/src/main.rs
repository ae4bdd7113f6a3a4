//! A modem in software at the other end of a virtual machine's serial port.
//!
//! `lab-modem SOCKET` waits for QEMU's `-chardev socket,path=SOCKET,server=on`, plugs a modem into
//! it and ends with it. The socket has neither DTR nor DCD, so the modem has only the two data
//! wires. `main` lists the numbers that it can call.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use ringback_softcard::{Far, SoftModem};

/// The interval at which the modem is given the time.
const TICK: Duration = Duration::from_millis(5);

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: lab-modem SOCKET");
        return ExitCode::from(2);
    };
    let second = Duration::from_secs(1);
    let mut modem = SoftModem::new();
    for (number, far) in [
        ("100", Far::Echo(second / 2)),
        ("101", Far::Busy),
        ("102", Far::NoCarrier),
        ("104", Far::NoDialTone),
        ("105", Far::HangsUp { after: second, talks: 2 * second }),
        ("106", Far::CallsBack(2 * second)),
    ] {
        modem.add(number, far);
    }
    let stream = connect(&path);
    match serve(stream, &mut modem) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{path}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Connects as soon as QEMU has made the socket. There is no limit here, because the lab stops this
/// program.
fn connect(path: &str) -> UnixStream {
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => return stream,
            Err(_) => thread::sleep(10 * TICK),
        }
    }
}

/// Runs the modem until the other side closes the socket.
fn serve(mut stream: UnixStream, modem: &mut SoftModem) -> std::io::Result<()> {
    stream.set_read_timeout(Some(TICK))?;
    let began = Instant::now();
    let (mut from, mut to) = (Vec::new(), VecDeque::new());
    let mut buffer = [0; 512];
    let mut told = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => from.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error),
        }
        modem.run(began.elapsed(), true, &mut from, &mut to);
        for command in modem.commands().iter().skip(told) {
            println!("{:8.3} {command}", began.elapsed().as_secs_f64());
        }
        told = modem.commands().len();
        stream.write_all(to.make_contiguous())?;
        to.clear();
    }
}

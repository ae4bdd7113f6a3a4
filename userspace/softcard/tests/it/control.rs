//! Commands at a socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use ringback_softcard::control::{Client, ClientError, Control, ControlSocket};
use ringback_softcard::{CardConfig, SocketPathError, SoftCard};
use tempfile::TempDir;

fn connect(socket: &ControlSocket) -> UnixStream {
    let stream = UnixStream::connect(socket.path()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

fn ask(stream: &UnixStream, line: &str) -> String {
    (&*stream).write_all(line.as_bytes()).unwrap();
    let mut reply = String::new();
    BufReader::new(stream).read_line(&mut reply).unwrap();
    reply
}

#[test]
fn several_talk_to_the_same_card_and_one_that_is_cut_off_does_not_matter() {
    let folder = TempDir::new().unwrap();
    let card = SoftCard::new(CardConfig::default());
    let control = Control::new(vec![card.clone()]);
    let socket = ControlSocket::start(control.clone(), folder.path().join("control")).unwrap();
    let (one, other) = (connect(&socket), connect(&socket));
    assert!(ask(&one, "telephone 0 off-hook\n").contains(r#""ok":true"#));
    assert!(ask(&other, "telephone 0 state\n").contains(r#""off_hook":true"#));
    (&one).write_all(&vec![b'x'; 1 << 16]).unwrap();
    // The server does not read the rest of the line, so that the connection may end with a reset.
    let _ = (&one).read_to_end(&mut Vec::new());
    assert!(ask(&other, "state\n").contains(r#""ok":true"#));

    let error = ControlSocket::start(control, socket.path()).unwrap_err();
    assert!(matches!(error, SocketPathError::InUse(_)));
    let path = socket.path().to_owned();
    drop(socket);
    assert_eq!((&other).read(&mut [0]).unwrap(), 0);
    assert!(!path.exists());
}

#[test]
fn a_client_is_answered_refused_and_notified_of_the_end() {
    let folder = TempDir::new().unwrap();
    let card = SoftCard::new(CardConfig::default());
    let control = Control::new(vec![card.clone()]);
    let socket = ControlSocket::start(control, folder.path().join("control")).unwrap();
    let mut client = Client::open(socket.path()).unwrap();
    assert_eq!(client.ask("state").unwrap()["now_ms"], 0);
    for (wrong, reason) in [("telephone 9 off-hook", "0 to 3"), ("", "one line"), ("a\nb", "one")] {
        let error = client.ask(wrong).unwrap_err();
        assert!(matches!(error, ClientError::Refused { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    card.advance(3);
    assert_eq!(client.ask("state").unwrap()["now_ms"], 3, "and goes on");
    drop(socket);
    assert!(matches!(client.ask("state"), Err(ClientError::Lost(_))));
}

#[test]
fn idle_clients_do_not_use_up_the_threads_and_descriptors() {
    let folder = TempDir::new().unwrap();
    let control = Control::new(vec![SoftCard::new(CardConfig::default())]);
    let socket = ControlSocket::start(control, folder.path().join("control")).unwrap();
    let seated: Vec<UnixStream> = (0..16).map(|_| connect(&socket)).collect();
    for one in &seated {
        assert!(ask(one, "state\n").contains(r#""ok":true"#));
    }
    // A further client is refused while no conversation is silent for long: it gets the reason, and
    // is disconnected.
    let late = connect(&socket);
    let mut told = String::new();
    (&late).read_to_string(&mut told).unwrap();
    assert!(told.contains("16 others talk"), "{told}");
    assert!(ask(&seated[0], "state\n").contains(r#""ok":true"#));
    // Once a conversation has been silent for long, a new client gets its place.
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let other = connect(&socket);
        // A client that gets no place may be disconnected before this write.
        let _ = (&other).write_all(b"state\n");
        let mut reply = String::new();
        let _ = BufReader::new(&other).read_line(&mut reply);
        if reply.contains(r#""ok":true"#) {
            break;
        }
        assert!(Instant::now() < deadline, "{reply}");
        assert!(ask(&seated[0], "state\n").contains(r#""ok":true"#), "not the one that talks");
        std::thread::sleep(Duration::from_millis(100));
    }
}

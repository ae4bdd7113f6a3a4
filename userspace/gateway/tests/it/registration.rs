//! Lines register at their PBX.

use std::io::BufRead;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rsipstack::sip::Request;
use rsipstack::sip::prelude::HeadersExt;

use crate::agent::{Agent, REGISTRAR_SECRET, REGISTRAR_USER, expires};
use crate::program;
use crate::site::{DEADLINE, Site, within};

/// A secret's file.
fn secret(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let path = file.display().to_string();
    (folder, path)
}

/// Registers with a digest, again and again, and unregisters when the gateway is stopped.
async fn registers(agent: Agent) {
    let (_folder, path) = secret(REGISTRAR_SECRET);
    let trunk = agent.trunk();
    let parameter = if trunk.ends_with("tcp") { ";transport=tcp" } else { "" };
    let telephone = format!(
        "[line.0]\ntrunk = '{trunk}'\nnumber = '100'\nuser = '{REGISTRAR_USER}'\n\
         secret_file = '{path}'\nregister = true"
    );
    let site = Site::of_trunk(agent, &trunk, "", &telephone).await;
    let first = site.agent.registered().await;
    let about = format!("<sip:100@{}>", site.agent.host());
    assert_eq!(first.to_header().unwrap().value(), about);
    assert!(first.from_header().unwrap().value().starts_with(&about), "{first}");
    let contact = first.contact_header().unwrap().value().to_lowercase();
    assert_eq!(contact, format!("<sip:100@{}{parameter}>", site.gateway.address()));
    assert_eq!(expires(&first), 3600);
    let id = |request: &Request| request.call_id_header().unwrap().value().to_owned();
    let number = |request: &Request| request.cseq_header().unwrap().seq().unwrap();
    let again = site.agent.registered().await;
    assert_eq!(id(&again), id(&first), "it is the same registration");
    assert!(number(&again) > number(&first), "{again}");
    let Site { agent, gateway, .. } = site;
    gateway.stop().await;
    let last = within("it is unregistered", async {
        loop {
            let request = agent.registered().await;
            if expires(&request) == 0 {
                break request;
            }
        }
    })
    .await;
    assert_eq!(id(&last), id(&first));
}

#[tokio::test]
async fn a_telephone_registers_is_refreshed_and_unregisters() {
    registers(Agent::start().await).await;
}

#[tokio::test]
async fn a_telephone_registers_by_tcp() {
    registers(Agent::by_tcp("127.0.0.1").await).await;
}

#[test]
fn a_registration_that_is_refused_is_told_in_the_log_with_the_cure() {
    let registrar = UdpSocket::bind("127.0.0.1:0").unwrap();
    registrar.set_read_timeout(Some(DEADLINE)).unwrap();
    let port = registrar.local_addr().unwrap().port();
    let text = program::RIGHT.replace("127.0.0.1:9", &format!("127.0.0.1:{port}"));
    let (mut child, _folder, mut log) = program::start(&format!("{text}register = true\n"));
    let mut datagram = [0; 4000];
    let (len, from) = registrar.recv_from(&mut datagram).unwrap();
    let request = str::from_utf8(&datagram[..len]).unwrap();
    assert!(
        request.starts_with(&format!("REGISTER sip:127.0.0.1:{port} SIP/2.0\r\n")),
        "{request}"
    );
    let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines = request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
    let answer = lines
        .fold("SIP/2.0 403 Forbidden\r\n".to_owned(), |text, line| format!("{text}{line}\r\n"));
    registrar.send_to(format!("{answer}Content-Length: 0\r\n\r\n").as_bytes(), from).unwrap();
    let mut line = String::new();
    while !line.contains("refuses to register line 2: 403 Forbidden: check its number") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "it has ended");
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

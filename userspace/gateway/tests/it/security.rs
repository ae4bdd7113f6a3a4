//! Who may not call.

use std::os::unix::fs::PermissionsExt;

use ringback_gateway::sdp::Codec;
use rsipstack::sip::StatusCode;
use tokio::net::UdpSocket;

use crate::agent::Agent;
use crate::site::{SUBSCRIBER, Site, within};
use crate::voice::Voice;

/// A request in plain text.
pub fn request(method: &str, from: &UdpSocket, number: u32) -> String {
    let local = from.local_addr().unwrap();
    format!(
        "{method} sip:{SUBSCRIBER}@gateway SIP/2.0\r\nVia: SIP/2.0/UDP {local};\
         branch=z9hG4bK{method}{number};rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n\
         Call-ID: {number}\r\nCSeq: 1 {method}\r\nContact: <sip:a@{local}>\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
}

#[tokio::test]
async fn a_stranger_gets_no_answer_at_all() {
    // The trunk is at another address of the loopback than the stranger.
    let agent = Agent::at("127.0.0.1").await;
    let site = Site::of_trunk(agent, "sip:127.0.0.2", "", "").await;
    let gateway = site.gateway.address();
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let peer = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let mut datagram = [0; 1500];
    for method in ["INVITE", "OPTIONS", "REGISTER", "BYE"] {
        stranger.send_to(request(method, &stranger, 1).as_bytes(), gateway).await.unwrap();
    }
    // What the stack answers without looking at it.
    stranger.send_to(b"\r\n\r\n", gateway).await.unwrap();
    // The gateway's socket has one queue: when the peer is answered, the stranger was read.
    for (method, status) in [("OPTIONS", "200"), ("REGISTER", "405"), ("BYE", "405")] {
        peer.send_to(request(method, &peer, 2).as_bytes(), gateway).await.unwrap();
        let (len, _) = within("an answer", peer.recv_from(&mut datagram)).await.unwrap();
        let text = String::from_utf8_lossy(&datagram[..len]).into_owned();
        assert!(text.starts_with(&format!("SIP/2.0 {status} ")), "{method}: {text}");
        assert!(text.contains("INVITE, ACK, CANCEL, BYE, OPTIONS"), "{text}");
    }
    assert!(stranger.try_recv_from(&mut datagram).is_err(), "the stranger was answered");
    assert!(site.call_records(0).await.is_empty());
}

#[tokio::test]
async fn a_peer_that_is_named_besides_may_call_on_every_line() {
    let agent = Agent::start().await;
    let site = Site::of_trunk(agent, "sip:127.0.0.2", "peers = ['127.0.0.1']", "").await;
    let mut leg = site.agent.call(site.gateway.address(), SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    leg.hang_up().await;
    site.line_idle().await;
}

#[tokio::test]
async fn callers_have_to_know_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "open sesame\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let sip = format!("user = 'pbx'\nsecret_file = '{}'", file.display());
    let site = Site::with(&sip, "").await;
    let gateway = site.gateway.address();
    let call = async |credential| {
        let voice = Voice::new(site.agent.address.ip(), Codec::Pcmu).await;
        let offer = voice.description();
        site.agent.invite(gateway, SUBSCRIBER, voice, offer, credential)
    };
    for wrong in [None, Some(("pbx", "open says me")), Some(("bpx", "open sesame"))] {
        let status = call(wrong).await.final_response().await.status_code;
        assert_eq!(status, StatusCode::Unauthorized, "{wrong:?}");
    }
    assert!(site.call_records(0).await.is_empty(), "no line was used");
    let mut leg = call(Some(("pbx", "open sesame"))).await;
    leg.progress(StatusCode::Ringing).await;
    leg.hang_up().await;
    site.line_idle().await;
}

#[tokio::test]
async fn a_peer_begins_no_more_calls_than_it_may() {
    let site = Site::with("calls_per_second = 1", "").await;
    let gateway = site.gateway.address();
    let mut refused = 0;
    let mut legs = Vec::new();
    for _ in 0..20 {
        legs.push(site.agent.call(gateway, "!", Codec::Pcmu).await);
    }
    for leg in &mut legs {
        let response = leg.final_response().await;
        if response.status_code == StatusCode::ServiceUnavailable {
            assert!(response.to_string().contains("Retry-After: 1"), "{response}");
            refused += 1;
        }
    }
    // The others were let in, and refused for their number.
    assert!((1..20).contains(&refused), "{refused} of 20 are refused");
}

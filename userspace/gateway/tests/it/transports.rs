//! TCP, and IPv6.

use ringback_gateway::sdp::Codec;
use ringback_media::caller_id::{Caller, Party};
use rsipstack::sip::StatusCode;
use rsipstack::sip::prelude::HeadersExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::agent::Agent;
use crate::site::{LINE, SUBSCRIBER, Site, eventually, within};
use crate::voice::Voice;

/// A call in each direction, each hung up by the side that was called.
async fn calls_by_tcp(ip: &str) {
    let agent = Agent::by_tcp(ip).await;
    let trunk = agent.trunk();
    // Its callers are known before the line rings, so that nothing is waited for.
    let site = Site::in_country("UK".parse().unwrap(), agent, &trunk, "", "").await;
    let gateway = site.gateway.address();
    let mut leg = site.agent.call(gateway, SUBSCRIBER, Codec::Pcmu).await;
    let early = leg.progress(StatusCode::SessionProgress).await;
    assert!(early.via_header().unwrap().value().starts_with("SIP/2.0/TCP "), "{early}");
    let contact = early.contact_header().unwrap().value().to_lowercase();
    assert!(contact.contains(&format!("{gateway};transport=tcp")), "{contact}");
    eventually("the subscriber is rung", || site.telephone.is_ringing()).await;
    site.telephone.off_hook();
    site.telephone.play(&ringback_softcard::scenery::tone(1000.0, 1000));
    leg.answered().await;
    leg.voice.dial("1");
    eventually("the subscriber gets a digit", || site.telephone.digits_heard() == "1").await;
    site.telephone.on_hook();
    leg.ended().await;
    site.line_idle().await;

    site.exchange.tell_callers(true);
    let caller = Caller { number: Party::Known("5550123".into()), ..Caller::default() };
    site.exchange.set_caller(SUBSCRIBER, caller).unwrap();
    site.telephone.call(LINE);
    let called = site.agent.called().await;
    assert!(called.request.via_header().unwrap().value().starts_with("SIP/2.0/TCP "));
    let contact = called.request.contact_header().unwrap().value().to_lowercase();
    assert!(contact.contains(&format!("{gateway};transport=tcp")), "{contact}");
    let from = called.request.from_header().unwrap().value().to_owned();
    assert!(from.starts_with(&format!("<sip:5550123@{}>", site.agent.host())), "{from}");
    called.leg.answer(&called.request);
    called.leg.voice.hears_packets().await;
    called.leg.hang_up().await;
    site.line_idle().await;
    let records = site.call_records(2).await;
    let ends: Vec<_> = records.iter().map(|record| &record["ended_by"]).collect();
    assert_eq!(ends, ["line", "pbx"]);
}

#[tokio::test]
async fn calls_in_both_directions_go_by_tcp() {
    calls_by_tcp("127.0.0.1").await;
}

#[tokio::test]
async fn calls_in_both_directions_go_by_tcp_over_ipv6() {
    calls_by_tcp("::1").await;
}

#[tokio::test]
async fn a_session_at_an_address_of_the_other_family_is_refused() {
    let site = Site::new("").await;
    let voice = Voice::new("::1".parse().unwrap(), Codec::Pcmu).await;
    let offer = voice.description();
    let mut leg = site.agent.invite(site.gateway.address(), SUBSCRIBER, voice, offer, None);
    assert_eq!(leg.final_response().await.status_code, StatusCode::NotAcceptableHere);
}

#[tokio::test]
async fn a_connection_carries_messages_however_they_are_cut_and_a_strangers_is_closed() {
    let site = Site::of_trunk(Agent::start().await, "sip:127.0.0.2;transport=tcp", "", "").await;
    let gateway = site.gateway.address();
    let options = |local: &str, number: u32| {
        format!(
            "OPTIONS sip:gateway SIP/2.0\r\nVia: SIP/2.0/TCP {local};branch=z9hG4bKtcp{number}\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: {number}\r\nCSeq: 1 OPTIONS\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let mut stranger = TcpStream::connect(gateway).await.unwrap();
    let local = stranger.local_addr().unwrap().to_string();
    // It may be disconnected before or after this.
    let _ = stranger.write_all(options(&local, 1).as_bytes()).await;
    let mut answer = Vec::new();
    let end = within("the stranger is disconnected", stranger.read_to_end(&mut answer)).await;
    assert!(answer.is_empty(), "{end:?}: {}", String::from_utf8_lossy(&answer));

    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut peer = socket.connect(gateway).await.unwrap();
    peer.set_nodelay(true).unwrap();
    let local = peer.local_addr().unwrap().to_string();
    let text = [options(&local, 2), options(&local, 3)].concat();
    let (first, rest) = text.split_at(40);
    let (second, third) = rest.split_at(text.len() / 2);
    for part in [first, second, third] {
        peer.write_all(part.as_bytes()).await.unwrap();
        peer.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    let (mut text, mut part) = (String::new(), [0; 2000]);
    while text.matches("SIP/2.0 200 OK").count() < 2 {
        let len = within("both answers", peer.read(&mut part)).await.unwrap();
        assert_ne!(len, 0, "disconnected after {text}");
        text.push_str(str::from_utf8(&part[..len]).unwrap());
    }
    assert!(text.contains("Call-ID: 2\r\n") && text.contains("Call-ID: 3\r\n"), "{text}");
}

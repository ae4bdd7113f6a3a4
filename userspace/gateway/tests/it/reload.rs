//! The gateway follows another configuration while it runs.

use ringback_driver::PortNumber;
use ringback_gateway::sdp::Codec;
use ringback_softcard::scenery::{LINE_NUMBERS, tone};
use ringback_softcard::{Behaviour, LineState};
use rsipstack::sip::StatusCode;

use crate::agent::cause;
use crate::site::{LINE, SUBSCRIBER, Site, eventually, within};

#[tokio::test]
async fn a_call_goes_on_while_lines_come_go_and_change() {
    let mut site = Site::new("").await;
    let (gateway, trunk) = (site.gateway.address(), site.agent.trunk());
    let telephone = site.card.telephone(PortNumber(0)).unwrap();
    telephone.set_behaviour(Behaviour::Manual);
    let refused = async |site: &Site, number: &str| {
        let mut leg = site.agent.call(gateway, number, Codec::Pcmu).await;
        let response = leg.final_response().await;
        let why = cause(&response);
        (response.status_code, why)
    };
    let because = |cause: &str| Some(format!("Q.850;cause={cause}"));
    let mut leg = site.agent.call(gateway, SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 60_000));
    leg.answered().await;

    // A telephone comes, and the line of the call changes.
    let line = format!("[line.2]\ntrunk = '{trunk}'\ngain_received = -3\n");
    let telephones = |number: &str| format!("[line.0]\ntrunk = '{trunk}'\nnumber = '{number}'\n");
    site.reload(&format!("{line}{}", telephones("100"))).await.unwrap();
    leg.voice.hears(1000.0).await;
    let mut other = site.agent.call(gateway, "100", Codec::Pcmu).await;
    other.progress(StatusCode::Ringing).await;
    eventually("it rings", || telephone.is_ringing()).await;
    other.hang_up().await;
    site.call_records(1).await;
    // It gets another number: the old one is dialled, and the only line is in use.
    site.reload(&format!("{line}{}", telephones("200"))).await.unwrap();
    assert_eq!(refused(&site, "100").await.1, because("34"));
    let mut other = site.agent.call(gateway, "200", Codec::Pcmu).await;
    other.progress(StatusCode::Ringing).await;
    other.hang_up().await;
    site.call_records(2).await;
    // What is wrong changes nothing, not even what is right beside it.
    let wrong = site.reload("[line.7]\ntrunk = 'sip:127.0.0.1'\n").await.unwrap_err();
    assert!(wrong.contains("[line.7]: there is no such line"), "{wrong}");
    leg.voice.hears(1000.0).await;

    // The line of the call goes: the call does not, and no other is made on the line.
    site.reload(&telephones("200")).await.unwrap();
    leg.voice.hears(1000.0).await;
    assert_eq!(refused(&site, SUBSCRIBER).await, (StatusCode::NotFound, because("1")));
    // It can't come back while it has its call.
    let early = site.reload(&format!("{line}{}", telephones("200"))).await.unwrap_err();
    assert!(early.contains("line 2 can't be opened"), "{early}");
    leg.hang_up().await;
    site.line_idle().await;
    let back = format!("{line}{}", telephones("200"));
    let mut again = site.reload(&back).await;
    for _ in 0..100 {
        if again.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        again = site.reload(&back).await;
    }
    again.unwrap();
    let mut leg = site.agent.call(gateway, SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::SessionProgress).await;
    leg.hang_up().await;
    site.line_idle().await;
    assert_eq!(site.exchange.state(LINE_NUMBERS[1]), Some(LineState::Idle), "it is not ours");
    eventually("the line is on-hook", || site.exchange.state(LINE) == Some(LineState::Idle)).await;
}

#[tokio::test]
async fn records_go_to_a_new_file_of_the_name_and_another_pbx_may_call() {
    let mut site = Site::new("").await;
    let gateway = site.gateway.address();
    let file = site.records.path().join("calls");
    let rotated = site.records.path().join("calls.1");
    std::fs::rename(&file, &rotated).unwrap();
    let trunk = site.agent.trunk();
    let line = format!("[line.2]\ntrunk = '{trunk}'\n");
    site.reload(&line).await.unwrap();
    let mut leg = site.agent.call(gateway, SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    leg.hang_up().await;
    assert_eq!(site.call_records(1).await[0]["to"], SUBSCRIBER);
    assert_eq!(std::fs::read_to_string(&rotated).unwrap(), "");
    // The PBX is at another address now, and the old one may not call any more.
    site.reload("[line.2]\ntrunk = 'sip:127.0.0.2'\n").await.unwrap();
    let peer = tokio::net::UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let text = format!(
        "OPTIONS sip:gateway SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKreload;rport\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        peer.local_addr().unwrap()
    );
    peer.send_to(text.as_bytes(), gateway).await.unwrap();
    let mut datagram = [0; 1500];
    within("an answer", peer.recv_from(&mut datagram)).await.unwrap();
    assert!(datagram.starts_with(b"SIP/2.0 200 "));
}

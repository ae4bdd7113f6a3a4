//! The gateway is stopped while calls go on.

use std::time::Duration;

use ringback_gateway::sdp::Codec;
use ringback_softcard::LineState;
use ringback_softcard::scenery::{LINE_NUMBERS, tone};
use rsipstack::sip::StatusCode;
use tokio::net::UdpSocket;

use crate::agent::cause;
use crate::security::request;
use crate::site::{DEADLINE, LINE, SUBSCRIBER, Site, eventually, within};
use crate::telephones::{EXTENSION, office};

#[tokio::test]
async fn calls_go_on_while_it_drains_and_no_new_one_begins() {
    let (mut site, telephone) = office().await;
    let gateway = site.gateway.address();
    let mut leg = site.agent.call(gateway, SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 60_000));
    leg.answered().await;
    let mut drained = false;
    {
        let drain = site.gateway.drain(DEADLINE);
        let talk = async {
            // Neither of the other lines takes a call, and the call is not disturbed.
            for number in [EXTENSION, "5550156"] {
                let mut other = site.agent.call(gateway, number, Codec::Pcmu).await;
                let refused = other.final_response().await;
                assert_eq!(refused.status_code, StatusCode::ServiceUnavailable, "{number}");
                assert_eq!(cause(&refused).as_deref(), Some("Q.850;cause=41"));
                assert!(refused.to_string().contains("Retry-After: 30\r\n"), "{refused}");
            }
            assert!(!telephone.is_ringing());
            // Who looks for another gateway finds out so.
            let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            peer.send_to(request("OPTIONS", &peer, 1).as_bytes(), gateway).await.unwrap();
            let mut datagram = [0; 2000];
            within("an answer", peer.recv_from(&mut datagram)).await.unwrap();
            assert!(datagram.starts_with(b"SIP/2.0 503 "));
            leg.voice.hears(1000.0).await;
            assert_eq!(site.exchange.state(LINE_NUMBERS[1]), Some(LineState::Talking));
            leg.hang_up().await;
        };
        tokio::join!(
            async {
                drain.await;
                drained = true;
            },
            talk
        );
    }
    assert!(drained);
    let idle = || site.exchange.state(LINE_NUMBERS[1]) == Some(LineState::Idle);
    eventually("the line is on-hook", idle).await;
    site.gateway.stop().await;
}

#[tokio::test]
async fn a_call_that_does_not_end_in_time_is_hung_up() {
    let mut site = Site::new("").await;
    let mut leg = site.agent.call(site.gateway.address(), SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 1000));
    leg.answered().await;
    site.gateway.drain(Duration::from_millis(1)).await;
    assert_eq!(site.exchange.state(LINE), Some(LineState::Talking));
    site.gateway.stop().await;
    leg.ended().await;
    let text = std::fs::read_to_string(site.records.path().join("calls")).unwrap();
    assert!(text.contains("\"ended_by\":\"gateway\""), "{text}");
}

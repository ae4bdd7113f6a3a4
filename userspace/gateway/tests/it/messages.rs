//! Telephones show whether messages wait.

use std::net::SocketAddr;

use ringback_country::CallerIdCoding;
use ringback_driver::PortNumber;
use ringback_softcard::Telephone;
use rsipstack::sip::prelude::HeadersExt;
use rsipstack::sip::{Header, Request};
use tokio::net::UdpSocket;

use crate::agent::{Agent, expires};
use crate::site::{Site, eventually, within};
use crate::telephones::{EXTENSION, office};

/// A socket of the PBX that sends NOTIFY requests.
struct Notifier {
    socket: UdpSocket,
    gateway: SocketAddr,
    sent: u32,
}

const SUMMARY: &str =
    "Event: message-summary\r\nContent-Type: application/simple-message-summary\r\n";

impl Notifier {
    async fn new(gateway: SocketAddr) -> Notifier {
        Notifier { socket: UdpSocket::bind("127.0.0.1:0").await.unwrap(), gateway, sent: 0 }
    }

    /// Sends one; returns the status of its response.
    async fn notify(&mut self, uri: &str, to: &str, headers: &str, body: &str) -> u16 {
        self.sent += 1;
        let (number, len) = (self.sent, body.len());
        let local = self.socket.local_addr().unwrap();
        let text = format!(
            "NOTIFY {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKn{number};rport\r\n\
             From: <sip:pbx@b>;tag=1\r\nTo: {to}\r\nCall-ID: notify\r\nCSeq: {number} NOTIFY\r\n\
             Max-Forwards: 70\r\n{headers}Content-Length: {len}\r\n\r\n{body}"
        );
        self.socket.send_to(text.as_bytes(), self.gateway).await.unwrap();
        let mut datagram = [0; 2000];
        let (len, _) = within("an answer", self.socket.recv_from(&mut datagram)).await.unwrap();
        let answer = str::from_utf8(&datagram[..len]).unwrap();
        answer.strip_prefix("SIP/2.0 ").unwrap()[..3].parse().unwrap()
    }
}

async fn shows(telephone: &Telephone, wait: bool) {
    eventually(&format!("the display shows {wait}"), || {
        telephone.displayed_messages() == Some(wait)
    })
    .await;
}

#[tokio::test]
async fn a_pbx_tells_by_itself_and_the_telephone_is_told() {
    let (site, telephone) = office().await;
    telephone.set_display(CallerIdCoding::Bell202);
    let mut pbx = Notifier::new(site.gateway.address()).await;
    let (yes, no) = ("Messages-Waiting: yes\r\n", "Messages-Waiting: no\r\n");
    let own = format!("sip:{EXTENSION}@gateway");
    assert_eq!(pbx.notify(&own, "<sip:x@y>", SUMMARY, yes).await, 200);
    shows(&telephone, true).await;
    // A PBX may name the telephone elsewhere.
    let to = format!("<sip:{EXTENSION}@pbx>");
    assert_eq!(pbx.notify("sip:gateway", &to, SUMMARY, no).await, 200);
    shows(&telephone, false).await;
    let body = format!("{yes}Message-Account: sip:{EXTENSION}@pbx\r\nVoice-Message: 1/0\r\n");
    assert_eq!(pbx.notify("sip:gateway", "<sip:x@y>", SUMMARY, &body).await, 200);
    shows(&telephone, true).await;
    // What is wrong is refused, and changes nothing.
    assert_eq!(pbx.notify("sip:7@gateway", "<sip:x@y>", SUMMARY, no).await, 404);
    assert_eq!(pbx.notify("sip:in@gateway", "<sip:in@y>", SUMMARY, no).await, 404, "no telephone");
    assert_eq!(pbx.notify(&own, "<sip:x@y>", "Event: presence\r\n", no).await, 489);
    assert_eq!(pbx.notify(&own, "<sip:x@y>", "Event: message-summary\r\n", no).await, 415);
    assert_eq!(pbx.notify(&own, "<sip:x@y>", SUMMARY, "none").await, 400);
    assert_eq!(pbx.notify(&own, "<sip:x@y>;tag=9", SUMMARY, no).await, 481, "nobody has asked");
    assert_eq!(telephone.displayed_messages(), Some(true));
}

#[tokio::test]
async fn a_telephone_subscribes_to_its_mailbox_again_and_again() {
    let agent = Agent::start().await;
    let trunk = agent.trunk();
    let line = format!("[line.0]\ntrunk = '{trunk}'\nnumber = '100'\nmailbox = '199'");
    let site = Site::of_trunk(agent, &trunk, "", &line).await;
    let telephone = site.card.telephone(PortNumber(0)).unwrap();
    telephone.set_display(CallerIdCoding::Bell202);
    let first = site.agent.subscribed().await;
    assert_eq!(first.uri.to_string(), format!("sip:199@{}", site.agent.host()));
    let has = |header: Header| first.headers.iter().any(|own| *own == header);
    assert!(has(Header::Event("message-summary".into())), "{first}");
    assert!(has(Header::Accept("application/simple-message-summary".into())), "{first}");
    let tag =
        |request: &Request| request.from_header().unwrap().tag().unwrap().unwrap().to_string();
    let in_dialog = |request: &Request| request.to_header().unwrap().tag().unwrap().is_some();
    assert!(!in_dialog(&first));
    let to = format!("<sip:199@pbx>;tag={}", tag(&first));
    let mut pbx = Notifier::new(site.gateway.address()).await;
    let active = format!("{SUMMARY}Subscription-State: active;expires=2\r\n");
    assert_eq!(pbx.notify("sip:199@gw", &to, &active, "Messages-Waiting: yes\r\n").await, 200);
    shows(&telephone, true).await;
    let again = site.agent.subscribed().await;
    assert!(in_dialog(&again) && tag(&again) == tag(&first), "{again}");
    assert_eq!(again.uri.to_string(), format!("sip:pbx@{}", site.agent.address), "its contact");
    // The PBX ends it: another one begins.
    let over = "Event: message-summary\r\nSubscription-State: terminated;reason=timeout\r\n";
    assert_eq!(pbx.notify("sip:199@gw", &to, over, "").await, 200);
    within("another subscription", async { while in_dialog(&site.agent.subscribed().await) {} })
        .await;
    let Site { agent, gateway, .. } = site;
    gateway.stop().await;
    within("the end of it", async { while expires(&agent.subscribed().await) != 0 {} }).await;
}

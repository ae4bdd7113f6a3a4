//! Any bytes as datagrams of RTP, each behind its length: what is a packet is written as it was
//! read, and a digit is one of those that there are, once for each event.

#![no_main]

#[path = "../src/rtp.rs"]
mod rtp;
#[path = "../src/telephone_event.rs"]
#[allow(dead_code, reason = "the gateway also sends events")]
mod telephone_event;

use libfuzzer_sys::fuzz_target;
use rtp::Packet;
use telephone_event::EventReceiver;

fuzz_target!(|bytes: &[u8]| {
    let (mut receiver, mut rest) = (EventReceiver::default(), bytes);
    let mut last = None;
    while let Some((length, behind)) = rest.split_first() {
        let (datagram, behind) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = behind;
        let Some(packet) = Packet::read(datagram) else { continue };
        let mut written = vec![7; 3];
        packet.write(&mut written);
        assert_eq!(Packet::read(&written), Some(packet));
        assert!(written.len() <= datagram.len());
        let digit = receiver.receive(&packet);
        if let Some(digit) = digit {
            assert!("0123456789*#ABCD!".contains(digit), "{digit:?}");
            let event = (packet.source, packet.timestamp);
            assert_ne!(last.replace(event), Some(event), "the same event twice");
        }
    }
});

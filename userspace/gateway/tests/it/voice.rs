//! RTP as the PBX has it: sends a tone and digits, and records what comes.
//!
//! It sends a packet for each one that comes, so that it has the clock of the card, however busy
//! the machine is.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use ringback_gateway::rtp::Packet;
use ringback_gateway::sdp::{Codec, Session};
use ringback_media::g711;
use ringback_media::level::{power_at, rms_dbm0};
use ringback_media::tone::Generator;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::site::eventually;

/// Samples of a packet.
const FRAME: usize = 160;
/// The payload type of events.
const EVENTS: u8 = 101;
/// The last one is a hook flash.
const DIGITS: &str = "0123456789*#ABCD!";

#[derive(Default)]
struct Heard {
    samples: Vec<i16>,
    digits: String,
    /// The beginning of the event that was heard last.
    event: Option<u32>,
    packets: Vec<(u16, u8)>,
}

#[derive(Default)]
struct Said {
    to: Option<SocketAddr>,
    tone: Option<Generator>,
    digits: Vec<char>,
}

/// One end of a stream.
pub struct Voice {
    codec: Codec,
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    said: Arc<Mutex<Said>>,
    task: JoinHandle<()>,
}

impl Voice {
    pub async fn new(ip: IpAddr, codec: Codec) -> Voice {
        let socket = UdpSocket::bind((ip, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let (heard, said) = <(Arc<Mutex<Heard>>, Arc<Mutex<Said>>)>::default();
        let task = tokio::spawn(talk(socket, codec, Arc::clone(&heard), Arc::clone(&said)));
        Voice { codec, address, heard, said, task }
    }

    /// What the PBX offers or answers: this codec, and events.
    pub fn description(&self) -> Vec<u8> {
        let Voice { codec, address, .. } = self;
        let (family, ip) = (if address.is_ipv4() { "IP4" } else { "IP6" }, address.ip());
        let (number, name) = (codec.static_type(), codec.name());
        format!(
            "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n\
             m=audio {} RTP/AVP {number} {EVENTS}\r\na=rtpmap:{number} {name}/8000\r\n\
             a=rtpmap:{EVENTS} telephone-event/8000\r\n",
            address.port()
        )
        .into_bytes()
    }

    /// The same, with the event of a hook flash among them.
    pub fn description_with_flash(&self) -> Vec<u8> {
        let events = format!("a=fmtp:{EVENTS} 0-16\r\n");
        [self.description(), events.into_bytes()].concat()
    }

    /// Sends to where this description says from now on.
    pub fn connect(&self, description: &[u8]) {
        let session = Session::read(description).unwrap();
        assert_eq!((session.codec, session.events), (self.codec, Some(EVENTS)));
        self.said.lock().unwrap().to = Some(session.remote);
    }

    /// Sends a tone from now on.
    pub fn tone(&self, hz: f32) {
        self.said.lock().unwrap().tone = Some(Generator::sine(hz, -12.0));
    }

    /// Sends digits as events.
    pub fn dial(&self, digits: &str) {
        self.said.lock().unwrap().digits.extend(digits.chars());
    }

    /// Waits until a tone is heard clearly: a whole second of it without a gap.
    pub async fn hears(&self, hz: f32) {
        self.heard.lock().unwrap().samples.clear();
        eventually(&format!("the PBX hears {hz} Hz"), || {
            let heard = self.heard.lock().unwrap();
            longest(&heard.samples, hz) >= 8000
        })
        .await;
    }

    /// Waits until these digits are heard.
    pub async fn hears_digits(&self, digits: &str) {
        eventually(&format!("the PBX gets the digits {digits}"), || {
            self.heard.lock().unwrap().digits == digits
        })
        .await;
    }

    /// Waits until sound comes at all.
    pub async fn hears_packets(&self) {
        eventually("the PBX hears something", || self.packets().len() >= 10).await;
    }

    /// The sequence numbers and payload types that were received.
    pub fn packets(&self) -> Vec<(u16, u8)> {
        self.heard.lock().unwrap().packets.clone()
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The longest stretch of a tone, in samples: blocks of 20 ms in which nothing else is loud.
pub fn longest(samples: &[i16], hz: f32) -> usize {
    let (mut longest, mut now) = (0, 0);
    for block in samples.chunks_exact(FRAME) {
        let level = power_at(block, hz);
        now = if level > -35.0 && rms_dbm0(block) < level + 1.0 { now + FRAME } else { 0 };
        longest = longest.max(now);
    }
    longest
}

async fn talk(socket: UdpSocket, codec: Codec, heard: Arc<Mutex<Heard>>, said: Arc<Mutex<Said>>) {
    let mut datagram = [0; 1500];
    let mut speaker = Speaker { codec, sequence: 7, timestamp: 1000, event: None };
    while let Ok((len, _)) = socket.recv_from(&mut datagram).await {
        let packet = Packet::read(&datagram[..len]).expect("the gateway sends RTP");
        heard.lock().unwrap().receive(&packet, codec);
        let next = speaker.next(&mut said.lock().unwrap());
        if let Some((to, datagram)) = next {
            // The gateway's socket may be closed already.
            let _ = socket.send_to(&datagram, to).await;
        }
    }
}

impl Heard {
    fn receive(&mut self, packet: &Packet<'_>, codec: Codec) {
        self.packets.push((packet.sequence, packet.payload_type));
        if packet.payload_type == EVENTS {
            if self.event.replace(packet.timestamp) != Some(packet.timestamp) {
                self.digits.extend(DIGITS.chars().nth(usize::from(packet.payload[0])));
            }
            return;
        }
        assert_eq!((packet.payload_type, packet.payload.len()), (codec.static_type(), FRAME));
        let decode = match codec {
            Codec::Pcmu => g711::ulaw_decode,
            Codec::Pcma => g711::alaw_decode,
        };
        self.samples.extend(packet.payload.iter().map(|code| decode(*code)));
    }
}

struct Speaker {
    codec: Codec,
    sequence: u16,
    timestamp: u32,
    /// The digit that is sent, its beginning, and how many packets of it were sent.
    event: Option<(u8, u32, u16)>,
}

impl Speaker {
    /// The next packet, once it is known where to.
    fn next(&mut self, said: &mut Said) -> Option<(SocketAddr, Vec<u8>)> {
        let to = said.to?;
        if self.event.is_none() && !said.digits.is_empty() {
            let digit = said.digits.remove(0);
            let number = DIGITS.find(digit).unwrap();
            self.event = Some((u8::try_from(number).unwrap(), self.timestamp, 0));
        }
        let (payload_type, payload, timestamp, marker) = match &mut self.event {
            Some((number, start, count)) => {
                *count += 1;
                // 100 ms, and its end three times.
                let [high, low] = ((*count).min(5) * 160).to_be_bytes();
                let end = if *count > 5 { 0x80 } else { 0 };
                (EVENTS, vec![*number, end | 10, high, low], *start, *count == 1)
            }
            None => {
                let mut samples = [0; FRAME];
                if let Some(tone) = &mut said.tone {
                    tone.fill(&mut samples);
                }
                let encode = match self.codec {
                    Codec::Pcmu => g711::ulaw_encode,
                    Codec::Pcma => g711::alaw_encode,
                };
                let payload = samples.iter().map(|sample| encode(*sample)).collect();
                (self.codec.static_type(), payload, self.timestamp, false)
            }
        };
        self.event.take_if(|(_, _, count)| *count == 8);
        let mut datagram = Vec::new();
        let sequence = self.sequence;
        let packet =
            Packet { payload_type, marker, sequence, timestamp, source: 9, payload: &payload };
        packet.write(&mut datagram);
        self.sequence = sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
        Some((to, datagram))
    }
}

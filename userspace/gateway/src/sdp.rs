//! SDP (RFC 8866, RFC 3264): what the other side offers or answers, as far as a call of speech
//! needs it, and what we answer or offer.
//!
//! One stream of sound by RTP/AVP with G.711, with telephone events (RFC 4733) and comfort noise
//! (RFC 3389) beside it if the other side has them. Every other stream is refused, by port 0.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

pub use crate::codec::Codec;
use crate::sdp_stream::{
    COMFORT_NOISE, StreamDescription, StreamReading, TELEPHONE_EVENT, direction_of,
};

/// The longest description that is read, in bytes.
const MOST_BYTES: usize = 8192;
/// The most streams of a description.
const MOST_STREAMS: usize = 16;
/// The payload type under which we offer telephone events.
const EVENTS: u8 = 101;

/// What two sides have agreed on, or what one offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Where the other side receives RTP.
    pub remote: SocketAddr,
    /// How sound is coded.
    pub codec: Codec,
    /// The codec's payload type.
    pub payload_type: u8,
    /// The payload type of telephone events, if the other side has them.
    pub events: Option<u8>,
    /// Whether it takes a hook flash as an event.
    pub takes_flash: bool,
    /// Whether the other side has comfort noise.
    pub comfort_noise: bool,
    /// Whether the other side wants to receive.
    pub receives: bool,
    /// Whether the other side may send.
    pub sends: bool,
    /// The streams of the description, for the answer.
    streams: Vec<StreamDescription>,
    /// Which of them is the call's.
    place: usize,
}

/// Why a description can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// It is no SDP.
    #[error("the description of the session is malformed")]
    Malformed,
    /// It has no sound that we have too.
    #[error("the session has no stream of sound by RTP/AVP with PCMU or PCMA")]
    NotAcceptable,
    /// It is for the other kind of addresses.
    #[error("the session is at an IPv4 address and we at an IPv6 address, or the other way round")]
    OtherFamily,
}

impl Session {
    /// Reads an offer, or the answer to ours.
    ///
    /// # Errors
    /// [`SdpError`].
    pub fn read(body: &[u8]) -> Result<Session, SdpError> {
        let text = str::from_utf8(body).map_err(|_| SdpError::Malformed)?;
        if text.len() > MOST_BYTES || !text.starts_with("v=0") {
            return Err(SdpError::Malformed);
        }
        let (mut address, mut direction) = (None, None);
        let mut streams: Vec<StreamReading<'_>> = Vec::new();
        for line in text.lines() {
            let Some((kind, value)) = line.split_once('=') else { continue };
            let full = streams.len() == MOST_STREAMS;
            match (kind, streams.last_mut()) {
                ("m", _) if full => return Err(SdpError::Malformed),
                ("m", _) => streams.push(StreamReading::begin(value).ok_or(SdpError::Malformed)?),
                ("c", None) => address = connection(value),
                ("c", Some(stream)) => stream.address = connection(value),
                ("a", None) => direction = direction_of(value).or(direction),
                ("a", Some(stream)) => stream.attribute(value),
                _ => {}
            }
        }
        let found = streams.iter().enumerate().find_map(|(place, stream)| {
            Some((place, stream.codec()?, stream.address.or(address)?))
        });
        let (place, (payload_type, codec), address) = found.ok_or(SdpError::NotAcceptable)?;
        let stream = streams.get(place).ok_or(SdpError::NotAcceptable)?;
        let direction = stream.direction.or(direction).unwrap_or("sendrecv");
        // Before RFC 3264 a call was put on hold so.
        let held = address.is_unspecified();
        Ok(Session {
            remote: SocketAddr::new(address, stream.port),
            codec,
            payload_type,
            events: stream.events(payload_type),
            takes_flash: stream.takes_flash(payload_type),
            comfort_noise: stream.has_comfort_noise(payload_type),
            receives: !held && matches!(direction, "sendrecv" | "recvonly"),
            sends: matches!(direction, "sendrecv" | "sendonly"),
            place,
            streams: streams.into_iter().map(|reading| reading.stream).collect(),
        })
    }

    /// Whether we can send to it from this address: both are of IPv4, or both of IPv6. A call that
    /// is held has no address to send to.
    pub fn is_reachable_from(&self, local: IpAddr) -> bool {
        let remote = self.remote.ip();
        remote.is_unspecified() || remote.is_ipv4() == local.is_ipv4()
    }

    /// The answer to this offer; `local` is where we receive RTP. `version` is higher than that of
    /// the description that we sent before.
    pub fn answer(&self, local: SocketAddr, version: u64) -> Vec<u8> {
        let mut text = head(local, version);
        for (place, stream) in self.streams.iter().enumerate() {
            let StreamDescription { media, protocol, formats } = stream;
            // Writing to a String does not fail.
            let _ = if place == self.place {
                let direction = match (self.sends, self.receives) {
                    (true, true) => "sendrecv",
                    (true, false) => "recvonly",
                    (false, true) => "sendonly",
                    (false, false) => "inactive",
                };
                self.accepted(&mut text, local, direction)
            } else {
                write!(text, "m={media} 0 {protocol} {formats}\r\n")
            };
        }
        text.into_bytes()
    }

    fn accepted(&self, text: &mut String, local: SocketAddr, direction: &str) -> std::fmt::Result {
        let Session { payload_type, codec, .. } = self;
        write!(text, "m=audio {} RTP/AVP {payload_type}", local.port())?;
        if self.comfort_noise {
            write!(text, " {COMFORT_NOISE}")?;
        }
        if let Some(events) = self.events {
            write!(text, " {events}")?;
        }
        write!(text, "\r\na=rtpmap:{payload_type} {}/8000\r\n", codec.name())?;
        if self.comfort_noise {
            write!(text, "a=rtpmap:{COMFORT_NOISE} CN/8000\r\n")?;
        }
        if let Some(events) = self.events {
            write!(text, "a=rtpmap:{events} {TELEPHONE_EVENT}\r\na=fmtp:{events} 0-16\r\n")?;
        }
        write!(text, "a=ptime:20\r\na={direction}\r\n")
    }
}

/// What we offer; `local` is where we receive RTP.
pub fn offer(local: SocketAddr, version: u64) -> Vec<u8> {
    let text = head(local, version);
    let port = local.port();
    format!(
        "{text}m=audio {port} RTP/AVP 0 8 {COMFORT_NOISE} {EVENTS}\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:{COMFORT_NOISE} CN/8000\r\n\
         a=rtpmap:{EVENTS} {TELEPHONE_EVENT}\r\na=fmtp:{EVENTS} 0-16\r\na=ptime:20\r\n\
         a=sendrecv\r\n"
    )
    .into_bytes()
}

fn head(local: SocketAddr, version: u64) -> String {
    let (ip, family) = (local.ip(), if local.is_ipv4() { "IP4" } else { "IP6" });
    format!(
        "v=0\r\no=ringback {version} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\n\
         t=0 0\r\n"
    )
}

/// The address of `IN IP4 192.0.2.1`. A name is none: nobody is asked for it.
fn connection(value: &str) -> Option<IpAddr> {
    let mut words = value.split_whitespace();
    let (net, _family, address) = (words.next()?, words.next()?, words.next()?);
    if net == "IN" { address.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "192.0.2.1:10000";

    fn read(lines: &[&str]) -> Result<Session, SdpError> {
        let head = ["v=0", "o=- 1 1 IN IP4 192.0.2.2", "s=-", "t=0 0"];
        Session::read([&head, lines].concat().join("\r\n").as_bytes())
    }

    fn answer(session: &Session) -> String {
        String::from_utf8(session.answer(LOCAL.parse().unwrap(), 7)).unwrap()
    }

    #[test]
    fn the_codec_is_the_first_of_the_offer_that_we_have() {
        let session = read(&[
            "c=IN IP4 192.0.2.2",
            "m=audio 4000 RTP/AVP 9 8 0 13 96",
            "a=rtpmap:8 PCMA/8000/1",
            "a=rtpmap:96 telephone-event/8000",
        ])
        .unwrap();
        assert_eq!(session.remote.to_string(), "192.0.2.2:4000");
        assert_eq!((session.codec, session.payload_type), (Codec::Pcma, 8));
        assert_eq!((session.events, session.comfort_noise), (Some(96), true));
        assert!(session.sends && session.receives && !session.takes_flash);
        let answer = answer(&session);
        assert!(
            answer.starts_with("v=0\r\no=ringback 7 7 IN IP4 192.0.2.1\r\ns=-\r\n"),
            "{answer}"
        );
        assert!(answer.contains("\r\nm=audio 10000 RTP/AVP 8 13 96\r\na=rtpmap:8 PCMA/8000\r\n"));
        assert!(answer.ends_with("a=ptime:20\r\na=sendrecv\r\n"));
    }

    #[test]
    fn a_payload_type_means_what_the_offer_says() {
        let dynamic =
            read(&["c=IN IP6 ::1", "m=audio 9 RTP/AVP 97 0", "a=rtpmap:97 pcmu/8000"]).unwrap();
        let [four, six] = ["192.0.2.1", "::2"].map(|own| own.parse().unwrap());
        assert!(dynamic.is_reachable_from(six) && !dynamic.is_reachable_from(four));
        assert_eq!((dynamic.payload_type, dynamic.codec), (97, Codec::Pcmu));
        let wide = ["c=IN IP4 192.0.2.2", "m=audio 9 RTP/AVP 0", "a=rtpmap:0 PCMU/16000"];
        assert_eq!(read(&wide), Err(SdpError::NotAcceptable), "another rate");
    }

    #[test]
    fn a_payload_type_means_one_thing() {
        let both = ["a=rtpmap:96 PCMU/8000", "a=rtpmap:96 telephone-event/8000"];
        let head = ["c=IN IP4 192.0.2.2", "m=audio 4000 RTP/AVP 96"];
        let session = read(&[head, both].concat()).unwrap();
        assert_eq!((session.payload_type, session.events), (96, None));
        for (name, noise) in
            [("PCMA/8000", false), ("telephone-event/8000", false), ("cn/8000", true)]
        {
            let named = format!("a=rtpmap:13 {name}");
            let lines = ["c=IN IP4 192.0.2.2", "m=audio 4000 RTP/AVP 0 13", &named];
            assert_eq!(read(&lines).unwrap().comfort_noise, noise, "{name}");
        }
    }

    #[test]
    fn a_flash_is_taken_if_it_is_among_the_events() {
        for (list, takes) in [
            ("0-16", true),
            ("0-15, 16", true),
            ("16", true),
            ("0-15", false),
            ("0-15,17-40", false),
            ("16-", false),
            ("-", false),
            ("0-999", false),
            ("", false),
        ] {
            let parameters = format!("a=fmtp:96 {list}");
            let lines = [
                "c=IN IP4 192.0.2.2",
                "m=audio 4000 RTP/AVP 0 96",
                "a=rtpmap:96 telephone-event/8000",
                "a=fmtp:0 16",
                &parameters,
            ];
            assert_eq!(read(&lines).unwrap().takes_flash, takes, "{list}");
        }
    }

    #[test]
    fn other_streams_are_refused_in_their_places() {
        let session = read(&[
            "m=video 5000 RTP/AVP 31 34",
            "m=audio 4000 RTP/AVP 0",
            "c=IN IP4 192.0.2.3",
            "a=sendonly",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        ])
        .unwrap();
        assert_eq!(session.remote.to_string(), "192.0.2.3:4000");
        assert!(session.sends && !session.receives);
        let answer = answer(&session);
        let streams: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(
            streams,
            [
                "m=video 0 RTP/AVP 31 34",
                "m=audio 10000 RTP/AVP 0",
                "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"
            ]
        );
        assert!(answer.contains("a=recvonly"));
    }

    #[test]
    fn a_call_is_held_in_both_ways() {
        let stream = "m=audio 4000 RTP/AVP 0";
        for lines in [
            ["c=IN IP4 0.0.0.0", stream, "a=sendrecv"],
            ["c=IN IP4 192.0.2.2", stream, "a=sendonly"],
            ["a=inactive", stream, "c=IN IP4 192.0.2.2"],
        ] {
            assert!(!read(&lines).unwrap().receives, "{lines:?}");
        }
    }

    #[test]
    fn our_offer_is_read_back() {
        let local = "[2001:db8::1]:10002".parse().unwrap();
        let session = Session::read(&offer(local, 1)).unwrap();
        assert_eq!((session.remote, session.codec), (local, Codec::Pcmu));
        assert_eq!((session.events, session.comfort_noise), (Some(101), true));
        assert!(session.takes_flash);
    }

    #[test]
    fn what_can_not_be_used_is_refused() {
        let connection = "c=IN IP4 192.0.2.2";
        for (lines, error) in [
            ([connection, "m=audio 4000 RTP/SAVP 0"], SdpError::NotAcceptable),
            ([connection, "m=audio 0 RTP/AVP 0"], SdpError::NotAcceptable),
            ([connection, "m=audio 4000 RTP/AVP 18"], SdpError::NotAcceptable),
            (["c=IN IP4 pbx.example", "m=audio 4000 RTP/AVP 0"], SdpError::NotAcceptable),
            ([connection, "m=audio x RTP/AVP 0"], SdpError::Malformed),
            ([connection, "m=audio 70000 RTP/AVP 0"], SdpError::Malformed),
            ([connection, "m=audio"], SdpError::Malformed),
        ] {
            assert_eq!(read(&lines), Err(error), "{lines:?}");
        }
        assert_eq!(Session::read(b""), Err(SdpError::Malformed));
        assert_eq!(Session::read(&[0xFF; 20]), Err(SdpError::Malformed));
        assert_eq!(read(&["m=audio 4000 RTP/AVP 0"; 17]), Err(SdpError::Malformed));
        let long = "x".repeat(MOST_BYTES);
        assert_eq!(read(&[&*long]), Err(SdpError::Malformed));
    }
}

//! One stream of the description of a session while it is read: what its payload types mean.

use std::net::IpAddr;

use crate::codec::Codec;

/// The payload type of comfort noise (RFC 3551, table 4).
pub(crate) const COMFORT_NOISE: u8 = 13;
/// The name of telephone events.
pub(crate) const TELEPHONE_EVENT: &str = "telephone-event/8000";
/// The event of a hook flash.
const FLASH: u8 = 16;

/// How a stream is described, for the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamDescription {
    /// `audio`, `video` ...
    pub(crate) media: String,
    pub(crate) protocol: String,
    pub(crate) formats: String,
}

/// A stream while it is read.
pub(crate) struct StreamReading<'a> {
    pub(crate) stream: StreamDescription,
    pub(crate) port: u16,
    pub(crate) address: Option<IpAddr>,
    formats: Vec<u8>,
    /// The names that `rtpmap` gives to payload types.
    names: Vec<(u8, &'a str)>,
    /// What `fmtp` says of payload types.
    parameters: Vec<(u8, &'a str)>,
    pub(crate) direction: Option<&'a str>,
}

/// The direction that an attribute names.
pub(crate) fn direction_of(value: &str) -> Option<&str> {
    ["sendrecv", "sendonly", "recvonly", "inactive"].contains(&value).then_some(value)
}

impl<'a> StreamReading<'a> {
    /// Reads `audio 5004 RTP/AVP 0 8`.
    pub(crate) fn begin(value: &'a str) -> Option<StreamReading<'a>> {
        let mut words = value.split_whitespace();
        let (media, port, protocol) = (words.next()?, words.next()?, words.next()?);
        let formats: Vec<&str> = words.collect();
        // With several ports, the first one counts.
        let port = port.split('/').next()?.parse().ok()?;
        Some(StreamReading {
            stream: StreamDescription {
                media: media.to_owned(),
                protocol: protocol.to_owned(),
                formats: formats.join(" "),
            },
            port,
            address: None,
            formats: formats.iter().filter_map(|format| format.parse().ok()).collect(),
            names: Vec::new(),
            parameters: Vec::new(),
            direction: None,
        })
    }

    pub(crate) fn attribute(&mut self, value: &'a str) {
        self.direction = direction_of(value).or(self.direction);
        for (prefix, texts) in [("rtpmap:", &mut self.names), ("fmtp:", &mut self.parameters)] {
            let map = value.strip_prefix(prefix).and_then(|map| map.split_once(' '));
            if let Some((payload_type, text)) = map
                && let Ok(payload_type) = payload_type.parse()
            {
                texts.push((payload_type, text.trim()));
            }
        }
    }

    /// Whether the events are said to have that of a hook flash, as in `0-15,16` (RFC 4733, 2.4.1).
    pub(crate) fn takes_flash(&self, codec: u8) -> bool {
        let Some(events) = self.events(codec) else { return false };
        let told = self.parameters.iter().filter(|(payload_type, _)| *payload_type == events);
        told.flat_map(|(_, list)| list.split(',')).any(|range| {
            let range = range.trim();
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let range = first.parse::<u8>().ok().zip(last.parse::<u8>().ok());
            range.is_some_and(|(first, last)| (first..=last).contains(&FLASH))
        })
    }

    /// The first payload type of this name, with the number of its one channel or without.
    fn named(&self, name: &str) -> Option<u8> {
        let is_it = |own: &str| {
            let own = own.strip_suffix("/1").unwrap_or(own);
            own.eq_ignore_ascii_case(name)
        };
        let known = |format: &&u8| {
            self.names.iter().any(|(payload_type, own)| payload_type == *format && is_it(own))
        };
        self.formats.iter().find(known).copied().filter(|payload_type| *payload_type < 128)
    }

    /// The payload type of telephone events. One that is the codec's as well is none.
    pub(crate) fn events(&self, codec: u8) -> Option<u8> {
        self.named(TELEPHONE_EVENT).filter(|events| *events != codec)
    }

    /// Whether its payload type is comfort noise's, and is not said to be something else.
    pub(crate) fn has_comfort_noise(&self, codec: u8) -> bool {
        let mut names = self.names.iter().filter(|(of, _)| *of == COMFORT_NOISE);
        self.formats.contains(&COMFORT_NOISE)
            && codec != COMFORT_NOISE
            && names.all(|(_, name)| name.to_ascii_uppercase().starts_with("CN/8000"))
    }

    /// The codec that the other side prefers of those that we have, with its payload type.
    pub(crate) fn codec(&self) -> Option<(u8, Codec)> {
        let StreamDescription { media, protocol, .. } = &self.stream;
        if media != "audio" || protocol != "RTP/AVP" || self.port == 0 {
            return None;
        }
        self.formats.iter().find_map(|format| {
            let codec = [Codec::Pcmu, Codec::Pcma].into_iter().find(|codec| {
                let name = format!("{}/8000", codec.name());
                let mut names = self.names.iter().filter(|(of, _)| of == format).peekable();
                match names.peek() {
                    None => codec.static_type() == *format,
                    Some(_) => self.named(&name) == Some(*format),
                }
            });
            Some((*format, codec?)).filter(|(format, _)| *format < 128)
        })
    }
}

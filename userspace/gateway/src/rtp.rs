//! RTP packets (RFC 3550): read from a datagram, with every length checked, and written.

/// The fixed part of a header.
const HEADER: usize = 12;

/// A packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What the payload is, 0 to 127.
    pub payload_type: u8,
    /// The first packet after silence, or of an event.
    pub marker: bool,
    /// Counts packets.
    pub sequence: u16,
    /// Counts samples.
    pub timestamp: u32,
    /// Names the stream (SSRC).
    pub source: u32,
    /// Sound, or an event.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a datagram; `None` if it is no RTP packet of version 2.
    pub fn read(datagram: &'a [u8]) -> Option<Packet<'a>> {
        let (header, mut rest) = datagram.split_first_chunk::<HEADER>()?;
        let [first, second, s1, s2, t1, t2, t3, t4, source @ ..] = *header;
        if first >> 6 != 2 {
            return None;
        }
        let contributors = usize::from(first & 0x0F) * 4;
        rest = rest.get(contributors..)?;
        if first & 0x10 != 0 {
            let (extension, after) = rest.split_first_chunk::<4>()?;
            let words = usize::from(u16::from_be_bytes([extension[2], extension[3]]));
            rest = after.get(words * 4..)?;
        }
        if first & 0x20 != 0 {
            let padding = usize::from(*rest.last()?);
            if padding == 0 {
                return None;
            }
            rest = rest.get(..rest.len().checked_sub(padding)?)?;
        }
        Some(Packet {
            payload_type: second & 0x7F,
            marker: second & 0x80 != 0,
            sequence: u16::from_be_bytes([s1, s2]),
            timestamp: u32::from_be_bytes([t1, t2, t3, t4]),
            source: u32::from_be_bytes(source),
            payload: rest,
        })
    }

    /// Writes it in place of what is in `datagram`.
    pub fn write(&self, datagram: &mut Vec<u8>) {
        datagram.clear();
        datagram.push(0x80);
        datagram.push(self.payload_type & 0x7F | if self.marker { 0x80 } else { 0 });
        datagram.extend(self.sequence.to_be_bytes());
        datagram.extend(self.timestamp.to_be_bytes());
        datagram.extend(self.source.to_be_bytes());
        datagram.extend(self.payload);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_read_as_it_is_written() {
        let packet = Packet {
            payload_type: 101,
            marker: true,
            sequence: 0xFFFE,
            timestamp: 0x0102_0304,
            source: 0xA0B0_C0D0,
            payload: &[5, 6, 7],
        };
        let mut datagram = vec![9; 40];
        packet.write(&mut datagram);
        let bytes = [0x80, 0xE5, 0xFF, 0xFE, 1, 2, 3, 4, 0xA0, 0xB0, 0xC0, 0xD0, 5, 6, 7];
        assert_eq!(datagram, bytes);
        assert_eq!(Packet::read(&datagram), Some(packet));
    }

    #[test]
    fn what_is_beside_the_payload_is_left_out() {
        let header = [0xB1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        let contributor = [1, 1, 1, 1];
        let extension = [0, 0, 0, 1, 2, 2, 2, 2];
        let payload = [7, 8, 0, 0, 3];
        let datagram = [&header[..], &contributor, &extension, &payload].concat();
        assert_eq!(Packet::read(&datagram).unwrap().payload, [7, 8]);
    }

    #[test]
    fn a_length_beyond_the_datagram_is_refused() {
        let header = |first: u8| [first, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        let refused = |first: u8, rest: &[u8]| {
            let datagram = [&header(first)[..], rest].concat();
            assert_eq!(Packet::read(&datagram), None, "{first:#x} {rest:?}");
        };
        refused(0x40, &[]); // Version 1.
        refused(0x81, &[1, 2, 3]); // A contributor of 3 bytes.
        refused(0x90, &[0, 0, 0xFF, 0xFF]); // An extension of 65535 words.
        refused(0xA0, &[]); // Padding without its length.
        refused(0xA0, &[0]);
        refused(0xA0, &[1, 4]);
        assert_eq!(Packet::read(&header(0x80)[..11]), None);
        assert!(Packet::read(&header(0x80)).unwrap().payload.is_empty());
    }
}

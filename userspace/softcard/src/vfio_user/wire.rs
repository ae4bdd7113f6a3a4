//! Messages as bytes: a header of 16 bytes and a payload, in the host's byte order.

use super::refusal::Refusal;

/// Size of a header.
pub(super) const HEADER: usize = 16;

/// The longest message that is accepted. The longest useful ones are a version with its JSON and a
/// write of a whole region.
pub(super) const MAX_MESSAGE: usize = 64 * 1024;

/// Commands that a client sends.
pub(super) mod command {
    pub(in super::super) const VERSION: u16 = 1;
    pub(in super::super) const DMA_MAP: u16 = 2;
    pub(in super::super) const DMA_UNMAP: u16 = 3;
    pub(in super::super) const GET_INFO: u16 = 4;
    pub(in super::super) const GET_REGION_INFO: u16 = 5;
    pub(in super::super) const GET_IRQ_INFO: u16 = 7;
    pub(in super::super) const SET_IRQS: u16 = 8;
    pub(in super::super) const REGION_READ: u16 = 9;
    pub(in super::super) const REGION_WRITE: u16 = 10;
    pub(in super::super) const RESET: u16 = 13;
}

const TYPE_BITS: u32 = 0x0F;
const TYPE_COMMAND: u32 = 0;
const TYPE_REPLY: u32 = 1;
const NO_REPLY: u32 = 1 << 4;
const ERROR: u32 = 1 << 5;

/// A message's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) command: u16,
    /// Size of the whole message.
    pub(super) size: u32,
    flags: u32,
}

impl Header {
    pub(super) fn parse(bytes: &[u8; HEADER]) -> Header {
        let [a, b, c, d, e, f, g, h, i, j, k, l, _, _, _, _] = *bytes;
        Header {
            id: u16::from_ne_bytes([a, b]),
            command: u16::from_ne_bytes([c, d]),
            size: u32::from_ne_bytes([e, f, g, h]),
            flags: u32::from_ne_bytes([i, j, k, l]),
        }
    }

    pub(super) fn is_command(self) -> bool {
        self.flags & TYPE_BITS == TYPE_COMMAND
    }

    pub(super) fn wants_reply(self) -> bool {
        self.flags & NO_REPLY == 0
    }

    /// Returns the reply with this payload.
    pub(super) fn reply(self, payload: &[u8]) -> Vec<u8> {
        self.answer(TYPE_REPLY, 0, payload)
    }

    /// Returns the reply that reports an error.
    pub(super) fn error(self, refusal: Refusal) -> Vec<u8> {
        self.answer(TYPE_REPLY | ERROR, refusal.errno(), &[])
    }

    fn answer(self, flags: u32, error: u32, payload: &[u8]) -> Vec<u8> {
        // A payload is at most a region, which is far below 4 GiB.
        let size = (HEADER + payload.len()) as u32;
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.extend(self.id.to_ne_bytes());
        bytes.extend(self.command.to_ne_bytes());
        for word in [size, flags, error] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(payload);
        bytes
    }
}

/// Reads the fields of a payload in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Fields<'a> {
        Fields(payload)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (field, rest) =
            self.0.split_first_chunk().ok_or(Refusal::invalid("the message is too short"))?;
        self.0 = rest;
        Ok(*field)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Refusal> {
        self.take().map(u16::from_ne_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Refusal> {
        self.take().map(u32::from_ne_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Refusal> {
        self.take().map(u64::from_ne_bytes)
    }

    /// The bytes that are not read yet.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Refuses the payload if bytes are left.
    pub(super) fn end(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::invalid("the message is too long")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_carries_id_command_and_size() {
        let mut bytes = [0; HEADER];
        bytes[..2].copy_from_slice(&0x1234_u16.to_ne_bytes());
        bytes[2..4].copy_from_slice(&command::REGION_READ.to_ne_bytes());
        bytes[4..8].copy_from_slice(&32_u32.to_ne_bytes());
        let header = Header::parse(&bytes);
        assert!(header.is_command() && header.wants_reply());
        let reply = header.reply(&[1, 2, 3]);
        let parsed = Header::parse(reply.first_chunk().unwrap());
        assert_eq!((parsed.id, parsed.command, parsed.size), (0x1234, command::REGION_READ, 19));
        assert!(!parsed.is_command());
        assert_eq!(reply[HEADER..], [1, 2, 3]);
        let error = header.error(Refusal::invalid(""));
        assert_eq!(error[8..12], 0x21_u32.to_ne_bytes());
        assert_eq!(error[12..], 22_u32.to_ne_bytes());
    }

    #[test]
    fn fields_end_where_the_payload_ends() {
        let payload: Vec<u8> = (0..8).collect();
        let mut fields = Fields::new(&payload);
        assert_eq!(fields.u32(), Ok(u32::from_ne_bytes([0, 1, 2, 3])));
        assert_eq!(fields.u16(), Ok(u16::from_ne_bytes([4, 5])));
        assert!(fields.u32().is_err());
        assert!(fields.end().is_err());
        assert_eq!(fields.rest(), [6, 7]);
    }
}

//! The card's reply to each message of a client.
//!
//! Rule: a refused message changes nothing. The first message has to be the version, and all others
//! are refused before it.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{FileType, fstat};
use serde_json::{Value, json};

use super::interrupt::Intx;
use super::memory::{Access, GuestMemory};
use super::refusal::Refusal;
use super::regions::{self, Region};
use super::wire::{Fields, Header, MAX_MESSAGE, command};
use crate::SoftCard;

const MAJOR: u16 = 0;
/// The server uses nothing of later minor versions.
const MINOR: u16 = 0;

const DEVICE_CAN_BE_RESET: u32 = 1 << 0;
const DEVICE_IS_PCI: u32 = 1 << 1;

const REGION_READ: u32 = 1 << 0;
const REGION_WRITE: u32 = 1 << 1;

/// The number of interrupt types of a PCI device: INTx, MSI, MSI-X, errors, requests. The card has
/// the first one.
const IRQS: u32 = 5;
const INTX: u32 = 0;
const IRQ_EVENTFD: u32 = 1 << 0;
const IRQ_MASKABLE: u32 = 1 << 1;
const IRQ_AUTOMASKED: u32 = 1 << 2;

const SET_DATA_NONE: u32 = 1 << 0;
const SET_DATA_BOOL: u32 = 1 << 1;
const SET_DATA_EVENTFD: u32 = 1 << 2;
const SET_ACTION_MASK: u32 = 1 << 3;
const SET_ACTION_UNMASK: u32 = 1 << 4;
const SET_ACTION_TRIGGER: u32 = 1 << 5;
const SET_DATA: u32 = SET_DATA_NONE | SET_DATA_BOOL | SET_DATA_EVENTFD;
const SET_ACTION: u32 = SET_ACTION_MASK | SET_ACTION_UNMASK | SET_ACTION_TRIGGER;

const MAP_READABLE: u32 = 1 << 0;
const MAP_WRITABLE: u32 = 1 << 1;
const UNMAP_ALL: u32 = 1 << 1;

const COMMAND_REGISTER: u32 = 0x04;

/// One client, from its version to its disconnection.
#[derive(Debug)]
pub(super) struct Session<'a> {
    card: &'a SoftCard,
    memory: Arc<GuestMemory>,
    intx: Arc<Intx>,
    begun: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(card: &'a SoftCard) -> Session<'a> {
        Session { card, memory: Arc::default(), intx: Arc::default(), begun: false }
    }

    /// Returns whether the client has sent its version.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Carries out a message. Returns the payload of the reply.
    pub(super) fn answer(
        &mut self,
        header: Header,
        payload: &[u8],
        fds: Vec<OwnedFd>,
    ) -> Result<Vec<u8>, Refusal> {
        let fields = Fields::new(payload);
        if !header.is_command() {
            return Err(Refusal::invalid("a reply that was not asked for"));
        }
        if !self.begun && header.command != command::VERSION {
            return Err(Refusal::invalid("the first message is not the version"));
        }
        match header.command {
            command::VERSION => self.version(fields),
            command::DMA_MAP => self.dma_map(fields, fds),
            command::DMA_UNMAP => self.dma_unmap(fields),
            command::GET_INFO => info(fields),
            command::GET_REGION_INFO => region_info(fields),
            command::GET_IRQ_INFO => irq_info(fields),
            command::SET_IRQS => self.set_irqs(fields, fds),
            command::REGION_READ => self.region_read(fields),
            command::REGION_WRITE => self.region_write(fields),
            command::RESET => self.reset(fields),
            _ => Err(Refusal::unsupported("a command that this card does not know")),
        }
    }

    fn version(&mut self, mut fields: Fields<'_>) -> Result<Vec<u8>, Refusal> {
        let (major, _minor) = (fields.u16()?, fields.u16()?);
        if self.begun {
            return Err(Refusal::invalid("a second version message"));
        }
        if major != MAJOR {
            return Err(Refusal::unsupported("another major version of the protocol"));
        }
        check_capabilities(fields.rest())?;
        self.begun = true;
        self.power_on();
        self.card.connect(self.memory.clone(), self.intx.clone());

        let mut reply = Vec::new();
        reply.extend(MAJOR.to_ne_bytes());
        reply.extend(MINOR.to_ne_bytes());
        let capabilities = json!({ "capabilities": {
            "max_msg_fds": 1,
            "max_data_xfer_size": MAX_TRANSFER,
        }});
        reply.extend(capabilities.to_string().into_bytes());
        reply.push(0);
        Ok(reply)
    }

    /// Resets the card as a machine does at power-on: the card is not a bus master afterwards.
    fn power_on(&self) {
        self.card.reset();
        self.card.config_write(COMMAND_REGISTER, 2, 0);
    }

    fn reset(&self, fields: Fields<'_>) -> Result<Vec<u8>, Refusal> {
        fields.end()?;
        self.power_on();
        Ok(Vec::new())
    }

    fn dma_map(&self, mut fields: Fields<'_>, mut fds: Vec<OwnedFd>) -> Result<Vec<u8>, Refusal> {
        let (_argsz, flags) = (fields.u32()?, fields.u32()?);
        let (offset, address, size) = (fields.u64()?, fields.u64()?, fields.u64()?);
        fields.end()?;
        if flags & !(MAP_READABLE | MAP_WRITABLE) != 0 {
            return Err(Refusal::invalid("an unknown flag of a DMA mapping"));
        }
        let descriptor = fds.pop();
        if !fds.is_empty() {
            return Err(Refusal::invalid("more than one descriptor for a DMA mapping"));
        }
        let access =
            Access { readable: flags & MAP_READABLE != 0, writable: flags & MAP_WRITABLE != 0 };
        let backed = descriptor.is_some();
        tracing::debug!(address, size, offset, backed, ?access, "memory is mapped");
        self.memory.map(address, size, access, descriptor, offset)?;
        Ok(Vec::new())
    }

    fn dma_unmap(&self, mut fields: Fields<'_>) -> Result<Vec<u8>, Refusal> {
        let request = fields.rest();
        let (_argsz, flags) = (fields.u32()?, fields.u32()?);
        let (address, size) = (fields.u64()?, fields.u64()?);
        fields.end()?;
        tracing::debug!(address, size, flags, "memory is unmapped");
        match (flags, address, size) {
            (0, _, _) => self.memory.unmap(address, size)?,
            (UNMAP_ALL, 0, 0) => self.memory.clear(),
            _ => return Err(Refusal::invalid("an unknown flag of a DMA unmapping")),
        }
        Ok(request.to_vec())
    }

    fn region_read(&self, mut fields: Fields<'_>) -> Result<Vec<u8>, Refusal> {
        let request = fields.rest();
        let (offset, index, count) = (fields.u64()?, fields.u32()?, fields.u32()?);
        fields.end()?;
        let region =
            Region::at(index)?.ok_or(Refusal::invalid("a read of a region that is not there"))?;
        if count > MAX_TRANSFER {
            return Err(Refusal::invalid("a read of more than a transfer can hold"));
        }
        let data = region.read(self.card, offset, count as usize)?;
        Ok([request, &data].concat())
    }

    fn region_write(&self, mut fields: Fields<'_>) -> Result<Vec<u8>, Refusal> {
        let request = fields;
        let (offset, index, count) = (fields.u64()?, fields.u32()?, fields.u32()?);
        let data = fields.rest();
        if usize::try_from(count) != Ok(data.len()) {
            return Err(Refusal::invalid("a write whose count is not that of its data"));
        }
        let region =
            Region::at(index)?.ok_or(Refusal::invalid("a write to a region that is not there"))?;
        region.write(self.card, offset, data)?;
        let head = request.rest().len() - data.len();
        Ok(request.rest().iter().take(head).copied().collect())
    }

    fn set_irqs(&self, mut fields: Fields<'_>, mut fds: Vec<OwnedFd>) -> Result<Vec<u8>, Refusal> {
        let (_argsz, flags, index) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (start, count) = (fields.u32()?, fields.u32()?);
        let data = fields.rest();
        let (kind, action) = (flags & SET_DATA, flags & SET_ACTION);
        if index >= IRQS || flags & !(SET_DATA | SET_ACTION) != 0 {
            return Err(Refusal::invalid("an interrupt type or a flag that does not exist"));
        }
        let last = start.checked_add(count);
        if last.is_none_or(|last| last > irq_count(index)) {
            return Err(Refusal::invalid("interrupts that the card does not have"));
        }
        let booleans = if kind == SET_DATA_BOOL { count as usize } else { 0 };
        if data.len() != booleans || fds.len() > count as usize {
            return Err(Refusal::invalid("interrupt data that does not fit its count"));
        }
        let wanted = match kind {
            SET_DATA_NONE => true,
            SET_DATA_BOOL => data.first().is_some_and(|boolean| *boolean != 0),
            SET_DATA_EVENTFD => return self.set_eventfd(action, count, fds.pop()),
            _ => return Err(Refusal::invalid("interrupt data of no kind, or of several")),
        };
        if !fds.is_empty() {
            return Err(Refusal::invalid("a descriptor with interrupt data of another kind"));
        }
        match action {
            // A count of 0 switches the interrupt type off. Types that the card does not have are
            // always off.
            SET_ACTION_TRIGGER if count == 0 && index == INTX => self.intx.set_eventfd(None),
            SET_ACTION_TRIGGER if count > 0 && wanted => crate::InterruptLine::raise(&*self.intx),
            SET_ACTION_MASK if count > 0 && wanted => self.intx.mask(),
            SET_ACTION_UNMASK if count > 0 && wanted => self.intx.unmask(),
            SET_ACTION_TRIGGER | SET_ACTION_MASK | SET_ACTION_UNMASK => {}
            _ => return Err(Refusal::invalid("no action on interrupts, or several")),
        }
        Ok(Vec::new())
    }

    fn set_eventfd(
        &self,
        action: u32,
        count: u32,
        eventfd: Option<OwnedFd>,
    ) -> Result<Vec<u8>, Refusal> {
        if action != SET_ACTION_TRIGGER {
            // A client that wants the kernel to unmask the interrupt falls back to messages.
            return Err(Refusal::unsupported("an eventfd that masks or unmasks"));
        }
        if eventfd.as_ref().is_some_and(is_regular) {
            // Each interrupt would extend the file, until a limit of file sizes ends the process.
            return Err(Refusal::invalid("an ordinary file for an eventfd"));
        }
        if count > 0 {
            self.intx.set_eventfd(eventfd);
        }
        Ok(Vec::new())
    }
}

fn is_regular(descriptor: &OwnedFd) -> bool {
    fstat(descriptor)
        .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile)
}

impl Drop for Session<'_> {
    /// Resets the card: for the machine this is like power-off.
    fn drop(&mut self) {
        if self.begun {
            self.card.disconnect();
            // A tick that is under way may still have a reference to it.
            self.intx.set_eventfd(None);
            self.memory.clear();
            self.card.reset();
        }
    }
}

/// The most data that one message may transfer: no region is larger than the register window.
const MAX_TRANSFER: u32 = crate::board::WINDOW;
const _: () = assert!(MAX_TRANSFER as usize + 64 < MAX_MESSAGE);

/// Checks the optional JSON of the version message. It does not change the server's behaviour,
/// which never sends a descriptor, and never more data than was requested.
fn check_capabilities(data: &[u8]) -> Result<(), Refusal> {
    let Some((end, json)) = data.split_last() else { return Ok(()) };
    let valid =
        *end == 0 && serde_json::from_slice::<Value>(json).is_ok_and(|data| data.is_object());
    if valid { Ok(()) } else { Err(Refusal::invalid("capabilities that are not a JSON object")) }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// Returns the value of `argsz` in the reply, its size. A client without room for the reply is
/// refused.
fn argsz(requested: u32, needed: u32) -> Result<u32, Refusal> {
    if requested < needed {
        return Err(Refusal::invalid("no room for the reply"));
    }
    Ok(needed)
}

fn info(mut fields: Fields<'_>) -> Result<Vec<u8>, Refusal> {
    let argsz = argsz(fields.u32()?, 16)?;
    let _unused = (fields.u32()?, fields.u32()?, fields.u32()?);
    fields.end()?;
    Ok(words(&[argsz, DEVICE_CAN_BE_RESET | DEVICE_IS_PCI, regions::COUNT, IRQS]))
}

fn region_info(mut fields: Fields<'_>) -> Result<Vec<u8>, Refusal> {
    let argsz = argsz(fields.u32()?, 32)?;
    let (_flags, index) = (fields.u32()?, fields.u32()?);
    let _unused = (fields.u32()?, fields.u64()?, fields.u64()?);
    fields.end()?;
    let region = Region::at(index)?;
    let flags = if region.is_some() { REGION_READ | REGION_WRITE } else { 0 };
    let mut reply = words(&[argsz, flags, index, 0]);
    let offset = 0_u64;
    for long in [region.map_or(0, |region| u64::from(region.size())), offset] {
        reply.extend(long.to_ne_bytes());
    }
    Ok(reply)
}

fn irq_count(index: u32) -> u32 {
    u32::from(index == INTX)
}

fn irq_info(mut fields: Fields<'_>) -> Result<Vec<u8>, Refusal> {
    let argsz = argsz(fields.u32()?, 16)?;
    let (_flags, index, _count) = (fields.u32()?, fields.u32()?, fields.u32()?);
    fields.end()?;
    if index >= IRQS {
        return Err(Refusal::invalid("there is no interrupt type of this index"));
    }
    let flags = if index == INTX { IRQ_EVENTFD | IRQ_MASKABLE | IRQ_AUTOMASKED } else { 0 };
    Ok(words(&[argsz, flags, index, irq_count(index)]))
}

#[cfg(test)]
mod tests;

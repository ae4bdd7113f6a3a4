//! From whatever state the card is in to four slots with their modules up, DMA off.

use std::time::Duration;

use crate::PortNumber;
use ringback_country::{Companding, Country};

use super::error::OpenError;
use super::module::Module;
use super::registers::*;
use super::ring::{RING_BYTES, Ring, SLOTS};
use super::spi::Spi;
use crate::card::module::ModuleError;
use crate::card::port::ModuleKind;
use crate::card::port_card::Slot;
use crate::card::register::Register;
use crate::card::sequence::{Operation, Sequence};
use crate::card::{Delay, si3050, si3210};
use crate::device::{Device, DmaMemory, Registers};

/// Reset and power-up of the card's parts.
pub(super) const SETTLE: Duration = Duration::from_millis(250);
/// How long DMA and serial port are held in reset before service.
pub(super) const PORTS_RESET: Duration = Duration::from_millis(10);
/// From this CPLD version on the chip-select register can be read back.
const VER_READABLE_SELECT: u8 = 0x70;
/// CPLD version of a card without registers to test.
const VER_UNTESTED: u8 = 0x59;

/// Checks what the device offers; gives the ring's place. Its samples are of this law.
pub(super) fn check(device: &impl Device, companding: Companding) -> Result<Ring, OpenError> {
    let len = device.registers().len();
    if len < WINDOW {
        return Err(OpenError::Window { len });
    }
    let memory = device.dma().ok_or(OpenError::NoDmaMemory)?;
    if memory.len() < RING_BYTES {
        return Err(OpenError::DmaTooSmall { len: memory.len() });
    }
    let address = memory.bus_address();
    match u32::try_from(address) {
        Ok(base) if base % 4 == 0 && base.checked_add(RING_BYTES as u32 - 1).is_some() => {
            Ok(Ring::new(base, companding))
        }
        _ => Err(OpenError::DmaAddress { address }),
    }
}

/// Resets the card and its modules and sets it up as far as the modules need it.
pub(super) fn initialise(
    r: Bus<'_, impl Registers>,
    ring: &Ring,
    delay: &mut dyn Delay,
) -> Result<(), OpenError> {
    // The previous user of the card may have left it running.
    r.write(OPER, Operate::empty());
    r.write(MASK0, Interrupts::empty());
    r.write(MASK1, Aux::empty());
    r.write(CNTL, Control::RUN);
    let control = r.read(CNTL);
    let version = r.read(CPLD_VERSION);
    let status = r.read(INTSTAT);
    if [control.bits(), version, status.bits()] == [ABSENT; 3] {
        return Err(OpenError::AllOnes);
    }
    test_registers(r, version)?;
    reset(r);
    delay.delay(SETTLE);
    set_up(r, ring);
    delay.delay(SETTLE);
    Ok(())
}

/// Begins to set the card up: CPLD and modules go into reset, in which they are held for
/// [`SETTLE`].
pub(super) fn reset(r: Bus<'_, impl Registers>) {
    r.write(CPLD_SYNC, Sync::HALF_DUTY);
    r.read(CPLD_SYNC);
    r.write(CNTL, Control::RESETS);
    r.write(AUXD, Aux::IDLE);
    r.write(AUXC, Aux::OUTPUTS);
    r.write(AUXFUNC, AuxFunction::CLOCK_INPUT);
}

/// Goes on to set the card up after [`reset`]: CPLD and modules leave their reset, and need
/// [`SETTLE`] before they are accessed.
pub(super) fn set_up(r: Bus<'_, impl Registers>, ring: &Ring) {
    r.write(CNTL, Control::RUN | Control::SLOW);
    let control = r.read(CNTL);
    r.write(CNTL, control.difference(Control::RESETS));
    r.write(SERCTL, SerialControl::all());
    r.write(FSCDELAY, 0);
    ring.program(r);
    r.write(INTSTAT, Interrupts::EVERY);
}

/// Ends setting the card up: frame sync for the slots in use. DMA and serial port go into reset, in
/// which they are held for [`PORTS_RESET`].
pub(super) fn reset_ports(r: Bus<'_, impl Registers>, slots: &[Slot; SLOTS]) {
    let used = slots.iter().zip(Sync::SLOTS).filter(|(slot, _)| slot.kind().is_some());
    r.write(CPLD_SYNC, used.fold(Sync::HALF_DUTY, |sync, (_, slot)| sync | slot));
    r.write(CNTL, Control::PORTS_RESET);
}

/// What a recovery waits for, which makes some of these steps again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovery {
    /// CPLD and modules are held in reset.
    Reset,
    /// CPLD and modules have left their reset, and need time.
    Settling,
    /// DMA and serial port are held in reset.
    Ports,
    /// The module in this slot sends by itself.
    Trial(PortNumber),
}

/// Which of the registers that only bring-up writes read back what was written. No public document
/// says that they do, so that a card is asked when it has been set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Settings {
    serial_port: bool,
    directions: bool,
    functions: bool,
}

impl Settings {
    /// Reads the registers.
    pub(super) fn read(r: Bus<'_, impl Registers>) -> Settings {
        Settings {
            serial_port: r.read(SERCTL) == SerialControl::all(),
            directions: r.read(AUXC) == Aux::OUTPUTS,
            functions: r.read(AUXFUNC) == AuxFunction::CLOCK_INPUT,
        }
    }

    /// Whether a card that had these settings has lost them, because the bus was reset or had no
    /// power. A single reading is not believed.
    pub(super) fn are_lost(self, r: Bus<'_, impl Registers>) -> bool {
        (0..2).all(|_| !r.read(CNTL).contains(Control::RUN) || Settings::read(r) != self)
    }
}

/// Ends bring-up: frame sync for the slots in use, ports reset, status latched from now on.
pub(super) fn finish(
    r: Bus<'_, impl Registers>,
    slots: &[Slot; SLOTS],
    delay: &mut dyn Delay,
) -> Result<(), OpenError> {
    reset_ports(r, slots);
    delay.delay(PORTS_RESET);
    r.write(CNTL, Control::SERVICE);
    if [r.read(CNTL).bits(), r.read(CPLD_VERSION)] == [ABSENT; 2] {
        return Err(OpenError::AllOnes);
    }
    Ok(())
}

/// Writes every value to a register of the CPLD and reads it back.
fn test_registers(r: Bus<'_, impl Registers>, version: u8) -> Result<(), OpenError> {
    if version == VER_UNTESTED {
        return Ok(());
    }
    let register: Register<Tiger, u8> =
        if version >= VER_READABLE_SELECT { CPLD_SELECT } else { CPLD_TEST };
    let mut held = 0;
    let mut failure = None;
    for wrote in 0..=254 {
        r.write(register, wrote);
        let read = r.read(register);
        if read == wrote {
            held += 1;
        } else {
            let register = register.number();
            failure = failure.or(Some(OpenError::RegisterTest { register, wrote, read }));
        }
    }
    match failure {
        None => Ok(()),
        // A register whose value never changes can match one test value by chance.
        Some(_) if held <= 1 => Err(OpenError::NotTdm400p { version }),
        Some(failure) => Err(failure),
    }
}

/// Looks for a module in a slot and brings it up: as FXS, and if it is none, as FXO.
pub(super) fn probe(
    r: Bus<'_, impl Registers>,
    spi: &mut Spi,
    slot: PortNumber,
    country: Country,
    delay: &mut dyn Delay,
) -> (Slot, Option<Module>) {
    let mut run = |kind, operation| match operation {
        Operation::Wait(time) => {
            delay.delay(time);
            0
        }
        operation => spi.perform(r, slot, kind, operation),
    };
    let mut fxs = |operation| run(ModuleKind::Fxs, operation);
    let identity = Sequence::new(|chip| async move { si3210::identify(&chip).await }).run(&mut fxs);
    if let si3210::Identity::Fresh(model) = identity {
        let result = Sequence::new(move |chip| async move {
            si3210::bring_up(&chip, slot, country, model).await
        })
        .run(&mut fxs);
        return outcome(result.map(|calibration| Module::fxs(slot, country, calibration)));
    }
    let mut fxo = |operation| run(ModuleKind::Fxo, operation);
    if Sequence::new(|chip| async move { si3050::identify(&chip).await }).run(&mut fxo) {
        let (daa, companding) = (*country.daa(), country.companding());
        let result = Sequence::new(move |chip| async move {
            si3050::bring_up(&chip, slot, daa, companding).await
        })
        .run(&mut fxo);
        return outcome(result.map(|()| Module::fxo(slot, country)));
    }
    match identity {
        si3210::Identity::Odd(error) => (Slot::Failed(error), None),
        _ => (Slot::Empty, None),
    }
}

fn outcome(result: Result<Module, ModuleError>) -> (Slot, Option<Module>) {
    match result {
        Ok(module) => (Slot::Module(module.kind()), Some(module)),
        Err(error) => (Slot::Failed(error), None),
    }
}

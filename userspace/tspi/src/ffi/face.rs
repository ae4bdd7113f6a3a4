//! A provider as C sees it, and the functions that take or drop a callback.
//!
//! [`Face`] holds the provider and TAPI's callbacks: the completion procedure from init to shutdown
//! (C1), and the event procedure of each open line and phone. All other functions are in
//! [`exported`](super::exported).
#![allow(non_snake_case, clippy::too_many_arguments, reason = "they are those of TSPI")]

use std::sync::{Arc, RwLock};

use ringback_request::ErrorCode;
use ringback_request::sync::EvenPoisoned;

use super::openings::Openings;
use super::outward::{ErrorFamily, guarded};
use super::{AsyncCompletion, LineEvent, PhoneEvent};
use crate::constants::LINE_NEWCALL;
use crate::error::{LineError, PhoneError};
use crate::provider::{Completion, Init, LineMessage, PhoneMessage, Provider, Tapi};
use crate::types::*;

/// How a face gets its provider, when the first function is called.
pub type Make = fn() -> Result<Arc<dyn Provider>, LineError>;

/// A provider with TAPI's callbacks.
pub struct Face {
    make: Make,
    provider: RwLock<Option<Arc<dyn Provider>>>,
    lines: Openings<HDRVLINE, LineEvent>,
    phones: Openings<HDRVPHONE, PhoneEvent>,
}

impl Face {
    /// The face of a provider that is made when it is first needed.
    pub const fn new(make: Make) -> Face {
        Face { make, provider: RwLock::new(None), lines: Openings::new(), phones: Openings::new() }
    }

    pub(super) fn provider(&self) -> Result<Arc<dyn Provider>, LineError> {
        let made = self.provider.read().even_poisoned().clone();
        if let Some(provider) = made {
            return Ok(provider);
        }
        let mut place = self.provider.write().even_poisoned();
        match &*place {
            Some(provider) => Ok(Arc::clone(provider)),
            None => Ok(Arc::clone(place.insert((self.make)()?))),
        }
    }
}

/// The callbacks of C as the provider's [`Tapi`].
struct FaceCallbacks {
    face: &'static Face,
    completion: AsyncCompletion,
}

impl Tapi for FaceCallbacks {
    fn completion(&mut self, completion: &Completion) {
        let (id, result) = (completion.id.get(), ErrorCode::number_of(completion.result));
        // SAFETY: TAPI guarantees that its completion procedure may be called until the shutdown.
        unsafe { (self.completion)(id, result) };
    }

    fn line_event(&mut self, event: &LineMessage) {
        let LineMessage { line, call, message, params: [param1, param2, param3] } = *event;
        if let Some(procedure) = self.face.lines.procedure(line.raw()) {
            let call = call.map_or(0, HTAPICALL::raw);
            // SAFETY: TAPI guarantees that the procedure of an open line may be called.
            unsafe { procedure(line.raw(), call, message, param1, param2, param3) };
        }
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        let procedure = self.face.lines.procedure(line.raw())?;
        let mut tapi = 0_usize;
        let place = (&raw mut tapi).expose_provenance();
        // SAFETY: TAPI guarantees that the procedure of an open line may be called; the place for
        // its handle is this function's own.
        unsafe { procedure(line.raw(), 0, LINE_NEWCALL, call.raw(), place, 0) };
        HTAPICALL::new(tapi)
    }

    fn phone_event(&mut self, event: &PhoneMessage) {
        let PhoneMessage { phone, message, params: [param1, param2, param3] } = *event;
        if let Some(procedure) = self.face.phones.procedure(phone.raw()) {
            // SAFETY: TAPI guarantees that the procedure of an open phone may be called.
            unsafe { procedure(phone.raw(), message, param1, param2, param3) };
        }
    }
}

/// `TSPI_providerEnumDevices` of the face's provider. Devices that come later are not announced.
///
/// # Safety
/// As of all [exported functions](super::exported).
pub unsafe fn TSPI_providerEnumDevices(
    face: &'static Face,
    id: u32,
    lines: *mut u32,
    phones: *mut u32,
    _: usize,
    _: Option<LineEvent>,
    _: Option<PhoneEvent>,
) -> i32 {
    guarded::<LineError>(|| {
        if lines.is_null() || phones.is_null() {
            return Err(LineError::INVALPOINTER);
        }
        let devices = face.provider()?.provider_enum_devices(id)?;
        // SAFETY: the caller guarantees memory for a number.
        unsafe { lines.write_unaligned(devices.lines) };
        // SAFETY: the caller guarantees memory for a number.
        unsafe { phones.write_unaligned(devices.phones) };
        Ok(0)
    })
}

/// `TSPI_providerInit` of the face's provider.
///
/// # Safety
/// As of all [exported functions](super::exported); the completion procedure can be called until
/// the shutdown.
pub unsafe fn TSPI_providerInit(
    face: &'static Face,
    version: u32,
    permanent_provider_id: u32,
    line_device_id_base: u32,
    phone_device_id_base: u32,
    num_lines: usize,
    num_phones: usize,
    completion: Option<AsyncCompletion>,
    options: *mut u32,
) -> i32 {
    guarded::<LineError>(|| {
        let completion = completion.ok_or(LineError::INVALPOINTER)?;
        if options.is_null() {
            return Err(LineError::INVALPOINTER);
        }
        let init = Init {
            version: Version::from_word(version).ok_or(LineError::INCOMPATIBLEAPIVERSION)?,
            permanent_provider_id,
            line_device_id_base,
            phone_device_id_base,
            num_lines: u32::try_from(num_lines).map_err(|_| LineError::OPERATIONFAILED)?,
            num_phones: u32::try_from(num_phones).map_err(|_| LineError::OPERATIONFAILED)?,
        };
        let word =
            face.provider()?.provider_init(init, Box::new(FaceCallbacks { face, completion }))?;
        // SAFETY: the caller guarantees memory for a number.
        unsafe { options.write_unaligned(word) };
        Ok(0)
    })
}

/// `TSPI_providerShutdown` of the face's provider. What was open is forgotten.
///
/// # Safety
/// Safe from everywhere; the signature is that of all [exported functions](super::exported).
pub unsafe fn TSPI_providerShutdown(face: &'static Face, version: u32, id: u32) -> i32 {
    guarded::<LineError>(|| {
        let version = Version::from_word(version).ok_or(LineError::INCOMPATIBLEAPIVERSION)?;
        face.provider()?.provider_shutdown(version, id)?;
        face.lines.clear();
        face.phones.clear();
        Ok(0)
    })
}

/// `TSPI_lineOpen` of the face's provider: from now on the line's events come by this procedure.
///
/// # Safety
/// As of all [exported functions](super::exported); the procedure can be called until the line is
/// closed.
pub unsafe fn TSPI_lineOpen(
    face: &'static Face,
    device_id: u32,
    tapi: usize,
    place: *mut usize,
    version: u32,
    event: Option<LineEvent>,
) -> i32 {
    guarded::<LineError>(|| {
        let line = HTAPILINE::new(tapi).ok_or(LineError::INVALPOINTER)?;
        if place.is_null() {
            return Err(LineError::INVALPOINTER);
        }
        let version = Version::from_word(version).ok_or(LineError::INCOMPATIBLEAPIVERSION)?;
        let provider = face.provider().map_err(LineError::of_line)?;
        let handle =
            face.lines.open(tapi, event, || provider.line_open(device_id, line, version))?;
        // SAFETY: the caller guarantees memory for a handle.
        unsafe { place.write_unaligned(handle.raw()) };
        Ok(0)
    })
}

/// `TSPI_lineClose` of the face's provider: its procedure is called no more (D2).
///
/// # Safety
/// Safe from everywhere; the signature is that of all [exported functions](super::exported).
pub unsafe fn TSPI_lineClose(face: &'static Face, line: usize) -> i32 {
    guarded::<LineError>(|| {
        let handle = HDRVLINE::new(line).ok_or(LineError::INVALLINEHANDLE)?;
        face.provider().map_err(LineError::of_line)?.line_close(handle)?;
        face.lines.closed(handle);
        Ok(0)
    })
}

/// `TSPI_phoneOpen` of the face's provider: from now on the phone's events come by this procedure.
///
/// # Safety
/// As of all [exported functions](super::exported); the procedure can be called until the phone is
/// closed.
pub unsafe fn TSPI_phoneOpen(
    face: &'static Face,
    device_id: u32,
    tapi: usize,
    place: *mut usize,
    version: u32,
    event: Option<PhoneEvent>,
) -> i32 {
    guarded::<PhoneError>(|| {
        let phone = HTAPIPHONE::new(tapi).ok_or(PhoneError::INVALPOINTER)?;
        if place.is_null() {
            return Err(PhoneError::INVALPOINTER);
        }
        let version = Version::from_word(version).ok_or(PhoneError::INCOMPATIBLEAPIVERSION)?;
        let provider = face.provider().map_err(PhoneError::of_line)?;
        let handle =
            face.phones.open(tapi, event, || provider.phone_open(device_id, phone, version))?;
        // SAFETY: the caller guarantees memory for a handle.
        unsafe { place.write_unaligned(handle.raw()) };
        Ok(0)
    })
}

/// `TSPI_phoneClose` of the face's provider: its procedure is called no more (D2).
///
/// # Safety
/// Safe from everywhere; the signature is that of all [exported functions](super::exported).
pub unsafe fn TSPI_phoneClose(face: &'static Face, phone: usize) -> i32 {
    guarded::<PhoneError>(|| {
        let handle = HDRVPHONE::new(phone).ok_or(PhoneError::INVALPHONEHANDLE)?;
        face.provider().map_err(PhoneError::of_line)?.phone_close(handle)?;
        face.phones.closed(handle);
        Ok(0)
    })
}

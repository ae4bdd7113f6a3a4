//! An open phone, as an application handles it.

use std::sync::Arc;

use ringback_tspi::error::PhoneError;
use ringback_tspi::structs::{PHONECAPS, PHONESTATUS, VARSTRING};
use ringback_tspi::types::HDRVPHONE;

use super::asked;
use super::closing::{CloseError, Closed, Closing};
use super::info::fetch;
use super::ledger::Use;
use super::mailbox::Events;
use super::phone_events::PhoneEvent;
use super::phone_info::{PhoneCaps, PhoneInfo, PhoneStatus, reader};
use super::phone_inner::PhoneInner;

/// An open phone. Dropping it closes it.
pub struct Phone(pub(super) Arc<PhoneInner>);

impl Phone {
    /// The provider's handle while the phone is open.
    pub(super) fn usable(&self) -> Result<Use<'_, HDRVPHONE>, PhoneError> {
        asked::enter();
        let closed = PhoneError::INVALPHONEHANDLE;
        let shared = &self.0.service.shared;
        Use::begin([&self.0.ledger, &shared.ledger], &shared.turns, closed, || {
            self.0.driver().ok_or(closed)
        })
    }

    /// The information about the phone from the start of the host.
    pub fn info(&self) -> &PhoneInfo {
        &self.0.info
    }

    /// What it can do (TSPI_phoneGetDevCaps).
    ///
    /// # Errors
    /// UNINITIALIZED once the host is shut down.
    pub fn caps(&self) -> Result<PhoneCaps, PhoneError> {
        asked::enter();
        let _using = self.0.service.shared.in_function(PhoneError::UNINITIALIZED)?;
        let PhoneInfo { device_id, version, .. } = self.0.info;
        let provider = self.0.service.provider();
        let bytes = fetch::<PHONECAPS, _>(|memory| {
            provider.phone_get_dev_caps(device_id, version, 0, memory)
        })?;
        PhoneCaps::read(&bytes, version)
    }

    /// How it is now (TSPI_phoneGetStatus).
    ///
    /// # Errors
    /// INVALPHONEHANDLE once it is closed.
    pub fn status(&self) -> Result<PhoneStatus, PhoneError> {
        let driver = self.usable()?;
        let provider = self.0.service.provider();
        let bytes =
            fetch::<PHONESTATUS, _>(|memory| provider.phone_get_status(driver.handle(), memory))?;
        PhoneStatus::read(&bytes, self.0.info.version)
    }

    /// Chooses the messages that it sends (TSPI_phoneSetStatusMessages): PHONESTATE_,
    /// PHONEBUTTONMODE_ and PHONEBUTTONSTATE_ bits. Until then it sends none of them.
    ///
    /// # Errors
    /// INVALPHONESTATE, INVALBUTTONMODE or INVALBUTTONSTATE for unknown bits, the last one also for
    /// button modes without button states; INVALPHONEHANDLE once it is closed.
    pub fn set_status_messages(
        &self,
        states: u32,
        button_modes: u32,
        button_states: u32,
    ) -> Result<(), PhoneError> {
        let driver = self.usable()?;
        let provider = self.0.service.provider();
        provider.phone_set_status_messages(driver.handle(), states, button_modes, button_states)
    }

    /// The PHONEHOOKSWITCHDEV_ bits of what is off-hook (TSPI_phoneGetHookSwitch).
    ///
    /// # Errors
    /// INVALPHONEHANDLE once it is closed; the provider's.
    pub fn off_hook(&self) -> Result<u32, PhoneError> {
        let driver = self.usable()?;
        self.0.service.provider().phone_get_hook_switch(driver.handle())
    }

    /// The mode of a lamp, one PHONELAMPMODE_ (TSPI_phoneGetLamp).
    ///
    /// # Errors
    /// INVALBUTTONLAMPID if it has no such lamp; INVALPHONEHANDLE once it is closed.
    pub fn lamp(&self, id: u32) -> Result<u32, PhoneError> {
        let driver = self.usable()?;
        self.0.service.provider().phone_get_lamp(driver.handle(), id)
    }

    /// The ring mode, 0 while it does not ring, and the volume (TSPI_phoneGetRing).
    ///
    /// # Errors
    /// INVALPHONEHANDLE once it is closed; the provider's.
    pub fn ring(&self) -> Result<(u32, u32), PhoneError> {
        let driver = self.usable()?;
        self.0.service.provider().phone_get_ring(driver.handle())
    }

    /// The volume of a PHONEHOOKSWITCHDEV_, 0 to 0xFFFF (TSPI_phoneGetVolume).
    ///
    /// # Errors
    /// INVALHOOKSWITCHDEV if it has no such device; INVALPHONEHANDLE once it is closed.
    pub fn volume(&self, hook_switch: u32) -> Result<u32, PhoneError> {
        let driver = self.usable()?;
        self.0.service.provider().phone_get_volume(driver.handle(), hook_switch)
    }

    /// The gain of a PHONEHOOKSWITCHDEV_, 0 to 0xFFFF (TSPI_phoneGetGain).
    ///
    /// # Errors
    /// As [`volume`](Phone::volume).
    pub fn gain(&self, hook_switch: u32) -> Result<u32, PhoneError> {
        let driver = self.usable()?;
        self.0.service.provider().phone_get_gain(driver.handle(), hook_switch)
    }

    /// What its display shows (TSPI_phoneGetDisplay).
    ///
    /// # Errors
    /// OPERATIONUNAVAIL if it has no display; INVALPHONEHANDLE once it is closed.
    pub fn display(&self) -> Result<String, PhoneError> {
        let driver = self.usable()?;
        let provider = self.0.service.provider();
        let bytes =
            fetch::<VARSTRING, _>(|memory| provider.phone_get_display(driver.handle(), memory))?;
        let shown = reader::<VARSTRING>(&bytes, self.0.info.version)?;
        Ok(shown.string(VARSTRING::dwString).unwrap_or_default())
    }

    /// Reads one of its data areas (TSPI_phoneGetData) into `data`, which gets as much of it as
    /// there is room for. It waits for the phone.
    ///
    /// # Errors
    /// INVALDATAID if it has no such area; INVALPHONEHANDLE once it is closed.
    pub fn data(&self, id: u32, data: &mut [u8]) -> Result<(), PhoneError> {
        let driver = self.usable()?;
        self.0.service.provider().phone_get_data(driver.handle(), id, data)
    }

    /// Its events. The first time, all since the phone was opened; after that, all from now on.
    pub fn events(&self) -> Events<PhoneEvent> {
        asked::enter();
        self.0.events()
    }

    /// Whether the phone is closed, by [`close`](Phone::close), by the provider, or because the
    /// host was shut down.
    pub fn is_closed(&self) -> bool {
        asked::enter();
        self.0.is_ended()
    }

    /// Closes it (TSPI_phoneClose): outstanding requests fail before this returns, and no event is
    /// delivered afterwards (D10). It waits as [`Line::close`](super::Line::close) does.
    ///
    /// # Errors
    /// [`CloseError`]; the phone is closed all the same.
    pub fn close(&self) -> Result<Closed, CloseError> {
        self.0.close()
    }

    /// As [`close`](Phone::close), on a thread of the host's. Closing begins at once, also if the
    /// future is never polled; the future is ready when the phone is closed.
    pub fn close_async(&self) -> Closing {
        let phone = Arc::clone(&self.0);
        Closing::begin(&self.0.service.shared, move || phone.close())
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        // There is no caller left to get an error.
        let _ = self.close();
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phone").field("info", &self.0.info).finish_non_exhaustive()
    }
}

//! The requests of a phone.

use ringback_tspi::error::PhoneError;

use super::pending::Pending;
use super::phone::Phone;
use super::reservation::Reservation;

impl<'a> Reservation<'a, Phone> {
    fn of_phone(phone: &'a Phone, known: bool) -> Reservation<'a, Phone> {
        Reservation::of(phone, &phone.0.service, phone.0.outlet(), known)
    }

    /// As [`Phone::set_lamp`].
    ///
    /// # Errors
    /// As [`Phone::set_lamp`].
    pub fn set_lamp(self, id: u32, mode: u32) -> Result<Pending<(), PhoneError>, PhoneError> {
        let driver = self.on.usable()?;
        self.ask("phoneSetLamp", None, None, (), |provider, request| {
            provider.phone_set_lamp(request, driver.handle(), id, mode)
        })
    }

    /// As [`Phone::set_ring`].
    ///
    /// # Errors
    /// As [`Phone::set_ring`].
    pub fn set_ring(self, mode: u32, volume: u32) -> Result<Pending<(), PhoneError>, PhoneError> {
        let driver = self.on.usable()?;
        self.ask("phoneSetRing", None, None, (), |provider, request| {
            provider.phone_set_ring(request, driver.handle(), mode, volume)
        })
    }

    /// As [`Phone::set_volume`].
    ///
    /// # Errors
    /// As [`Phone::set_volume`].
    pub fn set_volume(
        self,
        hook_switch: u32,
        volume: u32,
    ) -> Result<Pending<(), PhoneError>, PhoneError> {
        let driver = self.on.usable()?;
        self.ask("phoneSetVolume", None, None, (), |provider, request| {
            provider.phone_set_volume(request, driver.handle(), hook_switch, volume)
        })
    }

    /// As [`Phone::set_gain`].
    ///
    /// # Errors
    /// As [`Phone::set_gain`].
    pub fn set_gain(
        self,
        hook_switch: u32,
        gain: u32,
    ) -> Result<Pending<(), PhoneError>, PhoneError> {
        let driver = self.on.usable()?;
        self.ask("phoneSetGain", None, None, (), |provider, request| {
            provider.phone_set_gain(request, driver.handle(), hook_switch, gain)
        })
    }

    /// As [`Phone::set_hook_switch`].
    ///
    /// # Errors
    /// As [`Phone::set_hook_switch`].
    pub fn set_hook_switch(
        self,
        hook_switches: u32,
        mode: u32,
    ) -> Result<Pending<(), PhoneError>, PhoneError> {
        let driver = self.on.usable()?;
        self.ask("phoneSetHookSwitch", None, None, (), |provider, request| {
            provider.phone_set_hook_switch(request, driver.handle(), hook_switches, mode)
        })
    }

    /// As [`Phone::set_display`].
    ///
    /// # Errors
    /// As [`Phone::set_display`].
    pub fn set_display(
        self,
        row: u32,
        column: u32,
        text: &str,
    ) -> Result<Pending<(), PhoneError>, PhoneError> {
        let driver = self.on.usable()?;
        self.ask("phoneSetDisplay", None, None, (), |provider, request| {
            provider.phone_set_display(request, driver.handle(), row, column, text)
        })
    }

    /// As [`Phone::set_data`].
    ///
    /// # Errors
    /// As [`Phone::set_data`].
    pub fn set_data(self, id: u32, data: &[u8]) -> Result<Pending<(), PhoneError>, PhoneError> {
        let driver = self.on.usable()?;
        self.ask("phoneSetData", None, None, (), |provider, request| {
            provider.phone_set_data(request, driver.handle(), id, data)
        })
    }
}

impl Phone {
    /// Takes the id of a request before it is made, for an application that has to store it first.
    pub fn reserve(&self) -> Reservation<'_, Phone> {
        Reservation::of_phone(self, true)
    }

    /// Sets a lamp to one PHONELAMPMODE_ (TSPI_phoneSetLamp).
    ///
    /// # Errors
    /// INVALBUTTONLAMPID if it has no such lamp, INVALLAMPMODE if the lamp has no such mode;
    /// INVALPHONEHANDLE once it is closed.
    pub fn set_lamp(&self, id: u32, mode: u32) -> Result<Pending<(), PhoneError>, PhoneError> {
        Reservation::of_phone(self, false).set_lamp(id, mode).map(Pending::leave)
    }

    /// Rings it without a call (TSPI_phoneSetRing), in a mode from 1 to the number of its ring
    /// modes, at a volume from 0 to 0xFFFF; or stops that, with the mode 0.
    ///
    /// # Errors
    /// INVALRINGMODE; INVALPHONESTATE while it is off-hook or a call rings it; INVALPHONEHANDLE
    /// once it is closed.
    pub fn set_ring(&self, mode: u32, volume: u32) -> Result<Pending<(), PhoneError>, PhoneError> {
        Reservation::of_phone(self, false).set_ring(mode, volume).map(Pending::leave)
    }

    /// Sets the volume of a PHONEHOOKSWITCHDEV_ to 0 (silent) to 0xFFFF (TSPI_phoneSetVolume).
    ///
    /// # Errors
    /// INVALHOOKSWITCHDEV if it has no such device; INVALPHONEHANDLE once it is closed.
    pub fn set_volume(
        &self,
        hook_switch: u32,
        volume: u32,
    ) -> Result<Pending<(), PhoneError>, PhoneError> {
        Reservation::of_phone(self, false).set_volume(hook_switch, volume).map(Pending::leave)
    }

    /// Sets the gain of the microphone of a PHONEHOOKSWITCHDEV_ to 0 (silent) to 0xFFFF
    /// (TSPI_phoneSetGain).
    ///
    /// # Errors
    /// As [`set_volume`](Phone::set_volume).
    pub fn set_gain(
        &self,
        hook_switch: u32,
        gain: u32,
    ) -> Result<Pending<(), PhoneError>, PhoneError> {
        Reservation::of_phone(self, false).set_gain(hook_switch, gain).map(Pending::leave)
    }

    /// Sets the hook switches of these PHONEHOOKSWITCHDEV_ bits to one PHONEHOOKSWITCHMODE_
    /// (TSPI_phoneSetHookSwitch).
    ///
    /// # Errors
    /// INVALHOOKSWITCHDEV, INVALHOOKSWITCHMODE; OPERATIONUNAVAIL if it is a plain telephone, which
    /// only people can lift; INVALPHONEHANDLE once it is closed.
    pub fn set_hook_switch(
        &self,
        hook_switches: u32,
        mode: u32,
    ) -> Result<Pending<(), PhoneError>, PhoneError> {
        Reservation::of_phone(self, false).set_hook_switch(hook_switches, mode).map(Pending::leave)
    }

    /// Writes text over what its display shows, from a row and a column that count from 0
    /// (TSPI_phoneSetDisplay). Text that is too long for the display is cut off.
    ///
    /// # Errors
    /// OPERATIONUNAVAIL if it has no display, INVALPARAM if it has no such place;
    /// INVALPHONEHANDLE once it is closed.
    pub fn set_display(
        &self,
        row: u32,
        column: u32,
        text: &str,
    ) -> Result<Pending<(), PhoneError>, PhoneError> {
        Reservation::of_phone(self, false).set_display(row, column, text).map(Pending::leave)
    }

    /// Writes one of its data areas, which may act as a command (TSPI_phoneSetData).
    ///
    /// # Errors
    /// INVALDATAID if it has no such area; INVALPHONEHANDLE once it is closed.
    pub fn set_data(&self, id: u32, data: &[u8]) -> Result<Pending<(), PhoneError>, PhoneError> {
        Reservation::of_phone(self, false).set_data(id, data).map(Pending::leave)
    }
}

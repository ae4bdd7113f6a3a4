//! The interface between the engine of all lines and the part of a line that depends on its kind.

use std::fmt::Debug;

use ringback_driver::card::{FRAME, PortEvent};
use ringback_driver::request::Token;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::DialString;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::types::HDRVCALL;

use super::phone::Phone;
use super::port::{Port, Visit};
use super::queue::Sound;
use super::service::Asked;
use super::switching::Task;
use crate::call::Call;
use crate::{ExchangeOptions, PhoneReport, TelephoneOptions};

/// The parameters of TSPI_lineMakeCall for a line.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) address: DialString,
    /// LINECALLPARAMFLAGS_IDLE: fail with CALLUNAVAIL rather than dial without dial tone.
    pub(super) only_if_idle: bool,
    pub(super) timing: DialTiming,
}

/// A kind of line. The port that a function gets is always that of this line.
pub(super) trait Machine: Debug + Send {
    /// Whether calls can be made and can come in, as far as is known.
    fn in_service(&self) -> bool;

    /// Whether a call can be made now.
    fn can_call(&self, port: &Port) -> Result<(), LineError>;

    /// Whether a function, by its LINECALLFEATURE_ bit, can be called now that the call's state
    /// allows it; `None` if this kind of line never can.
    fn can(&self, feature: u32) -> Option<bool>;

    /// Whether a function that asks the exchange to do something with its calls can be called now,
    /// or any function on a call that the exchange holds; `None` if the function is none of these.
    fn can_switch(&self, _port: &Port, _call: HDRVCALL, _feature: u32) -> Option<bool> {
        None
    }

    /// Asks the exchange to do something with its calls. The request is in the book.
    fn switch(
        &mut self,
        _port: &mut Port,
        _visit: &mut Visit<'_, '_>,
        _task: Task,
    ) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// Asks the exchange for something by codes, without a call or for this new one. The request is
    /// in the book.
    fn serve(
        &mut self,
        _port: &mut Port,
        _visit: &mut Visit<'_, '_>,
        _asked: &Asked,
        _call: Option<Call>,
    ) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// The number of calls back that the exchange was asked for.
    fn call_backs(&self) -> usize {
        0
    }

    /// What is to be dialled so that the exchange gives this held call up, while another is in
    /// conversation; `None` if it can't.
    fn releases(&self, _port: &Port, _call: HDRVCALL) -> Option<Task> {
        None
    }

    /// Whether the call's end leads back to a held one.
    fn returns(&self, _port: &Port, _call: HDRVCALL) -> bool {
        false
    }

    /// A request to the exchange was ended from outside.
    fn switch_ended(&mut self, _port: &mut Port, _visit: &mut Visit<'_, '_>) {}

    /// Begins a call, whose request is in the book.
    fn make_call(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        call: Call,
        outgoing: Outgoing,
    ) -> Result<(), LineError>;

    /// How the line understands its exchange; `None` if it is not a line of an exchange.
    fn exchange(&self) -> Option<ExchangeOptions> {
        None
    }

    /// Sets how a line of an exchange understands it.
    fn set_exchange(&mut self, _options: ExchangeOptions) {}

    /// How the line treats its telephone; `None` if it is not a telephone's line.
    fn telephone(&self) -> Option<TelephoneOptions> {
        None
    }

    /// Sets how a telephone's line treats it.
    fn set_telephone(&mut self, _options: TelephoneOptions) {}

    /// Dials more on the call.
    fn dial(
        &mut self,
        _port: &mut Port,
        _visit: &mut Visit<'_, '_>,
        _request: Token,
        _address: DialString,
    ) -> Result<(), LineError> {
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// A request to dial was ended from outside.
    fn dial_ended(&mut self, _port: &mut Port, _visit: &mut Visit<'_, '_>) {}

    /// The kernel could not play what is dialled, because the card stands still or is gone.
    fn dial_failed(&mut self, _port: &mut Port, _visit: &mut Visit<'_, '_>) {}

    /// Answers the call that is offered.
    fn answer(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, request: Token);

    /// Puts the call on hold, or connects it again.
    fn hold(&mut self, _port: &mut Port, _visit: &mut Visit<'_, '_>, _on_hold: bool) {}

    /// What the telephone hears while it waits has changed.
    fn treatment_changed(&mut self, _port: &mut Port) {}

    /// Ends the call on the line from our side.
    fn hang_up(&mut self, port: &Port, visit: &mut Visit<'_, '_>);

    /// The card has noticed something on the port.
    fn event(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, event: PortEvent);

    /// Whether messages wait for whoever is at the line.
    fn messages_wait(&self) -> bool;

    /// The phone beside the line, if there is one.
    fn phone(&self) -> Option<&Phone> {
        None
    }

    /// As [`phone`](Machine::phone), to change it.
    fn phone_mut(&mut self) -> Option<&mut Phone> {
        None
    }

    /// How the phone is now.
    fn phone_report(&self) -> Option<PhoneReport> {
        None
    }

    /// Rings the telephone without a call, in this mode, or stops that with mode 0.
    fn ring(
        &mut self,
        _port: &mut Port,
        _visit: &mut Visit<'_, '_>,
        _mode: u32,
    ) -> Result<(), PhoneError> {
        Err(PhoneError::OPERATIONUNAVAIL)
    }

    /// Samples came in, of 1 ms.
    fn hear(&mut self, port: &mut Port, visit: &mut Visit<'_, '_>, heard: &[i16; FRAME]);

    /// What the line plays now; `None` is silence.
    fn sound(&self, port: &Port) -> Option<Sound>;

    /// Renders the next samples of [`sound`](Machine::sound) to the start of `play`; returns how
    /// many there are. If there are fewer than requested, no more can be rendered until these were
    /// played.
    fn render(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        sound: Sound,
        play: &mut [i16],
    ) -> usize;
}

//! The functions of a line and its call that only store or return data, which are the same for
//! every kind of line, and the messages about changes of this data.
//!
//! LINE_LINEDEVSTATE and LINE_ADDRESSSTATE are emitted only if lineSetStatusMessages has enabled
//! them; LINE_CALLINFO always is, but neither before a call's first state (N4, N14) nor after IDLE
//! (O4). What is sent here is what the provider announces in dwLineStates, dwAddressStates and
//! dwCallInfoStates.

use ringback_driver::engine::Context;
use ringback_driver::request::Token;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

use super::book::{Book, Op};
use super::call::Call;
use super::device_status::DeviceStatus;
use super::wishes::Wishes;
use super::{Caller, Command, Event, Opening, Treatment};

impl Book {
    /// Opens the line. Calls are offered from now on; status messages are disabled.
    ///
    /// # Errors
    /// ALLOCATED if it is open.
    pub(crate) fn open(&mut self, tapi: HTAPILINE) -> Result<Opening, LineError> {
        let opening = self.openings.open(tapi)?;
        self.wishes = Wishes::default();
        Ok(opening)
    }

    // What is wanted of the line

    /// TSPI_lineSetStatusMessages: which changes of the line (LINEDEVSTATE_ bits) and of its
    /// address (LINEADDRESSSTATE_ bits) are reported from now on.
    pub fn set_status_messages(&mut self, line_states: u32, address_states: u32) {
        self.wishes.line_states = line_states;
        self.wishes.address_states = address_states;
    }

    /// TSPI_lineSetDefaultMediaDetection: the LINEMEDIAMODE_ bits of the calls that are offered
    /// from now on. With 0 none are offered: then only monitors have the line open.
    pub fn set_default_media_detection(&mut self, modes: u32) {
        self.wishes.media = Some(modes);
    }

    /// The media mode with which a call that begins on the line is offered. `None` if it is not
    /// offered: the line is closed, out of service or has a call, or TAPI has not asked for such
    /// calls. `usual` is
    /// the mode that is preferred, `others` are modes that the line can't distinguish from it.
    pub(crate) fn offered_media(&self, usual: u32, others: u32) -> Option<u32> {
        self.openings.tapi()?;
        if self.call.is_some() || self.is_withdrawn() {
            return None;
        }
        let wanted = self.wishes.media.unwrap_or(usual);
        if wanted & (usual | LINEMEDIAMODE_UNKNOWN) != 0 {
            return Some(usual);
        }
        let other = wanted & others;
        (other != 0).then(|| 1 << other.trailing_zeros())
    }

    // What is kept of a call

    /// The call, live or over.
    fn kept(&mut self, call: HDRVCALL) -> Result<&mut Call, LineError> {
        self.find_mut(call).ok_or(LineError::INVALCALLHANDLE)
    }

    /// TSPI_lineSetAppSpecific, legal in every state.
    ///
    /// # Errors
    /// INVALCALLHANDLE.
    pub fn set_app_specific(
        &mut self,
        cx: &mut Context<'_, Event>,
        call: HDRVCALL,
        number: u32,
    ) -> Result<(), LineError> {
        let before = std::mem::replace(&mut self.kept(call)?.info.app_specific, number);
        self.tell_info_if(before != number, cx, call, LINECALLINFOSTATE_APPSPECIFIC);
        Ok(())
    }

    /// TSPI_lineSetMediaMode, legal in every state.
    ///
    /// # Errors
    /// INVALCALLHANDLE.
    pub fn set_media_mode(
        &mut self,
        cx: &mut Context<'_, Event>,
        call: HDRVCALL,
        modes: u32,
    ) -> Result<(), LineError> {
        let before = std::mem::replace(&mut self.kept(call)?.info.media, modes);
        self.tell_info_if(before != modes, cx, call, LINECALLINFOSTATE_MEDIAMODE);
        Ok(())
    }

    /// Sets what the telephone of a live call hears while it waits; returns whether that has
    /// changed.
    pub(crate) fn set_treatment(
        &mut self,
        cx: &mut Context<'_, Event>,
        call: HDRVCALL,
        treatment: Treatment,
    ) -> bool {
        let Ok(live) = self.live(call) else { return false };
        let changed = live.treatment() != treatment;
        live.info.treatment = Some(treatment);
        self.tell_info_if(changed, cx, call, LINECALLINFOSTATE_TREATMENT);
        changed
    }

    /// Whether a feature is one of those that [`keep`](Book::keep) carries out, and can be now that
    /// the call's state allows it; `None` if it is none of them.
    pub(crate) fn can_keep(&self, feature: u32) -> Option<bool> {
        match feature {
            LINECALLFEATURE_ACCEPT => Some(!self.has(Op::Answer) && !self.has(Op::Drop)),
            LINECALLFEATURE_SETCALLDATA | LINECALLFEATURE_SETCALLPARAMS => Some(true),
            _ => None,
        }
    }

    /// It has become known who calls.
    pub(crate) fn set_caller(&mut self, cx: &mut Context<'_, Event>, caller: Caller) {
        let Some(live) = &mut self.call else { return };
        let before = std::mem::replace(&mut live.info.caller, caller);
        let (after, call) = (&live.info.caller, live.handle);
        let who = (&before.number, &before.name) != (&after.number, &after.name);
        let when = before.time != after.time;
        let changed = if who { LINECALLINFOSTATE_CALLERID } else { 0 }
            | if when { LINECALLINFOSTATE_DISPLAY } else { 0 };
        self.tell_info_if(changed != 0, cx, call, changed);
    }

    /// Somebody else calls, and waits until the line is free for it (dwDisplay).
    pub(crate) fn set_waiting(&mut self, cx: &mut Context<'_, Event>, caller: Caller) {
        let Some(live) = &mut self.call else { return };
        live.info.waiting = Some(caller);
        let call = live.handle;
        // It is told again if it is the same one, because it is another call.
        self.tell_info_if(true, cx, call, LINECALLINFOSTATE_DISPLAY);
    }

    /// Carries out a command that only stores data, of a call that was checked. Returns any other
    /// command.
    pub(crate) fn keep(
        &mut self,
        cx: &mut Context<'_, Event>,
        request: Token,
        command: Command,
    ) -> Option<Command> {
        let Some(live) = &mut self.call else { return Some(command) };
        match command {
            Command::Accept { .. } => self.set_state(cx, CallState::Accepted, 0),
            Command::SetCallData { call, data } => {
                live.info.notes.data = data;
                self.tell_info_if(true, cx, call, LINECALLINFOSTATE_CALLDATA);
            }
            Command::SetCallParams { call, timing } => {
                let timing = timing.unwrap_or(live.info.timing);
                let before = std::mem::replace(&mut live.info.timing, timing);
                self.tell_info_if(before != timing, cx, call, LINECALLINFOSTATE_DIALPARAMS);
            }
            other => return Some(other),
        }
        cx.complete(request, Ok(()));
        None
    }

    /// Sends LINE_CALLINFO if something has changed and the call has a state (N4).
    fn tell_info_if(
        &self,
        changed: bool,
        cx: &mut Context<'_, Event>,
        call: HDRVCALL,
        states: u32,
    ) {
        let live = self.call.as_ref().filter(|live| live.handle == call);
        if changed && live.is_some_and(|live| live.state.is_some()) {
            self.tell_call(cx, LINE_CALLINFO, [states as usize, 0, 0]);
        }
    }

    // What is set of the line's device

    /// Whether the line was locked.
    pub(crate) fn is_locked(&self) -> bool {
        self.status.locked
    }

    /// Whether the line was taken out of service.
    pub(crate) fn is_withdrawn(&self) -> bool {
        self.status.withdrawn
    }

    /// Whether the status of the line allows calls to be made.
    ///
    /// # Errors
    /// INVALLINESTATE.
    pub(crate) fn may_call(&self) -> Result<(), LineError> {
        let DeviceStatus { locked, withdrawn } = self.status;
        if locked || withdrawn { Err(LineError::INVALLINESTATE) } else { Ok(()) }
    }

    /// Sets or clears LINEDEVSTATUSFLAGS_LOCKED and INSERVICE, and reports what has changed.
    /// `serves` says whether the hardware does: a line that is put into service without it is in
    /// service once it does.
    ///
    /// # Errors
    /// INVALLINESTATE if the line has a call and is to be taken out of service; nothing is changed.
    pub(crate) fn set_device_status(
        &mut self,
        cx: &mut Context<'_, Event>,
        bits: u32,
        on: bool,
        serves: bool,
    ) -> Result<(), LineError> {
        let withdraws = bits & LINEDEVSTATUSFLAGS_INSERVICE != 0 && !on;
        if withdraws && self.call.is_some() {
            return Err(LineError::INVALLINESTATE);
        }
        if bits & LINEDEVSTATUSFLAGS_LOCKED != 0
            && std::mem::replace(&mut self.status.locked, on) != on
        {
            self.tell_line_state(cx, LINEDEVSTATE_LOCK, [0; 2]);
        }
        if bits & LINEDEVSTATUSFLAGS_INSERVICE != 0 && self.status.withdrawn == on {
            // A line that is out of service reports nothing of its hardware.
            self.status.withdrawn = false;
            if serves {
                self.serves(cx, on);
            }
            self.status.withdrawn = !on;
        }
        Ok(())
    }

    // What the line reports about itself

    /// LINE_LINEDEVSTATE, if it is wanted.
    pub(crate) fn tell_line_state(
        &self,
        cx: &mut Context<'_, Event>,
        state: u32,
        details: [usize; 2],
    ) {
        if self.wishes.line_states & state != 0 {
            let [detail, more] = details;
            self.tell_line(cx, LINE_LINEDEVSTATE, [state as usize, detail, more]);
        }
    }

    /// The number of calls has changed. A call that is being made is not counted (N4).
    pub(crate) fn counted(&self, cx: &mut Context<'_, Event>) {
        self.tell_line_state(cx, LINEDEVSTATE_NUMCALLS, [0; 2]);
        let calls = self.call.iter().chain(&self.aside).filter(|call| call.state.is_some());
        let in_use = match calls.count() {
            0 => LINEADDRESSSTATE_INUSEZERO,
            1 => LINEADDRESSSTATE_INUSEONE,
            _ => LINEADDRESSSTATE_INUSEMANY,
        };
        self.tell_address_states(cx, in_use | LINEADDRESSSTATE_NUMCALLS);
    }

    /// What can be done with the line has changed.
    pub fn abilities_changed(&self, cx: &mut Context<'_, Event>) {
        self.tell_line_state(cx, LINEDEVSTATE_CAPSCHANGE, [0; 2]);
        self.tell_address_states(cx, LINEADDRESSSTATE_CAPSCHANGE);
    }

    /// LINE_ADDRESSSTATE with those of these states that are wanted, if any are.
    pub(crate) fn tell_address_states(&self, cx: &mut Context<'_, Event>, states: u32) {
        let wanted = states & self.wishes.address_states;
        if wanted != 0 {
            self.tell_line(cx, LINE_ADDRESSSTATE, [0, wanted as usize, 0]);
        }
    }

    /// The line has gone into service or out of it, for example because it was plugged in or
    /// unplugged. One that an application has taken out of service is so already.
    pub(crate) fn serves(&self, cx: &mut Context<'_, Event>, in_service: bool) {
        if self.is_withdrawn() {
            return;
        }
        let state = if in_service { LINEDEVSTATE_INSERVICE } else { LINEDEVSTATE_OUTOFSERVICE };
        self.tell_line_state(cx, state, [0; 2]);
    }

    /// Messages wait from now on for whoever is at the line, or none does any more.
    pub(crate) fn messages(&self, cx: &mut Context<'_, Event>, wait: bool) {
        let state = if wait { LINEDEVSTATE_MSGWAITON } else { LINEDEVSTATE_MSGWAITOFF };
        self.tell_line_state(cx, state, [0; 2]);
    }

    /// The line rings once more, in its only ring mode. The count begins with 0.
    pub(crate) fn rings(&mut self, cx: &mut Context<'_, Event>) {
        let count = self.wishes.rings as usize;
        self.wishes.rings = self.wishes.rings.saturating_add(1);
        self.tell_line_state(cx, LINEDEVSTATE_RINGING, [RING_MODE as usize, count]);
    }

    /// The line does not ring any more.
    pub(crate) fn stops_ringing(&mut self) {
        self.wishes.rings = 0;
    }

    /// The ring mode of the line (dwRingMode): 1, or 0 while it does not ring.
    pub(crate) fn ring_mode(&self) -> u32 {
        if self.wishes.rings > 0 { RING_MODE } else { 0 }
    }
}

/// A line has one ring mode (dwRingModes).
const RING_MODE: u32 = 1;

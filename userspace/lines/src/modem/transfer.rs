//! Requests that move data: each ends once, with its bytes or with the call.

use std::collections::VecDeque;

use ringback_driver::card::uart16550::Uart16550;
use ringback_driver::device::Device;
use ringback_driver::engine::Context;
use ringback_driver::request::Token;
use ringback_tspi::error::LineError;
use ringback_tspi::media::Data;

use super::escape::EscapeGuard;
use crate::Event;

#[derive(Debug)]
struct Send {
    request: Token,
    bytes: Vec<u8>,
    /// How many bytes were given to the UART so far.
    handed: usize,
}

/// The data requests of a line.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    /// Not yet given to the UART completely, oldest first.
    sends: VecDeque<Send>,
    /// Given to it completely: each is sent when the UART has sent this total number of bytes.
    under_way: VecDeque<(Token, u64)>,
    /// Each waits for this many bytes.
    receives: Vec<(Token, usize)>,
    guard: EscapeGuard,
}

impl Transfers {
    pub(super) fn send(&mut self, request: Token, bytes: Vec<u8>) {
        self.sends.push_back(Send { request, bytes, handed: 0 });
    }

    pub(super) fn receive(&mut self, request: Token, bytes: usize) {
        self.receives.push((request, bytes));
    }

    /// Gives the UART what it has room for, and completes finished requests. `escapes` says that
    /// the modem would take the escape sequence for a command.
    pub(super) fn advance<D: Device>(
        &mut self,
        uart: &mut Uart16550<D>,
        data: &Data,
        escapes: bool,
        cx: &mut Context<'_, Event>,
    ) {
        let now = cx.now();
        if uart.unsent() > 0 {
            self.guard.is_sending(now);
        }
        while let Some(send) = self.sends.front() {
            let bytes = send.bytes.get(send.handed..).unwrap_or_default();
            let followed = self.sends.iter().skip(1).any(|next| !next.bytes.is_empty());
            let allowed =
                if escapes { self.guard.allows(bytes, followed, now) } else { bytes.len() };
            let bytes = bytes.get(..allowed).unwrap_or_default();
            let handed = uart.send(bytes);
            self.guard.note(bytes.get(..handed).unwrap_or_default(), now);
            let Some(send) = self.sends.front_mut() else { break };
            send.handed += handed;
            if send.handed < send.bytes.len() {
                break;
            }
            let all = uart.counters().sent + uart.unsent() as u64;
            self.under_way.push_back((send.request, all));
            self.sends.pop_front();
        }
        let sent = uart.counters().sent;
        while let Some((request, _)) = self.under_way.pop_front_if(|(_, all)| *all <= sent) {
            cx.complete(request, Ok(()));
        }
        let available = data.available();
        self.receives.retain(|(request, bytes)| {
            let done = *bytes <= available;
            if done {
                cx.complete(*request, Ok(()));
            }
            !done
        });
    }

    /// The call is over, so its requests fail.
    pub(super) fn fail(&mut self, cx: &mut Context<'_, Event>, error: LineError) {
        self.fail_sends(cx, error);
        for (request, _) in self.receives.drain(..) {
            cx.complete(request, Err(error.into()));
        }
    }

    /// Nothing can be sent any more.
    pub(super) fn fail_sends(&mut self, cx: &mut Context<'_, Event>, error: LineError) {
        let sends = self.sends.drain(..).map(|send| send.request);
        let under_way = self.under_way.drain(..).map(|(request, _)| request);
        for request in sends.chain(under_way) {
            cx.complete(request, Err(error.into()));
        }
    }

    /// Forgets a request that ended elsewhere; bytes that the UART has are still sent.
    pub(super) fn ended(&mut self, request: Token) {
        self.sends.retain(|send| send.request != request);
        self.under_way.retain(|(one, _)| *one != request);
        self.receives.retain(|(one, _)| *one != request);
    }
}

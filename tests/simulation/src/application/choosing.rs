//! Chooses what the application does next.

use ringback_driver::card::ModuleKind;
use ringback_lines::LineEngine;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::{LINEDIGITMODE_DTMF, LINEDIGITMODE_DTMFEND, LINEDIGITMODE_PULSE};
use ringback_tspi::types::HDRVCALL;

use super::{Application, Plan, numbers};

impl<E: LineEngine> Application<E> {
    /// Does one thing: usually one that fits the state of the line, otherwise anything.
    pub(super) fn do_something(&mut self) {
        let line = self.dice.index(self.kinds.len());
        if self.dice.percent(self.manner.sense) {
            self.do_something_sensible(line);
        } else {
            self.do_anything(line);
        }
    }

    fn do_something_sensible(&mut self, line: usize) {
        if !self.checker.is_open(line) {
            return self.open(line);
        }
        let Some(call) = self.checker.live_calls(line).first().copied() else {
            if self.dice.percent(50) {
                let number = self.number();
                self.make_call(line, &number);
            }
            return;
        };
        match self.checker.state(call).map(|(state, _)| state) {
            Some(CallState::Offering) if self.dice.one_in(3) => self.accept(call),
            Some(CallState::Offering | CallState::Accepted) => self.answer(call),
            Some(CallState::DialTone | CallState::Dialing) => {
                let number = self.number();
                self.dial(call, &number);
            }
            Some(CallState::Connected) if self.is_modem() && self.dice.percent(70) => {
                self.transfer(call);
            }
            Some(CallState::Connected) => match self.dice.below(8) {
                6 => self.attach(call),
                0 => self.monitor(call, LINEDIGITMODE_DTMF | LINEDIGITMODE_DTMFEND),
                1 => self.monitor(call, LINEDIGITMODE_DTMF),
                2 => self.generate(call, Some("12,3")),
                3 => self.look(line, call),
                4 => self.dial(call, "456"),
                5 => self.drop_call(call),
                _ => self.put_on_hold(call, true),
            },
            Some(CallState::OnHold) => match self.dice.below(4) {
                0 => self.treat(call),
                1 => self.drop_call(call),
                _ => self.put_on_hold(call, false),
            },
            Some(CallState::Disconnected | CallState::Busy | CallState::SpecialInfo) => {
                self.drop_call(call);
            }
            _ if self.dice.one_in(4) => self.drop_call(call),
            _ => {}
        }
    }

    fn do_anything(&mut self, line: usize) {
        let call = self.any_call();
        match self.dice.below(30) {
            0 => self.open(line),
            1 => {
                self.close(line);
                if self.dice.percent(70) {
                    self.plan(Plan::Open(line), 0, 3000);
                }
            }
            2..=4 => {
                let number = self.number();
                // Sometimes on a line that does not exist.
                let line = if self.dice.one_in(12) { self.kinds.len() } else { line };
                self.make_call(line, &number);
            }
            5..=6 => self.answer(call),
            7..=8 => {
                let number = self.number();
                self.dial(call, &number);
            }
            9..=11 => self.drop_call(call),
            12..=14 => self.close_call(call),
            15 => self.cancel(),
            16..=17 => {
                let text = self.dice.pick(&["1", "159D#*", "1,2", "", ",", "x", "0123456789"]);
                self.generate(call, text);
            }
            18 => self.generate(call, None),
            19..=20 => {
                let modes = [0, LINEDIGITMODE_DTMF, LINEDIGITMODE_DTMFEND, LINEDIGITMODE_PULSE, 7];
                let modes = self.dice.pick(&modes).unwrap_or_default();
                self.monitor(call, modes);
            }
            21 => self.look(line, call),
            22 => self.accept(call),
            23..=24 => self.attach(call),
            26 => self.treat(call),
            27 => {
                let on_hold = self.dice.one_in(2);
                self.put_on_hold(call, on_hold);
            }
            // Dialers do this: they drop a call and close it at once (D6).
            25 => {
                self.drop_call(call);
                self.close_call(call);
            }
            28 => self.transfer(call),
            // A second drop of the same call.
            _ => {
                self.drop_call(call);
                self.drop_call(call);
            }
        }
    }

    fn number(&mut self) -> String {
        numbers::any(&mut self.dice, &self.manner.numbers)
    }

    /// Returns a call of the application, usually one of the newest, or a handle that never
    /// existed.
    fn any_call(&mut self) -> HDRVCALL {
        let newest = self.calls.len().saturating_sub(self.kinds.len());
        let known = match self.dice.below(10) {
            0 => None,
            1..=3 => self.dice.pick(&self.calls),
            _ => self.calls.get(newest..).and_then(|newest| self.dice.pick(newest)),
        };
        known.unwrap_or_else(|| self.no_call())
    }

    fn no_call(&mut self) -> HDRVCALL {
        let any = self.dice.any();
        let value = match self.dice.below(3) {
            0 => any as usize,
            // A serial number that was given out, on a line that does not exist.
            1 => 1 << 8 | (any as usize & 0xFF),
            // A serial number that was not given out, on a line that exists.
            _ => (any as usize % 1000 + 100_000) << 8 | 1,
        };
        HDRVCALL::new(value.max(1)).unwrap_or_else(|| unreachable!("at least 1"))
    }

    /// The kind of module of this line; `None` if there is no such line.
    pub(crate) fn kind(&self, line: usize) -> Option<ModuleKind> {
        self.kinds.get(line).copied()
    }
}

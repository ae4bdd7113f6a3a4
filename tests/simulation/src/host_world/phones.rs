//! What the application does with the phones of a host: it opens and closes them, asks for anything
//! at any time, and compares hook switches with what it was told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_host::{Closed, Events, LocalHost, Pending, Phone, PhoneEvent};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::constants::{
    PHONEBUTTONMODE_FEATURE, PHONEBUTTONMODE_KEYPAD, PHONEBUTTONSTATE_DOWN, PHONEBUTTONSTATE_UP,
    PHONEHOOKSWITCHDEV_HANDSET, PHONEHOOKSWITCHMODE_MICSPEAKER, PHONEHOOKSWITCHMODE_ONHOOK,
    PHONELAMPMODE_OFF, PHONELAMPMODE_STEADY, PHONESTATE_HANDSETHOOKSWITCH,
    PHONESTATE_HANDSETVOLUME, PHONESTATE_LAMP, PHONESTATE_RINGMODE,
};
use ringback_tspi::error::PhoneError;

use crate::checker::Rule;
use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::journal::{Journal, note};

use super::operator::over;
use super::rules::{Gone, Rules};

/// The most requests that it keeps.
const KEPT: usize = 6;
/// What it has reported.
const STATES: u32 =
    PHONESTATE_HANDSETHOOKSWITCH | PHONESTATE_HANDSETVOLUME | PHONESTATE_LAMP | PHONESTATE_RINGMODE;

type Asked = Pending<(), PhoneError>;

/// An open phone.
struct Handset {
    device: u32,
    phone: Phone,
    events: Events<PhoneEvent>,
    /// Whether it is off-hook by its last event, if it has had one.
    off_hook: Option<bool>,
}

/// The phones of an application.
pub(super) struct Phones {
    journal: Journal,
    rules: Arc<Mutex<Rules>>,
    open: Vec<Handset>,
    kept: Vec<Asked>,
}

impl Phones {
    pub(super) fn new(journal: Journal, rules: Arc<Mutex<Rules>>) -> Phones {
        Phones { journal, rules, open: Vec::new(), kept: Vec::new() }
    }

    fn fail(&self, rule: Rule, text: String) {
        self.rules.lock().even_poisoned().fail(rule, text);
    }

    /// The host is shut down: every phone is closed, and no request is left.
    pub(super) fn stopped(&mut self) {
        for handset in std::mem::take(&mut self.open) {
            if !handset.phone.is_closed() {
                self.fail(Rule::D12, format!("phone {} is open after all", handset.device));
            }
        }
        for kept in std::mem::take(&mut self.kept) {
            if is_pending(&kept) {
                self.fail(Rule::D12, "a phone's request has no outcome after all".to_owned());
            }
        }
    }

    /// Fetches events, and looks at the requests that are kept.
    pub(super) fn hear(&mut self, coverage: &mut Coverage) {
        let mut odd = None;
        for handset in &mut self.open {
            while let Some(event) = handset.events.try_next() {
                let PhoneEvent::State { changed, detail, .. } = event else { continue };
                if changed != PHONESTATE_HANDSETHOOKSWITCH {
                    continue;
                }
                coverage.count("host: a hook switch");
                let off_hook = Some(detail != PHONEHOOKSWITCHMODE_ONHOOK);
                if handset.off_hook == off_hook {
                    odd = Some(format!("phone {} is {detail:#x} twice", handset.device));
                }
                handset.off_hook = off_hook;
            }
            // Everything that has happened was delivered.
            if let (Some(told), Ok(state)) = (handset.off_hook, handset.phone.off_hook())
                && told != (state & PHONEHOOKSWITCHDEV_HANDSET != 0)
            {
                odd = Some(format!("phone {}: {state:#x}, and not as told", handset.device));
            }
        }
        if let Some(odd) = odd {
            self.fail(Rule::Agrees, odd);
        }
        self.kept.retain(is_pending);
    }

    /// Does something.
    pub(super) fn act(&mut self, host: &LocalHost, dice: &mut Dice, coverage: &mut Coverage) {
        let phones = host.phones().len();
        if phones == 0 {
            return;
        }
        let device = dice.index(phones) as u32;
        match self.open.iter().position(|handset| handset.device == device) {
            Some(at) if dice.one_in(12) => self.close(at, coverage),
            Some(_) if dice.one_in(30) => self.open(host, device),
            Some(at) => self.ask(at, dice, coverage),
            None => self.open(host, device),
        }
    }

    fn open(&mut self, host: &LocalHost, device: u32) {
        // PHONE_CLOSE closes a phone also (D13), and the card that is gone can't be opened again.
        self.open.retain(|handset| handset.device != device || !handset.phone.is_closed());
        // Perhaps another application has it open.
        let is_open = self.rules.lock().even_poisoned().is_open(Gone::Phone(device));
        let phone = match host.open_phone(device) {
            Ok(phone) => phone,
            Err(error) => {
                note!(self.journal, "app  phone {device} does not open: {error}");
                if is_open && error != PhoneError::ALLOCATED {
                    self.fail(Rule::OneCall, format!("phone {device} is open, and got {error}"));
                }
                return;
            }
        };
        note!(self.journal, "app  phone {device} is opened");
        self.rules.lock().even_poisoned().opened(Gone::Phone(device));
        let events = phone.events();
        let modes = PHONEBUTTONMODE_KEYPAD | PHONEBUTTONMODE_FEATURE;
        let states = PHONEBUTTONSTATE_DOWN | PHONEBUTTONSTATE_UP;
        if let Err(error) = phone.set_status_messages(STATES, modes, states) {
            note!(self.journal, "app  phone {device} reports nothing: {error}");
        }
        self.open.push(Handset { device, phone, events, off_hook: None });
    }

    fn close(&mut self, at: usize, coverage: &mut Coverage) {
        let handset = self.open.remove(at);
        let closed = handset.phone.close();
        note!(self.journal, "app  phone {} is closed: {closed:?}", handset.device);
        coverage.count_owned(format!("host: phone closed {closed:?}"));
        let now = closed == Ok(Closed::Now);
        self.rules.lock().even_poisoned().closed(Gone::Phone(handset.device), now);
    }

    fn ask(&mut self, at: usize, dice: &mut Dice, coverage: &mut Coverage) {
        let phone = &self.open[at].phone;
        let level = dice.below(0x1_0010);
        let handset = PHONEHOOKSWITCHDEV_HANDSET;
        let asked = match dice.below(8) {
            0..=2 => phone.set_ring(dice.below(4), 0xFFFF),
            3 => {
                let mode = if dice.one_in(2) { PHONELAMPMODE_STEADY } else { PHONELAMPMODE_OFF };
                phone.set_lamp(dice.below(20), mode)
            }
            4 => phone.set_volume(handset, level),
            5 => phone.set_gain(handset, level),
            6 => phone.set_hook_switch(handset, PHONEHOOKSWITCHMODE_MICSPEAKER),
            _ => phone.set_display(0, 0, "5550100"),
        };
        let pending = match asked {
            Ok(pending) => pending,
            Err(error) => return coverage.count_owned(format!("host: phone refuses {error}")),
        };
        coverage.count("host: asked of a phone");
        match dice.below(5) {
            0 => drop(pending),
            1 => pending.release(),
            2 => {
                let rules = Arc::clone(&self.rules);
                rules.lock().even_poisoned().owe_callback();
                pending.on_complete(move |_| rules.lock().even_poisoned().callback());
            }
            3 => {
                pending.release();
                self.close(at, coverage);
            }
            _ => {
                self.kept.push(pending);
                if self.kept.len() > KEPT {
                    // The request continues, and its result is dropped.
                    self.kept.remove(0).release();
                }
            }
        }
    }
}

fn is_pending(asked: &Asked) -> bool {
    over(asked.wait(Duration::ZERO)).is_none()
}

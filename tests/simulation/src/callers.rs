//! Who calls: what the exchanges say of callers and what calls on telephone lines say, and what has
//! to come of it.
//!
//! Nobody is made up: a line that no sample was lost of reports only callers that have called it,
//! also if bits of the message are wrong, and a telephone shows only callers of its calls. Who
//! calls a line that listens is told: with the call if it is told before the first ring (N14),
//! otherwise by LINE_CALLINFO, and never after IDLE (O4), which `checker` checks.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ringback_country::{CallerIdCoding, CallerIdMethod, CallerIdMoment, Country};
use ringback_driver::{PortNumber, Time};
use ringback_lines::{Caller, CallerTime, Party};
use ringback_softcard::{Exchange, LineState, Telephone};
use ringback_tspi::types::HDRVCALL;

use crate::cards::Cards;
use crate::dice::Dice;
use crate::sabotage::Sabotage;

/// How long it is remembered who called: a line may report it until its ringing counts as over.
const REMEMBERED: Duration = Duration::from_secs(20);
/// How long a line must not have rung, so that its next ring begins a call.
const SILENT: Duration = Duration::from_secs(12);
/// How long a line must have been idle to be told.
const IDLE: Duration = Duration::from_millis(1500);
/// The longest time of a message, with what comes before it: a fault in it may damage it.
pub(crate) const MESSAGE: Duration = Duration::from_secs(5);
/// When a line has been told: after the first ring and the message behind it, or in Japan after
/// the line has answered.
const TOLD: Duration = Duration::from_secs(10);
/// How long a line that is told off-hook may be off-hook after the exchange has rung.
const OFF_HOOK: Duration = Duration::from_secs(6);
/// The bits of a message that are spoiled: those of its first bytes, without start and stop bits,
/// so that its bytes remain bytes.
const BYTES: u32 = 30;

/// Who calls a line, as its call says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) call: HDRVCALL,
    pub(crate) caller: Caller,
    /// Who waits for the end of the conversation.
    pub(crate) waiting: Option<Caller>,
}

/// What is known of an FXO line at a look.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) now: Time,
    pub(crate) reported: Option<Reported>,
    /// The number of LINE_CALLINFO that the call had for it.
    pub(crate) told: u32,
    /// Whether upcalls of the line are held back.
    pub(crate) held_back: bool,
    pub(crate) open: bool,
    /// Whether there is a call, and whether one is offered and not answered.
    pub(crate) has_call: bool,
    pub(crate) offered: bool,
    /// Since when nothing has disturbed the samples.
    pub(crate) undisturbed: Time,
}

/// An exchange's ringing of a line.
#[derive(Debug, Clone)]
struct Ringing {
    caller: String,
    since: Time,
    /// Whether the line was idle, open and silent before, and is open since, without another call.
    clean: bool,
}

/// One line, or one telephone.
#[derive(Debug, Clone, Default)]
struct Watched {
    /// Who has called, each with the last time.
    called: VecDeque<(Caller, Time)>,
    ringing: Option<Ringing>,
    rang: Option<Time>,
    /// When the line last had a call, was closed, and had wrong bits.
    used: Option<Time>,
    closed: Option<Time>,
    spoiled: Option<Time>,
    wrong_bit: bool,
    reported: Option<(Reported, u32)>,
    shown: Option<Caller>,
}

impl Watched {
    fn note(&mut self, caller: Caller, now: Time) {
        self.called.retain(|(other, at)| *other != caller && now - *at < REMEMBERED);
        self.called.push_back((caller, now));
    }

    fn is_known(&self, caller: &Caller) -> bool {
        self.called.iter().any(|(called, _)| called == caller)
    }
}

/// All callers of a world.
#[derive(Debug)]
pub(crate) struct Callers {
    /// `None` in a world in which nobody is told.
    method: Option<CallerIdMethod>,
    /// What the exchanges say of each number.
    identities: BTreeMap<String, Caller>,
    ports: Vec<Watched>,
    /// Sabotage: calls on FXS lines are made without their callers.
    hides: bool,
}

impl Callers {
    /// Chooses what the card's exchanges say of these numbers, whether they say it, and on which
    /// lines others may wait; and gives telephones displays.
    pub(crate) fn new(
        mut dice: Dice,
        card: &Cards,
        country: Country,
        numbers: &[String],
        sabotage: Option<Sabotage>,
    ) -> Callers {
        let ports = vec![Watched::default(); card.ports()];
        let hides = sabotage == Some(Sabotage::HideCaller);
        let tells = dice.percent(70);
        let method = country.caller_id().filter(|_| tells);
        let Some(CallerIdMethod { coding, .. }) = method else {
            return Callers { method: None, identities: BTreeMap::new(), ports, hides };
        };
        let mut identities = BTreeMap::new();
        for number in numbers {
            let named = identity(&mut dice, number);
            if let Some(named) = &named {
                let said = match sabotage {
                    Some(Sabotage::WrongCaller) => &stranger(),
                    _ => named,
                };
                for part in card.parts() {
                    // A number that no party of the exchange has calls nobody.
                    let _ = part.exchange().set_caller(number, said.clone());
                }
            }
            let named = named.unwrap_or_else(|| number_alone(number));
            identities.insert(number.clone(), conveyed(coding, &named));
        }
        for part in card.parts() {
            part.exchange().tell_callers(sabotage != Some(Sabotage::LoseCaller));
        }
        for port in (0..card.ports()).map(PortNumber::at) {
            if let Some(telephone) = card.telephone(port) {
                telephone.set_display(coding);
            }
            if let Some((exchange, number)) = exchange_of(card, port) {
                let waits = exchange.set_call_waiting(&number, dice.one_in(3));
                waits.unwrap_or_else(|error| unreachable!("{error}"));
            }
        }
        Callers { method, identities, ports, hides }
    }

    /// Whether callers are told.
    pub(crate) fn tell(&self) -> bool {
        self.method.is_some()
    }

    /// Who a telephone is told calls it; nobody in a world in which nobody is told.
    pub(crate) fn for_telephone(&self, dice: &mut Dice) -> Caller {
        if !self.tell() || dice.one_in(4) {
            return Caller::default();
        }
        let number = dice.pick(&["5550123", "20", "0309012345"]).unwrap_or_default();
        match dice.below(5) {
            0 => Caller { number: Party::Withheld, ..Caller::default() },
            1 => Caller { name: Party::Known("ADA".into()), ..number_alone(number) },
            _ => number_alone(number),
        }
    }

    /// A call with this caller is made to the telephone of a port. Returns the caller with which
    /// the lines are asked.
    pub(crate) fn made(&mut self, port: PortNumber, caller: Caller, now: Time) -> Caller {
        if let Some(watched) = self.ports.get_mut(port.index())
            && let Some(method) = self.method
        {
            watched.note(conveyed(method.coding, &caller), now);
        }
        if self.hides { Caller::default() } else { caller }
    }

    /// Spoils a bit of every message to the line of a port from now on, or none.
    pub(crate) fn spoil(&mut self, card: &Cards, port: PortNumber, bit: Option<usize>) {
        let Some(watched) = self.ports.get_mut(port.index()) else { return };
        watched.wrong_bit = bit.is_some();
        if let Some((exchange, number)) = exchange_of(card, port) {
            let spoiled = exchange.set_wrong_bit(&number, bit);
            spoiled.unwrap_or_else(|error| unreachable!("{error}"));
        }
    }

    /// Follows what an exchange does with the line of a port, and compares what its call says.
    /// Returns whether it was to say who calls, and does.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn look(
        &mut self,
        card: &Cards,
        port: PortNumber,
        look: Look,
    ) -> Result<bool, String> {
        let Some(method) = self.method else { return Ok(false) };
        let Some((exchange, number)) = exchange_of(card, port) else { return Ok(false) };
        let Some(watched) = self.ports.get_mut(port.index()) else { return Ok(false) };
        let now = look.now;
        let calling: Vec<&String> = self
            .identities
            .keys()
            .filter(|from| exchange.state(from) == Some(LineState::Calling))
            .filter(|from| exchange.dialled(from).as_deref() == Some(&number))
            .collect();
        for from in &calling {
            let caller = self.identities.get(*from).cloned().unwrap_or_default();
            watched.note(caller, now);
        }
        if watched.wrong_bit {
            watched.spoiled = Some(now);
        }
        if !look.open {
            watched.closed = Some(now);
        }
        let long_ago = |at: Option<Time>, by| at.is_none_or(|at| now - at > by);
        let rings = exchange.state(&number) == Some(LineState::Ringing);
        let caller = calling.first().filter(|_| rings && calling.len() == 1);
        let same = |ringing: &Ringing| caller.is_some_and(|caller| ringing.caller == **caller);
        if !watched.ringing.as_ref().is_some_and(same) {
            watched.ringing = caller.map(|caller| Ringing {
                caller: (*caller).clone(),
                since: now,
                clean: long_ago(watched.rang, SILENT)
                    && long_ago(watched.used, IDLE)
                    && long_ago(watched.closed, IDLE)
                    && now - Time::ZERO > IDLE,
            });
        }
        if rings {
            watched.rang = Some(now);
        }
        if look.has_call {
            watched.used = Some(now);
        }
        if let Some(ringing) = &mut watched.ringing {
            // A line that is off-hook for a call of its own is not told, or does not hear it.
            ringing.clean &= look.open && (!look.has_call || look.offered);
        }
        let clean_for = |time| look.undisturbed + time < now;
        let before = watched.reported.take();
        let Some(reported) = look.reported else { return Ok(false) };
        if look.held_back {
            watched.reported = before.filter(|(before, _)| before.call == reported.call);
            return Ok(false);
        }
        if let Some((before, told)) = &before
            && before.call == reported.call
            && (&before.caller, &before.waiting) != (&reported.caller, &reported.waiting)
            && *told == look.told
        {
            return Err(format!("{before:?} became {reported:?} without LINE_CALLINFO"));
        }
        let is_new = before.as_ref().is_none_or(|(before, _)| *before != reported);
        let somebody = [Some(&reported.caller), reported.waiting.as_ref()];
        for caller in somebody.into_iter().flatten().filter(|_| is_new && clean_for(MESSAGE)) {
            let told = conveyed(method.coding, caller);
            if *caller != Caller::default() && !watched.is_known(&told) {
                let called = &watched.called;
                return Err(format!("{reported:?} is nobody who has called: {called:?}"));
            }
        }
        let mut compared = false;
        if let Some(ringing) = &mut watched.ringing
            && ringing.clean
            && look.offered
            && now - ringing.since > TOLD
        {
            ringing.clean = false;
            let since = ringing.since;
            let whole = look.undisturbed + IDLE < since
                && watched.spoiled.is_none_or(|at| at + IDLE < since);
            let caller = self.identities.get(&ringing.caller).cloned().unwrap_or_default();
            if whole && conveyed(method.coding, &reported.caller) != caller {
                return Err(format!("{caller:?} calls, and the call says {reported:?}"));
            }
            compared = whole;
        }
        watched.reported = Some((reported, look.told));
        Ok(compared)
    }

    /// Compares what a telephone shows with the callers of its calls, if its samples are
    /// `undisturbed` for longer than a message.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn look_at_display(
        &mut self,
        port: PortNumber,
        telephone: &Telephone,
        undisturbed: bool,
    ) -> Result<(), String> {
        let Some(method) = self.method else { return Ok(()) };
        let Some(watched) = self.ports.get_mut(port.index()) else { return Ok(()) };
        let shown = telephone.displayed();
        if shown == watched.shown {
            return Ok(());
        }
        watched.shown.clone_from(&shown);
        let known =
            shown.as_ref().is_none_or(|shown| watched.is_known(&conveyed(method.coding, shown)));
        if known || !undisturbed {
            return Ok(());
        }
        Err(format!("telephone {port} shows {shown:?}, and was called by {:?}", watched.called))
    }

    /// What the telephone of a port shows when it has rung twice, by its last call; `None` if that
    /// tells nothing.
    pub(crate) fn shown(&self, port: PortNumber) -> Option<&Caller> {
        self.method.filter(|method| method.moment != CallerIdMoment::OffHook)?;
        let (caller, _) = self.ports.get(port.index())?.called.back()?;
        Some(caller).filter(|caller| **caller != Caller::default())
    }

    /// Whether the line of a port may be off-hook without a call, because it is told. Where samples
    /// are lost, its time goes on more slowly, for a while after `disturbed`.
    pub(crate) fn is_told_off_hook(&self, port: PortNumber, disturbed: Time, now: Time) -> bool {
        let off_hook = self.method.is_some_and(|method| method.moment == CallerIdMoment::OffHook);
        let rang = self.ports.get(port.index()).and_then(|watched| watched.rang);
        let since = rang.map(|rang| rang.max(disturbed.min(rang + 2 * OFF_HOOK)));
        off_hook && since.is_some_and(|since| now - since < OFF_HOOK)
    }
}

/// A bit of a data message.
pub(crate) fn a_bit(dice: &mut Dice) -> usize {
    (10 * dice.below(BYTES) + 1 + dice.below(8)) as usize
}

/// The exchange of the line at a port, and its number there.
fn exchange_of(card: &Cards, port: PortNumber) -> Option<(Exchange, String)> {
    let (exchange, own) = card.exchange(port)?;
    let number = exchange.line_number(own)?;
    Some((exchange, number))
}

fn number_alone(number: &str) -> Caller {
    Caller { number: Party::reported(number), ..Caller::default() }
}

/// Somebody who has no number in any world.
fn stranger() -> Caller {
    number_alone("666999")
}

/// What is said of a number; `None` for the number alone.
fn identity(dice: &mut Dice, number: &str) -> Option<Caller> {
    let time = CallerTime::new(1 + dice.below(12) as u8, 1 + dice.below(28) as u8, 18, 5);
    match dice.below(4) {
        0 => None,
        1 => Some(Caller { number: Party::Withheld, name: Party::Unknown, time }),
        2 => Some(Caller { number: Party::OutOfArea, name: Party::Unknown, time }),
        _ => Some(Caller {
            name: Party::Known(format!("NUMBER {number}")),
            time,
            ..number_alone(number)
        }),
    }
}

/// What a coding conveys of a caller: digits have no name and no time.
fn conveyed(coding: CallerIdCoding, caller: &Caller) -> Caller {
    match coding {
        CallerIdCoding::Bell202 | CallerIdCoding::V23 => caller.clone(),
        CallerIdCoding::Ntt | CallerIdCoding::Dtmf { .. } => {
            Caller { number: caller.number.clone(), ..Caller::default() }
        }
    }
}

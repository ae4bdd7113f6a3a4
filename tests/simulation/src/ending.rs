//! The ends of worlds, and what has to hold then.

use std::time::Duration;

use ringback_driver::card::{Hook, ModuleKind, PortCard};
use ringback_softcard::Fault;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::{
    LINECONNECTEDMODE_CONFIRMED, LINEDIALTONEMODE_NORMAL, LINEDISCONNECTMODE_NORMAL,
};
use ringback_tspi::types::HDRVCALL;

use crate::checker::Rule;
use crate::journal::note;
use crate::sabotage::Sabotage;
use crate::scenario::{Ending, Pace};
use crate::world::{CALLER_TOLD, World};

/// Time after the last fault and the last caller, in which bursts of ringing end and modules are
/// set up again.
const CALM: Duration = Duration::from_secs(14);
/// Time in which an expected state has to come.
const DUE: Duration = Duration::from_secs(6);
/// Time in which a line that is called offers the call and says who it is, and in which a telephone
/// rings twice.
const TOLD: Duration = Duration::from_secs(24);

impl World {
    /// Runs the world from its beginning to its end.
    pub(crate) fn live(&mut self) {
        self.run(self.scenario.storm / 2);
        if self.application().saboteur.plans(Sabotage::DeafModules) {
            self.deafen();
        }
        self.run(self.scenario.storm / 2);
        if self.is_broken() {
            return;
        }
        let ending = self.scenario.ending;
        note!(self.journal, "     ending {ending:?}");
        self.application().coverage.count_owned(format!("ending {ending:?}"));
        match ending {
            Ending::Calm => self.calm_down(),
            Ending::Stop => {}
            Ending::Removal => self.lose(|world| world.card.set_fault(0, Fault::Removal, true)),
            Ending::Gone => self.lose(|world| world.stepper.gone()),
        }
        if !self.is_broken() {
            self.stop();
        }
    }

    /// Loses the card while everything runs: each request has to end, and each line has to be
    /// closed.
    fn lose(&mut self, how: impl FnOnce(&mut World)) {
        self.end_faults();
        // Whatever faults there were before, the loss of the card is noticed by its regular
        // service.
        how(self);
        self.after_delivery();
        self.application().quieten();
        self.run(Duration::from_millis(500));
        self.application().release_all();
        self.run(Duration::from_millis(5));
        let mut application = self.application();
        let left = application.checker.outstanding().next();
        if let Some((id, _)) = left {
            application.checker.fail(Rule::C3, format!("{id} outlived the card"));
        }
        for line in 0..application.kinds().len() {
            if application.checker.is_open(line) {
                let text = format!("line {line} was not told LINE_CLOSE when the card went");
                application.checker.fail(Rule::D13, text);
            }
            if application.make_call(line, "20").is_some() {
                let text = format!("line {line} takes a call although the card is gone");
                application.checker.fail(Rule::Serves, text);
            }
        }
    }

    /// Ends faults and callers; then each line has to work.
    fn calm_down(&mut self) {
        self.end_faults();
        if self.scenario.pace == Pace::Halting {
            // Not `Halting`, because a tone of which half is lost is not recognised.
            self.scenario.pace = Pace::Uneven;
        }
        self.outside.hang_up();
        let mut application = self.application();
        application.quieten();
        application.release_all();
        drop(application);
        self.tidy();
        self.run(CALM);
        // The exchange may have rung a moment longer than its callers waited.
        self.tidy();
        let lines = self.application().kinds().len();
        for line in 0..lines {
            if !self.is_broken() {
                self.check_service(line);
            }
        }
    }

    /// Opens each line, and ends its calls.
    fn tidy(&mut self) {
        self.run(Duration::from_millis(100));
        let mut application = self.application();
        for line in 0..application.kinds().len() {
            for call in application.checker.calls(line) {
                application.drop_call(call);
                application.close_call(call);
            }
            if !application.checker.is_open(line) {
                application.open(line);
            }
        }
        drop(application);
        self.run(Duration::from_millis(100));
    }

    fn check_service(&mut self, line: usize) {
        let port = self.port(line);
        let status = self.handle.with(move |lines, _| lines.card().status(port)).ok().flatten();
        let works = status.is_some() && !self.lost();
        let made = self.application().make_call(line, "");
        let kind = self.application().kind(line);
        self.application().coverage.count(if works { "line served" } else { "line out of order" });
        match (made, works) {
            (None, true) => self.fail(Rule::Serves, format!("line {line} refuses a call")),
            (Some(_), false) => {
                let text = format!("line {line} takes a call although its module is given up");
                self.fail(Rule::Serves, text);
            }
            (None, false) => {}
            (Some(call), true) => match kind {
                Some(ModuleKind::Fxo) => self.check_fxo(line, call),
                _ => self.check_fxs(line, call),
            },
        }
    }

    fn check_fxo(&mut self, line: usize, call: HDRVCALL) {
        self.until(call, CallState::DialTone, LINEDIALTONEMODE_NORMAL);
        self.application().drop_call(call);
        self.run(Duration::from_millis(50));
        self.application().close_call(call);
        let port = self.port(line);
        let status = self.handle.with(move |lines, _| lines.card().status(port)).ok().flatten();
        if status.is_none_or(|status| status.hook == Hook::Off) {
            self.fail(Rule::OnHook, format!("line {line} after its call: {status:?}"));
        }
        self.check_caller(line);
    }

    /// Who calls a line that was idle is compared by each step.
    fn check_caller(&mut self, line: usize) {
        let exchange = self.card.exchange(self.port(line)).filter(|_| self.callers().tell());
        let Some((exchange, own)) = exchange else { return };
        let telephone = exchange.subscribers().into_iter().next();
        let Some((number, (_, telephone))) = exchange.line_number(own).zip(telephone) else {
            return;
        };
        self.run(Duration::from_secs(2));
        let before = self.application().coverage.of(CALLER_TOLD);
        telephone.call(&number);
        let end = self.now() + TOLD;
        while !self.is_broken() && self.application().coverage.of(CALLER_TOLD) == before {
            if self.now() > end {
                self.fail(Rule::Caller, format!("line {line} was called, and not told by whom"));
            }
            self.step();
        }
        telephone.on_hook();
        self.tidy();
    }

    fn check_fxs(&mut self, line: usize, call: HDRVCALL) {
        let Some(telephone) = self.card.telephone(self.port(line)) else { return };
        self.until(call, CallState::Ringback, 0);
        // This is within the first ring of any country; some tell before it who calls.
        let tells = self.callers().shown(self.port(line)).cloned();
        self.run(Duration::from_millis(300));
        let end = self.now() + TOLD;
        while tells.is_some() && !telephone.is_ringing() && self.now() < end {
            self.step();
        }
        if !telephone.is_ringing() {
            let port = self.port(line);
            let status = self.handle.with(move |lines, _| lines.card().status(port)).ok().flatten();
            let text = format!("the telephone of line {line} does not ring: {status:?}");
            self.fail(Rule::Serves, text);
        }
        while tells.is_some() && telephone.ring_count() < 2 && self.now() < end {
            self.step();
        }
        let shown = telephone.displayed();
        if tells.is_some() && shown != tells {
            let text = format!("the telephone of line {line} shows {shown:?} and not {tells:?}");
            self.fail(Rule::Caller, text);
        }
        telephone.off_hook();
        self.until(call, CallState::Connected, LINECONNECTEDMODE_CONFIRMED);
        telephone.on_hook();
        self.until(call, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
        self.application().drop_call(call);
        self.run(Duration::from_millis(50));
        self.application().close_call(call);
    }

    /// Runs until the call is in the state.
    fn until(&mut self, call: HDRVCALL, state: CallState, mode: u32) {
        let wanted = Some((state, mode as usize));
        let end = self.now() + DUE;
        while !self.is_broken() && self.application().checker.state(call) != wanted {
            if self.now() > end {
                let told = self.application().checker.state(call);
                let text = format!("call {call} is {told:x?} and was to be {wanted:x?}");
                self.fail(Rule::Serves, text);
            }
            self.step();
        }
    }

    /// Shuts down, in whatever state the world is.
    fn stop(&mut self) {
        self.over = true;
        let mut application = self.application();
        application.quieten();
        let skipped = application.saboteur.plans(Sabotage::NoStop);
        let running = application.running().unwrap_or_default();
        application.checker.stopping(&running);
        drop(application);
        note!(self.journal, "     stop");
        if !skipped {
            self.stepper.stop();
        }
        self.after_delivery();
        self.application().release_all();
        self.stepper.deliver();
        self.after_delivery();
        let mut application = self.application();
        application.checker.stopped();
        if application.make_call(0, "20").is_some() {
            application.checker.fail(Rule::D12, "a call was taken after the shutdown".into());
        }
        drop(application);
        self.check_safe();
    }
}

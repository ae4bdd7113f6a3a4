//! A command that is about one call, from its files to its result, whichever side begins the call.

use ringback_host::Call;

use crate::card::{CardArguments, Station};
use crate::conversation::{Conversation, conclude};
use crate::exchange::ExchangeArguments;
use crate::exit::Failure;
use crate::line_sound::SoundArguments;
use crate::output::Output;
use crate::signals::Signals;
use crate::talk::TalkArguments;
use crate::telephone::TelephoneArguments;
use crate::{scenery, timeline};

/// What the user asked for, as far as the commands agree on it.
pub(crate) struct Asked<'a> {
    /// The line, as `ringback lines` numbers them.
    pub(crate) line: u32,
    /// DTMF digits to send after the answer.
    pub(crate) digits: Option<&'a str>,
    pub(crate) talk: &'a TalkArguments,
    pub(crate) exchange: &'a ExchangeArguments,
    pub(crate) telephone: &'a TelephoneArguments,
    pub(crate) sound: &'a SoundArguments,
    pub(crate) card: &'a CardArguments,
}

/// What `call` and `answer` do differently.
pub(crate) trait OneCall {
    fn asked(&self) -> Asked<'_>;

    /// Refuses what the line can't do, before anything happens on it, and sets up the software
    /// card's far end. Returns the words that announce the call.
    fn prepare(&self, station: &Station, line: &Conversation<'_>) -> Result<String, Failure>;

    /// Returns once a call is connected. If it fails, no call is left.
    fn connect(&self, line: &mut Conversation<'_>) -> Result<Call, Failure>;

    /// Runs the command, and prints its result.
    fn run(&self, signals: &Signals) -> Result<(), Failure> {
        let out = self.asked().talk.output(signals);
        conclude(out, signals, self.converse(out, signals))
    }

    /// Opens files, card and line, has the call, and leaves the line on-hook.
    fn converse(&self, out: Output<'_>, signals: &Signals) -> Result<(), Failure> {
        let Asked { line, digits, talk, exchange, telephone, sound, card } = self.asked();
        let files = talk.files(card.overwrite(), signals)?;
        let (recorder, log) = timeline::new();
        let station = card.open(signals, &recorder, scenery::furnish)?;
        let mut line = Conversation::open(&station, line, out, signals, &recorder, log)?;
        line.check(digits.is_some(), talk)?;
        let sound = sound.options(&line)?;
        exchange.configure(&station, &line, sound)?;
        telephone.configure(&station, &line, sound)?;
        out.text(self.prepare(&station, &line)?)?;
        let ended = self.connect(&mut line).and_then(|call| {
            let talked = line.talk(&call, digits, files, talk);
            line.hang_up(&call);
            talked
        });
        line.finish(ended)
    }
}

//! The text of `--help` about the telephones and subscribers behind the software card.

#[cfg(test)]
pub(crate) use ringback_softcard::scenery::LINE_NUMBERS;
pub(crate) use ringback_softcard::scenery::{
    CALLED_AGAIN, call, call_again, card, furnish, leave_message, tone,
};

/// The scenery, for `--help`.
pub(crate) const HELP: &str = "\
The software card (--card soft) has four lines:
  lines 0, 1   telephones (FXS): the one at line 0 answers in the second ring, the one at
               line 1 never answers; any number rings them
  lines 2, 3   lines of an exchange (FXO), numbers 5550202 and 5550203. Numbers to call:
  5550100      answers in the second ring and plays a tone now and then
  5550101      is busy
  5550102      never answers
  5550103      answers in the first ring, plays a tone and hangs up after 3 seconds
  5550104      answers in the first ring; then 5550112 calls the line, and waits
  others       reorder tone: no such number
With `answer` and `monitor` the line is called two seconds after the start: the caller plays a
tone, dials 1234 and hangs up. With `monitor` a message waits for line 3.";

#[cfg(test)]
mod tests {
    use ringback_softcard::scenery::{AGAIN, ANSWERS, BRIEF, BUSY, SILENT};

    use super::*;

    #[test]
    fn the_help_names_every_number() {
        let lines = LINE_NUMBERS;
        for number in [ANSWERS, BUSY, SILENT, BRIEF, CALLED_AGAIN, AGAIN, lines[0], lines[1]] {
            assert!(HELP.contains(number), "{number}");
        }
    }
}

//! What `--help` says of the people behind the software card, and where they are made.

#[cfg(test)]
pub(crate) use ringback_softcard::scenery::LINE_NUMBERS;
pub(crate) use ringback_softcard::scenery::{call, card, furnish, tone};

/// The scenery, for `--help`.
pub(crate) const HELP: &str = "\
The software card (--card soft) has four lines and somebody behind each:
  lines 0, 1   telephones (FXS): the one at line 0 answers in the second ring,
               nobody is at home at line 1; the address of a call is not looked at
  lines 2, 3   lines of an exchange (FXO), numbers 5550202 and 5550203
  5550100      answers in the second ring and says a tone now and then
  5550101      is busy
  5550102      never answers
  5550103      answers in the first ring, says a tone and hangs up after 3 seconds
  others       reorder tone: no such number
With `answer` and `monitor` somebody calls the line two seconds after the start, says a tone,
dials 1234 and hangs up.";

#[cfg(test)]
mod tests {
    use ringback_softcard::scenery::{ANSWERS, BRIEF, BUSY, SILENT};

    use super::*;

    #[test]
    fn the_help_names_everybody() {
        for number in [ANSWERS, BUSY, SILENT, BRIEF, LINE_NUMBERS[0], LINE_NUMBERS[1]] {
            assert!(HELP.contains(number), "{number}");
        }
    }
}

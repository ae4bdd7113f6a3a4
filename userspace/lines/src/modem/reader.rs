//! Makes lines of the bytes that the modem sends while it takes commands.

/// The longest line that is kept. A result code is much shorter; a longer line is garbage.
const LONGEST: usize = 128;

/// Collects bytes into lines. Both CR and LF end a line, so that `<CR><LF>OK<CR><LF>` and `0<CR>`
/// are one line each, whatever S3 and S4 are.
#[derive(Debug)]
pub(super) struct LineReader {
    line: Vec<u8>,
    too_long: bool,
    /// The line was returned; the next byte begins another.
    ended: bool,
}

impl LineReader {
    pub(super) fn new() -> LineReader {
        LineReader { line: Vec::with_capacity(LONGEST), too_long: false, ended: false }
    }

    /// Takes a byte, and returns the line if the byte ends one that is not empty.
    pub(super) fn take(&mut self, byte: u8) -> Option<&[u8]> {
        if std::mem::take(&mut self.ended) {
            self.line.clear();
        }
        match byte {
            b'\r' | b'\n' => {
                self.ended = true;
                let whole = !std::mem::take(&mut self.too_long) && !self.line.is_empty();
                whole.then_some(&self.line)
            }
            // Fill characters of slow terminals.
            0 => None,
            _ if self.line.len() == LONGEST => {
                self.too_long = true;
                None
            }
            other => {
                self.line.push(other);
                None
            }
        }
    }

    /// Forgets the line that was begun.
    pub(super) fn clear(&mut self) {
        *self = LineReader { line: std::mem::take(&mut self.line), ..LineReader::new() };
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut reader = LineReader::new();
        bytes
            .iter()
            .filter_map(|byte| {
                reader.take(*byte).map(|line| String::from_utf8_lossy(line).into_owned())
            })
            .collect()
    }

    #[test]
    fn both_forms_of_answers_are_lines() {
        assert_eq!(lines(b"ATI\r\r\nAcme 56k\r\n\r\nOK\r\n"), ["ATI", "Acme 56k", "OK"]);
        assert_eq!(lines(b"ATV0\r0\r2\r"), ["ATV0", "0", "2"]);
        assert_eq!(lines(b"no end"), [""; 0]);
        assert_eq!(lines(b"\0O\0K\r"), ["OK"]);
    }

    #[test]
    fn a_line_without_an_end_takes_no_room_and_hides_nothing_after_it() {
        let mut bytes = vec![0xA5; 100_000];
        bytes.extend(b"\r\nOK\r\n");
        assert_eq!(lines(&bytes), ["OK"]);
        let mut reader = LineReader::new();
        assert!(bytes.iter().filter_map(|byte| reader.take(*byte).map(|_| ())).count() == 1);
        assert!(reader.line.capacity() <= LONGEST);
    }

    #[test]
    fn what_was_begun_can_be_forgotten() {
        let mut reader = LineReader::new();
        b"NO CAR".iter().for_each(|byte| assert!(reader.take(*byte).is_none()));
        reader.clear();
        b"OK".iter().for_each(|byte| assert!(reader.take(*byte).is_none()));
        assert_eq!(reader.take(b'\r'), Some(&b"OK"[..]));
    }
}

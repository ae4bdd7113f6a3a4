//! A log holds what was seen, also as a file; files that are no log are refused.

use proptest::prelude::*;

use super::*;

fn header() -> Header {
    Header {
        format: FORMAT,
        provider: "libmodem.so".to_owned(),
        scenario: "calls".to_owned(),
        seed: 7,
        missing: vec!["TSPI_linePark".to_owned()],
        watched: vec![Watch::Inputs],
    }
}

fn called(function: &str, arguments: &[(&str, Data)]) -> What {
    let named = |(name, data): &(&str, Data)| ((*name).to_owned(), data.clone());
    let arguments = arguments.iter().map(named).collect();
    What::Called { function: function.to_owned(), arguments }
}

fn returned(of: u64, result: i32) -> What {
    What::Returned { of, result, gave: vec![], filled: BTreeMap::new() }
}

/// A log with one entry of each kind.
fn everything() -> Log {
    let mut log = Log::new(header());
    let call = Data::Handle { of: "HDRVCALL".to_owned(), value: u64::MAX };
    let info = Data::Bytes(Hex(vec![0, 1, 0xfe, 0xff]));
    let filled = BTreeMap::from([("info".to_owned(), Hex(vec![1, 2, 3, 4]))]);
    let whats = [
        (0, called("TSPI_lineGetCallInfo", &[("call", call.clone()), ("info", info)])),
        (0, What::Returned { of: 0, result: 0, gave: vec![Gave::Word(u64::MAX)], filled }),
        (0, called("TSPI_lineDrop", &[("request", Data::Request(5)), ("call", call)])),
        (1, What::Upcall { way: 0, upcall: Upcall::Completion { request: 5, result: -5 } }),
        (0, returned(2, 5)),
        (1, What::Answered { of: 3, call: None }),
        (1, What::Upcall { way: 0, upcall: Upcall::NewCall { line: 1, call: 2 } }),
        (1, What::Answered { of: 6, call: Some(3) }),
        (1, What::Quiet { milliseconds: 2000 }),
        (
            2,
            called("TSPI_lineDial", &[("dest_address", Data::Text("0\"\\\u{7}\u{e9}".to_owned()))]),
        ),
        (0, What::Hung { of: 9, milliseconds: 3000 }),
        (0, What::Touched { of: 9, parameter: "dest_address".to_owned() }),
        (0, What::Unwritten { of: 0, parameter: "info".to_owned() }),
        (0, What::Overwritten { of: 0, parameter: "info".to_owned(), offset: 4 }),
        (0, What::Died { signal: 11 }),
        (0, What::Exited { code: 1 }),
    ];
    for (thread, what) in whats {
        log.add(thread, what).unwrap();
    }
    log
}

fn written(log: &Log) -> String {
    let mut file = Vec::new();
    log.write(&mut file).unwrap();
    String::from_utf8(file).unwrap()
}

#[test]
fn a_log_that_was_written_is_read_as_it_was() {
    let log = everything();
    let text = written(&log);
    assert_eq!(text.lines().count(), log.entries().len() + 1);
    assert_eq!(Log::read(text.as_bytes()).unwrap(), log);
    // A log that was cut off between two lines is valid, and so is a last line without line end.
    let cut: String = text.lines().take(4).collect::<Vec<_>>().join("\n");
    assert_eq!(Log::read(cut.as_bytes()).unwrap().entries(), &log.entries()[..3]);
}

/// What reading says of the log's text with one line put in the place of another.
fn fault(line: usize, text: &str) -> String {
    let whole = written(&everything());
    let mut lines: Vec<&str> = whole.lines().collect();
    lines[line - 1] = text;
    Log::read(lines.join("\n").as_bytes()).unwrap_err().to_string()
}

#[test]
fn errors_in_a_file_are_reported_with_the_line() {
    let entry = |number: u64, thread: u32, what: &str| {
        format!("{{\"number\":{number},\"thread\":{thread},\"what\":{what}}}")
    };
    let returned = r#"{"returned":{"of":0,"result":0,"gave":[],"filled":{}}}"#;
    let answered = r#"{"answered":{"of":0,"call":null}}"#;
    let cases = [
        (1, "{}".to_owned(), "line 1: missing field `format`"),
        (3, "{".to_owned(), "line 3: EOF while parsing"),
        (3, entry(9, 0, returned), "line 3: entry 9 stands where entry 1 should"),
        (3, entry(1, 1, returned), "line 3: it is about entry 0, which is no function that is"),
        (3, entry(1, 0, answered), "line 3: it is about entry 0, which is no upcall that is"),
        (3, entry(1, 0, r#"{"hung":{"of":5,"milliseconds":1}}"#), "line 3: it is about entry 5"),
        (3, entry(1, 0, r#"{"nothing":{}}"#), "line 3: unknown variant `nothing`"),
        (
            3,
            entry(1, 0, r#"{"called":{"function":"TSPI_lineSing","arguments":{}}}"#),
            "line 3: TSPI_lineSing is not a function of TSPI",
        ),
        (
            3,
            entry(1, 0, r#"{"touched":{"of":0,"parameter":"lock"}}"#),
            "line 3: TSPI_lineGetCallInfo has no parameter lock",
        ),
        (
            3,
            entry(1, 0, r#"{"returned":{"of":0,"result":0,"gave":[{"bytes":"1"}],"filled":{}}}"#),
            "line 3: bytes are pairs of hex digits",
        ),
    ];
    for (line, text, said) in cases {
        let fault = fault(line, &text);
        assert!(fault.starts_with(said), "{text}: {fault}");
    }
    for other in ["{\"format\":1}\n", "{\"format\":1,\"of the other\":[]}\n"] {
        let fault = Log::read(other.as_bytes()).unwrap_err().to_string();
        assert_eq!(fault, "line 1: this is format 1; this program reads format 2");
    }
    let fault = Log::read(&b""[..]).unwrap_err().to_string();
    assert!(fault.starts_with("it is empty"), "{fault}");
}

#[test]
fn a_file_without_line_ends_takes_no_memory() {
    let endless = std::io::BufReader::new(std::io::repeat(b' '));
    let fault = Log::read(endless).unwrap_err();
    assert!(matches!(fault, ReadError::TooLong { line: 1 }), "{fault}");
}

#[test]
fn nothing_ends_twice() {
    let mut log = everything();
    for what in [returned(0, 0), What::Answered { of: 3, call: None }] {
        let before = log.clone();
        assert!(matches!(log.add(0, what), Err(Impossible::About { .. })));
        assert_eq!(log, before);
    }
}

proptest! {
    /// Reading a damaged file gives a log or an error, and never panics.
    #[test]
    fn damage_is_an_error_or_another_log(at in 0_usize..4000, byte: u8, cut in 0_usize..4000) {
        let mut file = written(&everything()).into_bytes();
        let size = file.len();
        file[at % size] = byte;
        file.truncate(size - cut % size);
        if let Ok(log) = Log::read(&file[..]) {
            prop_assert_eq!(Log::read(written(&log).as_bytes()).unwrap(), log);
        }
    }
}

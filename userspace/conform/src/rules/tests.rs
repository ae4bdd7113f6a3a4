//! For each rule that a log can show, a log by hand that keeps it and one that breaks it.

use std::collections::{BTreeMap, BTreeSet};

use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::functions;

use super::*;
use crate::log::{Data, FORMAT, Gave, Header, Hex, Upcall, Watch, What};

const LINE: u64 = 0x10;
const HD_LINE: u64 = 0x1000;
const CALL: u64 = 0x20;
const HD_CALL: u64 = 0x2000;
const PHONE: u64 = 0x30;
const HD_PHONE: u64 = 0x3000;
const FAILED: i32 = LineError::OPERATIONFAILED.raw();

/// A log that is made by hand, of one line, one call and one phone.
struct Made {
    log: Log,
    thread: u32,
    /// The functions and upcalls under way on each thread.
    open: BTreeMap<u32, Vec<u64>>,
    /// The last function that was called.
    last: u64,
}

impl Made {
    fn new() -> Made {
        let header = Header {
            format: FORMAT,
            provider: "by hand".to_owned(),
            scenario: "by hand".to_owned(),
            seed: 0,
            missing: vec![SWAP_HOLD.to_owned()],
            watched: vec![Watch::Inputs, Watch::Outputs],
        };
        Made { log: Log::new(header), thread: 0, open: BTreeMap::new(), last: 0 }
    }

    fn add(mut self, what: What) -> Made {
        self.log.add(self.thread, what).unwrap();
        self
    }

    /// What follows is on this thread.
    fn on(mut self, thread: u32) -> Made {
        self.thread = thread;
        self
    }

    fn begin(mut self, what: What) -> Made {
        let at = self.log.add(self.thread, what).unwrap();
        self.open.entry(self.thread).or_default().push(at);
        self
    }

    fn end(&mut self) -> u64 {
        self.open.get_mut(&self.thread).and_then(Vec::pop).expect("something is under way")
    }

    /// A function is called, with its usual handles and with these arguments.
    fn call(self, function: &str, request: Option<u32>, arguments: &[(&str, Data)]) -> Made {
        let handle = |of: &str, value| Data::Handle { of: of.to_owned(), value };
        let row = functions::find(function).unwrap();
        let mut all = BTreeMap::new();
        for parameter in row.parameters {
            let data = match parameter.c[0].kind {
                "DRV_REQUESTID" => Data::Request(request.unwrap()),
                "HDRVLINE" => handle("HDRVLINE", HD_LINE),
                "HDRVCALL" => handle("HDRVCALL", HD_CALL),
                "HDRVPHONE" => handle("HDRVPHONE", HD_PHONE),
                "HTAPILINE" => handle("HTAPILINE", LINE),
                "HTAPICALL" => handle("HTAPICALL", CALL),
                "HTAPIPHONE" => handle("HTAPIPHONE", PHONE),
                _ => continue,
            };
            all.insert(parameter.name.to_owned(), data);
        }
        all.extend(arguments.iter().map(|(name, data)| ((*name).to_owned(), data.clone())));
        let last = self.log.entries().len() as u64;
        let what = What::Called { function: function.to_owned(), arguments: all };
        Made { last, ..self.begin(what) }
    }

    fn gives(mut self, result: i32, words: &[u64], filled: &[(&str, &[u8])]) -> Made {
        let of = self.end();
        let gave = words.iter().map(|word| Gave::Word(*word)).collect();
        let filled =
            filled.iter().map(|(name, bytes)| ((*name).to_owned(), Hex(bytes.to_vec()))).collect();
        self.add(What::Returned { of, result, gave, filled })
    }

    /// The function returns this, with nothing given back.
    fn ret(self, result: i32) -> Made {
        self.gives(result, &[], &[])
    }

    /// A synchronous function that does its work.
    fn sync(self, function: &str) -> Made {
        self.call(function, None, &[]).ret(0)
    }

    fn init(self) -> Made {
        self.call("TSPI_providerInit", None, &[]).gives(0, &[0], &[])
    }

    fn opened(self) -> Made {
        self.init().call("TSPI_lineOpen", None, &[("device_id", Data::Number(0))]).gives(
            0,
            &[HD_LINE],
            &[],
        )
    }

    fn phone(self) -> Made {
        self.init().call("TSPI_phoneOpen", None, &[]).gives(0, &[HD_PHONE], &[])
    }

    /// TSPI_lineMakeCall is called on the open line.
    fn make(self, id: u32) -> Made {
        self.call("TSPI_lineMakeCall", Some(id), &[])
    }

    /// It returns its id and the call's handle.
    fn taken(self, id: u32) -> Made {
        self.gives(id.cast_signed(), &[HD_CALL], &[])
    }

    /// The line is open and the call connected.
    fn connected(self) -> Made {
        self.opened().make(1).taken(1).done(1, 0).state(CallState::Connected)
    }

    /// A request of the call is accepted.
    fn asks(self, function: &str, id: u32) -> Made {
        self.call(function, Some(id), &[]).ret(id.cast_signed())
    }

    fn up(self, way: u32, upcall: Upcall) -> Made {
        self.begin(What::Upcall { way, upcall })
    }

    fn answer(mut self, call: Option<u64>) -> Made {
        let of = self.end();
        self.add(What::Answered { of, call })
    }

    fn completion(self, request: u32, result: i32) -> Made {
        self.up(0, Upcall::Completion { request, result })
    }

    /// A whole completion.
    fn done(self, request: u32, result: i32) -> Made {
        self.completion(request, result).answer(None)
    }

    fn event(self, call: u64, message: u32, params: [u64; 3]) -> Made {
        self.up(0, Upcall::Line { line: LINE, call, message, params }).answer(None)
    }

    fn state(self, state: CallState) -> Made {
        self.event(CALL, LINE_CALLSTATE, [u64::from(state.bit()), 0, 0])
    }

    fn newcall(self, answer: Option<u64>) -> Made {
        self.up(0, Upcall::NewCall { line: LINE, call: HD_CALL }).answer(answer)
    }

    fn phone_event(self, message: u32) -> Made {
        let upcall = Upcall::Phone { phone: PHONE, message, params: [0; 3] };
        self.up(0, upcall).answer(None)
    }

    fn quiet(self) -> Made {
        self.add(What::Quiet { milliseconds: 2000 })
    }

    /// Something about the memory of the function that was called last.
    fn unwritten(self, parameter: &str) -> Made {
        let of = self.last;
        self.add(What::Unwritten { of, parameter: parameter.to_owned() })
    }

    fn touched(self, parameter: &str) -> Made {
        let of = self.last;
        self.add(What::Touched { of, parameter: parameter.to_owned() })
    }

    fn info(self, before: u32, after: [u32; 3]) -> Made {
        let words = |words: &[u32]| words.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<_>>();
        let info = Data::Bytes(Hex(words(&[before, 0, 0])));
        self.call("TSPI_lineGetCallInfo", None, &[("info", info)]).gives(
            0,
            &[],
            &[("info", &words(&after))],
        )
    }

    /// TSPI_lineGetCallStatus returns this state, and offers these features.
    fn status(self, state: CallState, features: u32) -> Made {
        let words = [36, 36, 36, state.bit(), 0, 0, features, 0, 0];
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        self.call("TSPI_lineGetCallStatus", None, &[]).gives(0, &[], &[("status", &bytes)])
    }

    fn negotiated(self, version: u64) -> Made {
        let range = [("low", Data::Number(0x20000)), ("high", Data::Number(0x30000))];
        self.call("TSPI_lineNegotiateTSPIVersion", None, &range).gives(0, &[version], &[])
    }

    /// Generating or gathering digits is started under this id.
    fn starts(self, function: &str, id: u32) -> Made {
        let digits = if function.contains("Gather") { Data::Late(4) } else { text("12") };
        let arguments = [("end_to_end_id", Data::Number(id)), ("digits", digits)];
        self.call(function, None, &arguments).ret(0)
    }

    fn judged(&self, key: &str) -> Verdict {
        let judged = judge(&self.log).into_iter().find(|(rule, _)| rule.key == key);
        judged.expect("there is such a rule").1
    }
}

fn text(text: &str) -> Data {
    Data::Text(text.to_owned())
}

type Make = fn(Made) -> Made;

const GENERATE: &str = "TSPI_lineGenerateDigits";
const HOLD: &str = "TSPI_lineHold";
const SWAP_HOLD: &str = "TSPI_lineSwapHold";
const GATHER: &str = "TSPI_lineGatherDigits";

/// A key, a log that keeps the rule, and one that breaks it.
const LOGS: &[(&str, Make, Make)] = &[
    (
        "T4",
        |m| {
            m.connected()
                .asks("TSPI_lineDial", 5)
                .on(1)
                .completion(5, 0)
                .on(2)
                .asks("TSPI_lineDial", 5)
                .on(1)
                .answer(None)
                .done(5, 0)
                .quiet()
        },
        |m| {
            m.connected()
                .asks("TSPI_lineDial", 5)
                .on(1)
                .completion(5, 0)
                .on(2)
                .asks("TSPI_lineDial", 5)
                .on(1)
                .answer(None)
                .quiet()
        },
    ),
    (
        "T6",
        |m| m.opened().make(1).ret(0xC000_0001_u32.cast_signed()),
        |m| m.opened().make(1).ret(0x8000_0004_u32.cast_signed()),
    ),
    ("K2", |m| m.sync("TSPI_lineClose"), |m| m.call("TSPI_lineClose", None, &[]).ret(1)),
    ("K3", |m| m.sync("TSPI_lineClose"), |m| m.call("TSPI_lineClose", None, &[]).done(9, 0).ret(0)),
    ("K4", |m| m.opened(), |m| m.opened().unwritten("line")),
    (
        "K5",
        |m| m.connected().starts(GENERATE, 7).event(CALL, LINE_GENERATE, [1, 7, 0]).quiet(),
        |m| m.connected().starts(GENERATE, 7).event(CALL, LINE_GENERATE, [1, 8, 0]).quiet(),
    ),
    (
        "K7",
        |m| m.opened(),
        |m| {
            let m = m.call("TSPI_lineClose", None, &[]);
            let of = m.last;
            m.add(What::Hung { of, milliseconds: 3000 })
        },
    ),
    ("R1", |m| m.opened().make(1).taken(1), |m| m.opened().make(1).ret(2)),
    ("R2", |m| m.opened().make(1).taken(1), |m| m.opened().make(1).ret(0)),
    ("R3", |m| m.opened().make(1).taken(1), |m| m.opened().make(1).ret(2)),
    (
        "R4",
        |m| m.opened().make(1).ret(FAILED).quiet(),
        |m| m.opened().make(1).done(1, FAILED).ret(FAILED),
    ),
    ("R5", |m| m.connected().quiet(), |m| m.opened().make(1).taken(1).quiet()),
    (
        "R7",
        |m| m.opened().make(1).ret(LineError::DIALPROMPT.raw()).quiet(),
        |m| m.opened().make(1).taken(1).done(1, LineError::DIALPROMPT.raw()),
    ),
    ("C2", |m| m.connected(), |m| m.opened().make(1).taken(1).done(1, 1)),
    ("C3", |m| m.connected(), |m| m.connected().done(1, 0)),
    ("C5", |m| m.opened().make(1).done(1, 0).taken(1), |m| m.opened().make(1).done(1, 0).ret(0)),
    (
        "C6",
        |m| m.connected(),
        |m| {
            m.opened()
                .make(1)
                .taken(1)
                .on(1)
                .completion(1, 0)
                .state(CallState::DialTone)
                .answer(None)
        },
    ),
    (
        "C9",
        |m| {
            m.opened()
                .on(1)
                .up(0, Upcall::NewCall { line: LINE, call: HD_CALL })
                .sync("TSPI_lineCloseCall")
                .answer(Some(CALL))
        },
        |m| {
            m.opened()
                .on(1)
                .up(0, Upcall::NewCall { line: LINE, call: HD_CALL })
                .call("TSPI_lineCloseCall", None, &[])
                .ret(LineError::INVALCALLHANDLE.raw())
                .answer(Some(CALL))
        },
    ),
    (
        "C11",
        |m| {
            m.connected()
                .asks("TSPI_lineDial", 5)
                .asks("TSPI_lineDrop", 6)
                .done(6, 0)
                .done(5, FAILED)
                .quiet()
        },
        |m| m.connected().asks("TSPI_lineDial", 5).asks("TSPI_lineDrop", 6).done(6, 0).quiet(),
    ),
    (
        "C13",
        |m| {
            let late = [("completion_id", Data::Late(4))];
            m.connected().call("TSPI_lineCompleteCall", Some(5), &late).ret(5).done(5, 0)
        },
        |m| {
            let late = [("completion_id", Data::Late(4))];
            m.connected()
                .call("TSPI_lineCompleteCall", Some(5), &late)
                .ret(5)
                .done(5, 0)
                .unwritten("completion_id")
        },
    ),
    ("C14", |m| m.connected(), |m| m.opened().event(0, LINE_REPLY, [1, 0, 0])),
    (
        "B1",
        |m| m.connected().call("TSPI_lineDial", Some(5), &[("dest_address", text("1"))]).ret(5),
        |m| {
            m.connected()
                .call("TSPI_lineDial", Some(5), &[("dest_address", text("1"))])
                .ret(5)
                .touched("dest_address")
        },
    ),
    (
        "B2",
        |m| {
            let tones = Data::Records("[440 Hz]".to_owned());
            m.connected().call("TSPI_lineMonitorTones", None, &[("tones", tones)]).ret(0)
        },
        |m| m.connected().sync("TSPI_lineMonitorTones").touched("tones"),
    ),
    ("B3", |m| m.connected().info(64, [64, 80, 60]), |m| m.connected().info(64, [64, 60, 70])),
    ("B4", |m| m.connected().info(64, [64, 60, 60]), |m| m.connected().info(64, [60, 60, 60])),
    (
        "B7",
        |m| m.connected().starts(GATHER, 7).event(CALL, LINE_GATHERDIGITS, [1, 7, 0]),
        |m| {
            m.connected()
                .starts(GATHER, 7)
                .event(CALL, LINE_GATHERDIGITS, [1, 7, 0])
                .unwritten("digits")
        },
    ),
    ("N1", |m| m.opened().make(1).taken(1), |m| m.opened().make(1).gives(1, &[0], &[])),
    ("N2", |m| m.opened(), |m| m.init().call("TSPI_lineOpen", None, &[]).gives(0, &[0], &[])),
    (
        "N4",
        |m| m.connected(),
        |m| m.opened().make(1).taken(1).event(CALL, LINE_CALLINFO, [0; 3]).done(1, 0),
    ),
    (
        "N6",
        |m| {
            m.opened().make(1).taken(1).call("TSPI_lineCloseCall", None, &[]).done(1, FAILED).ret(0)
        },
        |m| m.opened().make(1).taken(1).sync("TSPI_lineCloseCall").done(1, FAILED),
    ),
    (
        "N8",
        |m| m.opened().make(1).taken(1).done(1, FAILED).sync("TSPI_lineCloseCall"),
        |m| {
            m.opened()
                .make(1)
                .taken(1)
                .done(1, FAILED)
                .call("TSPI_lineCloseCall", None, &[])
                .ret(FAILED)
        },
    ),
    (
        "N10",
        |m| m.connected(),
        |m| m.opened().make(1).taken(1).state(CallState::Proceeding).done(1, 0),
    ),
    (
        "N14",
        |m| m.opened().newcall(Some(CALL)).state(CallState::Offering),
        |m| m.opened().newcall(Some(CALL)).event(CALL, LINE_CALLINFO, [0; 3]),
    ),
    (
        "N15",
        |m| m.opened().newcall(None).quiet(),
        |m| m.opened().newcall(None).event(0, LINE_CALLSTATE, [2, 0, 0]),
    ),
    ("N16", |m| m.opened().newcall(Some(CALL)), |m| m.connected().newcall(Some(CALL + 1))),
    (
        "O1",
        |m| m.connected(),
        |m| m.opened().make(1).taken(1).state(CallState::DialTone).done(1, 0),
    ),
    (
        "O3",
        |m| m.connected().state(CallState::Idle),
        |m| m.connected().state(CallState::Idle).state(CallState::Connected),
    ),
    (
        "O4",
        |m| m.connected().state(CallState::Idle),
        |m| m.connected().state(CallState::Idle).event(CALL, LINE_CALLINFO, [0; 3]),
    ),
    (
        "O5",
        |m| m.connected().sync("TSPI_lineMonitorDigits").state(CallState::Disconnected),
        |m| {
            m.connected().sync("TSPI_lineMonitorDigits").state(CallState::Disconnected).event(
                CALL,
                LINE_MONITORDIGITS,
                [0; 3],
            )
        },
    ),
    (
        "D1",
        |m| {
            m.opened()
                .make(1)
                .taken(1)
                .call("TSPI_lineClose", None, &[])
                .on(1)
                .done(1, FAILED)
                .on(0)
                .ret(0)
        },
        |m| m.opened().make(1).taken(1).sync("TSPI_lineClose").on(1).done(1, FAILED),
    ),
    (
        "D2",
        |m| m.opened().sync("TSPI_lineClose"),
        |m| m.opened().sync("TSPI_lineClose").newcall(Some(CALL)),
    ),
    (
        "D4",
        |m| m.opened().sync("TSPI_lineClose"),
        |m| {
            let close = [u64::from(LINEDEVSTATE_CLOSE), 0, 0];
            m.opened().call("TSPI_lineClose", None, &[]).event(0, LINE_LINEDEVSTATE, close).ret(0)
        },
    ),
    (
        "D5",
        |m| m.connected().sync("TSPI_lineCloseCall"),
        |m| m.connected().sync("TSPI_lineCloseCall").state(CallState::Idle),
    ),
    (
        "D6",
        |m| m.connected().sync("TSPI_lineCloseCall"),
        |m| {
            m.connected().call("TSPI_lineCloseCall", None, &[]).ret(LineError::INVALCALLSTATE.raw())
        },
    ),
    (
        "D7",
        |m| {
            m.connected()
                .asks("TSPI_lineDial", 5)
                .asks("TSPI_lineDrop", 6)
                .done(5, FAILED)
                .done(6, 0)
                .quiet()
        },
        |m| m.connected().asks("TSPI_lineDial", 5).asks("TSPI_lineDrop", 6).done(6, 0).quiet(),
    ),
    (
        "D8",
        |m| m.connected().asks("TSPI_lineDrop", 6).done(6, 0).state(CallState::Idle).quiet(),
        |m| m.connected().asks("TSPI_lineDrop", 6).done(6, 0).quiet(),
    ),
    (
        "D9",
        |m| m.connected().asks("TSPI_lineDrop", 6).done(6, 0),
        |m| {
            m.connected()
                .call("TSPI_lineDrop", Some(6), &[])
                .ret(LineError::INVALCALLSTATE.raw())
                .quiet()
        },
    ),
    (
        "D10",
        |m| {
            m.phone()
                .asks("TSPI_phoneSetLamp", 5)
                .call("TSPI_phoneClose", None, &[])
                .done(5, PhoneError::OPERATIONFAILED.raw())
                .ret(0)
        },
        |m| m.phone().sync("TSPI_phoneClose").phone_event(PHONE_STATE),
    ),
    (
        "D11",
        |m| m.opened().asks("TSPI_lineDevSpecific", 5).done(5, 0),
        |m| m.opened().asks("TSPI_lineDevSpecific", 5).quiet(),
    ),
    (
        "D12",
        |m| m.connected().sync("TSPI_providerShutdown"),
        |m| m.opened().make(1).taken(1).sync("TSPI_providerShutdown").done(1, FAILED),
    ),
    (
        "D13",
        |m| m.connected().event(0, LINE_CLOSE, [0; 3]),
        |m| m.opened().make(1).taken(1).event(0, LINE_CLOSE, [0; 3]),
    ),
    (
        "D14",
        |m| m.opened().event(0, LINE_CLOSE, [0; 3]).event(0, LINE_REMOVE, [0; 3]),
        |m| m.opened().event(0, LINE_REMOVE, [0; 3]),
    ),
    (
        "D15",
        |m| m.init().init(),
        |m| m.init().init().up(1, Upcall::Completion { request: 1, result: 0 }).answer(None),
    ),
    (
        "D17",
        |m| {
            m.connected()
                .starts(GENERATE, 7)
                .starts(GENERATE, 8)
                .event(CALL, LINE_GENERATE, [u64::from(LINEGENERATETERM_CANCEL), 7, 0])
                .quiet()
        },
        |m| m.connected().starts(GENERATE, 7).starts(GENERATE, 8).quiet(),
    ),
    (
        "D18",
        |m| {
            m.connected()
                .starts(GATHER, 7)
                .starts(GATHER, 8)
                .event(CALL, LINE_GATHERDIGITS, [u64::from(LINEGATHERTERM_CANCEL), 7, 0])
                .quiet()
        },
        |m| m.connected().call(GATHER, None, &[("digits", Data::Late(0))]).ret(0),
    ),
    (
        "F1",
        |m| m.connected().status(CallState::Connected, LINECALLFEATURE_HOLD).asks(HOLD, 6),
        |m| {
            m.connected()
                .status(CallState::Connected, LINECALLFEATURE_HOLD)
                .call(HOLD, Some(6), &[])
                .ret(LineError::OPERATIONUNAVAIL.raw())
        },
    ),
    (
        "F2",
        |m| m.connected().status(CallState::Connected, 0).quiet(),
        |m| m.connected().status(CallState::Busy, 0).quiet(),
    ),
    ("V1", |m| m.negotiated(0x20002), |m| m.negotiated(0x30001)),
    ("X1", |m| m.opened(), |m| m.opened().make(1).on(1).add(What::Died { signal: 11 })),
];

#[test]
fn each_judgement_knows_what_keeps_its_rule_and_what_breaks_it() {
    for (key, keeps, breaks) in LOGS {
        let kept = keeps(Made::new());
        let verdict = kept.judged(key);
        assert!(matches!(verdict, Verdict::Kept { .. }), "{key}: {verdict:?}\n{:#?}", kept.log);
        let broken = breaks(Made::new());
        let Verdict::Broken { findings } = broken.judged(key) else {
            panic!("{key} was not broken by {:#?}", broken.log)
        };
        for finding in findings {
            assert!(!finding.done.is_empty() && !finding.seen.is_empty(), "{key}: {finding:?}");
            assert!(!finding.entries.is_empty(), "{key}: {finding:?}");
            let known = finding.entries.iter().all(|entry| broken.log.entry(*entry).is_some());
            assert!(known, "{key}: {finding:?}");
        }
    }
}

#[test]
fn every_rule_that_a_log_can_show_has_its_two_logs() {
    let with: BTreeSet<&str> = LOGS.iter().map(|(key, ..)| *key).collect();
    let observable = ALL.iter().filter(|rule| rule.is_observable()).map(|rule| rule.key);
    assert_eq!(with, observable.collect());
    assert_eq!(with.len(), LOGS.len(), "a key stands twice");
}

/// How many rules there are of each letter.
#[test]
fn every_rule_stands_in_the_table_once() {
    let keys: BTreeSet<&str> = ALL.iter().map(|rule| rule.key).collect();
    assert_eq!(keys.len(), ALL.len());
    let letters = [
        ("T", 9),
        ("K", 7),
        ("R", 7),
        ("C", 14),
        ("G", 11),
        ("B", 7),
        ("N", 17),
        ("O", 5),
        ("D", 18),
        ("F", 2),
        ("V", 1),
        ("X", 1),
    ];
    for (letter, count) in letters {
        let numbered = (1..=count).all(|number| find(&format!("{letter}{number}")).is_some());
        assert!(numbered, "{letter}1 to {letter}{count}");
    }
    assert_eq!(ALL.len(), letters.iter().map(|(_, count)| count).sum::<usize>());
    for rule in ALL {
        assert!(rule.says.ends_with('.') && !rule.source.is_empty(), "{}", rule.key);
    }
}

#[test]
fn a_log_that_shows_nothing_keeps_nothing() {
    for (rule, verdict) in judge(&Made::new().log) {
        match verdict {
            Verdict::NotExercised => assert!(rule.is_observable(), "{}", rule.key),
            Verdict::NotObservable { reason } => {
                assert!(!rule.is_observable() && reason.len() > 20, "{}: {reason}", rule.key);
            }
            other => panic!("{}: {other:?}", rule.key),
        }
    }
}

#[test]
fn a_complete_call_breaks_no_rule() {
    let made = Made::new()
        .connected()
        .asks("TSPI_lineDrop", 6)
        .on(1)
        .done(6, 0)
        .state(CallState::Idle)
        .on(0)
        .sync("TSPI_lineCloseCall")
        .sync("TSPI_lineClose")
        .sync("TSPI_providerShutdown")
        .quiet();
    for (rule, verdict) in judge(&made.log) {
        assert!(!matches!(verdict, Verdict::Broken { .. }), "{}: {verdict:?}", rule.key);
    }
}

#[test]
fn what_may_have_crossed_on_two_threads_is_no_finding() {
    // The request completes with success on a thread of its own while the call is being closed.
    let made = Made::new().opened().make(1).taken(1).call("TSPI_lineCloseCall", None, &[]);
    let made = made.on(1).done(1, 0).on(0).ret(0);
    assert!(matches!(made.judged("N6"), Verdict::Kept { .. }));
    // A drop finds a call that became IDLE meanwhile.
    let made = Made::new().connected().call("TSPI_lineDrop", Some(6), &[]);
    let made = made.on(1).state(CallState::Idle).on(0).ret(LineError::INVALCALLSTATE.raw());
    assert_eq!(made.quiet().judged("D9"), Verdict::NotExercised);
    // What was offered is refused, because the call has ended meanwhile.
    let made = Made::new().connected().status(CallState::Connected, LINECALLFEATURE_HOLD);
    let made = made.call(HOLD, Some(6), &[]).on(1).state(CallState::Disconnected).on(0);
    let made = made.ret(LineError::INVALCALLSTATE.raw());
    assert_eq!(made.judged("F1"), Verdict::NotExercised);
    // The state is sent soon after it is reported.
    let made = Made::new().connected().status(CallState::Disconnected, 0);
    let made = made.on(1).state(CallState::Disconnected).quiet();
    assert!(matches!(made.judged("F2"), Verdict::Kept { .. }));
}

#[test]
fn a_function_that_is_offered_and_refused_by_its_completion_is_found_f1() {
    let made = Made::new().connected().status(CallState::Connected, LINECALLFEATURE_HOLD);
    let made = made.asks(HOLD, 6).done(6, LineError::OPERATIONUNAVAIL.raw());
    assert!(matches!(made.judged("F1"), Verdict::Broken { .. }));
    // Another function was not offered.
    let made = Made::new().connected().status(CallState::Connected, LINECALLFEATURE_DROP);
    let made = made.call(HOLD, Some(6), &[]).ret(LineError::OPERATIONUNAVAIL.raw());
    assert_eq!(made.judged("F1"), Verdict::NotExercised);
}

#[test]
fn a_function_that_is_offered_and_not_exported_is_found_f1() {
    let made = Made::new().connected().status(CallState::Connected, LINECALLFEATURE_SWAPHOLD);
    let Verdict::Broken { findings } = made.judged("F1") else { panic!("it is not found") };
    assert!(findings[0].done.ends_with("offered TSPI_lineSwapHold"), "{findings:?}");
}

#[test]
fn findings_name_upcalls_as_the_documents_do() {
    let line = |message, params| Upcall::Line { line: LINE, call: CALL, message, params };
    for (upcall, wanted) in [
        (
            Upcall::Completion { request: 5, result: FAILED },
            "the completion of id 5 with LINEERR_OPERATIONFAILED",
        ),
        (Upcall::NewCall { line: LINE, call: HD_CALL }, "LINE_NEWCALL"),
        (line(LINE_CALLSTATE, [0x100, 0, 0]), "LINE_CALLSTATE with CONNECTED"),
        (line(LINE_CALLSTATE, [3, 0, 0]), "LINE_CALLSTATE with the state 0x3"),
        (line(LINE_GENERATE, [1, 7, 0]), "LINE_GENERATE (0x1, 0x7, 0x0)"),
        (
            Upcall::Phone { phone: PHONE, message: PHONE_CLOSE, params: [0; 3] },
            "PHONE_CLOSE (0x0, 0x0, 0x0)",
        ),
    ] {
        assert_eq!(upcall_text(&upcall), wanted);
    }
}

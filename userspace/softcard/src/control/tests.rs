//! Every command on a card. Where a driver is needed, the test writes its registers.

use std::io::{BufReader, Cursor};

use proptest::prelude::*;
use ringback_media::level;
use ringback_request::PortNumber;

use super::*;
use crate::ModuleKind::{Empty, Fxo, Fxs};
use crate::{Behaviour, CardConfig};

fn control() -> (SoftCard, Control) {
    let modules = [Fxs, Fxo, Empty, Fxs];
    let card = SoftCard::new(CardConfig { modules, ..CardConfig::default() });
    (card.clone(), Control::new(vec![card]))
}

fn ask(control: &Control, line: &str) -> Value {
    let reply = control.execute(line);
    assert!(!reply.contains('\n'));
    serde_json::from_str(&reply).unwrap()
}

/// Returns the reply to a command that has to succeed.
fn done(control: &Control, line: &str) -> Value {
    let reply = ask(control, line);
    assert_eq!(reply["ok"], true, "{line}: {reply}");
    reply
}

fn error(control: &Control, line: &str) -> String {
    let reply = ask(control, line);
    assert_eq!(reply["ok"], false, "{line}: {reply}");
    reply["error"].as_str().unwrap().to_owned()
}

fn samples(reply: &Value) -> Vec<i16> {
    serde_json::from_value(reply["samples"].clone()).unwrap()
}

#[test]
fn the_state_lists_slots_subscribers_and_faults() {
    let (card, control) = control();
    card.advance(7);
    done(&control, "subscriber 5550100 add");
    done(&control, "fault no-power:0 on");
    let state = done(&control, "state");
    assert_eq!(state["now_ms"], 7);
    assert_eq!(state["faults"], json!(["no-power:0"]));
    assert_eq!(state["slots"][0]["module"], "fxs");
    assert_eq!(state["slots"][0]["telephone"]["off_hook"], false);
    let line = json!({ "number": "101", "state": "idle", "dialled": "" });
    assert_eq!(state["slots"][1], json!({ "module": "fxo", "line": line }));
    assert_eq!(state["slots"][2], json!({ "module": "empty" }));
    assert_eq!(state["subscribers"][0]["number"], "5550100");
    assert_eq!(state["subscribers"][0]["telephone"]["battery"], false);
    done(&control, "fault no-power:0 off");
    assert_eq!(done(&control, "state")["faults"], json!([]));
}

#[test]
fn a_subscriber_with_a_display_is_shown_who_calls_and_that_messages_wait() {
    let (card, control) = control();
    for number in ["5550100", "5550101"] {
        done(&control, &format!("subscriber {number} add"));
    }
    done(&control, "exchange callers on");
    done(&control, "subscriber 5550101 display");
    let shown = || done(&control, "subscriber 5550101 state");
    assert_eq!((&shown()["caller"], &shown()["messages"]), (&Value::Null, &Value::Null));
    for (word, waits) in [("on", true), ("off", false)] {
        done(&control, &format!("line 5550101 messages {word}"));
        card.advance(3000);
        assert_eq!(shown()["messages"], waits);
    }
    done(&control, "subscriber 5550100 call 5550101");
    card.advance(8000);
    assert_eq!(shown()["caller"], json!({ "number": "5550100", "name": null }));
    assert!(error(&control, "line 77 messages on").contains("77"));
    done(&control, "exchange country Austria");
    assert!(error(&control, "subscriber 5550101 display").contains("AUSTRIA"));
}

#[test]
fn subscribers_call_each_other_and_hear_what_is_spoken() {
    let (card, control) = control();
    for number in ["5550100", "5550101"] {
        done(&control, &format!("subscriber {number} add"));
    }
    done(&control, "subscriber 5550101 answer-after 1");
    done(&control, "subscriber 5550100 call 5550101");
    card.advance(2500);
    let state = done(&control, "state");
    assert_eq!(state["subscribers"][0]["state"], "talking", "{state}");
    assert_eq!(state["subscribers"][0]["dialled"], "5550101");
    done(&control, "subscriber 5550100 speak 1000 -1000 32767 -32768");
    card.advance(3);
    let heard = samples(&done(&control, "subscriber 5550101 heard 3"));
    let spoken = [1000, -1000, 32767, -32768];
    assert!(heard.windows(4).any(|heard| heard == spoken), "{heard:?}");

    done(&control, "subscriber 5550101 tone 1000 200");
    done(&control, "subscriber 5550100 dial 42#");
    assert_eq!(done(&control, "subscriber 5550100 state")["busy"], true);
    card.advance(200);
    let at_1000 = done(&control, "subscriber 5550100 level 1000 100")["dbm0"].as_f64().unwrap();
    assert!((at_1000 + 10.0).abs() < 0.1, "{at_1000}");
    let at_2000 = done(&control, "subscriber 5550100 level 2000 100")["dbm0"].as_f64().unwrap();
    assert!(at_2000 < -40.0);
    let heard = done(&control, "subscriber 5550100 heard 100");
    assert_eq!(samples(&heard).len(), 800);
    done(&control, "subscriber 5550100 forget");
    card.advance(2);
    assert_eq!(samples(&done(&control, "subscriber 5550100 heard 100")).len(), 16);
    assert!((heard["dbm0"].as_f64().unwrap() + 10.0).abs() < 0.1);
    card.advance(400);
    assert_eq!(done(&control, "subscriber 5550101 state")["digits"], "42#");

    done(&control, "subscriber 5550100 flash");
    card.advance(400);
    done(&control, "subscriber 5550100 break 40");
    done(&control, "subscriber 5550100 pulse 2");
    card.advance(100);
    assert_eq!(done(&control, "subscriber 5550100 state")["busy"], true);
    card.advance(900);
    assert_eq!(done(&control, "subscriber 5550100 state")["busy"], false);
    assert_eq!(done(&control, "state")["subscribers"][0]["state"], "talking");
    done(&control, "subscriber 5550100 on-hook");
    card.advance(800);
    assert_eq!(done(&control, "state")["subscribers"][0]["state"], "idle");
    done(&control, "subscriber 5550101 manual");
    done(&control, "line 5550101 unplug");
    card.advance(700);
    assert_eq!(done(&control, "subscriber 5550101 state")["battery"], false);
    done(&control, "line 5550101 plug-in");
    card.advance(2);
    assert_eq!(done(&control, "subscriber 5550101 state")["battery"], true);
}

#[test]
fn a_telephone_is_lifted_and_hung_up() {
    let (card, control) = control();
    done(&control, "telephone 3 off-hook");
    assert!(card.telephone(PortNumber(3)).unwrap().is_off_hook());
    assert_eq!(done(&control, "telephone 3 state")["off_hook"], true);
    assert_eq!(done(&control, "telephone 3 heard 20")["dbm0"], level::FLOOR_DBM0);
    done(&control, "telephone 3 on-hook");
    assert!(!card.telephone(PortNumber(3)).unwrap().is_off_hook());
}

#[test]
fn adding_a_subscriber_again_keeps_the_first() {
    let (card, control) = control();
    let first = card.exchange().add_subscriber("200", Behaviour::Manual);
    done(&control, "subscriber 200 add");
    done(&control, "subscriber 200 off-hook");
    assert!(first.is_off_hook());
    assert_eq!(card.exchange().subscribers().len(), 1);
}

#[test]
fn cards_are_distinguished() {
    let cards = [0; 2].map(|_| SoftCard::new(CardConfig::default()));
    let control = Control::new(cards.to_vec());
    done(&control, "card 1 telephone 0 off-hook");
    assert!(!cards[0].telephone(PortNumber(0)).unwrap().is_off_hook());
    assert!(cards[1].telephone(PortNumber(0)).unwrap().is_off_hook());
    done(&control, "telephone 0 off-hook");
    assert!(cards[0].telephone(PortNumber(0)).unwrap().is_off_hook());
    assert!(error(&control, "card 2 state").contains("there are 2"));
}

#[test]
fn what_can_not_be_done_is_said_with_a_cure() {
    let (_card, control) = control();
    for (line, cure) in [
        ("stat", "telephone SLOT ACTION"),
        ("telephone 0 explode", "off-hook"),
        ("telephone 0", "off-hook"),
        ("telephone 4 state", "0 to 3"),
        ("telephone 1 off-hook", "no FXS module"),
        ("telephone 0 tone 4000 10", "3999"),
        ("telephone 0 heard 30001", "30000"),
        ("telephone 0 heard 0", "30000"),
        ("telephone 0 speak 32768", "16-bit"),
        ("subscriber 12x add", "dialled"),
        ("subscriber 5550100 off-hook", "add"),
        ("subscriber 101 off-hook", "line of the card"),
        ("line 999 unplug", "no number"),
        ("fault fire on", "master-abort"),
        ("fault master-abort", "fault NAME on|off"),
        ("card x state", "number of a card"),
        ("card", "state"),
    ] {
        let error = error(&control, line);
        assert!(error.contains(cure), "{line}: {error}");
    }
    let known = done(&control, "help")["commands"].as_array().unwrap().len();
    assert_eq!(known, command::COMMANDS.len() + command::ACTIONS.len());
}

#[test]
fn a_conversation_is_a_line_for_each_line() {
    let (_card, control) = control();
    let said = &b"state\n\n  \ntelephone 0 off-hook\r\nwhat?\n\xFF\nhelp"[..];
    let mut replies = Vec::new();
    control.converse(BufReader::new(said), &mut replies).unwrap();
    let replies = String::from_utf8(replies).unwrap();
    let oks: Vec<bool> = replies
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["ok"].as_bool().unwrap())
        .collect();
    assert_eq!(oks, [true, true, false, false, true]);
    let endless = Cursor::new(vec![b'x'; 2 * MAX_LINE as usize]);
    assert!(control.converse(endless, Vec::new()).is_err());
}

#[test]
fn the_exchange_moves_to_another_country_and_gets_a_profile() {
    let (card, control) = control();
    let own = json!({ "country": card.exchange().country().to_string(), "profile": null });
    assert_eq!(done(&control, "state")["exchange"], own);
    done(&control, "exchange country South Africa");
    done(&control, "exchange profile european-pbx");
    let set = json!({ "country": "SOUTHAFRICA", "profile": "european-pbx" });
    assert_eq!(done(&control, "state")["exchange"], set);
    // Its telephones hear the tones of that country: 400 * 33 Hz, and not 350 + 440 Hz.
    done(&control, "subscriber 5550100 add");
    done(&control, "subscriber 5550100 off-hook");
    card.advance(700);
    let dbm0 = |hz: u16| {
        let level = done(&control, &format!("subscriber 5550100 level {hz} 500"));
        level["dbm0"].as_f64().unwrap()
    };
    assert!(dbm0(400) > dbm0(440) + 10.0, "{} {}", dbm0(400), dbm0(440));
    done(&control, "exchange profile none");
    assert_eq!(done(&control, "state")["exchange"]["profile"], Value::Null);
    for (wrong, cure) in [
        ("exchange country Atlantis", "South Africa"),
        ("exchange country ../de.toml", "South Africa"),
        ("exchange country", "South Africa"),
        ("exchange profile luck", "european-pbx"),
        ("exchange profile", "exchange profile NAME|none"),
        ("exchange", "exchange country COUNTRY"),
    ] {
        assert!(error(&control, wrong).contains(cure), "{wrong}: {}", error(&control, wrong));
    }
    assert_eq!(card.exchange().country().to_string(), "SOUTHAFRICA", "a wrong name changes none");
}

proptest! {
    #[test]
    fn any_line_has_a_reply(
        line in "(state|help|card|telephone|subscriber|line|fault|exchange|country|profile\
                 |[a-z0-9:-]{0,8}| ){0,6}.{0,20}",
    ) {
        let (_card, control) = control();
        let reply: Value = serde_json::from_str(&control.execute(&line)).unwrap();
        prop_assert!(reply["ok"].is_boolean());
    }
}

#[test]
fn what_a_telephone_has_to_say_is_bounded() {
    let (card, control) = control();
    done(&control, "telephone 0 off-hook");
    card.tick();
    done(&control, "telephone 0 tone 1000 30000");
    done(&control, "telephone 0 dial 12345");
    let refused = (0..1000).filter(|_| ask(&control, "telephone 0 tone 1000 29000")["ok"] == false);
    assert_eq!(refused.count(), 999);
    assert!(error(&control, "telephone 0 tone 1000 30000").contains("ms to say already"));
    let digits = "1".repeat(257);
    assert!(error(&control, &format!("telephone 0 dial {digits}")).contains("256 digits"));
    assert!(error(&control, &format!("telephone 0 call {digits}")).contains("256 digits"));
    done(&control, "telephone 0 on-hook");
    done(&control, "telephone 0 off-hook");
    done(&control, "telephone 0 tone 1000 30000");
}

#[test]
fn there_is_an_end_to_the_number_of_subscribers() {
    let (card, control) = control();
    let added = (0..300)
        .filter(|number| ask(&control, &format!("subscriber 77{number} add"))["ok"] == true);
    assert_eq!(added.count(), 100);
    assert_eq!(card.exchange().subscribers().len(), 100);
    assert!(error(&control, "subscriber 888 add").contains("100 subscribers"));
    done(&control, "subscriber 770 add");
}

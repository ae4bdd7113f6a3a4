//! Calls between Asterisk and the lines of a software card, by `tests/asterisk/run`, which fetches
//! Asterisk.
//!
//! Its dialplan answers, says digits, reads digits, waits for a tone and plays another one.

mod pbx;

use std::net::SocketAddr;

use ringback_country::CallerIdCoding;
use ringback_driver::PortNumber;
use ringback_media::caller_id::{Caller, Party};
use ringback_softcard::scenery::tone;
use ringback_softcard::{Behaviour, LineState, Telephone};

use crate::agent::Agent;
use crate::site::{LINE, SUBSCRIBER, Site, eventually};
use crate::telephones::EXTENSION;
use crate::voice::longest;
use pbx::{Asterisk, free_port};

/// A gateway with a line and a telephone, and the Asterisk that they belong to.
async fn office() -> (Site, Asterisk) {
    let port = free_port();
    let trunk = format!("sip:127.0.0.1:{port}");
    let telephone = format!("[line.0]\ntrunk = '{trunk}'\nnumber = '{EXTENSION}'\n");
    // The caller of a British line is known before it rings.
    let site =
        Site::in_country("UK".parse().unwrap(), Agent::start().await, &trunk, "", &telephone).await;
    let gateway: SocketAddr = site.gateway.address();
    let asterisk = Asterisk::start(port, gateway).await;
    (site, asterisk)
}

/// The subscriber is rung, and answers with his voice, without which nobody would know.
async fn answer(site: &Site) {
    eventually("the subscriber is rung", || site.telephone.is_ringing()).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 1000));
}

/// Digits in both directions, then sound in both directions.
async fn converse(asterisk: &mut Asterisk, telephone: &Telephone) {
    eventually("the telephone gets digits", || telephone.digits_heard() == "15#").await;
    asterisk.says("ready").await;
    telephone.dial("7*05");
    asterisk.says("digits 7*05").await;
    telephone.play(&tone(1000.0, 6000));
    asterisk.says("heard SUCCESS").await;
    eventually("the telephone hears Asterisk", || longest(&telephone.heard(), 700.0) >= 8000).await;
}

#[tokio::test]
#[ignore = "needs Asterisk: tests/asterisk/run"]
async fn asterisk_calls_on_the_line_and_hangs_up() {
    let (site, mut asterisk) = office().await;
    for endpoint in ["ringback", "a-law"] {
        let call = format!("channel originate PJSIP/{SUBSCRIBER}@{endpoint} extension");
        asterisk.tell(&format!("{call} s@conversation"));
        answer(&site).await;
        converse(&mut asterisk, &site.telephone).await;
        asterisk.tell("channel request hangup all");
        site.line_idle().await;
        site.telephone.on_hook();
        asterisk.idle().await;
    }
    let records = site.call_records(2).await;
    for record in &records {
        assert_eq!((&record["to"], &record["ended_by"]), (&SUBSCRIBER.into(), &"pbx".into()));
    }
}

#[tokio::test]
#[ignore = "needs Asterisk: tests/asterisk/run"]
async fn the_subscriber_hangs_up_and_asterisk_knows_why_calls_fail() {
    let (site, mut asterisk) = office().await;
    asterisk
        .tell(&format!("channel originate PJSIP/{SUBSCRIBER}@ringback extension s@conversation"));
    answer(&site).await;
    converse(&mut asterisk, &site.telephone).await;
    // The line has one call.
    let call = |number: &str| format!("channel originate Local/{number} application Wait 60");
    asterisk.tell(&call("5550190@out"));
    asterisk.says("dialled 5550190 CONGESTION 34").await;
    site.telephone.on_hook();
    asterisk.says("end 16").await;
    site.line_idle().await;

    site.telephone.off_hook();
    asterisk.tell(&call(&format!("{SUBSCRIBER}@out")));
    asterisk.says(&format!("dialled {SUBSCRIBER} BUSY 17")).await;
    site.telephone.on_hook();
    site.line_idle().await;
    asterisk.tell(&call(&format!("{SUBSCRIBER}@wide")));
    asterisk.says(&format!("dialled {SUBSCRIBER} CHANUNAVAIL")).await;
    site.line_idle().await;
}

#[tokio::test]
#[ignore = "needs Asterisk: tests/asterisk/run"]
async fn asterisk_gives_up_in_each_state() {
    let (site, asterisk) = office().await;
    for ringing in [false, true] {
        asterisk.tell(&format!(
            "channel originate PJSIP/{SUBSCRIBER}@ringback extension s@conversation"
        ));
        if ringing {
            eventually("the subscriber is rung", || site.telephone.is_ringing()).await;
        } else {
            let idle = Some(LineState::Idle);
            eventually("the line is off-hook", || site.exchange.state(LINE) != idle).await;
        }
        asterisk.tell("channel request hangup all");
        site.line_idle().await;
        eventually("nobody is rung", || !site.telephone.is_ringing()).await;
        asterisk.idle().await;
    }
}

#[tokio::test]
#[ignore = "needs Asterisk: tests/asterisk/run"]
async fn the_exchange_calls_asterisk_which_knows_the_caller() {
    let (site, mut asterisk) = office().await;
    site.exchange.tell_callers(true);
    let (number, name) = (Party::Known("5550123".into()), Party::Known("Ada Byron".into()));
    site.exchange.set_caller(SUBSCRIBER, Caller { number, name, ..Caller::default() }).unwrap();
    site.telephone.call(LINE);
    asterisk.says("caller 5550123 Ada Byron").await;
    converse(&mut asterisk, &site.telephone).await;
    site.telephone.on_hook();
    asterisk.says("end 16").await;
    site.line_idle().await;
    assert_eq!(site.call_records(1).await[0]["ended_by"], "line");
}

#[tokio::test]
#[ignore = "needs Asterisk: tests/asterisk/run"]
async fn a_telephone_calls_and_is_called_and_calls_out_over_the_line() {
    let (site, mut asterisk) = office().await;
    let telephone = site.card.telephone(PortNumber(0)).unwrap();
    telephone.set_behaviour(Behaviour::Manual);
    telephone.call("600");
    asterisk.says(&format!("caller {EXTENSION}")).await;
    converse(&mut asterisk, &telephone).await;
    telephone.on_hook();
    asterisk.idle().await;

    telephone.set_display(CallerIdCoding::V23);
    asterisk
        .tell(&format!("channel originate PJSIP/{EXTENSION}@ringback extension s@conversation"));
    eventually("the telephone rings", || telephone.is_ringing()).await;
    telephone.off_hook();
    converse(&mut asterisk, &telephone).await;
    telephone.on_hook();
    asterisk.idle().await;

    // Line 0 to line 2, through Asterisk.
    telephone.call(SUBSCRIBER);
    eventually("the subscriber is rung", || site.telephone.is_ringing()).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 4000));
    eventually("the telephone hears it", || longest(&telephone.heard(), 1000.0) >= 8000).await;
    telephone.play(&tone(700.0, 4000));
    eventually("the subscriber hears it", || longest(&site.telephone.heard(), 700.0) >= 8000).await;
    telephone.on_hook();
    asterisk.idle().await;
    site.line_idle().await;
}

#[tokio::test]
#[ignore = "needs Asterisk: tests/asterisk/run"]
async fn an_asterisk_that_dies_in_a_call_leaves_the_line_on_hook() {
    let (site, mut asterisk) = office().await;
    asterisk
        .tell(&format!("channel originate PJSIP/{SUBSCRIBER}@ringback extension s@conversation"));
    answer(&site).await;
    converse(&mut asterisk, &site.telephone).await;
    asterisk.kill();
    site.line_idle().await;
}

//! Calls of the exchange to the PBX.

use ringback_gateway::sdp::Codec;
use ringback_media::caller_id::{Caller, Party};
use ringback_softcard::LineState;
use ringback_softcard::scenery::tone;
use rsipstack::sip::prelude::HeadersExt;
use rsipstack::sip::{Header, Request, StatusCode};

use crate::agent::{Agent, cause};
use crate::site::{LINE, SUBSCRIBER, Site, eventually};
use crate::voice::longest;

/// The header that the PBX has to trust.
fn asserted(request: &Request) -> Option<String> {
    request.headers.iter().find_map(|header| match header {
        Header::PAssertedIdentity(identity) => Some(identity.value().to_owned()),
        _ => None,
    })
}

/// A site where the caller is known before the line rings, so that nothing is waited for.
async fn british(caller: Caller) -> Site {
    let agent = Agent::start().await;
    let trunk = agent.trunk();
    let site = Site::in_country("UK".parse().unwrap(), agent, &trunk, "", "").await;
    site.exchange.tell_callers(true);
    site.exchange.set_caller(SUBSCRIBER, caller).unwrap();
    site
}

#[tokio::test]
async fn a_call_comes_with_its_caller_and_has_sound_and_digits_in_both_directions() {
    let site = british(Caller {
        number: Party::Known("5550123".into()),
        name: Party::Known("Ada \"Byron\"".into()),
        ..Caller::default()
    })
    .await;
    site.telephone.call(LINE);
    let called = site.agent.called().await;
    let host = site.gateway.address().ip();
    let identity = format!("\"Ada Byron\" <sip:5550123@{host}>");
    assert_eq!(asserted(&called.request).as_deref(), Some(&*identity));
    let from = called.request.from_header().unwrap().value().to_owned();
    assert!(from.starts_with(&identity), "{from}");
    assert_eq!(called.request.uri.user(), Some("in"));

    let mut leg = called.leg;
    assert_eq!(site.exchange.state(LINE), Some(LineState::Ringing), "the PBX answers first");
    leg.answer(&called.request);
    eventually("the line talks", || site.exchange.state(LINE) == Some(LineState::Talking)).await;
    site.telephone.play(&tone(1000.0, 4000));
    leg.voice.hears(1000.0).await;
    leg.voice.tone(700.0);
    eventually("the caller hears the PBX", || longest(&site.telephone.heard(), 700.0) >= 8000)
        .await;
    leg.voice.dial("24");
    eventually("the caller gets digits", || site.telephone.digits_heard() == "24").await;
    site.telephone.dial("7A");
    leg.voice.hears_digits("7A").await;
    site.telephone.on_hook();
    leg.ended().await;
    site.line_idle().await;
    let record = site.call_records(1).await.remove(0);
    assert_eq!((&record["direction"], &record["from"]), (&"in".into(), &"5550123".into()));
    assert_eq!((&record["status"], &record["ended_by"]), (&200.into(), &"line".into()));
}

#[tokio::test]
async fn the_pbx_hangs_up_and_a_withheld_number_is_not_told() {
    let site = british(Caller { number: Party::Withheld, ..Caller::default() }).await;
    site.telephone.call(LINE);
    let called = site.agent.called().await;
    assert_eq!(asserted(&called.request), None);
    let from = called.request.from_header().unwrap().value();
    assert!(from.contains("sip:anonymous@anonymous.invalid"), "{from}");
    called.leg.answer(&called.request);
    eventually("the line talks", || site.exchange.state(LINE) == Some(LineState::Talking)).await;
    called.leg.hang_up().await;
    site.line_idle().await;
    assert_eq!(site.call_records(1).await[0]["ended_by"], "pbx");
}

/// The card's time is slower than ours on a busy machine, so that the wait may end too early.
#[tokio::test]
async fn a_caller_who_is_told_behind_the_first_ring_is_waited_for() {
    let site = Site::new("").await;
    site.exchange.tell_callers(true);
    for attempt in 0.. {
        assert!(attempt < 10, "the caller was never known in time");
        site.telephone.call(LINE);
        let mut called = site.agent.called().await;
        let told = asserted(&called.request);
        site.telephone.on_hook();
        called.leg.ended().await;
        site.line_idle().await;
        if let Some(identity) = told {
            assert!(identity.starts_with(&format!("<sip:{SUBSCRIBER}@")), "{identity}");
            break;
        }
    }
}

#[tokio::test]
async fn a_caller_who_gives_up_is_not_called_back_by_the_pbx() {
    let site = Site::new("").await;
    site.telephone.call(LINE);
    let mut called = site.agent.called().await;
    called.leg.dialog.ringing(None, None).unwrap();
    site.telephone.on_hook();
    called.leg.ended().await;
    site.line_idle().await;
    assert_eq!(site.call_records(1).await[0]["status"], 487);
}

#[tokio::test]
async fn a_call_that_the_pbx_refuses_rings_on_and_the_line_is_free_after_that() {
    let site = Site::new("").await;
    site.telephone.call(LINE);
    let called = site.agent.called().await;
    called.leg.dialog.reject(Some(StatusCode::BusyHere), None).unwrap();
    let record = site.call_records(1).await.remove(0);
    assert_eq!((&record["status"], &record["ended_by"]), (&486.into(), &"pbx".into()));
    assert_eq!(site.exchange.state(LINE), Some(LineState::Ringing), "nothing was answered");
    // A line that rings can't be used, and the caller is not connected with whom the PBX calls.
    let mut leg = site.agent.call(site.gateway.address(), "5550156", Codec::Pcmu).await;
    assert_eq!(leg.final_response().await.status_code, StatusCode::BusyHere);
    site.telephone.on_hook();
    site.line_idle().await;
    // Until it is known that the caller has given up, the line counts as ringing.
    let mut why = None;
    for _ in 0..100 {
        let mut leg = site.agent.call(site.gateway.address(), "999", Codec::Pcmu).await;
        why = cause(&leg.final_response().await);
        if why.as_deref() == Some("Q.850;cause=42") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    assert_eq!(why.as_deref(), Some("Q.850;cause=42"), "reorder tone: it was dialled");
    assert!(site.agent.is_not_called().await);
}

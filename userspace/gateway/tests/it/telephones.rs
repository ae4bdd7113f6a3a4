//! Telephones as extensions, and several lines of an exchange as one trunk.

use ringback_country::{CallerIdCoding, Country};
use ringback_driver::PortNumber;
use ringback_gateway::sdp::Codec;
use ringback_media::caller_id::Party;
use ringback_softcard::scenery::{LINE_NUMBERS, tone};
use ringback_softcard::{Behaviour, LineState, Step, Telephone};
use rsipstack::sip::prelude::HeadersExt;
use rsipstack::sip::{Header, StatusCode};

use crate::agent::{Agent, cause};
use crate::site::{LINE, SUBSCRIBER, Site, eventually};
use crate::voice::{Voice, longest};

/// The number of the telephone on line 0.
pub const EXTENSION: &str = "100";

/// A site whose PBX has also the telephone on line 0, and the second line of the exchange.
pub async fn office() -> (Site, Telephone) {
    office_in(Country::default()).await
}

/// The same, in another country.
async fn office_in(country: Country) -> (Site, Telephone) {
    let agent = Agent::start().await;
    let trunk = agent.trunk();
    let more = format!(
        "[line.0]\ntrunk = '{trunk}'\nnumber = '{EXTENSION}'\n[line.3]\ntrunk = '{trunk}'\n\
         number = 'second'"
    );
    let site = Site::in_country(country, agent, &trunk, "", &more).await;
    let telephone = site.card.telephone(PortNumber(0)).unwrap();
    telephone.set_behaviour(Behaviour::Manual);
    (site, telephone)
}

#[tokio::test]
async fn the_pbx_calls_a_telephone_which_shows_who_calls() {
    let (site, telephone) = office().await;
    telephone.set_display(CallerIdCoding::Bell202);
    let gateway = site.gateway.address();
    let mut leg = site.agent.call(gateway, EXTENSION, Codec::Pcma).await;
    leg.progress(StatusCode::Ringing).await;
    eventually("the display shows the caller", || telephone.displayed().is_some()).await;
    let shown = telephone.displayed().unwrap();
    assert_eq!(shown.number, Party::Known("100".into()));
    assert_eq!(shown.name, Party::Known("Ada".into()));
    telephone.off_hook();
    leg.answered().await;
    telephone.play(&tone(1000.0, 4000));
    leg.voice.hears(1000.0).await;
    leg.voice.tone(700.0);
    eventually("the telephone hears the PBX", || longest(&telephone.heard(), 700.0) >= 8000).await;
    telephone.dial("8#");
    leg.voice.hears_digits("8#").await;
    // It has one call.
    let mut second = site.agent.call(gateway, EXTENSION, Codec::Pcmu).await;
    let refused = second.final_response().await;
    assert_eq!(refused.status_code, StatusCode::BusyHere);
    assert_eq!(cause(&refused).as_deref(), Some("Q.850;cause=17"));
    telephone.on_hook();
    leg.ended().await;
    let record = site.call_records(1).await.remove(0);
    assert_eq!((&record["line"], &record["ended_by"]), (&0.into(), &"line".into()));
}

#[tokio::test]
async fn a_telephone_calls_and_hears_ringback_and_the_pbx_before_its_answer() {
    let (site, telephone) = office().await;
    telephone.call("123*");
    let called = site.agent.called().await;
    assert_eq!(called.request.uri.user(), Some("123*"), "what it has dialled");
    let from = called.request.from_header().unwrap().value().to_owned();
    assert!(from.starts_with(&format!("<sip:{EXTENSION}@")), "{from}");
    let leg = called.leg;
    leg.dialog.ringing(None, None).unwrap();
    // Ringback of North America is 440 and 480 Hz.
    eventually("the telephone hears ringback", || {
        let heard = telephone.heard();
        let tail = &heard[heard.len().saturating_sub(1600)..];
        let level = |hz| ringback_media::level::power_at(tail, hz);
        tail.len() == 1600 && level(440.0) > -35.0 && level(480.0) > -35.0
    })
    .await;
    // The PBX has an announcement.
    leg.voice.connect(&called.request.body);
    leg.voice.tone(700.0);
    let headers = vec![Header::ContentType("application/sdp".into())];
    leg.dialog.ringing(Some(headers), Some(leg.voice.description())).unwrap();
    eventually("the telephone hears it", || longest(&telephone.heard(), 700.0) >= 8000).await;
    leg.answer(&called.request);
    telephone.play(&tone(1000.0, 4000));
    leg.voice.hears(1000.0).await;
    leg.hang_up().await;
    let record = site.call_records(1).await.remove(0);
    assert_eq!((&record["from"], &record["to"]), (&EXTENSION.into(), &"123*".into()));
    // Reorder tone until it is hung up; nobody can call it until then.
    let mut busy = site.agent.call(site.gateway.address(), EXTENSION, Codec::Pcmu).await;
    assert_eq!(cause(&busy.final_response().await).as_deref(), Some("Q.850;cause=17"));
    // And a call that the PBX refuses. A shorter time on-hook would be a flash.
    let steps = [Step::HangUp, Step::Wait(2000), Step::OffHook, Step::Wait(500)];
    telephone.run([&steps[..], &[Step::Dial("5".to_owned())]].concat());
    let called = site.agent.called().await;
    called.leg.dialog.reject(Some(StatusCode::BusyHere), None).unwrap();
    let record = site.call_record_of("5").await;
    assert_eq!((&record["status"], &record["ended_by"]), (&486.into(), &"pbx".into()));
    telephone.on_hook();
}

#[tokio::test]
async fn a_telephone_rings_as_the_pbx_asks() {
    let (site, telephone) = office_in("UK".parse().unwrap()).await;
    let gateway = site.gateway.address();
    // A British ring comes every 3 s, a short and a long one every 5.5 s. Afterwards it rings as
    // usual again.
    for (count, (alert, is_distinctive)) in
        [(None, false), (Some("<http://pbx/Bellcore-dr3>"), true), (None, false)]
            .into_iter()
            .enumerate()
    {
        let voice = Voice::new(site.agent.address.ip(), Codec::Pcmu).await;
        let offer = voice.description();
        let headers = alert.map(|alert| Header::AlertInfo(alert.into())).into_iter().collect();
        let mut leg = site.agent.invite_with(gateway, EXTENSION, voice, offer, None, headers);
        let before = telephone.ring_count();
        leg.progress(StatusCode::Ringing).await;
        let ring = async |number: u32| {
            eventually("it rings", || telephone.ring_count() >= before + number).await;
            site.card.now_ms()
        };
        let (first, third) = (ring(1).await, ring(3).await);
        let apart = third - first;
        assert_eq!(apart > 8500, is_distinctive, "{apart} ms for two rings and {alert:?}");
        leg.hang_up().await;
        site.call_records(count + 1).await;
    }
}

#[tokio::test]
async fn calls_take_the_last_idle_line_of_a_trunk_and_a_telephone_only_by_its_number() {
    let (site, telephone) = office().await;
    let gateway = site.gateway.address();
    let second = LINE_NUMBERS[1];
    let mut first = site.agent.call(gateway, SUBSCRIBER, Codec::Pcmu).await;
    first.progress(StatusCode::Ringing).await;
    assert_eq!(site.exchange.state(second), Some(LineState::Calling), "an exchange takes line 2");
    assert_eq!(site.exchange.state(LINE), Some(LineState::Idle));
    site.exchange.add_subscriber("5550156", Behaviour::Manual);
    let mut other = site.agent.call(gateway, "5550156", Codec::Pcmu).await;
    other.progress(StatusCode::Ringing).await;
    assert_eq!(site.exchange.state(LINE), Some(LineState::Calling));
    let mut third = site.agent.call(gateway, "5550157", Codec::Pcmu).await;
    let refused = third.final_response().await;
    assert_eq!(cause(&refused).as_deref(), Some("Q.850;cause=34"), "all lines are in use");
    assert!(!telephone.is_ringing());
    first.hang_up().await;
    other.hang_up().await;
    site.line_idle().await;
    eventually("the second line is on-hook", || {
        site.exchange.state(second) == Some(LineState::Idle)
    })
    .await;
}

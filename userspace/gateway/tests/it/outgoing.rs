//! Calls of the PBX on a line of the exchange.

use std::time::Duration;

use ringback_gateway::sdp::Codec;
use ringback_softcard::scenery::tone;
use ringback_softcard::{Fault, LineState};
use rsipstack::sip::StatusCode;

use crate::agent::{Agent, cause};
use crate::site::{DEADLINE, LINE, SUBSCRIBER, Site, eventually, within};
use crate::voice::{Voice, longest};

/// A call with everything: 183 and 180, sound and digits both ways, hung up by the PBX.
async fn call_with_sound(codec: Codec, agent: Agent) {
    let trunk = agent.trunk();
    let site = Site::of_trunk(agent, &trunk, "", "").await;
    let mut leg = site.agent.call(site.gateway.address(), SUBSCRIBER, codec).await;
    let early = leg.progress(StatusCode::SessionProgress).await;
    leg.voice.connect(&early.body);
    leg.progress(StatusCode::Ringing).await;
    eventually("the subscriber is rung", || site.telephone.is_ringing()).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 4000));
    leg.answered().await;
    leg.voice.hears(1000.0).await;
    leg.voice.tone(700.0);
    eventually("the subscriber hears the PBX", || longest(&site.telephone.heard(), 700.0) >= 8000)
        .await;
    // Each of them is sent when the one before is over (D17).
    leg.voice.dial("15#");
    eventually("the subscriber gets digits", || site.telephone.digits_heard() == "15#").await;
    site.telephone.dial("*90D");
    leg.voice.hears_digits("*90D").await;
    let packets = leg.voice.packets();
    let steps = packets.windows(2).filter(|pair| pair[1].0 == pair[0].0.wrapping_add(1)).count();
    assert!(steps * 100 > packets.len() * 95, "{steps} of {} are in order", packets.len());
    leg.hang_up().await;
    site.line_idle().await;
    let records = site.call_records(1).await;
    let record = &records[0];
    assert_eq!((&record["direction"], &record["to"]), (&"out".into(), &SUBSCRIBER.into()));
    assert_eq!((&record["from"], &record["line"]), (&"100".into(), &2.into()));
    assert_eq!((&record["status"], &record["cause"]), (&200.into(), &16.into()), "{record}");
    assert_eq!(record["ended_by"], "pbx");
    assert!(record["rtp"]["received"].as_u64().unwrap() > 100, "{record}");
    assert!(record["answered"].is_string() && record["call_id"].is_string(), "{record}");
    site.gateway.stop().await;
}

#[tokio::test]
async fn a_call_has_sound_and_digits_in_both_directions_in_u_law() {
    call_with_sound(Codec::Pcmu, Agent::start().await).await;
}

#[tokio::test]
async fn a_call_has_sound_and_digits_in_both_directions_in_a_law() {
    call_with_sound(Codec::Pcma, Agent::start().await).await;
}

#[tokio::test]
async fn a_call_has_sound_and_digits_in_both_directions_over_ipv6() {
    call_with_sound(Codec::Pcmu, Agent::at("::1").await).await;
}

#[tokio::test]
async fn records_are_without_numbers_if_they_are_to_be() {
    let site = Site::with("numbers = false", "").await;
    let mut leg = site.agent.call(site.gateway.address(), SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    leg.hang_up().await;
    site.line_idle().await;
    let record = site.call_records(1).await.remove(0);
    assert_eq!((&record["status"], &record["line"]), (&487.into(), &2.into()));
    let text = record.to_string();
    assert!(record["to"].is_null() && record["from"].is_null(), "{text}");
    assert!(!text.contains(SUBSCRIBER), "{text}");
}

#[tokio::test]
async fn the_pbx_is_told_that_the_subscriber_hangs_up() {
    let site = Site::new("").await;
    let mut leg = site.agent.call(site.gateway.address(), SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 1000));
    leg.answered().await;
    // The line has only one call.
    let mut second = site.agent.call(site.gateway.address(), "5550156", Codec::Pcmu).await;
    let refused = second.final_response().await;
    assert_eq!(refused.status_code, StatusCode::ServiceUnavailable);
    assert_eq!(cause(&refused).as_deref(), Some("Q.850;cause=34"));
    assert!(refused.to_string().contains("Retry-After: 5\r\n"), "{refused}");
    // The PBX holds the call, and takes it back.
    let description = String::from_utf8(leg.voice.description()).unwrap();
    for (ours, its) in [("inactive", "a=inactive"), ("sendrecv", "a=sendrecv")] {
        let answer = leg.change(&format!("{description}a={ours}\r\n")).await;
        assert_eq!(answer.status_code, StatusCode::OK);
        let answer = String::from_utf8(answer.body).unwrap();
        assert!(answer.contains(its), "{answer}");
    }
    site.telephone.play(&tone(1000.0, 4000));
    leg.voice.hears(1000.0).await;
    let wide = description.replace("RTP/AVP 0", "RTP/AVP 9");
    assert_eq!(leg.change(&wide).await.status_code, StatusCode::NotAcceptableHere);
    assert_eq!(leg.change("").await.status_code, StatusCode::NotAcceptableHere, "no offer");
    let refreshed = within("an answer to the UPDATE", leg.dialog.update(None, None)).await;
    assert_eq!(refreshed.unwrap().unwrap().status_code, StatusCode::OK);
    site.telephone.on_hook();
    leg.ended().await;
    site.line_idle().await;
    let records = site.call_records(1).await;
    assert_eq!((&records[0]["ended_by"], &records[0]["cause"]), (&"line".into(), &16.into()));
}

#[tokio::test]
async fn n6_a_call_that_the_pbx_cancels_leaves_the_line_on_hook_in_each_state() {
    let site = Site::new("").await;
    for (count, status) in
        [None, Some(StatusCode::SessionProgress), Some(StatusCode::Ringing)].into_iter().enumerate()
    {
        let mut leg = site.agent.call(site.gateway.address(), SUBSCRIBER, Codec::Pcmu).await;
        match status {
            // The line waits for dial tone, or dials.
            None => {
                eventually("the line is off-hook", || {
                    site.exchange.state(LINE) != Some(LineState::Idle)
                })
                .await;
            }
            Some(status) => {
                leg.progress(status).await;
            }
        }
        leg.hang_up().await;
        assert_eq!(leg.final_response().await.status_code, StatusCode::RequestTerminated);
        site.line_idle().await;
        let record = site.call_records(count + 1).await.remove(count);
        assert_eq!((&record["status"], &record["ended_by"]), (&487.into(), &"pbx".into()));
    }
}

#[tokio::test]
async fn why_a_call_is_not_put_through_is_told_as_status_and_cause() {
    let site = Site::new("").await;
    site.telephone.off_hook();
    eventually("the subscriber is busy", || {
        site.exchange.state(SUBSCRIBER) == Some(LineState::Reorder)
    })
    .await;
    let refused = async |number: &str| {
        let mut leg = site.agent.call(site.gateway.address(), number, Codec::Pcmu).await;
        let response = leg.final_response().await;
        (response.status_code.code(), cause(&response).unwrap())
    };
    let told = |status: u16, cause: &str| (status, format!("Q.850;cause={cause}"));
    assert_eq!(refused(SUBSCRIBER).await, told(486, "17"), "busy tone");
    site.line_idle().await;
    assert_eq!(refused("999").await, told(503, "42"), "reorder tone: no such number");
    site.line_idle().await;
    assert_eq!(refused("!1").await, told(484, "28"), "nothing that can be dialled");
    assert_eq!(refused("12%2C3").await, told(484, "28"), "no pause, either");
    site.exchange.unplug(LINE).unwrap();
    // Until the battery is missed there is no dial tone.
    let (status, why) = refused("1").await;
    assert!(status == 480 && ["38", "27"].iter().any(|own| why.ends_with(own)), "{why}");
}

#[tokio::test]
async fn an_offer_that_can_not_be_used_is_refused_and_the_line_left_alone() {
    let site = Site::new("").await;
    let gateway = site.gateway.address();
    let offered = async |offer: &str| {
        let voice = Voice::new(site.agent.address.ip(), Codec::Pcmu).await;
        let offer = offer.as_bytes().to_vec();
        let mut leg = site.agent.invite(gateway, SUBSCRIBER, voice, offer, None);
        leg.final_response().await.status_code
    };
    let head = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
    let wide = format!("{head}m=audio 4000 RTP/AVP 9 18\r\n");
    assert_eq!(offered(&wide).await, StatusCode::NotAcceptableHere, "no codec that we have");
    let secure = format!("{head}m=audio 4000 RTP/SAVP 0\r\n");
    assert_eq!(offered(&secure).await, StatusCode::NotAcceptableHere, "encrypted");
    assert_eq!(offered("").await, StatusCode::NotAcceptableHere, "no offer");
    assert_eq!(offered("v=1").await, StatusCode::BadRequest, "no SDP");
    assert_eq!(site.exchange.state(LINE), Some(LineState::Idle));
    assert!(site.call_records(0).await.is_empty(), "nothing was done");
}

#[tokio::test]
async fn calls_are_hung_up_on_both_sides_when_the_gateway_is_stopped() {
    let site = Site::new("").await;
    let mut leg = site.agent.call(site.gateway.address(), SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 1000));
    leg.answered().await;
    site.gateway.stop().await;
    leg.ended().await;
    let text = std::fs::read_to_string(site.records.path().join("calls")).unwrap();
    assert!(text.contains("\"ended_by\":\"gateway\""), "{text}");
}

/// It is asked whether it still knows the call when it has sent nothing for half a minute.
#[tokio::test]
async fn a_pbx_that_dies_in_a_call_leaves_the_line_on_hook() {
    let site = Site::new("").await;
    let mut leg = site.agent.call(site.gateway.address(), SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 1000));
    leg.answered().await;
    let Site { agent, gateway: _gateway, exchange, records, .. } = site;
    drop((agent, leg));
    // Half a minute, and the time of a request that is not answered.
    let idle = async {
        while exchange.state(LINE) != Some(LineState::Idle) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(3 * DEADLINE, idle).await.expect("the line is on-hook");
    let file = records.path().join("calls");
    eventually("it is recorded", || {
        let text = std::fs::read_to_string(&file).unwrap();
        text.contains("\"cause\":102") && text.contains("\"ended_by\":\"gateway\"")
    })
    .await;
}

#[tokio::test]
async fn a_card_that_is_gone_ends_its_calls_and_the_gateway() {
    let mut site = Site::new("").await;
    let mut leg = site.agent.call(site.gateway.address(), SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 1000));
    leg.answered().await;
    site.card.set_fault(Fault::Removal, true);
    leg.ended().await;
    within("no line is left", site.gateway.lines_gone()).await;
    let records = site.call_records(1).await;
    assert_eq!(records[0]["ended_by"], "line");
}

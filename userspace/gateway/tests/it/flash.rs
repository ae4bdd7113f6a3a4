//! Hook flashes, from the PBX to the line and from the telephone to the PBX.

use ringback_country::Profile;
use ringback_gateway::sdp::Codec;
use ringback_softcard::LineState;
use ringback_softcard::scenery::tone;
use rsipstack::sip::{Header, StatusCode};

use crate::agent::AgentLeg;
use crate::site::{LINE, SUBSCRIBER, Site, eventually};
use crate::telephones::{EXTENSION, office};
use crate::voice::Voice;

/// Waits until the exchange has put the subscriber on hold, or has taken it back.
async fn is_held(site: &Site, held: bool) {
    let state = if held { LineState::Held } else { LineState::Talking };
    let what = format!("the subscriber is {state:?}");
    eventually(&what, || site.exchange.state(SUBSCRIBER) == Some(state)).await;
}

#[tokio::test]
async fn a_flash_of_the_pbx_is_one_on_the_line_in_the_order_of_the_digits() {
    let site = Site::new("").await;
    site.exchange.set_profile(Profile::named("european-pbx"));
    let mut leg = site.agent.call(site.gateway.address(), SUBSCRIBER, Codec::Pcmu).await;
    leg.progress(StatusCode::Ringing).await;
    site.telephone.off_hook();
    site.telephone.play(&tone(1000.0, 1000));
    leg.answered().await;
    is_held(&site, false).await;
    leg.voice.dial("4!");
    is_held(&site, true).await;
    assert_eq!(site.telephone.digits_heard(), "4");
    assert_eq!(leg.info("application/dtmf-relay", "Signal=16\r\nDuration=250").await.code(), 200);
    is_held(&site, false).await;
    assert_eq!(leg.info("application/hook-flash", "").await.code(), 200);
    is_held(&site, true).await;
    assert_eq!(leg.info("application/dtmf-relay", "Signal=hf").await.code(), 200);
    is_held(&site, false).await;
    // Digits come so as well.
    assert_eq!(leg.info("application/dtmf-relay", "Signal=5\r\nDuration=160").await.code(), 200);
    eventually("the subscriber gets it", || site.telephone.digits_heard() == "45").await;
    assert_eq!(leg.info("application/dtmf-relay", "Signal=99").await.code(), 400);
    assert_eq!(leg.info("text/plain", "Signal=16").await.code(), 415);
    assert_eq!(site.exchange.state(LINE), Some(LineState::Talking));
    leg.hang_up().await;
    site.line_idle().await;
}

#[tokio::test]
async fn a_telephones_flash_is_an_event_or_an_info_and_one_of_the_pbx_is_nothing_to_it() {
    let (site, telephone) = office().await;
    let gateway = site.gateway.address();
    for (count, takes_event, digit) in [(1, true, '7'), (2, false, '8')] {
        let voice = Voice::new(site.agent.address.ip(), Codec::Pcmu).await;
        let offer = if takes_event { voice.description_with_flash() } else { voice.description() };
        let mut leg: AgentLeg = site.agent.invite(gateway, EXTENSION, voice, offer, None);
        leg.progress(StatusCode::Ringing).await;
        telephone.off_hook();
        leg.answered().await;
        // A digit between them shows that the other flash was left out, and nothing else.
        leg.voice.dial(&format!("!{digit}"));
        eventually("the telephone gets it", || telephone.digits_heard().ends_with(digit)).await;
        telephone.flash();
        if takes_event {
            leg.voice.hears_digits("!").await;
        } else {
            let request = leg.is_informed().await;
            let flash = Header::ContentType("application/hook-flash".into());
            assert!(request.headers.iter().any(|header| *header == flash), "{request}");
        }
        telephone.dial("3");
        leg.voice.hears_digits(if takes_event { "!3" } else { "3" }).await;
        telephone.on_hook();
        leg.ended().await;
        site.call_records(count).await;
    }
}

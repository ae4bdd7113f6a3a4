//! The four calls of the demo, seen from our side.

use ringback_media::tone::CallProgress;
use ringback_tspi::callstate::CallState;

use super::ear::hears;
use super::far::Step;
use super::scene::Scene;

/// The number that line 2 calls, and the one that calls line 3.
const CALLED: &str = "5550100";
/// The same number in two parts.
const PREFIX: &str = "555;";
const REST: &str = "0100";
const CALLER: &str = "5550110";
/// What the telephone at line 1 dials.
const DIALS: &str = "5551234";
/// The tone with which the called subscriber answers. A plain line signals an answer only by the
/// end of ringback tone, so that the subscriber has to make a sound.
const HELLO_HZ: f32 = 1000.0;
const HELLO_MS: u32 = 1000;
/// How long the line is recorded to find reorder tone: several of its half-second bursts.
const REORDER_MS: u32 = 5000;
/// How much of the subscriber's tone remains after the line has recognised the answer.
const HELLO_LEFT_MS: u32 = 200;

/// The function that plays a call of the demo.
pub(super) type ScenePlay = fn(&mut Scene<'_>) -> Step;

/// The calls of lines 0 to 3.
pub(super) const SCENES: [ScenePlay; 4] = [ring_telephone, telephone_dials, call_out, called];

/// Line 0: we ring the telephone, its owner answers, talks and hangs up.
fn ring_telephone(scene: &mut Scene<'_>) -> Step {
    let telephone = scene.telephone();
    telephone.does("answer-after 2")?;
    scene.does("we", "ring the telephone");
    scene.make_call("")?;
    scene.state(CallState::Ringback)?;
    scene.until("the telephone rings", || Ok(telephone.state()?.ringing))?;
    scene.does("telephone 0", "rings");
    scene.state(CallState::Connected)?;
    let rings = telephone.state()?.rings;
    scene.check("the telephone is answered in the second ring", rings == 2, &rings.to_string())?;
    scene.talk(&telephone, "telephone 0")?;
    scene.does("telephone 0", "hangs up");
    telephone.does("on-hook")?;
    scene.state(CallState::Disconnected)?;
    scene.drop_call()
}

/// Line 1: the telephone is lifted and dials us; we hang up first.
fn telephone_dials(scene: &mut Scene<'_>) -> Step {
    let telephone = scene.telephone();
    scene.does("telephone 1", &format!("is lifted and dials {DIALS}"));
    telephone.does(&format!("call {DIALS}"))?;
    scene.await_call()?;
    let info = scene.call()?.info().map_err(|error| format!("the call says nothing: {error}"))?;
    let dialled = info.called.unwrap_or_default();
    scene.check("the call bears the number that was dialled", dialled == DIALS, &dialled)?;
    scene.answer()?;
    scene.state(CallState::Connected)?;
    scene.talk(&telephone, "telephone 1")?;
    telephone.does("forget")?;
    scene.drop_call()?;
    scene.until_heard("the telephone hears reorder tone", || {
        Ok(hears(&telephone.heard(REORDER_MS)?, scene.country(), CallProgress::Reorder))
    })?;
    scene.check("telephone 1 is told that we have hung up", true, "reorder tone")?;
    scene.does("telephone 1", "hangs up");
    telephone.does("on-hook")
}

/// Line 2: we call a subscriber of the exchange, who answers in the second ring; we hang up. The
/// number is dialled in two parts: with lineMakeCall, and with lineDial.
fn call_out(scene: &mut Scene<'_>) -> Step {
    let subscriber = scene.far().subscriber(CALLED)?;
    subscriber.does("answer-after 2")?;
    scene.does("we", &format!("call {CALLED}"));
    scene.make_call(PREFIX)?;
    scene.state(CallState::DialTone)?;
    scene.state(CallState::Dialing)?;
    scene.dial(REST)?;
    scene.state(CallState::Proceeding)?;
    scene.state(CallState::Ringback)?;
    let dialled = scene.at_exchange()?.dialled;
    scene.check("the exchange heard the number", dialled == CALLED, &dialled)?;
    scene.until("the subscriber answers", || Ok(subscriber.state()?.off_hook))?;
    scene.does(CALLED, "answers and says hello");
    subscriber.does(&format!("tone {HELLO_HZ} {HELLO_MS}"))?;
    scene.state(CallState::Connected)?;
    scene.hear_hello(CALLED, HELLO_HZ, HELLO_LEFT_MS)?;
    scene.until("the subscriber has said hello", || Ok(!subscriber.state()?.busy))?;
    scene.talk(&subscriber, CALLED)?;
    scene.drop_call()?;
    scene.until("the exchange sees us on-hook", || Ok(scene.at_exchange()?.state == "idle"))?;
    scene.check("line 2 is on-hook", true, "idle at the exchange")
}

/// Line 3: a subscriber calls us and hangs up first.
fn called(scene: &mut Scene<'_>) -> Step {
    let subscriber = scene.far().subscriber(CALLER)?;
    let number = scene.at_exchange()?.number;
    scene.does(CALLER, &format!("calls {number}"));
    subscriber.does(&format!("call {number}"))?;
    scene.await_call()?;
    scene.answer()?;
    scene.state(CallState::Connected)?;
    scene.talk(&subscriber, CALLER)?;
    scene.does(CALLER, "hangs up");
    subscriber.does("on-hook")?;
    scene.state(CallState::Disconnected)?;
    scene.drop_call()?;
    scene.until("the exchange sees us on-hook", || Ok(scene.at_exchange()?.state == "idle"))?;
    scene.check("line 3 is on-hook", true, "idle at the exchange")
}

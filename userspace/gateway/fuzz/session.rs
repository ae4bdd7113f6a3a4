//! Any text as the description of a session: what is read is answered, and the answer, which has
//! the streams of the offer in their places, means the same to whoever reads it.

#![no_main]

#[path = "../src/codec.rs"]
#[allow(dead_code, reason = "the gateway also codes sound")]
mod codec;
#[path = "../src/sdp.rs"]
#[allow(dead_code, reason = "the gateway also makes offers")]
mod sdp;
#[path = "../src/sdp_stream.rs"]
mod sdp_stream;

use libfuzzer_sys::fuzz_target;
use sdp::Session;

fuzz_target!(|body: &[u8]| {
    let Ok(session) = Session::read(body) else { return };
    let types = [Some(session.payload_type), session.events, session.comfort_noise.then_some(13)];
    let mut types: Vec<u8> = types.into_iter().flatten().collect();
    assert!(types.iter().all(|payload_type| *payload_type < 128), "{types:?}");
    let count = types.len();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types.len(), count, "a payload type has two meanings: {session:?}");
    assert!(session.events.is_some() || !session.takes_flash);

    let local = "192.0.2.1:10000".parse().expect("an address");
    let answer = session.answer(local, 2);
    let text = String::from_utf8(answer.clone()).expect("text");
    let media = |text: &str| text.lines().filter(|line| line.starts_with("m=")).count();
    assert_eq!(media(&text), media(&String::from_utf8_lossy(body)), "{text}");
    // A long offer is answered by more than is read.
    if answer.len() > 8192 {
        return;
    }
    let read = Session::read(&answer).expect("our answer is read");
    assert_eq!((read.remote, read.codec), (local, session.codec), "{text}");
    assert_eq!((read.payload_type, read.events), (session.payload_type, session.events), "{text}");
    assert_eq!(read.comfort_noise, session.comfort_noise, "{text}");
    assert_eq!((read.sends, read.receives), (session.receives, session.sends), "{text}");
});

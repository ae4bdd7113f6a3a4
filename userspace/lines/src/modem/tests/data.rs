//! Data that is sent and received by requests.

use super::*;

#[test]
fn the_modem_for_oneself_is_connected_at_once() {
    let mut world = World::new();
    let call = world.pass_through();
    assert_eq!(world.story(), ["ok", "CONNECTED 0x1"]);
    world.send(call, b"ATE1\r").unwrap();
    world.receive(call, 5, 1000).unwrap();
    world.run(20);
    assert_eq!(world.story(), ["ok", "ok"]);
    assert_eq!(world.fetch(), b"\r\nOK\r\n");
    world.drop_call(call).unwrap();
    world.run(1000);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    world.connect(LINE, "100");
}

#[test]
fn a_loop_returns_what_is_sent_through_it() {
    let mut world = World::faulty(ModemFault::Loop);
    let call = world.pass_through();
    world.run(8000);
    assert_eq!(world.story(), ["ok", "CONNECTED 0x1"], "no modem has answered to commands");
    let text: Vec<u8> = (0..=255).cycle().take(20_000).collect();
    let mut ids = Vec::new();
    for part in text.chunks(1000) {
        ids.push(world.send(call, part).unwrap());
    }
    ids.push(world.receive(call, text.len(), 10_000).unwrap());
    world.run(2500);
    let done: Vec<_> = ids.into_iter().map(|id| Told::Completed(id, Ok(()))).collect();
    assert_eq!(world.told(), done, "in order");
    assert_eq!(world.fetch(), text);
    world.drop_call(call).unwrap();
    world.run(1000);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
}

#[test]
fn nothing_is_lost_while_data_is_not_fetched() {
    let mut world = World::new();
    let call = world.connect(LINE, "106");
    let text: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    world.modem.far_send(&text);
    world.run(20_000);
    assert!(world.data().available() < text.len() && !world.from_modem.is_empty());
    let mut fetched = Vec::new();
    for _ in 0..100 {
        world.data().fetch(&mut fetched);
        world.run(100);
    }
    assert_eq!(fetched, text);
    assert_eq!(world.receive(call, 65_537, 1000), Err(LineError::INVALPARAM));
    world.receive(call, 65_536, 1000).unwrap();
    world.run(1100);
    assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED"]);
}

#[test]
fn what_the_modem_holds_when_the_carrier_drops_is_received() {
    for tail in ["", "\r\nNO CARR", "\r\nNO CARRIER\r\n", "\r", "+++"] {
        let mut world = World::new();
        let call = world.connect(LINE, "106");
        let mut text: Vec<u8> = (0..=255).cycle().take(3000).collect();
        text.extend(tail.bytes());
        let all = world.receive(call, text.len(), 60_000).unwrap();
        let more = world.receive(call, text.len() + 1, 60_000).unwrap();
        world.modem.far_send(&text);
        world.run(20);
        world.far_hang_up();
        world.run(60);
        assert_eq!(world.send(call, b"x"), Err(LineError::INVALCALLSTATE), "to whom?");
        world.until(call, CallState::Disconnected, 5000);
        let told = world.told();
        let failed = Err(LineError::OPERATIONFAILED);
        assert!(told.contains(&Told::Completed(all, Ok(()))), "{told:?}");
        assert!(told.contains(&Told::Completed(more, failed)), "{told:?}");
        assert_eq!(world.fetch(), text, "without the modem's own words");
        world.drop_call(call).unwrap();
        world.run(2000);
        world.connect(LINE, "100");
    }
}

#[test]
fn data_that_nobody_fetches_ends_a_call_without_carrier_in_time() {
    let mut world = World::new();
    let call = world.connect(LINE, "106");
    world.modem.far_send(&[b'x'; 300_000]);
    world.run(1000);
    world.far_hang_up();
    world.run(20_000);
    assert_eq!(world.state(call), Some(CallState::Connected), "it may still be fetched");
    world.until(call, CallState::Disconnected, 40_000);
}

#[test]
fn pluses_are_data_however_they_are_sent() {
    let parts: [&[(&[u8], u64)]; 4] = [
        &[(b"+++", 3000)],
        &[(b"+", 500), (b"+", 500), (b"+", 3000)],
        &[(b"x+++", 1500), (b"++", 1200), (b"+", 1200), (b"+++", 3000)],
        &[(b"++++", 1500), (b"+++\r", 1500), (b"", 10), (b"+++", 3000)],
    ];
    for texts in parts {
        let mut world = World::new();
        let call = world.connect(LINE, "100");
        world.run(2000);
        let mut sent = Vec::new();
        let mut requests = Vec::new();
        for (text, pause) in texts {
            requests.push(world.send(call, text).unwrap());
            sent.extend_from_slice(text);
            world.run(*pause);
        }
        let last = world.send(call, b"the end").unwrap();
        sent.extend(b"the end");
        requests.push(last);
        world.run(3000);
        let done: Vec<_> = requests.into_iter().map(|id| Told::Completed(id, Ok(()))).collect();
        assert_eq!(world.told(), done, "{texts:?}");
        assert_eq!(world.fetch(), sent, "nothing was a command, and nothing is lost");
        assert_eq!(world.state(call), Some(CallState::Connected));
    }
}

#[test]
fn requests_of_nothing_are_done_at_once() {
    let mut world = World::new();
    let call = world.connect(LINE, "100");
    world.send(call, b"").unwrap();
    world.receive(call, 0, 1000).unwrap();
    assert_eq!(world.story(), ["ok", "ok"]);
}

#[test]
fn there_is_no_data_without_a_connection() {
    let mut world = World::new();
    let (call, _) = world.make_call(LINE, "101");
    world.run(50);
    assert_eq!(world.send(call, b"x"), Err(LineError::INVALCALLSTATE));
    assert_eq!(world.receive(call, 1, 1000), Err(LineError::INVALCALLSTATE));
    let other = world.make_call(LINE, "100").1;
    assert_eq!(other, Err(LineError::CALLUNAVAIL), "one call at a time");
}

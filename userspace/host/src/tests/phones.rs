//! Phones: opening by device id, functions, events, closing.

use super::*;
use ringback_tspi::error::PhoneError;

/// A host whose provider has a phone.
fn start_phone(mock: Mock) -> (Arc<Mock>, Host, Phone) {
    let (mock, host, line) = start(Mock { phones: 1, ..mock });
    drop(line);
    let phone = host.open_phone(0).unwrap();
    (mock, host, phone)
}

/// Sends an event of the phone.
fn tell(mock: &Mock, message: u32, params: [usize; 3]) {
    let phone = mock.phone.lock().even_poisoned().unwrap();
    mock.tell(|tapi| tapi.phone_event(&PhoneMessage { phone, message, params }));
}

#[test]
fn a_phone_says_what_it_can_and_how_it_is() {
    let (_mock, host, phone) = start_phone(Mock::default());
    assert_eq!(host.phones(), [phone.info().clone()]);
    let caps = phone.caps().unwrap();
    assert_eq!((caps.name.as_str(), caps.hook_switches), ("mock phone", 1));
    let status = phone.status().unwrap();
    assert_eq!((status.handset.mode, status.handset.volume), (4, 0x8000));
    assert_eq!(phone.close(), Ok(Closed::Now));
    assert_eq!(phone.status(), Err(PhoneError::INVALPHONEHANDLE));
    assert_eq!(host.open_phone(1).unwrap_err(), PhoneError::NODEVICE);
    assert_eq!(host.shutdown(), Ok(Closed::Now));
    assert_eq!(host.open_phone(0).unwrap_err(), PhoneError::UNINITIALIZED);
}

#[test]
fn messages_of_a_phone_become_events_and_reach_the_observer() {
    for locks in [false, true] {
        let observed_events = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&observed_events);
        let options = observed(move |happened| {
            if let Traced::PhoneEvent { device_id, event } = happened {
                seen.lock().even_poisoned().push((*device_id, (*event).clone()));
            }
        });
        let (mock, host, _line) = start_with(Mock { phones: 1, locks, ..Mock::default() }, options);
        let phone = host.open_phone(0).unwrap();
        tell(&mock, PHONE_STATE, [4, 2, 0]);
        tell(&mock, PHONE_BUTTON, [11, 2, 1]);
        tell(&mock, PHONE_DEVSPECIFIC, [7, 8, 9]);
        let events: Vec<_> = phone.events().within(DEADLINE).take(3).collect();
        assert!(matches!(events[0], PhoneEvent::State { changed: 4, detail: 2, .. }));
        assert!(matches!(events[1], PhoneEvent::Button { id: 11, mode: 2, state: 1, .. }));
        let params = [7, 8, 9];
        assert!(
            matches!(events[2], PhoneEvent::Other { message: PHONE_DEVSPECIFIC, params: p, .. }
            if p == params)
        );
        let expected: Vec<_> = events.into_iter().map(|event| (0, event)).collect();
        assert_eq!(*observed_events.lock().even_poisoned(), expected);
    }
}

#[test]
fn d2_d13_a_closed_phone_delivers_nothing() {
    let (mock, host, phone) = start_phone(Mock::default());
    let events = phone.events();
    assert_eq!(phone.close(), Ok(Closed::Now));
    tell(&mock, PHONE_STATE, [4, 2, 0]);
    assert!(events.try_next().is_none() && events.is_over());
    assert_eq!(*mock.closed_phones.lock().even_poisoned(), 1);

    let phone = host.open_phone(0).unwrap();
    let events = phone.events();
    tell(&mock, PHONE_CLOSE, [0; 3]);
    tell(&mock, PHONE_STATE, [4, 2, 0]);
    assert!(matches!(events.next_timeout(DEADLINE), Some(PhoneEvent::Closed { .. })));
    assert!(events.next_timeout(DEADLINE).is_none() && phone.is_closed());
    drop(phone);
    assert_eq!(*mock.closed_phones.lock().even_poisoned(), 1, "the provider has closed it itself");
}

#[test]
fn d12_a_shutdown_closes_open_phones() {
    let (mock, host, phone) = start_phone(Mock::default());
    assert_eq!(host.shutdown(), Ok(Closed::Now));
    assert_eq!((*mock.closed_phones.lock().even_poisoned(), phone.is_closed()), (1, true));
    assert_eq!(phone.close(), Ok(Closed::Now));
}

#[test]
fn lines_can_be_used_although_phones_can_not_be_described() {
    let (_mock, mut host, _line) = start(Mock { phones: 2, no_caps: true, ..Mock::default() });
    assert_eq!((host.phones().len(), host.lines().len()), (0, 1));
    let second = Arc::new(Mock { phones: 1, ..Mock::default() });
    host.add(Arc::clone(&second) as Arc<dyn Provider>).unwrap();
    assert_eq!(
        second.given.lock().even_poisoned().unwrap().phone_device_id_base,
        2,
        "the ids are used up"
    );
    assert_eq!(host.phones().iter().map(|phone| phone.device_id).collect::<Vec<_>>(), [2]);
    assert!(host.open_phone(2).is_ok());
}

#[test]
fn r5_c3_g1_a_phones_request_completes_once_and_after_its_function_has_returned() {
    for early in [false, true] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let order = Arc::clone(&seen);
        let options = observed(move |happened| {
            let what = match happened {
                Traced::PhoneSubmitted { function: "phoneSetLamp", device_id: 0, .. } => "asked",
                Traced::Returned { .. } => "returned",
                Traced::PhoneCompleted { outcome: Ok(()), early: was_early, .. } => {
                    assert_eq!(*was_early, early);
                    "completed"
                }
                _ => return,
            };
            order.lock().even_poisoned().push(what);
        });
        let mock = Mock { phones: 1, phone_early: early, ..Mock::default() };
        let (mock, host, _line) = start_with(mock, options);
        let phone = host.open_phone(0).unwrap();
        let pending = phone.set_lamp(0, PHONELAMPMODE_STEADY).unwrap();
        assert_eq!(host.outstanding(), usize::from(!early));
        mock.complete_phone(Ok(()));
        pending.wait(DEADLINE).unwrap();
        pending.wait(DEADLINE).unwrap();
        assert_eq!(*seen.lock().even_poisoned(), ["asked", "returned", "completed"]);
        assert_eq!((host.outstanding(), host.counts().completed), (0, 1));
    }
}

#[test]
fn r4_a_refused_request_of_a_phone_has_an_error_of_phones_and_no_completion() {
    let refused = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&refused);
    let options = observed(move |happened| match happened {
        Traced::PhoneRefused { error, .. } => *seen.lock().even_poisoned() = Some(*error),
        Traced::PhoneCompleted { .. } => panic!("it was refused"),
        _ => {}
    });
    let (_mock, host, _line) = start_with(Mock { phones: 1, ..Mock::default() }, options);
    let phone = host.open_phone(0).unwrap();
    let error = PhoneError::INVALBUTTONLAMPID;
    assert_eq!(phone.set_lamp(7, PHONELAMPMODE_OFF).unwrap_err(), error);
    assert_eq!(*refused.lock().even_poisoned(), Some(error));
    // This provider has no such function.
    let missing = phone.set_hook_switch(1, PHONEHOOKSWITCHMODE_ONHOOK).unwrap_err();
    assert_eq!(missing, PhoneError::OPERATIONUNAVAIL);
    assert_eq!((host.outstanding(), host.counts().refused), (0, 2));
}

#[test]
fn a_phone_with_a_display_and_data_is_written_and_read() {
    let (mock, _host, phone) = start_phone(Mock::default());
    assert_eq!(phone.set_display(1, 0, "x").unwrap_err(), PhoneError::INVALPARAM, "R4");
    assert_eq!(phone.set_data(4, b"x").unwrap_err(), PhoneError::INVALDATAID, "R4");
    let long = "Gr\u{fc}\u{df}e ".repeat(300);
    let shown = phone.set_display(0, 0, &long).unwrap();
    let stored = phone.set_data(3, b"\x01\x02").unwrap();
    mock.complete_phone(Ok(()));
    shown.wait(DEADLINE).unwrap();
    stored.wait(DEADLINE).unwrap();
    assert_eq!(phone.display(), Ok(long), "more than is asked for at first");
    let mut data = [0xFF; 3];
    assert_eq!((phone.data(3, &mut data), data), (Ok(()), [1, 2, 0xFF]));
    assert_eq!(phone.data(4, &mut data), Err(PhoneError::INVALDATAID));
    phone.close().unwrap();
    assert_eq!(phone.display(), Err(PhoneError::INVALPHONEHANDLE));
    assert_eq!(phone.data(3, &mut data), Err(PhoneError::INVALPHONEHANDLE));
}

#[test]
fn d10_closing_a_phone_fails_its_requests_before_it_returns() {
    let (mock, host, phone) = start_phone(Mock::default());
    let (sent, told) = mpsc::channel();
    phone.set_lamp(0, PHONELAMPMODE_STEADY).unwrap().on_complete(move |outcome| {
        sent.send(outcome).unwrap();
    });
    let waits = phone.set_lamp(0, PHONELAMPMODE_OFF).unwrap();
    assert_eq!(phone.close(), Ok(Closed::Now));
    assert_eq!(told.try_recv(), Ok(Err(PhoneError::OPERATIONFAILED)));
    let failed = WaitError::Failed(PhoneError::OPERATIONFAILED);
    assert_eq!(waits.wait(Duration::ZERO), Err(failed));
    assert_eq!(host.outstanding(), 0);
    let closed = phone.set_lamp(0, PHONELAMPMODE_OFF).unwrap_err();
    assert_eq!(closed, PhoneError::INVALPHONEHANDLE);
    drop(mock);
}

#[test]
fn r5_a_phones_request_that_its_provider_forgets_is_lost_at_the_shutdown() {
    let (_mock, host, phone) = start_phone(Mock { never: true, ..Mock::default() });
    let pending = phone.set_lamp(0, PHONELAMPMODE_STEADY).unwrap();
    assert_eq!(pending.wait(Duration::ZERO), Err(WaitError::TimedOut));
    assert_eq!(host.shutdown(), Ok(Closed::Now));
    let lost = WaitError::Failed(PhoneError::OPERATIONFAILED);
    assert_eq!(pending.wait(DEADLINE), Err(lost));
    assert_eq!(host.counts().lost, 1);
}

#[test]
fn an_id_that_is_taken_first_is_the_requests() {
    let (mock, _host, phone) = start_phone(Mock::default());
    let reservation = phone.reserve();
    let id = reservation.id();
    let pending = reservation.set_lamp(0, PHONELAMPMODE_STEADY).unwrap();
    assert_eq!(
        (pending.id(), mock.phone_requests.lock().even_poisoned().as_slice()),
        (id, &[id][..])
    );
    mock.complete_phone(Err(PhoneError::INVALPHONESTATE));
    let failed = WaitError::Failed(PhoneError::INVALPHONESTATE);
    assert_eq!(pending.wait(DEADLINE), Err(failed));
}

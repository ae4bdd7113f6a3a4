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

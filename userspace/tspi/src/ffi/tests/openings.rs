//! Two openings under one handle of TAPI's: each event reaches a procedure, also after one of the
//! two openings was refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::constants::{LINE_LINEDEVSTATE, PHONE_STATE};
use crate::error::PhoneError;
use crate::types::*;

/// Opens device 0 of both kinds, refuses all others, and sends one event for each opening.
#[derive(Default)]
struct OnlyTheFirst {
    tapi: Mutex<Option<Box<dyn Tapi>>>,
}

impl OnlyTheFirst {
    fn tell(&self, tell: impl FnOnce(&mut dyn Tapi)) {
        tell(self.tapi.lock().even_poisoned().as_mut().unwrap().as_mut());
    }
}

/// Sends LINE_LINEDEVSTATE for this line.
fn line_state(line: HTAPILINE) -> impl Fn(&mut dyn Tapi) {
    let event = LineMessage { line, call: None, message: LINE_LINEDEVSTATE, params: [0; 3] };
    move |up| up.line_event(&event)
}

/// Sends PHONE_STATE for this phone.
fn phone_state(phone: HTAPIPHONE) -> impl Fn(&mut dyn Tapi) {
    let event = PhoneMessage { phone, message: PHONE_STATE, params: [0; 3] };
    move |up| up.phone_event(&event)
}

impl InProcess for OnlyTheFirst {}

impl Provider for OnlyTheFirst {
    fn provider_enum_devices(&self, _: u32) -> Result<Devices, LineError> {
        Ok(Devices { lines: 2, phones: 2 })
    }
    fn provider_init(&self, _: Init, tapi: Box<dyn Tapi>) -> Result<u32, LineError> {
        *self.tapi.lock().even_poisoned() = Some(tapi);
        Ok(0)
    }
    fn provider_shutdown(&self, _: Version, _: u32) -> Result<(), LineError> {
        *self.tapi.lock().even_poisoned() = None;
        Ok(())
    }
    fn line_open(&self, id: u32, tapi: HTAPILINE, _: Version) -> Result<HDRVLINE, LineError> {
        self.tell(line_state(tapi));
        HDRVLINE::new(0x11).filter(|_| id == 0).ok_or(LineError::ALLOCATED)
    }
    fn line_close(&self, line: HDRVLINE) -> Result<(), LineError> {
        if line.raw() == 0x11 { Ok(()) } else { Err(LineError::INVALLINEHANDLE) }
    }
    fn phone_open(&self, id: u32, tapi: HTAPIPHONE, _: Version) -> Result<HDRVPHONE, PhoneError> {
        self.tell(phone_state(tapi));
        HDRVPHONE::new(0x22).filter(|_| id == 0).ok_or(PhoneError::ALLOCATED)
    }
    fn phone_close(&self, _: HDRVPHONE) -> Result<(), PhoneError> {
        Ok(())
    }
}

fn provider() -> Arc<OnlyTheFirst> {
    static PROVIDER: std::sync::OnceLock<Arc<OnlyTheFirst>> = std::sync::OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(Arc::default))
}

fn make() -> Result<Arc<dyn Provider>, LineError> {
    Ok(provider())
}

static FACE: Face = Face::new(make);
/// How many events the first and the second procedure of lines and of phones got.
static TOLD: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

unsafe extern "C" fn completion(_: u32, _: i32) {}
unsafe extern "C" fn line<const N: usize>(
    _: usize,
    _: usize,
    _: u32,
    _: usize,
    _: usize,
    _: usize,
) {
    TOLD[N].fetch_add(1, Ordering::SeqCst);
}
unsafe extern "C" fn phone<const N: usize>(_: usize, _: u32, _: usize, _: usize, _: usize) {
    TOLD[N].fetch_add(1, Ordering::SeqCst);
}

fn told() -> [usize; 4] {
    [0, 1, 2, 3].map(|index| TOLD[index].load(Ordering::SeqCst))
}

/// Calls a function of the face with these C arguments.
macro_rules! call {
    ($name:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: the arguments lead to memory of this test's, or are no pointers.
        unsafe { exported::$name(&FACE, $($argument),*) }
    };
}

#[test]
fn a_refused_opening_leaves_the_events_of_the_first_where_they_were() {
    const V2: u32 = 0x0002_0000;
    let (mut options, mut handle, mut other) = (0, 0, 0);
    assert_eq!(call!(TSPI_providerInit(V2, 1, 0, 0, 2, 2, Some(completion), &mut options)), 0);

    assert_eq!(call!(TSPI_lineOpen(0, 7, &mut handle, V2, Some(line::<0>))), 0);
    let refused = call!(TSPI_lineOpen(1, 7, &mut other, V2, Some(line::<1>)));
    assert_eq!(refused, LineError::ALLOCATED.raw());
    let state = line_state(HTAPILINE::new(7).unwrap());
    provider().tell(&state);
    assert_eq!(told(), [3, 0, 0, 0], "all events go to the line that is open");
    let wrong = call!(TSPI_lineClose(0x33));
    assert_eq!(wrong, LineError::INVALLINEHANDLE.raw());
    provider().tell(&state);
    assert_eq!(told(), [4, 0, 0, 0], "a close that failed closes nothing");
    assert_eq!(call!(TSPI_lineClose(handle)), 0);
    provider().tell(&state);
    assert_eq!(told(), [4, 0, 0, 0], "D2");

    assert_eq!(call!(TSPI_phoneOpen(0, 7, &mut handle, V2, Some(phone::<2>))), 0);
    let refused = call!(TSPI_phoneOpen(1, 7, &mut other, V2, Some(phone::<3>)));
    assert_eq!(refused, PhoneError::ALLOCATED.raw());
    let state = phone_state(HTAPIPHONE::new(7).unwrap());
    provider().tell(&state);
    assert_eq!(told(), [4, 0, 3, 0]);
    assert_eq!(call!(TSPI_phoneClose(handle)), 0);
    provider().tell(&state);
    assert_eq!(told(), [4, 0, 3, 0], "D10");
    assert_eq!(call!(TSPI_providerShutdown(V2, 1)), 0);
}

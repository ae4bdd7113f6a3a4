//! What a line tells its application, as a queue to take from by waiting, by iterating or by `.await`.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ringback_driver::Time;

use super::host::Shared;
use super::{Call, inside};
use crate::callstate::CallState;

/// Events that are kept for an application that does not fetch them.
const ROOM: usize = 4096;

/// Something a line tells; `at` is when it was told, on CLOCK_MONOTONIC.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum LineEvent {
    /// A call that was born on the line, an incoming one for example; its first state comes next
    /// (N14).
    NewCall {
        /// The call.
        call: Call,
        /// When.
        at: Time,
    },
    /// LINE_CALLSTATE: a call has come into a state.
    State {
        /// The call.
        call: Call,
        /// The state.
        state: CallState,
        /// The state's mode, of the family [`CallState::mode_family`]; 0 for none.
        mode: u32,
        /// LINEMEDIAMODE_ bits of the call.
        media: u32,
        /// When.
        at: Time,
    },
    /// LINE_CALLINFO: something about a call is known or has changed.
    CallInfo {
        /// The call.
        call: Call,
        /// LINECALLINFOSTATE_ bits: what.
        changed: u32,
        /// When.
        at: Time,
    },
    /// LINE_MONITORDIGITS: the other side has sent a digit.
    Digit {
        /// The call.
        call: Call,
        /// The digit: 0-9, *, #, A-D.
        digit: char,
        /// It has ended (LINEDIGITMODE_DTMFEND); otherwise it has begun.
        end: bool,
        /// The provider's tick count in ms, wrapping; comparable within a line.
        ticks: u32,
        /// When.
        at: Time,
    },
    /// LINE_GENERATE: the generation of digits is over.
    Generated {
        /// The call.
        call: Call,
        /// What [`Call::generate_digits`] gave.
        end_to_end: u32,
        /// All were sent; otherwise they were cancelled.
        done: bool,
        /// When.
        at: Time,
    },
    /// LINE_CLOSE: the line was closed by its provider, because the card is gone for example. Nothing
    /// follows, and neither the line nor its calls can be used any more.
    Closed {
        /// When.
        at: Time,
    },
    /// Any other message.
    Other {
        /// The call, if it is about one.
        call: Option<Call>,
        /// The message's number, LINE_LINEDEVSTATE for example.
        message: u32,
        /// Its parameters.
        params: [usize; 3],
        /// When.
        at: Time,
    },
}

impl LineEvent {
    /// When it was told.
    pub fn at(&self) -> Time {
        match self {
            LineEvent::NewCall { at, .. }
            | LineEvent::State { at, .. }
            | LineEvent::CallInfo { at, .. }
            | LineEvent::Digit { at, .. }
            | LineEvent::Generated { at, .. }
            | LineEvent::Closed { at }
            | LineEvent::Other { at, .. } => *at,
        }
    }

    /// The call it is about.
    pub fn call(&self) -> Option<&Call> {
        match self {
            LineEvent::NewCall { call, .. }
            | LineEvent::State { call, .. }
            | LineEvent::CallInfo { call, .. }
            | LineEvent::Digit { call, .. }
            | LineEvent::Generated { call, .. } => Some(call),
            LineEvent::Closed { .. } => None,
            LineEvent::Other { call, .. } => call.as_ref(),
        }
    }
}

#[derive(Default)]
struct Queue {
    events: VecDeque<LineEvent>,
    lost: u64,
    /// Nothing more will come.
    ended: bool,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Mailbox {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Queue)) {
        let mut queue = self.lock();
        change(&mut queue);
        let waker = queue.waker.take();
        self.arrived.notify_all();
        drop(queue);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The events of a line in their order, from when this was made.
///
/// Each one of several gets every event. What nobody fetches is kept, 4096 events of it; then the
/// oldest are lost, and counted.
pub struct Events {
    mailbox: Arc<Mailbox>,
    host: Weak<Shared>,
}

impl Events {
    /// The next event, if one has come.
    pub fn try_next(&self) -> Option<LineEvent> {
        self.mailbox.lock().events.pop_front()
    }

    /// The next event, waiting for it at most so long. `None` also when nothing more will come
    /// ([`Events::is_over`]). In a callback of the host it does not wait, because nothing can come
    /// meanwhile.
    pub fn next_timeout(&self, time: Duration) -> Option<LineEvent> {
        // Too far away to be reached is as good as never.
        let far = Duration::from_secs(u64::from(u32::MAX));
        let until = Instant::now() + time.min(far);
        let inside = self.host.upgrade().is_some_and(|host| inside::is_inside(&*host));
        let mut queue = self.mailbox.lock();
        loop {
            if let Some(event) = queue.events.pop_front() {
                return Some(event);
            }
            let left = until.saturating_duration_since(Instant::now());
            if queue.ended || inside || left.is_zero() {
                return None;
            }
            let waited = self.mailbox.arrived.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// An iterator over the events that come within that time from now.
    pub fn within(&self, time: Duration) -> impl Iterator<Item = LineEvent> {
        let until = Instant::now() + time.min(Duration::from_secs(u64::from(u32::MAX)));
        std::iter::from_fn(move || {
            self.next_timeout(until.saturating_duration_since(Instant::now()))
        })
    }

    /// The next event; `None` when nothing more will come.
    pub async fn next(&mut self) -> Option<LineEvent> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As a stream is polled: `Ready(None)` when nothing more will come.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<LineEvent>> {
        let mut queue = self.mailbox.lock();
        match queue.events.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if queue.ended => Poll::Ready(None),
            None => {
                queue.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Whether the line is closed and all its events are fetched.
    pub fn is_over(&self) -> bool {
        let queue = self.mailbox.lock();
        queue.ended && queue.events.is_empty()
    }

    /// How many events were lost because they were not fetched.
    pub fn lost(&self) -> u64 {
        self.mailbox.lock().lost
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let queue = self.mailbox.lock();
        f.debug_struct("Events")
            .field("waiting", &queue.events.len())
            .field("lost", &queue.lost)
            .finish_non_exhaustive()
    }
}

/// The line's side: everybody who gets its events.
#[derive(Default)]
pub(super) struct Subscribers {
    mailboxes: Vec<Weak<Mailbox>>,
    /// The first, kept for whoever asks first, so that nothing since the line was opened is missed.
    first: Option<Events>,
    ended: bool,
}

impl Subscribers {
    /// With the one that is kept from the start.
    pub(super) fn new(host: Weak<Shared>) -> Subscribers {
        let mut subscribers = Subscribers::default();
        subscribers.first = Some(subscribers.add(host));
        subscribers
    }

    fn add(&mut self, host: Weak<Shared>) -> Events {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.lock().ended = self.ended;
        self.mailboxes.push(Arc::downgrade(&mailbox));
        Events { mailbox, host }
    }

    /// One more; the first time it is the one from the start.
    pub(super) fn subscribe(&mut self, host: Weak<Shared>) -> Events {
        self.first.take().unwrap_or_else(|| self.add(host))
    }

    /// Everybody; who has gone is forgotten.
    fn everybody(&mut self) -> Vec<Arc<Mailbox>> {
        self.mailboxes.retain(|mailbox| mailbox.strong_count() > 0);
        self.mailboxes.iter().filter_map(Weak::upgrade).collect()
    }
}

/// Puts an event into every mailbox, with no lock held while who waits is woken.
pub(super) fn publish(subscribers: &Mutex<Subscribers>, event: &LineEvent) {
    let everybody = subscribers.lock().unwrap_or_else(PoisonError::into_inner).everybody();
    for mailbox in everybody {
        mailbox.change(|queue| {
            if queue.events.len() == ROOM {
                queue.events.pop_front();
                queue.lost += 1;
            }
            queue.events.push_back(event.clone());
        });
    }
}

/// Nothing more will come.
pub(super) fn end(subscribers: &Mutex<Subscribers>) {
    let everybody = {
        let mut subscribers = subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        subscribers.ended = true;
        subscribers.everybody()
    };
    for mailbox in everybody {
        mailbox.change(|queue| queue.ended = true);
    }
}

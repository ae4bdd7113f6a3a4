//! The events of a line or of a phone as a queue, from which they are taken by waiting, by
//! iterating, by `.await`, as a stream, or when a file descriptor is readable.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_core::Stream;
use nix::sys::eventfd::{EfdFlags, EventFd};
use ringback_request::Time;
use ringback_request::sync::EvenPoisoned;

use super::asked;
use super::events::{Event, LineEvent};
use super::evidence::this_thread;
use super::guard::guarded;
use super::inside;

/// Events that are kept for an application that does not fetch them.
const ROOM: usize = 4096;
/// Longer limits are cut to this: 136 years.
const FAR: Duration = Duration::from_secs(u32::MAX as u64);

struct MailQueue<E> {
    /// How many events were lost before the oldest that is here, and when the last of them was
    /// delivered.
    gap: Option<(u64, Time)>,
    events: VecDeque<E>,
    lost: u64,
    /// Nothing more will come.
    ended: bool,
    waker: Option<Waker>,
    sleepers: usize,
}

impl<E> Default for MailQueue<E> {
    fn default() -> MailQueue<E> {
        let events = VecDeque::new();
        MailQueue { gap: None, events, lost: 0, ended: false, waker: None, sleepers: 0 }
    }
}

impl<E> MailQueue<E> {
    fn is_empty(&self) -> bool {
        self.gap.is_none() && self.events.is_empty()
    }

    fn is_readable(&self) -> bool {
        self.ended || !self.is_empty()
    }
}

struct Mailbox<E> {
    queue: Mutex<MailQueue<E>>,
    arrived: Condvar,
    /// Readable while there is something to fetch; created by the first [`Events::fd`].
    readable: OnceLock<EventFd>,
}

impl<E> Default for Mailbox<E> {
    fn default() -> Mailbox<E> {
        let (queue, arrived, readable) = Default::default();
        Mailbox { queue, arrived, readable }
    }
}

impl<E: Event> Mailbox<E> {
    fn lock(&self) -> MutexGuard<'_, MailQueue<E>> {
        self.queue.lock().even_poisoned()
    }

    /// Changes the queue, and wakes waiting threads and tasks with no lock held.
    fn change<R>(&self, change: impl FnOnce(&mut MailQueue<E>) -> R) -> R {
        let mut queue = self.lock();
        let was = queue.is_readable();
        let result = change(&mut queue);
        self.signal(was, &queue);
        let (waker, sleepers) = (queue.waker.take(), queue.sleepers);
        drop(queue);
        if sleepers != 0 {
            self.arrived.notify_all();
        }
        if let Some(waker) = waker {
            guarded("waker", || waker.wake());
        }
        result
    }

    /// Takes what comes next.
    fn take(&self, queue: &mut MailQueue<E>) -> Option<E> {
        let was = queue.is_readable();
        let event = match queue.gap.take() {
            Some((count, at)) => Some(E::lost(count, at)),
            None => queue.events.pop_front().map(E::fetched),
        };
        self.signal(was, queue);
        event
    }

    /// Makes the descriptor readable as long as the queue has something. This is done under the
    /// queue's lock, or the two could contradict each other; it runs no code of the application's
    /// and does not block.
    fn signal(&self, was: bool, queue: &MailQueue<E>) {
        let Some(readable) = self.readable.get() else { return };
        // An eventfd fails only when its count is full or 0, and it is neither.
        let _ = match (was, queue.is_readable()) {
            (false, true) => readable.write(1).map(|_| ()),
            (true, false) => readable.read().map(|_| ()),
            _ => Ok(()),
        };
    }
}

/// The events of a line, or of a phone, in order, from the time at which this was created.
///
/// If there are several for a line, each gets every event. Up to 4096 events that are not fetched
/// are kept; then the oldest are lost, and replaced by [`LineEvent::Lost`] or
/// [`PhoneEvent::Lost`](super::PhoneEvent::Lost).
pub struct Events<E = LineEvent> {
    mailbox: Arc<Mailbox<E>>,
    /// The thread that runs a local host, without which nothing can come.
    runner: Option<i32>,
}

impl<E: Event> Events<E> {
    fn must_not_wait(&self) -> bool {
        inside::is_inside() || self.runner == Some(this_thread())
    }

    /// The next event, if one has come.
    pub fn try_next(&self) -> Option<E> {
        asked::enter();
        self.mailbox.take(&mut self.mailbox.lock())
    }

    /// The next event, for which it waits at most this time. `None` also when nothing more will
    /// come ([`Events::is_over`]). In a callback, and on the thread that runs a
    /// [`LocalHost`](super::LocalHost), it does not wait, because nothing can come meanwhile.
    pub fn next_timeout(&self, time: Duration) -> Option<E> {
        asked::enter();
        let until = Instant::now() + time.min(FAR);
        let mut queue = self.mailbox.lock();
        queue.sleepers += 1;
        let event = loop {
            let event = self.mailbox.take(&mut queue);
            let left = until.saturating_duration_since(Instant::now());
            if event.is_some() || queue.ended || left.is_zero() || self.must_not_wait() {
                break event;
            }
            let waited = self.mailbox.arrived.wait_timeout(queue, left);
            queue = waited.even_poisoned().0;
        };
        queue.sleepers -= 1;
        event
    }

    /// An iterator over the events that come within that time from now.
    pub fn within(&self, time: Duration) -> impl Iterator<Item = E> {
        let until = Instant::now() + time.min(FAR);
        std::iter::from_fn(move || {
            self.next_timeout(until.saturating_duration_since(Instant::now()))
        })
    }

    /// The next event; `None` when nothing more will come. In a callback `None` also when there is
    /// none now.
    pub async fn next(&mut self) -> Option<E> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// A descriptor for poll(2): readable while [`try_next`](Events::try_next) would return an
    /// event, and always once no more will come. It is level-triggered: fetching all events makes
    /// it unreadable. Do not read it.
    ///
    /// # Errors
    /// EMFILE, ENFILE or ENOMEM the first time.
    pub fn fd(&self) -> std::io::Result<BorrowedFd<'_>> {
        asked::enter();
        let queue = self.mailbox.lock();
        if self.mailbox.readable.get().is_none() {
            let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
            let count = u32::from(queue.is_readable());
            // No other thread sets it while the queue is locked.
            let _ = self.mailbox.readable.set(EventFd::from_value_and_flags(count, flags)?);
        }
        let readable = self.mailbox.readable.get();
        readable.map(AsFd::as_fd).ok_or_else(|| std::io::ErrorKind::Other.into())
    }

    /// Whether the line is closed and all its events are fetched.
    pub fn is_over(&self) -> bool {
        asked::enter();
        let queue = self.mailbox.lock();
        queue.ended && queue.is_empty()
    }

    /// How many events were lost because they were not fetched.
    pub fn lost(&self) -> u64 {
        self.mailbox.lock().lost
    }
}

/// `Ready(None)` when nothing more will come; in a callback also when there is nothing now, because
/// an executor in a callback would stop the card.
impl<E: Event> Stream for Events<E> {
    type Item = E;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<E>> {
        asked::enter();
        let waker = cx.waker().clone();
        let mut queue = self.mailbox.lock();
        match self.mailbox.take(&mut queue) {
            Some(event) => Poll::Ready(Some(event)),
            None if queue.ended || inside::is_inside() => Poll::Ready(None),
            None => {
                let replaced = queue.waker.replace(waker);
                drop(queue);
                // Dropping the last waker of a task runs the task's destructors, which must not
                // happen under a lock.
                drop(replaced);
                Poll::Pending
            }
        }
    }
}

impl<E: Event> std::fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let queue = self.mailbox.lock();
        f.debug_struct("Events")
            .field("waiting", &queue.events.len())
            .field("lost", &queue.lost)
            .finish_non_exhaustive()
    }
}

/// All mailboxes that get the events of a line or of a phone.
pub(super) struct Subscribers<E> {
    mailboxes: Vec<Weak<Mailbox<E>>>,
    /// The first mailbox, kept for the first caller, so that nothing since the opening is missed.
    first: Option<Events<E>>,
    ended: bool,
    runner: Option<i32>,
}

impl<E: Event> Subscribers<E> {
    /// Makes the list with the first mailbox in it.
    pub(super) fn new(runner: Option<i32>) -> Subscribers<E> {
        let mut subscribers =
            Subscribers { mailboxes: Vec::new(), first: None, ended: false, runner };
        subscribers.first = Some(subscribers.add());
        subscribers
    }

    fn add(&mut self) -> Events<E> {
        let mailbox = Arc::new(Mailbox::default());
        mailbox.lock().ended = self.ended;
        self.mailboxes.push(Arc::downgrade(&mailbox));
        Events { mailbox, runner: self.runner }
    }

    /// Adds a mailbox; the first call returns the one that was created with the list.
    pub(super) fn subscribe(&mut self) -> Events<E> {
        self.take_first().unwrap_or_else(|| self.add())
    }

    /// Takes the first mailbox, if no caller has it.
    pub(super) fn take_first(&mut self) -> Option<Events<E>> {
        self.first.take()
    }

    /// All mailboxes that are still in use; the others are forgotten.
    fn everybody(&mut self) -> Vec<Arc<Mailbox<E>>> {
        self.mailboxes.retain(|mailbox| mailbox.strong_count() > 0);
        self.mailboxes.iter().filter_map(Weak::upgrade).collect()
    }
}

/// Puts an event into every mailbox that is not ended (D2).
pub(super) fn publish<E: Event>(subscribers: &Mutex<Subscribers<E>>, event: &E) {
    let everybody = subscribers.lock().even_poisoned().everybody();
    for mailbox in everybody {
        let event = event.queued();
        let left_over = mailbox.change(|queue| {
            if queue.ended {
                return Some(event);
            }
            let mut oldest = None;
            if queue.events.len() == ROOM {
                oldest = queue.events.pop_front();
                queue.lost += 1;
                let before = queue.gap.map_or(0, |(count, _)| count);
                let at = oldest.as_ref().map_or(Time::ZERO, E::delivered_at);
                queue.gap = Some((before + 1, at));
            }
            queue.events.push_back(event);
            oldest
        });
        // Dropping it may close its call, which must not happen under a lock.
        drop(left_over);
    }
}

/// Nothing more will come.
pub(super) fn end<E: Event>(subscribers: &Mutex<Subscribers<E>>) {
    let everybody = {
        let mut subscribers = subscribers.lock().even_poisoned();
        subscribers.ended = true;
        subscribers.everybody()
    };
    for mailbox in everybody {
        mailbox.change(|queue| queue.ended = true);
    }
}

//! Against the io_uring of the running kernel.

use std::collections::HashSet;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;

use nix::fcntl::OFlag;
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::super::seccomp;
use super::*;

/// Room for as many files as a ring can have.
pub(super) const EVERY: Places = Places { files: MAX_FILES, ports: MAX_PORTS };

const NEVER: u64 = u64::MAX;
const SECOND: u64 = 1_000_000_000;

/// An eventfd, and the duplicate that a ring takes over.
fn interrupt() -> (EventFd, OwnedFd) {
    let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC).unwrap();
    let fd = event.as_fd().try_clone_to_owned().unwrap();
    (event, fd)
}

fn ready(ring: &mut Ring) -> Vec<Completion> {
    let mut got = Vec::new();
    ring.completions(&mut |completion| got.push(completion));
    got
}

/// Waits until there are `n` completions; panics after a generous while.
fn take(ring: &mut Ring, n: usize) -> Vec<Completion> {
    let end = Time::monotonic().as_nanos() + 60 * SECOND;
    let mut got = Vec::new();
    while got.len() < n {
        assert!(Time::monotonic().as_nanos() < end, "{} of {n} completions came", got.len());
        ring.wait(Some(end)).unwrap();
        got.extend(ready(ring));
    }
    assert_eq!(got.len(), n, "{got:?}");
    got
}

/// What came, once the kernel has finished what is ready.
fn polled(ring: &mut Ring) -> Vec<Completion> {
    ring.poll().unwrap();
    ready(ring)
}

const HEARD: i32 = libc::POLLIN as i32;

#[test]
fn every_interrupt_is_reported_by_one_poll() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    let (event, fd) = interrupt();
    let file = ring.add_file(fd).unwrap();
    assert!(ring.listen(file, 7));
    assert_eq!(polled(&mut ring), []);
    for _ in 0..1000 {
        event.write(1).unwrap();
        assert_eq!(take(&mut ring, 1), [Completion { user_data: 7, result: HEARD }]);
        assert_eq!(polled(&mut ring), [], "nothing without an interrupt");
    }
    for _ in 0..5 {
        event.write(1).unwrap();
    }
    let heard = polled(&mut ring);
    assert!((1..=5).contains(&heard.len()), "{heard:?}");
    assert!(!ring.listen(file, 8), "it still listens");
}

#[test]
fn an_earlier_interrupt_is_reported() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    let (event, fd) = interrupt();
    let file = ring.add_file(fd).unwrap();
    event.write(1).unwrap();
    assert!(ring.listen(file, 7));
    assert_eq!(take(&mut ring, 1), [Completion { user_data: 7, result: HEARD }]);
}

#[test]
fn listening_once_ends_with_the_first_interrupt() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    let (event, fd) = interrupt();
    let file = ring.add_file(fd).unwrap();
    assert!(ring.listen_once(file, 1));
    assert!(!ring.listen_once(file, 2));
    assert_eq!(polled(&mut ring), []);
    event.write(3).unwrap();
    assert_eq!(take(&mut ring, 1), [Completion { user_data: 1, result: HEARD }]);
    event.write(1).unwrap();
    assert_eq!(polled(&mut ring), []);
    assert!(ring.listen_once(file, 2));
    assert!(!ring.listen(FileIndex(1), 4), "a file of another ring");
}

/// More interrupts than the completion queue holds, at once, while no completion is taken.
#[test]
fn listening_goes_on_beyond_a_full_completion_queue() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    let files: Vec<_> = (0..8).map(|_| interrupt()).collect();
    let events: Vec<_> = (0..)
        .zip(files)
        .map(|(n, (event, fd))| {
            let file = ring.add_file(fd).unwrap();
            assert!(ring.listen(file, n));
            (event, file)
        })
        .collect();
    for _ in 0..100 {
        for (event, _) in &events {
            event.write(1).unwrap();
        }
        ring.poll().unwrap();
    }
    let heard: HashSet<_> = ready(&mut ring).iter().map(|one| one.user_data).collect();
    assert_eq!(heard.len(), events.len());
    for (n, (event, file)) in (0..).zip(&events) {
        // Where the queue was full the kernel has ended the POLL, which has a completion as well.
        ring.listen(*file, n);
        polled(&mut ring);
        event.write(1).unwrap();
        assert_eq!(take(&mut ring, 1), [Completion { user_data: n, result: HEARD }]);
    }
}

#[test]
fn an_interrupt_from_another_thread_ends_a_sleep_without_end() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    let (event, fd) = interrupt();
    let file = ring.add_file(fd).unwrap();
    for until in [None, Some(NEVER)] {
        ring.listen(file, 1);
        let signal = event.as_fd().try_clone_to_owned().unwrap();
        let device = thread::spawn(move || nix::unistd::write(&signal, &1_u64.to_ne_bytes()));
        let mut got = Vec::new();
        while got.is_empty() {
            ring.wait(until).unwrap();
            got = ready(&mut ring);
        }
        assert_eq!(got, [Completion { user_data: 1, result: HEARD }]);
        assert_eq!(device.join().unwrap(), Ok(8));
    }
}

#[test]
fn files_are_distinguished() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    let mut events = Vec::new();
    for n in 0..MAX_FILES as u64 {
        let (event, fd) = interrupt();
        let file = ring.add_file(fd).unwrap();
        assert!(ring.listen(file, n));
        events.push(event);
    }
    let (_event, fd) = interrupt();
    let error = ring.add_file(fd).unwrap_err();
    assert!(matches!(error, RingError::TooManyFiles { limit: MAX_FILES }), "{error}");
    assert_eq!(polled(&mut ring), []);
    for (n, event) in (0..).zip(&events) {
        event.write(1).unwrap();
        assert_eq!(take(&mut ring, 1), [Completion { user_data: n, result: HEARD }]);
    }
}

/// A pipe stands in for a UIO file whose device is gone: it hangs up.
#[test]
fn a_file_that_fails_is_reported_as_an_error() {
    for once in [false, true] {
        let mut ring = Ring::new(16, EVERY).unwrap();
        let (read, write) = nix::unistd::pipe().unwrap();
        let file = ring.add_file(read).unwrap();
        assert!(if once { ring.listen_once(file, 9) } else { ring.listen(file, 9) });
        assert_eq!(polled(&mut ring), []);
        drop(write);
        let failed = Completion { user_data: 9, result: -libc::EIO };
        assert_eq!(take(&mut ring, 1), [failed]);
    }
}

#[test]
fn a_timeout_expires_at_its_time_and_not_before() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    let at = Time::monotonic().as_nanos() + 20_000_000;
    ring.timeout(at, 1);
    assert_eq!(take(&mut ring, 1), [Completion { user_data: 1, result: -libc::ETIME }]);
    assert!(Time::monotonic().as_nanos() >= at);

    ring.timeout(at, 2);
    ring.timeout(0, 3);
    let mut late: Vec<_> = take(&mut ring, 2).iter().map(|c| (c.user_data, c.result)).collect();
    late.sort_unstable();
    assert_eq!(late, [(2, -libc::ETIME), (3, -libc::ETIME)]);
}

#[test]
fn a_wait_ends_at_its_time_without_a_completion() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    ring.timeout(NEVER, 1);
    let until = Time::monotonic().as_nanos() + 10_000_000;
    while Time::monotonic().as_nanos() < until {
        ring.wait(Some(until)).unwrap();
    }
    assert_eq!(ready(&mut ring), []);
    ring.wait(Some(0)).unwrap();
    assert_eq!(ready(&mut ring), []);
}

#[test]
fn a_cancelled_timeout_gives_one_completion() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    ring.timeout(NEVER, 1);
    ring.poll().unwrap();
    ring.cancel_timeout(1, 2);
    assert_eq!(take(&mut ring, 1), [Completion { user_data: 1, result: -libc::ECANCELED }]);

    // Queued together, in one system call.
    ring.timeout(NEVER, 3);
    ring.cancel_timeout(3, 4);
    assert_eq!(take(&mut ring, 1), [Completion { user_data: 3, result: -libc::ECANCELED }]);
    ring.poll().unwrap();
    assert_eq!(ready(&mut ring), []);
}

#[test]
fn a_cancellation_that_comes_too_late_says_so_under_its_own_name() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    ring.cancel_timeout(1, 2);
    assert_eq!(take(&mut ring, 1), [Completion { user_data: 2, result: -libc::ENOENT }]);

    ring.timeout(0, 3);
    assert_eq!(take(&mut ring, 1).len(), 1);
    ring.cancel_timeout(3, 4);
    assert_eq!(take(&mut ring, 1), [Completion { user_data: 4, result: -libc::ENOENT }]);
}

/// Cancellations that race with the timer: each timeout ends once, either way.
#[test]
fn a_timeout_ends_once_however_the_race_ends() {
    let mut ring = Ring::new(256, EVERY).unwrap();
    let mut expired = 0;
    for round in 0..200_u64 {
        let now = Time::monotonic().as_nanos();
        for n in 0..16 {
            ring.timeout(now + n * 2_000, 2 * n);
        }
        ring.poll().unwrap();
        for n in 0..16 {
            ring.cancel_timeout(2 * n, 2 * n + 1);
        }
        let mut ended = HashSet::new();
        let end = Time::monotonic().as_nanos() + 60 * SECOND;
        while ended.len() < 16 {
            assert!(
                Time::monotonic().as_nanos() < end,
                "round {round}: {} of 16 ended",
                ended.len()
            );
            ring.wait(Some(end)).unwrap();
            ring.completions(&mut |completion| {
                if completion.user_data % 2 == 0 {
                    assert!(ended.insert(completion.user_data), "{completion:?} came twice");
                    expired += i32::from(completion.result == -libc::ETIME);
                    assert!([-libc::ETIME, -libc::ECANCELED].contains(&completion.result));
                } else {
                    assert!([-libc::ENOENT, -libc::EALREADY].contains(&completion.result));
                }
            });
        }
        // What is left are cancellations that failed.
        ring.poll().unwrap();
        ring.completions(&mut |completion| assert_eq!(completion.user_data % 2, 1));
    }
    assert!(expired > 0, "no timeout was allowed to expire");
}

/// Far more entries than the submission queue holds, queued without a wait between them: each
/// expires once and not before its own time, though their places in memory are reused.
#[test]
fn thousands_of_timeouts_keep_their_own_times() {
    const N: u64 = 5_000;
    let mut ring = Ring::new(N as usize, EVERY).unwrap();
    let start = Time::monotonic().as_nanos() + 100_000_000;
    let at = |n: u64| start + (N - n) * 50_000;
    for n in 0..N {
        ring.timeout(at(n), n);
    }
    let mut expired = HashSet::new();
    let end = Time::monotonic().as_nanos() + 60 * SECOND;
    while expired.len() < N as usize {
        assert!(Time::monotonic().as_nanos() < end, "{} of {N} expired", expired.len());
        ring.wait(Some(end)).unwrap();
        ring.completions(&mut |completion| {
            assert_eq!(completion.result, -libc::ETIME);
            assert!(
                Time::monotonic().as_nanos() >= at(completion.user_data),
                "{completion:?} is early"
            );
            assert!(expired.insert(completion.user_data), "{completion:?} came twice");
        });
    }
    assert_eq!(ready(&mut ring), []);
}

#[test]
fn completions_beyond_the_queue_are_kept() {
    let mut ring = Ring::new(1, EVERY).unwrap();
    let n = 4 * ring.uring.params().cq_entries() as u64;
    for user_data in 0..n {
        // Nothing to cancel: completes at once, while no completion is taken.
        ring.cancel_timeout(NEVER, user_data);
    }
    ring.poll().unwrap();
    assert!(ring.uring.submission().cq_overflow(), "the queue has not overflowed");
    let got = take(&mut ring, n as usize);
    let came: HashSet<u64> = got.iter().map(|completion| completion.user_data).collect();
    assert_eq!(came, (0..n).collect(), "each once");
}

/// Each cancellation finds its timeout, which so was submitted before it. (The completions have no
/// order: Linux 6.1 gives those of one batch backwards.)
#[test]
fn entries_stay_in_order_when_the_queue_submits_itself() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    for n in 0..1_000 {
        ring.timeout(NEVER, n);
        ring.cancel_timeout(n, 1_000 + n);
    }
    let got = take(&mut ring, 1_000);
    assert!(got.iter().all(|completion| completion.result == -libc::ECANCELED));
    let ended: HashSet<u64> = got.iter().map(|completion| completion.user_data).collect();
    assert_eq!(ended, (0..1_000).collect());
}

#[test]
fn a_panic_while_handing_over_loses_only_its_own_completion() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    for n in 0..3 {
        // Nothing to cancel: completes at once.
        ring.cancel_timeout(NEVER, n);
    }
    ring.poll().unwrap();
    let mut seen = Vec::new();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        ring.completions(&mut |completion| {
            seen.push(completion.user_data);
            assert_ne!(completion.user_data, 1, "the callback fails");
        });
    }));
    assert!(panicked.is_err());
    ring.completions(&mut |completion| seen.push(completion.user_data));
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2]);
}

/// The write end of a pipe sees that the ring's file is closed when the drop returns.
#[test]
fn a_dropped_ring_ends_its_operations_and_closes_its_files() {
    for submitted in [false, true] {
        let mut ring = Ring::new(16, EVERY).unwrap();
        let (read, write) = nix::unistd::pipe().unwrap();
        let file = ring.add_file(read).unwrap();
        assert!(ring.listen(file, 1));
        ring.timeout(NEVER, 2);
        if submitted {
            ring.poll().unwrap();
        }
        drop(ring);
        // SIGPIPE is ignored in Rust programs.
        assert_eq!(nix::unistd::write(&write, &[0; 4]), Err(nix::errno::Errno::EPIPE));
    }
}

#[test]
fn a_poll_loop_sees_an_interrupt_without_sleeping() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    let (event, fd) = interrupt();
    let event = Arc::new(event);
    let file = ring.add_file(fd).unwrap();
    assert!(ring.listen(file, 1));
    let signal = Arc::clone(&event);
    let device = thread::spawn(move || signal.write(1));
    let end = Time::monotonic().as_nanos() + 60 * SECOND;
    let mut got = Vec::new();
    while got.is_empty() && Time::monotonic().as_nanos() < end {
        ring.poll().unwrap();
        got = ready(&mut ring);
    }
    assert_eq!(got, [Completion { user_data: 1, result: HEARD }]);
    device.join().unwrap().unwrap();
}

#[test]
fn each_reason_for_no_ring_is_distinguished() {
    let refused_at = |call: libc::c_long, errno: i32| {
        let attempt = thread::spawn(move || {
            seccomp::refuse(call, None, errno);
            Ring::new(16, EVERY).map(drop).unwrap_err()
        });
        attempt.join().unwrap()
    };
    let refused = |errno: i32| refused_at(libc::SYS_io_uring_setup, errno);
    let unsuited = refused(libc::EINVAL);
    assert!(matches!(unsuited, RingError::Unsuited { .. }), "this kernel is new: {unsuited}");
    // A filter that knows only one of the three system calls.
    for call in [libc::SYS_io_uring_enter, libc::SYS_io_uring_register] {
        let blocked = refused_at(call, libc::EACCES);
        assert!(matches!(blocked, RingError::Blocked(_)), "{blocked}");
    }
    assert!(matches!(refused(libc::EMFILE), RingError::Descriptors(_)));
    assert!(matches!(refused(libc::ENOMEM), RingError::Memory(_)));
    // What these say depends on the sysctl of the machine that runs the test; see `error`.
    for errno in [libc::EPERM, libc::ENOSYS] {
        let error = refused(errno);
        assert!(
            matches!(
                error,
                RingError::Blocked(_)
                    | RingError::Missing { .. }
                    | RingError::Disabled
                    | RingError::PrivilegedOnly
            ),
            "{error:?}"
        );
    }
}

#[test]
fn a_file_that_is_no_file_is_refused() {
    let mut ring = Ring::new(16, EVERY).unwrap();
    // An O_PATH descriptor can't be polled, and io_uring refuses to register it.
    let path =
        nix::fcntl::open("/", OFlag::O_PATH | OFlag::O_CLOEXEC, nix::sys::stat::Mode::empty());
    let error = ring.add_file(path.unwrap()).unwrap_err();
    assert!(matches!(error, RingError::File(_)), "{error}");
}

//! The driver in special processes: a child of a fork, and one with a low limit of open files.

use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;

use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::resource::{Resource, setrlimit};

use super::*;
use crate::device::fork::in_child;
use crate::request::LineNumber;

/// Runs a test in a process of its own, so that other threads can't disturb it.
fn in_own_process(name: &str, test: impl FnOnce()) {
    const OWN: &str = "RINGBACK_TEST_IN_OWN_PROCESS";
    if std::env::var_os(OWN).is_some() {
        return test();
    }
    let name = format!("reactor::tests::child::{name}");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &name, "--nocapture", "--test-threads=1"]).env(OWN, "1");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    assert!(text.contains("1 passed"), "{text}");
}

/// Counts its calls in an eventfd, which a child process would share.
struct Counted(EventFd);

impl Counted {
    fn count(&self) {
        self.0.write(1).unwrap();
    }
}

impl Engine for Counted {
    type Command = bool;
    type Event = u32;
    type Output = ();
    fn lines(&self) -> usize {
        2
    }
    fn time_limit(_: &bool) -> Duration {
        10 * DEADLINE
    }
    fn failure(_: Failure) -> ErrorCode {
        error(-1)
    }
    fn start(
        &mut self,
        request: Token,
        ends: bool,
        cx: &mut Context<'_, u32>,
    ) -> Result<(), ErrorCode> {
        self.count();
        if ends {
            cx.complete(request, Ok(()));
        }
        Ok(())
    }
    fn interrupt(&mut self, _: &mut Context<'_, u32>) {
        self.count();
    }
    fn ended(&mut self, _: Token, _: Failure, _: &mut Context<'_, u32>) {
        self.count();
    }
    fn stop(&mut self, _: &mut Context<'_, u32>) {
        self.count();
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count();
    }
}

fn calls(counter: &OwnedFd) -> u64 {
    let mut count = [0; 8];
    match nix::unistd::read(counter, &mut count) {
        Ok(_) => u64::from_ne_bytes(count),
        Err(nix::errno::Errno::EAGAIN) => 0,
        Err(error) => panic!("{error}"),
    }
}

fn counted() -> (Counted, OwnedFd) {
    let event = EventFd::from_flags(EfdFlags::EFD_NONBLOCK).unwrap();
    let counter = event.as_fd().try_clone_to_owned().unwrap();
    (Counted(event), counter)
}

#[test]
fn a_child_that_uses_and_drops_its_parents_card_touches_nothing_of_it() {
    in_own_process("a_child_that_uses_and_drops_its_parents_card_touches_nothing_of_it", || {
        let (engine, counter) = counted();
        let (ear, heard) = ear(|_| ());
        let driver = Driver::start(engine, None, ear, 8).unwrap();
        let handle = driver.handle();
        let running = handle.submit(LineNumber(0), false).unwrap();
        let (id, token) = (running.id(), running.token());
        drop(running);
        let held = handle.submit(LineNumber(1), true).unwrap();
        let held_id = held.id();
        // Gives the reaper time to handle them and to sleep.
        thread::sleep(Duration::from_millis(50));
        assert_eq!(calls(&counter), 2);
        let (driver, held, handle) = in_both(driver, held, handle, |driver, held, handle| {
            let refused = [
                handle.submit(LineNumber(0), true).map(drop),
                handle.with(|_, _| ()),
                handle.submit_as(None, LineNumber(1), true).map(drop),
            ];
            let waited =
                [handle.settle(LineNumber(0)), handle.settle(LineNumber(1)), handle.shutdown()];
            let cancelled = handle.cancel(token) || handle.cancel_id(id);
            drop(held);
            let ended = handle.wait_ended(10 * DEADLINE);
            let shut = driver.shutdown();
            drop(handle);
            refused == [Err(Refused::OtherProcess); 3]
                && waited == [Settled::Delivered; 3]
                && shut == Settled::Delivered
                && ended
                && !cancelled
        });
        assert_eq!(calls(&counter), 0, "no call of the engine");
        // Nothing has changed: the ticket is held, the request runs, the reaper works.
        handle.submit(LineNumber(0), true).unwrap().release();
        assert!(matches!(next(&heard), Heard::Completed(_, 0)));
        assert!(heard.try_recv().is_err());
        drop(held);
        assert_eq!(next(&heard), Heard::Completed(held_id, 0));
        assert!(handle.cancel(token));
        assert_eq!(next(&heard), Heard::Completed(id, -1));
        assert_eq!(driver.shutdown(), Settled::Delivered);
        // Starting the last two requests, ending one of them, stopping, and dropping.
        assert_eq!(calls(&counter), 4);
    });
}

/// Runs `act` with these values in a child process, which has copies of them, and returns them.
fn in_both<A, B, C>(a: A, b: B, c: C, act: impl FnOnce(A, B, C) -> bool) -> (A, B, C) {
    let mut all = Some((a, b, c));
    // The other threads of this process are the harness's, which waits, and the reaper, which
    // sleeps in its ring. No other thread holds a lock that the child may need.
    assert!(in_child(DEADLINE, || all.take().is_some_and(|(a, b, c)| act(a, b, c))));
    all.unwrap()
}

#[test]
fn a_child_that_drops_its_parents_local_reaper_touches_nothing_of_it() {
    in_own_process("a_child_that_drops_its_parents_local_reaper_touches_nothing_of_it", || {
        let (engine, counter) = counted();
        let (ear, heard) = ear(|_| ());
        let options = Options { capacity: 8, ..Options::default() };
        let local = Local::new(engine, None, ear, &options).unwrap();
        let handle = local.handle();
        let id = handle.submit(LineNumber(0), true).unwrap().id();
        assert_eq!(calls(&counter), 1);
        let (mut local, _, _) = in_both(local, (), (), |mut local, (), ()| {
            let delivered = local.run_once(Time::ZERO);
            let refused = local.handle().submit(LineNumber(0), true).map(drop);
            let shut = local.shutdown();
            delivered == 0 && refused == Err(Refused::OtherProcess) && shut == Settled::Delivered
        });
        assert_eq!(calls(&counter), 0);
        assert_eq!(local.run_once(Time::ZERO), 1);
        assert_eq!(next(&heard), Heard::Completed(id, 0));
        drop(local);
        assert_eq!(calls(&counter), 2, "the stop and the drop");
    });
}

#[test]
fn a_hundred_open_files_are_enough() {
    in_own_process("a_hundred_open_files_are_enough", || {
        setrlimit(Resource::RLIMIT_NOFILE, 100, 100).unwrap();
        in_every_mode(|mode| {
            let (driver, heard) = mode.start(4096);
            let id = driver.handle().submit(LineNumber(0), Ask::Now(0)).unwrap().id();
            assert_eq!(next(&heard), Heard::Completed(id, 0));
        });
    });
}

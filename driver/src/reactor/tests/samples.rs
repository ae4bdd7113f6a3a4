//! Samples that the kernel moves: a socket stands in for a port's file, and a datagram for a WRITE.

use std::net::Shutdown;
use std::os::unix::net::UnixDatagram;

use crate::PortNumber;
use crate::device::{Files, PortFile};
use crate::engine::{Play, Played};
use crate::request::LineNumber;

use super::*;

/// The commands of the engine below.
enum Sound {
    Play(Vec<u8>, Duration),
}

/// Plays the samples of commands, and emits those that it receives as events.
#[derive(Default)]
struct Player {
    plays: Vec<(Play, Token)>,
}

impl Engine for Player {
    type Command = Sound;
    type Event = u32;
    type Output = ();

    fn lines(&self) -> usize {
        1
    }
    fn time_limit(Sound::Play(_, limit): &Sound) -> Duration {
        *limit
    }
    fn failure(cause: Failure) -> ErrorCode {
        match cause {
            Failure::Deadline => error(-1),
            Failure::Cancelled => error(-2),
            Failure::Closed => error(-3),
            Failure::Gone => error(-4),
            Failure::Internal => error(-5),
        }
    }
    fn start(
        &mut self,
        request: Token,
        Sound::Play(samples, _): Sound,
        cx: &mut Context<'_, u32>,
    ) -> Result<(), ErrorCode> {
        self.plays.push((cx.play(PortNumber(3), Some(request), &samples), request));
        Ok(())
    }
    fn interrupt(&mut self, _: &mut Context<'_, u32>) {}
    fn received(&mut self, port: PortNumber, samples: &[u8], cx: &mut Context<'_, u32>) {
        assert_eq!(port, PortNumber(3));
        cx.event(LineNumber(0), samples.iter().copied().map(u32::from).sum());
    }
    fn played(&mut self, port: PortNumber, play: Play, how: Played, cx: &mut Context<'_, u32>) {
        assert_eq!(port, PortNumber(3));
        let place = self.plays.iter().position(|(one, _)| *one == play).expect("reported once");
        let (_, request) = self.plays.remove(place);
        let result = match how {
            Played::All => 0,
            Played::Dropped => -10,
            Played::Failed(_) => -11,
        };
        cx.complete(request, outcome(result));
    }
    fn ended(&mut self, _: Token, _: Failure, cx: &mut Context<'_, u32>) {
        cx.silence(PortNumber(3));
    }
    fn stop(&mut self, cx: &mut Context<'_, u32>) {
        cx.silence(PortNumber(3));
    }
}

struct Desk {
    driver: Driver<Player>,
    heard: Receiver<(Heard, ThreadId)>,
    ours: UnixDatagram,
    theirs: UnixDatagram,
}

/// Starts an engine whose port 3 is a socket.
fn player() -> Desk {
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    theirs.set_read_timeout(Some(DEADLINE)).unwrap();
    let fd = ours.try_clone().unwrap().into();
    let files = Files { interrupt: None, ports: vec![PortFile { port: PortNumber(3), fd }] };
    let (ear, heard) = ear(|_| {});
    let driver = Driver::start(Player::default(), files, ear, 16).unwrap();
    Desk { driver, heard, ours, theirs }
}

impl Desk {
    fn play(&self, samples: &[u8], limit: Duration) -> RequestId {
        self.submit(samples, limit).0
    }

    fn submit(&self, samples: &[u8], limit: Duration) -> (RequestId, Token) {
        let ticket = self
            .driver
            .handle()
            .submit(LineNumber(0), Sound::Play(samples.to_vec(), limit))
            .unwrap();
        (ticket.id(), ticket.token())
    }

    fn next(&self) -> Heard {
        next(&self.heard)
    }

    /// Fills the socket, so that WRITEs wait until it is read.
    fn fill(&self) -> usize {
        self.ours.set_nonblocking(true).unwrap();
        let mut count = 0;
        while self.ours.send(&[0]).is_ok() {
            count += 1;
        }
        self.ours.set_nonblocking(false).unwrap();
        count
    }

    fn read(&self) -> Vec<u8> {
        let mut samples = vec![0; 100_000];
        let count = self.theirs.recv(&mut samples).unwrap();
        samples.truncate(count);
        samples
    }
}

#[test]
fn c3_a_write_ends_its_request_and_samples_come_in() {
    let player = player();
    for n in 1..=50_u8 {
        let id = player.play(&[n; 1000], DEADLINE);
        assert_eq!(player.next(), Heard::Completed(id, 0));
        assert!(player.read() == [n; 1000], "one WRITE");
        player.theirs.send(&[n; 160]).unwrap();
        assert_eq!(player.next(), Heard::Event(0, 160 * u32::from(n)));
    }
}

#[test]
fn c3_what_is_cancelled_is_dropped_and_every_request_ends_once() {
    let player = player();
    let filled = player.fill();
    // The first play is written to the kernel, and the second finds no room.
    let first = player.play(&[1; 40_000], DEADLINE);
    let (second, token) = player.submit(&[2; 40_000], DEADLINE);
    assert!(player.driver.handle().cancel(token));
    assert_eq!(player.next(), Heard::Completed(second, -2));
    for _ in 0..filled {
        assert_eq!(player.read(), [0]);
    }
    // The first play, and the empty WRITE that drops the queue; two WRITEs that wait for a socket
    // may overtake each other.
    let mut lengths = [player.read().len(), player.read().len()];
    lengths.sort();
    assert_eq!(lengths, [0, 40_000]);
    assert_eq!(player.next(), Heard::Completed(first, 0));
    let third = player.play(&[3; 10], DEADLINE);
    assert_eq!(player.next(), Heard::Completed(third, 0), "nothing came between");
    assert_eq!(player.read(), [3; 10]);
}

#[test]
fn a_write_that_does_not_end_in_time_is_ended_by_its_deadline_once() {
    let player = player();
    let filled = player.fill();
    let id = player.play(&[1; 100], Duration::from_millis(1));
    assert_eq!(player.next(), Heard::Completed(id, -1));
    for _ in 0..filled {
        player.read();
    }
    let mut lengths = [player.read().len(), player.read().len()];
    lengths.sort();
    assert_eq!(lengths, [0, 100], "its WRITE, and the empty one that drops it");
    let other = player.play(&[2; 100], DEADLINE);
    assert_eq!(player.next(), Heard::Completed(other, 0), "the first is not reported twice");
}

#[test]
fn removal_ends_every_request_once() {
    let player = player();
    player.fill();
    let id = player.play(&[1; 100], DEADLINE);
    player.ours.shutdown(Shutdown::Both).unwrap();
    // It ends by its WRITE or because the card is gone, whichever is seen first.
    let Heard::Completed(ended, result) = player.next() else { panic!("an event") };
    assert_eq!(ended, id);
    assert!([-4, -11].contains(&result), "{result}");
    player.driver.shutdown();
    assert!(player.heard.try_recv().is_err(), "nothing else");
}

#[test]
fn d12_shutting_down_ends_writes_that_wait() {
    let player = player();
    player.fill();
    let ids: Vec<RequestId> = (0..3).map(|_| player.play(&[1; 100], DEADLINE)).collect();
    player.driver.shutdown();
    for id in ids {
        assert_eq!(next(&player.heard), Heard::Completed(id, -3));
    }
    assert!(player.heard.try_recv().is_err(), "nothing else");
}

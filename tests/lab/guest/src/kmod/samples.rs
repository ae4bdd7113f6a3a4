//! Samples through the character devices: all of them arrive, in order, with silence before and
//! after.

use std::fs::File;
use std::io::{Read, Write};
use std::thread;

use ringback_driver::device::DmaMemory;
use ringback_media::g711;
use serde_json::Value;

use super::card::{Card, counter, long, open_port, pattern, same, until};
use super::ring::Ring;
use crate::Outcome;
use crate::far::Far;

/// The number of samples in a second.
const LENGTH: usize = 8000;
/// u-law silence.
const SILENCE: u8 = 0xFF;
/// The most samples that may be between card and telephone.
const TRAVEL: usize = 16;

/// Uses all ports at once, with plain blocking reads and writes. No processor sleeps so deeply
/// meanwhile that it would be late.
pub fn samples() -> Outcome {
    let without = idle_latency()?;
    let card = Card::running()?;
    same("how long idle states may take to be left, in us", idle_latency()?, 10)?;
    (0..3).for_each(|slot| card.loop_back(slot));
    let counters = || ["missed", "overruns", "aborts"].map(counter);
    let before = counters();
    thread::scope(|scope| {
        let ports = [0, 1, 2].map(|slot| scope.spawn(move || pass(slot)));
        ports
            .into_iter()
            .try_for_each(|port| port.join().map_err(|_| "a port's thread panicked".to_owned())?)
    })?;
    same("missed, overruns, aborts", counters(), before)?;
    drop(card);
    until("the limit for idle states gone", || Ok(idle_latency()? == without))
}

/// What all requests together allow idle states to take, in us.
fn idle_latency() -> Result<i32, String> {
    let mut limit = [0; 4];
    File::open("/dev/cpu_dma_latency")
        .and_then(|mut file| file.read_exact(&mut limit))
        .map_err(|error| format!("/dev/cpu_dma_latency: {error}"))?;
    Ok(i32::from_ne_bytes(limit))
}

fn pass(slot: usize) -> Outcome {
    let port = open_port(slot, 0).map_err(|error| format!("port {slot}: {error}"))?;
    let sent = pattern(slot as u32 + 1, LENGTH);
    thread::scope(|scope| {
        let writer = scope.spawn(|| (&port).write(&sent));
        let heard = listen(&port, &sent)?;
        match writer.join() {
            Ok(Ok(LENGTH)) => {}
            other => return Err(format!("port {slot}: the write gave {other:?}")),
        }
        let at = find(&heard, &sent).ok_or_else(|| {
            let began = heard.iter().position(|byte| *byte != SILENCE).unwrap_or(0);
            let same = heard[began..].iter().zip(&sent).take_while(|(in_, out)| in_ == out).count();
            let next =
                heard.get(began + same..began + same + 16).and_then(|some| find(&sent, some));
            let missed = counter("missed");
            format!(
                "port {slot}: behind sample {same} came other samples than went out (those at \
                 {next:?}; missed: {missed:?})"
            )
        })?;
        let (before, after) = (&heard[..at], &heard[at + LENGTH..]);
        if before.iter().chain(after).any(|byte| *byte != SILENCE) {
            return Err(format!("port {slot}: no silence around the samples"));
        }
        Ok(())
    })
}

/// Reads until the end of the samples has come, and a little more.
fn listen(mut port: &File, sent: &[u8]) -> Result<Vec<u8>, String> {
    let end = &sent[sent.len() - 16..];
    let (mut heard, mut ended) = (Vec::new(), false);
    loop {
        let mut some = [0; 160];
        let length = port.read(&mut some).map_err(|error| format!("read: {error}"))?;
        heard.extend_from_slice(&some[..length]);
        if ended {
            return Ok(heard);
        }
        let recent = &heard[heard.len().saturating_sub(320)..];
        ended = find(recent, end).is_some();
        if heard.len() > 4 * LENGTH {
            return Err("the end of the samples never came".to_owned());
        }
    }
}

fn find(heard: &[u8], part: &[u8]) -> Option<usize> {
    heard.windows(part.len()).position(|window| window == part)
}

/// With nothing queued each port plays what the memory behind the ring says, at once when that
/// changes, and u-law silence where it says nothing. The next user of the card finds none of it.
pub fn idle() -> Outcome {
    const IDLE: usize = 128;
    let card = Card::running()?;
    let ports = [0, 1, 2].map(|slot| open_port(slot, 0));
    for (slot, port) in ports.iter().enumerate() {
        port.as_ref().map_err(|error| format!("port {slot}: {error}"))?;
    }
    let dma = card.dma.as_ref().ok_or("no DMA memory")?;
    // A-law's silence, none, any byte. The last slot's file is not open, so that it keeps its own.
    for (said, played) in [
        ([0x00, 0x00, 0x00], [SILENCE; 3]),
        ([0xD5, 0x00, 0x5A], [0xD5, SILENCE, 0x5A]),
        ([0xFF, 0xD5, 0x01], [0xFF, 0xD5, 0x01]),
    ] {
        dma.write32(IDLE, u32::from_le_bytes([said[0], said[1], said[2], 0x77]));
        until("what was said behind the ring in it", || {
            let ring = &card.memory()[..16];
            Ok(ring
                .iter()
                .all(|word| word.to_le_bytes() == [played[0], played[1], played[2], 0xFF]))
        })?;
    }
    drop(ports);
    drop(card);
    let next = Card::running_when_free()?;
    let _port = open_port(0, 0).map_err(|error| format!("port 0: {error}"))?;
    same("what the next user is told behind the ring", next.memory()[IDLE / 4], 0)?;
    same("what it plays", next.memory()[..16].iter().all(|word| *word == u32::MAX), true)
}

/// The sound that the telephone receives and sends. When a WRITE completes, its samples were heard.
pub fn telephone() -> Outcome {
    let mut far = Far::open()?;
    let card = Card::running()?;
    card.feed_telephone(0);
    let port = open_port(0, 0).map_err(|error| format!("port 0: {error}"))?;
    far.until("battery", "telephone 0 state", |state| state["battery"] == true)?;
    far.ask("telephone 0 off-hook")?;

    let mut ring = Ring::new()?;
    for seed in [7, 8, 9] {
        let sent = pattern(seed, 1600);
        ring.write(&port, &sent, u64::from(seed))?;
        same("the write", ring.ends(1, long())?[0].result, 1600)?;
        let heard = bytes(&far.ask("telephone 0 heard 3000")?);
        let certain = &sent[..sent.len() - TRAVEL];
        find(&heard, certain).ok_or("a write ended before the telephone had heard it")?;
    }

    let said = pattern(10, 1600);
    let samples: Vec<String> = said.iter().map(|b| g711::ulaw_decode(*b).to_string()).collect();
    far.ask(&format!("telephone 0 speak {}", samples.join(" ")))?;
    let heard = listen(&port, &said)?;
    find(&heard, &said).ok_or("what the telephone said came in in pieces")?;
    far.ask("telephone 0 on-hook")?;
    Ok(())
}

/// Converts the samples of a reply to u-law.
fn bytes(reply: &Value) -> Vec<u8> {
    let samples = reply["samples"].as_array().map(Vec::as_slice).unwrap_or_default();
    let samples = samples.iter().filter_map(|sample| i16::try_from(sample.as_i64()?).ok());
    samples.map(g711::ulaw_encode).collect()
}

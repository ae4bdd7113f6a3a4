//! The sound of one call: between the card and RTP.
//!
//! The card's clock drives both directions. Whenever the card has recorded 20 ms, a packet is sent,
//! and a frame is taken from the jitter buffer and played. RTP is taken from the address that the
//! session names, or from that of the PBX itself; to which of its ports we send is learned from the
//! first packet, because the other side may be behind a translation of addresses.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ringback_tspi::media::Audio;
use serde::Serialize;
use tokio::net::UdpSocket;
use tokio::net::unix::pipe;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::codec::Codec;
use crate::jitter::{FRAME, JitterBuffer};
use crate::rtp::Packet;
use crate::sdp::Session;
use crate::telephone_event::{EventReceiver, EventSender, FLASH};

/// Comfort noise's payload type (RFC 3551, table 4).
const COMFORT_NOISE: u8 = 13;
/// Samples that are queued at the card, so that a frame that is taken late leaves no gap: with less
/// than the least one more frame is queued, with more than the most none.
const LEAST_QUEUED: usize = FRAME;
const MOST_QUEUED: usize = 4 * FRAME;
/// The largest datagram that is read: 60 ms of sound, and what may be beside it.
const DATAGRAM: usize = 1500;
/// The most digits that wait.
const MOST_DIGITS: usize = 32;
/// How many ports are tried.
const TRIES: u16 = 200;

/// What a call's sound was, for its record.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct MediaReport {
    /// Packets that were sent.
    pub(crate) sent: u64,
    /// Packets that were received.
    pub(crate) received: u64,
    /// Packets that came too late.
    pub(crate) late: u64,
    /// Sound that was concealed, in ms.
    pub(crate) concealed_ms: u64,
    /// The interarrival jitter at the end (RFC 3550, 6.4.1), in ms.
    pub(crate) jitter_ms: f32,
}

enum Control {
    Session(Box<Session>),
    Press(char),
    Release,
}

/// The running sound of a call.
#[derive(Debug)]
pub(crate) struct Media {
    control: UnboundedSender<Control>,
    pressed: UnboundedSender<char>,
    digits: UnboundedReceiver<char>,
    received: Arc<AtomicU64>,
    /// The other side takes a hook flash as an event.
    takes_flash: AtomicBool,
    task: JoinHandle<MediaReport>,
}

/// Opens a socket for RTP on this address, with an even port.
pub(crate) async fn bind(ip: IpAddr, ports: Option<(u16, u16)>) -> io::Result<UdpSocket> {
    let in_use = || io::Error::from(io::ErrorKind::AddrInUse);
    let Some((first, last)) = ports else {
        for _ in 0..TRIES {
            let socket = UdpSocket::bind((ip, 0)).await?;
            if socket.local_addr()?.port() % 2 == 0 {
                return Ok(socket);
            }
        }
        return Err(in_use());
    };
    let pairs = (last - first) / 2 + 1;
    // A port that was used last is used again as late as possible: packets of the last call may
    // still come.
    let start = fastrand::u16(0..pairs);
    for pair in 0..pairs.min(TRIES) {
        let port = first + (start + pair) % pairs * 2;
        match UdpSocket::bind((ip, port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound,
        }
    }
    Err(in_use())
}

impl Media {
    /// Starts the sound of a line whose PBX has this address.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub(crate) fn start(
        audio: Audio,
        socket: Arc<UdpSocket>,
        pbx: IpAddr,
        session: Session,
    ) -> io::Result<Media> {
        // At most one signal waits in it, so that writing does not block.
        let (told, signal) = io::pipe()?;
        let wake = pipe::Receiver::from_owned_fd(told.into())?;
        audio.signal_recorded(Some((signal.into(), FRAME)));
        let (control, controls) = unbounded_channel();
        let (pressed, digits) = unbounded_channel();
        let received = Arc::new(AtomicU64::new(0));
        let mut relay = Relay {
            audio,
            socket,
            pbx,
            session: None,
            destination: None,
            learned: false,
            sequence: fastrand::u16(..),
            timestamp: fastrand::u32(..),
            source: fastrand::u32(..),
            talking: false,
            digits: VecDeque::new(),
            digit: None,
            jitter: JitterBuffer::default(),
            events: EventReceiver::default(),
            arrival: None,
            unevenness: 0.0,
            report: MediaReport::default(),
            count: Arc::clone(&received),
            pressed: pressed.clone(),
            datagram: Vec::with_capacity(DATAGRAM),
        };
        let takes_flash = AtomicBool::new(session.takes_flash);
        relay.set_session(session);
        let task = tokio::spawn(relay.run(wake, controls));
        Ok(Media { control, pressed, digits, received, takes_flash, task })
    }

    /// A session that was agreed on, or changed.
    pub(crate) fn set_session(&self, session: Session) {
        self.takes_flash.store(session.takes_flash, Ordering::Relaxed);
        let _ = self.control.send(Control::Session(Box::new(session)));
    }

    /// A digit was heard on the line: it begins, or it is over.
    pub(crate) fn digit(&self, digit: char, over: bool) {
        let control = if over { Control::Release } else { Control::Press(digit) };
        let _ = self.control.send(control);
    }

    /// Sends a hook flash as an event; `false` if the other side does not take it so.
    pub(crate) fn flash(&self) -> bool {
        let takes = self.takes_flash.load(Ordering::Relaxed);
        if takes {
            self.digit(FLASH, false);
            self.digit(FLASH, true);
        }
        takes
    }

    /// The other side has sent a digit in another way: it comes in its turn.
    pub(crate) fn press(&self, digit: char) {
        let _ = self.pressed.send(digit);
    }

    /// The next digit that the other side sends, or a hook flash. Cancel-safe.
    pub(crate) async fn next_digit(&mut self) -> Option<char> {
        self.digits.recv().await
    }

    /// How many packets were received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Ends it.
    pub(crate) async fn stop(self) -> MediaReport {
        drop(self.control);
        self.task.await.unwrap_or_default()
    }
}

struct Relay {
    audio: Audio,
    socket: Arc<UdpSocket>,
    pbx: IpAddr,
    session: Option<Session>,
    destination: Option<SocketAddr>,
    /// Where the other side sends from is known.
    learned: bool,
    sequence: u16,
    timestamp: u32,
    source: u32,
    /// The last packet was sound, so that the next one needs no marker.
    talking: bool,
    /// Digits that wait until the one before is sent, and whether they are over on the line.
    digits: VecDeque<(char, bool)>,
    digit: Option<EventSender>,
    jitter: JitterBuffer,
    events: EventReceiver,
    /// When the last packet came, and its timestamp.
    arrival: Option<(tokio::time::Instant, u32)>,
    /// The interarrival jitter, in samples.
    unevenness: f64,
    report: MediaReport,
    count: Arc<AtomicU64>,
    pressed: UnboundedSender<char>,
    datagram: Vec<u8>,
}

impl Relay {
    async fn run(
        mut self,
        wake: pipe::Receiver,
        mut controls: UnboundedReceiver<Control>,
    ) -> MediaReport {
        self.audio.record(true);
        let mut heard = Vec::new();
        let mut datagram = [0; DATAGRAM];
        let socket = Arc::clone(&self.socket);
        loop {
            tokio::select! {
                control = controls.recv() => match control {
                    Some(control) => self.control(control),
                    None => break,
                },
                ready = wake.readable() => {
                    if ready.is_err() {
                        break;
                    }
                    // What it says does not matter: what was recorded is fetched.
                    let _ = wake.try_read(&mut [0; 64]);
                    self.audio.fetch(&mut heard);
                    while let Some((frame, rest)) = heard.split_first_chunk::<FRAME>() {
                        let (frame, rest) = (*frame, rest.to_vec());
                        heard = rest;
                        self.tick(&frame);
                    }
                },
                Ok((len, from)) = socket.recv_from(&mut datagram) => {
                    self.receive(datagram.get(..len).unwrap_or_default(), from);
                }
            }
        }
        self.audio.signal_recorded(None);
        self.audio.record(false);
        let statistics = self.jitter.statistics();
        MediaReport {
            late: statistics.late,
            concealed_ms: statistics.concealed / 8,
            jitter_ms: (self.unevenness / 8.0) as f32,
            ..self.report
        }
    }

    fn control(&mut self, control: Control) {
        match control {
            Control::Session(session) => self.set_session(*session),
            // A side without events hears the digits as they sound.
            Control::Press(digit) => {
                let wanted = self.session.as_ref().is_some_and(|own| own.events.is_some());
                if wanted && self.digits.len() < MOST_DIGITS {
                    self.digits.push_back((digit, false));
                }
            }
            Control::Release => match self.digits.back_mut() {
                Some((_, over)) => *over = true,
                None => {
                    if let Some(digit) = &mut self.digit {
                        digit.release();
                    }
                }
            },
        }
    }

    fn set_session(&mut self, session: Session) {
        if self.session.as_ref().is_none_or(|before| before.remote != session.remote) {
            self.destination = Some(session.remote);
            self.learned = false;
        }
        self.session = Some(session);
    }

    /// One frame of the card's clock: sends what was heard, and plays what was received.
    fn tick(&mut self, heard: &[i16; FRAME]) {
        self.send(heard);
        let mut frame = [0; FRAME];
        self.jitter.take(&mut frame);
        let queued = self.audio.queued();
        if queued < LEAST_QUEUED {
            self.audio.play(&[0; FRAME]);
        }
        if queued <= MOST_QUEUED {
            self.audio.play(&frame);
        }
    }

    fn send(&mut self, heard: &[i16; FRAME]) {
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(FRAME as u32);
        let (Some(session), Some(destination)) = (&self.session, self.destination) else { return };
        if !session.receives {
            self.talking = false;
            return;
        }
        if self.digit.is_none()
            && let Some((digit, over)) = self.digits.pop_front()
        {
            self.digit = EventSender::begin(digit, timestamp);
            if let Some(digit) = self.digit.as_mut().filter(|_| over) {
                digit.release();
            }
        }
        let mut payload = Vec::with_capacity(FRAME);
        let (payload_type, marker, timestamp) = match self.digit.as_mut().zip(session.events) {
            Some((digit, events)) => {
                let (event, first) = digit.next();
                payload.extend(event);
                self.talking = false;
                (events, first, digit.timestamp())
            }
            None => {
                session.codec.encode(heard, &mut payload);
                (session.payload_type, !std::mem::replace(&mut self.talking, true), timestamp)
            }
        };
        // The other side may have changed the session to one without events.
        self.digit.take_if(|digit| digit.is_over() || session.events.is_none());
        let (sequence, source) = (self.sequence, self.source);
        self.sequence = sequence.wrapping_add(1);
        let packet =
            Packet { payload_type, marker, sequence, timestamp, source, payload: &payload };
        packet.write(&mut self.datagram);
        // A full socket, or nobody there: the packet is lost like any other.
        if self.socket.try_send_to(&self.datagram, destination).is_ok() {
            self.report.sent += 1;
        }
    }

    fn receive(&mut self, datagram: &[u8], from: SocketAddr) {
        let Some(session) = &self.session else { return };
        if from.ip() != session.remote.ip() && from.ip() != self.pbx {
            return;
        }
        let Some(packet) = Packet::read(datagram) else { return };
        let known = packet.payload_type == session.payload_type
            || Some(packet.payload_type) == session.events
            || packet.payload_type == COMFORT_NOISE && session.comfort_noise;
        if !known || !session.sends {
            return;
        }
        if !self.learned {
            self.learned = true;
            self.destination = Some(from);
        }
        let (codec, events) = (session.codec, session.events);
        self.report.received += 1;
        self.count.fetch_add(1, Ordering::Relaxed);
        if Some(packet.payload_type) == events {
            if let Some(digit) = self.events.receive(&packet) {
                let _ = self.pressed.send(digit);
            }
        } else if packet.payload_type == COMFORT_NOISE {
            self.jitter.put_noise(packet.source, packet.timestamp, packet.payload);
        } else {
            self.measure(packet.timestamp);
            self.put(codec, &packet);
        }
    }

    fn put(&mut self, codec: Codec, packet: &Packet<'_>) {
        self.jitter.put(packet.source, packet.timestamp, codec.decode(packet.payload));
    }

    /// The interarrival jitter of RFC 3550, 6.4.1.
    fn measure(&mut self, timestamp: u32) {
        let now = tokio::time::Instant::now();
        if let Some((before, last)) = self.arrival.replace((now, timestamp)) {
            let passed = now.duration_since(before).as_secs_f64() * 8000.0;
            let step = f64::from(timestamp.wrapping_sub(last).cast_signed());
            // A pause of the sender's is no jitter.
            if step.abs() < 8000.0 {
                self.unevenness += ((passed - step).abs() - self.unevenness) / 16.0;
            }
        }
    }
}

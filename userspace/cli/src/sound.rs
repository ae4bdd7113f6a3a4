//! The WAV files that `--play`, `--record` and `--record-both` use on a line.

use std::path::Path;

use ringback_media::SAMPLE_RATE;
use ringback_media::wav::{Reader, WavError, Writer};
use ringback_tspi::media::Audio;

use crate::exit::Failure;
use crate::files::{Sink, Source, Target, not_written};
use crate::output::note;
use crate::signals::Signals;

/// Number of samples that may wait for a slow disk or a FIFO's reader: one minute of one side.
const ROOM: usize = 60 * SAMPLE_RATE as usize;

/// A file to record into.
#[derive(Debug)]
pub(crate) struct Recording {
    target: Target,
    /// Both sides are recorded, as the two channels.
    both: bool,
}

impl Recording {
    /// Records what is heard.
    pub(crate) fn heard(target: Target) -> Recording {
        Recording { target, both: false }
    }

    /// Records both sides.
    pub(crate) fn both(target: Target) -> Recording {
        Recording { target, both: true }
    }
}

/// The files of one call.
#[derive(Debug)]
pub(crate) struct Sound {
    play: Option<Source<i16>>,
    recording: Option<Recording>,
    record: Option<Sink<i16>>,
    /// How many samples are recorded at a time.
    width: u64,
    recorded: u64,
    /// Number of samples of one side that were not fetched, and of all that were not written, in
    /// time.
    lost: u64,
    dropped: u64,
}

impl Sound {
    /// Opens the file to play, and checks that the file to record into can be written.
    pub(crate) fn open(
        play: Option<&Path>,
        recording: Option<Recording>,
        signals: &Signals,
    ) -> Result<Sound, Failure> {
        let play = play.map(|path| {
            let path = path.to_owned();
            Source::open(signals, move || {
                let mut reader = Reader::open(path).map_err(|error| error.to_string())?;
                Ok(Box::new(move || {
                    let mut samples = Vec::new();
                    let came = reader.read(&mut samples).map_err(|error| error.to_string())?;
                    Ok((came > 0).then_some(samples))
                }))
            })
        });
        let play = play.transpose()?;
        Ok(Sound { play, recording, record: None, width: 1, recorded: 0, lost: 0, dropped: 0 })
    }

    /// Begins to record; to be called when the call is answered.
    pub(crate) fn start(&mut self, audio: &Audio) -> Result<(), Failure> {
        let Some(Recording { target, both }) = self.recording.take() else {
            audio.record(false);
            return Ok(());
        };
        let (file, path) = target.open()?;
        let writer = if both { Writer::stereo_on } else { Writer::on };
        let mut writer = Some(writer(file, path.clone()).map_err(failure)?);
        let put = move |samples: Option<Vec<i16>>| match (samples, &mut writer) {
            (Some(samples), Some(writer)) => writer.write(&samples).map_err(failure),
            _ => writer.take().map_or(Ok(()), Writer::finish).map_err(failure),
        };
        self.record = Some(Sink::start(path, Box::new(put))?);
        if both {
            self.width = 2;
            audio.record_both();
        } else {
            audio.record(true);
        }
        Ok(())
    }

    /// Transfers samples between files and line. To be called at least once in two seconds, or
    /// samples are lost. `play` says whether playing may begin.
    pub(crate) fn pump(&mut self, audio: &Audio, play: bool) -> Result<(), Failure> {
        if let Some(source) = self.play.as_mut().filter(|_| play) {
            loop {
                let queued = audio.play(source.now()?);
                if queued == 0 {
                    break;
                }
                source.took(queued);
            }
        }
        if let Some(sink) = &mut self.record {
            let mut samples = Vec::new();
            self.lost = audio.fetch(&mut samples);
            if sink.waiting() > ROOM {
                self.dropped += samples.len() as u64;
            } else if !samples.is_empty() {
                self.recorded += samples.len() as u64;
                sink.put(samples)?;
            }
        }
        Ok(())
    }

    /// Returns whether a file was played to its end.
    pub(crate) fn is_played(&self, audio: &Audio) -> bool {
        self.play.as_ref().is_some_and(Source::is_over) && audio.queued() == 0
    }

    /// Ends recording, closes the file, and returns the milliseconds that were recorded.
    pub(crate) fn finish(
        &mut self,
        audio: &Audio,
        signals: &Signals,
    ) -> Result<Option<u64>, Failure> {
        let pumped = self.pump(audio, false);
        audio.record(false);
        let Some(sink) = self.record.take() else { return pumped.map(|()| None) };
        let missing = self.lost + self.dropped / self.width;
        if missing > 0 {
            let missing = ms(missing);
            let why = match self.dropped {
                0 => "the machine was too busy",
                _ => "the file was written too slowly",
            };
            note(format_args!("{why}: {missing} ms are missing in the recording"));
        }
        pumped?;
        sink.finish(signals)?;
        Ok(Some(ms(self.recorded / self.width)))
    }
}

fn failure(error: WavError) -> Failure {
    match error {
        WavError::Io { path, source } => not_written(&path, &source),
        other => Failure::failed(other),
    }
}

fn ms(samples: u64) -> u64 {
    samples * 1000 / u64::from(SAMPLE_RATE)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::exit::Exit;

    fn open(play: Option<&Path>) -> Result<Sound, Failure> {
        Sound::open(play, None, &Signals::default())
    }

    #[test]
    fn a_missing_file_is_reported_before_anything_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.wav");
        let failure = open(Some(&missing)).unwrap_err();
        assert_eq!(failure.exit, Exit::Failed);
        assert!(failure.text.contains("none.wav"), "{failure}");
    }

    #[test]
    fn without_files_nothing_is_played_or_recorded() {
        let audio = Audio::default();
        let mut sound = open(None).unwrap();
        sound.start(&audio).unwrap();
        sound.pump(&audio, true).unwrap();
        assert!(!sound.is_played(&audio));
        assert_eq!(sound.finish(&audio, &Signals::default()), Ok(None));
    }

    #[test]
    fn a_file_is_queued_piece_by_piece() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.wav");
        let mut writer = Writer::create(&path).unwrap();
        writer.write(&[5; 20_000]).unwrap();
        writer.finish().unwrap();
        let audio = Audio::default();
        let mut sound = open(Some(&path)).unwrap();
        sound.pump(&audio, false).unwrap();
        assert_eq!(audio.queued(), 0, "not before it is time");
        let deadline = Instant::now() + Duration::from_secs(60);
        while audio.queued() < 16_000 {
            sound.pump(&audio, true).unwrap();
            assert!(Instant::now() < deadline, "{}", audio.queued());
            std::thread::yield_now();
        }
        assert!(!sound.is_played(&audio));
    }
}

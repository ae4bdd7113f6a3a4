//! What is said and heard on a line: WAV files at the application's end of its audio.
//!
//! Rule: files are opened before a call is made, so that a wrong name costs no call.

use std::path::Path;

use ringback_media::SAMPLE_RATE;
use ringback_media::wav::{self, WavError, Writer};
use ringback_tspi::line::Audio;

use crate::exit::Failure;
use crate::output::note;

/// The files of one call.
#[derive(Debug)]
pub(crate) struct Sound {
    play: Vec<i16>,
    played: usize,
    record: Option<Writer>,
    recorded: u64,
    lost: u64,
    scratch: Vec<i16>,
}

impl Sound {
    /// Reads what is to be played, and creates what is to be recorded.
    pub(crate) fn open(play: Option<&Path>, record: Option<&Path>) -> Result<Sound, Failure> {
        Ok(Sound {
            play: play.map_or(Ok(Vec::new()), wav::read).map_err(Failure::failed)?,
            played: 0,
            record: record.map(Writer::create).transpose().map_err(Failure::failed)?,
            recorded: 0,
            lost: 0,
            scratch: Vec::new(),
        })
    }

    /// The call is answered: recording begins.
    pub(crate) fn start(&mut self, audio: &Audio) {
        audio.record(self.record.is_some());
    }

    /// Moves what is due: at least once in two seconds, or samples are lost. `play` says whether it
    /// is time to play.
    pub(crate) fn pump(&mut self, audio: &Audio, play: bool) -> Result<(), Failure> {
        if let Some(rest) = self.play.get(self.played..)
            && play
        {
            self.played += audio.play(rest);
        }
        if let Some(writer) = &mut self.record {
            self.lost = audio.fetch(&mut self.scratch);
            writer.write(&self.scratch).map_err(Failure::failed)?;
            self.recorded += self.scratch.len() as u64;
            self.scratch.clear();
        }
        Ok(())
    }

    /// Whether there was something to play and it has been played to its end.
    pub(crate) fn is_played(&self, audio: &Audio) -> bool {
        !self.play.is_empty() && self.played == self.play.len() && audio.queued() == 0
    }

    /// Ends recording and closes the file; the milliseconds that were recorded.
    pub(crate) fn finish(&mut self, audio: &Audio) -> Result<Option<u64>, Failure> {
        if self.record.is_none() {
            return Ok(None);
        }
        self.pump(audio, false)?;
        audio.record(false);
        let lost = ms(self.lost);
        if lost > 0 {
            note(format_args!("the machine was too busy: {lost} ms are missing in the recording"));
        }
        self.close().map_err(Failure::failed)?;
        Ok(Some(ms(self.recorded)))
    }

    fn close(&mut self) -> Result<(), WavError> {
        self.record.take().map_or(Ok(()), Writer::finish)
    }
}

/// Samples to milliseconds.
fn ms(samples: u64) -> u64 {
    samples * 1000 / u64::from(SAMPLE_RATE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_file_that_is_missing_is_told_before_anything_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.wav");
        let failure = Sound::open(Some(&missing), None).unwrap_err();
        assert_eq!(failure.exit, Exit::Failed);
        assert!(failure.text.contains("none.wav"), "{failure}");
        let nowhere = folder.path().join("no/such/folder.wav");
        assert!(Sound::open(None, Some(&nowhere)).unwrap_err().text.contains("folder.wav"));
    }

    #[test]
    fn without_files_nothing_is_played_or_recorded() {
        let audio = Audio::default();
        let mut sound = Sound::open(None, None).unwrap();
        sound.start(&audio);
        sound.pump(&audio, true).unwrap();
        assert!(!sound.is_played(&audio));
        assert_eq!(sound.finish(&audio), Ok(None));
    }

    #[test]
    fn a_file_is_queued_piece_by_piece() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.wav");
        let mut writer = Writer::create(&path).unwrap();
        writer.write(&[5; 20_000]).unwrap();
        writer.finish().unwrap();
        let audio = Audio::default();
        let mut sound = Sound::open(Some(&path), None).unwrap();
        sound.pump(&audio, false).unwrap();
        assert_eq!(audio.queued(), 0, "not before it is time");
        sound.pump(&audio, true).unwrap();
        assert_eq!(audio.queued(), 16_000);
        assert!(!sound.is_played(&audio));
    }
}

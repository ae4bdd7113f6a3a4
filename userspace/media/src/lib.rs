//! Samples of telephony: G.711, DTMF, call-progress tones, WAV.

//! What is asked for when a call is made, copied out of the caller's memory (B1).

use ringback_request::report;

use super::{LINECALLPARAMS, LINEDIALPARAMS, Reader};
use crate::constants::{
    LINEADDRESSMODE_ADDRESSID, LINEBEARERMODE_VOICE, LINEMEDIAMODE_INTERACTIVEVOICE,
};
use crate::error::LineError;
use crate::types::Version;

/// The parameters of a call to be made, as far as a telephone line can use them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallParams {
    /// One LINEBEARERMODE_ value.
    pub bearer_mode: u32,
    /// Lowest data rate in bit/s, for voice the bandwidth in Hz.
    pub min_rate: u32,
    /// Highest data rate in bit/s, for voice the bandwidth in Hz.
    pub max_rate: u32,
    /// LINEMEDIAMODE_ bits.
    pub media_mode: u32,
    /// LINECALLPARAMFLAGS_ bits.
    pub flags: u32,
    /// LINEADDRESSMODE_: how the originating address is named.
    pub address_mode: u32,
    /// The originating address, if it is named by id.
    pub address_id: u32,
    /// Times of dialling; a 0 stands for the line's default.
    pub dial_params: LINEDIALPARAMS,
    /// The originating address, if it is named by its number.
    pub orig_address: Option<String>,
    /// What to show instead of the number dialled.
    pub displayable_address: Option<String>,
    /// The name of the party that the call is to reach.
    pub called_party: Option<String>,
    /// A remark about the call.
    pub comment: Option<String>,
    /// Bytes for the other party; not text (B6).
    pub user_user_info: Vec<u8>,
    /// Bytes that only the vendor's provider interprets (dwDevSpecific).
    pub dev_specific: Vec<u8>,
    /// Data to attach to the call.
    pub call_data: Vec<u8>,
    /// How long an unanswered call may ring, in milliseconds; 0 for the default.
    pub no_answer_timeout: u32,
    /// The caller's number, as the called party is to see it.
    pub calling_party_id: Option<String>,
}

impl Default for CallParams {
    /// What a NULL stands for: a voice call of 3.1 kHz from the line's first address.
    fn default() -> CallParams {
        CallParams {
            bearer_mode: LINEBEARERMODE_VOICE,
            min_rate: 3100,
            max_rate: 3100,
            media_mode: LINEMEDIAMODE_INTERACTIVEVOICE,
            flags: 0,
            address_mode: LINEADDRESSMODE_ADDRESSID,
            address_id: 0,
            dial_params: LINEDIALPARAMS::default(),
            orig_address: None,
            displayable_address: None,
            called_party: None,
            comment: None,
            user_user_info: Vec::new(),
            dev_specific: Vec::new(),
            call_data: Vec::new(),
            no_answer_timeout: 0,
            calling_party_id: None,
        }
    }
}

impl CallParams {
    /// Copies the parameters out of a LINECALLPARAMS.
    ///
    /// # Errors
    /// INVALCALLPARAMS if its sizes and offsets contradict themselves.
    pub fn read(memory: &[u8], version: Version) -> Result<CallParams, LineError> {
        type P = LINECALLPARAMS;
        let given = Reader::<P>::new(memory, version).map_err(|malformed| {
            report!(DEBUG, "call parameters refused: {malformed}");
            LineError::INVALCALLPARAMS
        })?;
        Ok(CallParams {
            bearer_mode: given.get(P::dwBearerMode),
            min_rate: given.get(P::dwMinRate),
            max_rate: given.get(P::dwMaxRate),
            media_mode: given.get(P::dwMediaMode),
            flags: given.get(P::dwCallParamFlags),
            address_mode: given.get(P::dwAddressMode),
            address_id: given.get(P::dwAddressID),
            dial_params: given.get(P::DialParams),
            orig_address: given.string(P::dwOrigAddress),
            displayable_address: given.string(P::dwDisplayableAddress),
            called_party: given.string(P::dwCalledParty),
            comment: given.string(P::dwComment),
            user_user_info: given.item(P::dwUserUserInfo).to_vec(),
            dev_specific: given.item(P::dwDevSpecific).to_vec(),
            call_data: given.item(P::dwCallData).to_vec(),
            no_answer_timeout: given.get(P::dwNoAnswerTimeout),
            calling_party_id: given.string(P::dwCallingPartyID),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::LINECALLPARAMFLAGS_IDLE;
    use crate::structs::Builder;

    #[test]
    fn the_copy_outlives_the_callers_memory_b1() {
        let mut memory = Builder::<LINECALLPARAMS>::new(Version::V3_1)
            .set(LINECALLPARAMS::dwBearerMode, LINEBEARERMODE_VOICE)
            .set(LINECALLPARAMS::dwMinRate, 3100)
            .set(LINECALLPARAMS::dwMaxRate, 3100)
            .set(LINECALLPARAMS::dwMediaMode, LINEMEDIAMODE_INTERACTIVEVOICE)
            .set(LINECALLPARAMS::dwCallParamFlags, LINECALLPARAMFLAGS_IDLE)
            .set(LINECALLPARAMS::dwAddressMode, LINEADDRESSMODE_ADDRESSID)
            .set(LINECALLPARAMS::dwNoAnswerTimeout, 30_000)
            .string(LINECALLPARAMS::dwCalledParty, "Aunt Ada")
            .item(LINECALLPARAMS::dwCallData, &[9; 5])
            .finish();
        let params = CallParams::read(&memory, Version::V3_1).unwrap();
        memory.fill(0xA5);
        let wanted = CallParams {
            flags: LINECALLPARAMFLAGS_IDLE,
            no_answer_timeout: 30_000,
            called_party: Some("Aunt Ada".into()),
            call_data: vec![9; 5],
            ..CallParams::default()
        };
        assert_eq!(params, wanted);
    }

    #[test]
    fn nonsense_is_invalcallparams() {
        let refused = |bytes: &[u8]| CallParams::read(bytes, Version::V2_0).err();
        assert_eq!(refused(&[]), Some(LineError::INVALCALLPARAMS));
        assert_eq!(refused(&[0xFF; 300]), Some(LineError::INVALCALLPARAMS));
    }
}

//! What can be done with a call in a state: the dwCallFeatures of LINECALLSTATUS.
//!
//! Applications disable the controls of features that are not offered, so the features offered
//! must always be those of the present state. [`legal`] is the most that a provider may offer; it
//! offers the part of that which its line can carry out.

use super::CallState;
use crate::constants::*;
use crate::functions::*;

/// Every feature of a call, with the function that it announces.
pub const FEATURES: &[(u32, Function)] = &[
    (LINECALLFEATURE_ACCEPT, TSPI_lineAccept),
    (LINECALLFEATURE_ADDTOCONF, TSPI_lineAddToConference),
    (LINECALLFEATURE_ANSWER, TSPI_lineAnswer),
    (LINECALLFEATURE_BLINDTRANSFER, TSPI_lineBlindTransfer),
    (LINECALLFEATURE_COMPLETECALL, TSPI_lineCompleteCall),
    (LINECALLFEATURE_COMPLETETRANSF, TSPI_lineCompleteTransfer),
    (LINECALLFEATURE_DIAL, TSPI_lineDial),
    (LINECALLFEATURE_DROP, TSPI_lineDrop),
    (LINECALLFEATURE_GATHERDIGITS, TSPI_lineGatherDigits),
    (LINECALLFEATURE_GENERATEDIGITS, TSPI_lineGenerateDigits),
    (LINECALLFEATURE_GENERATETONE, TSPI_lineGenerateTone),
    (LINECALLFEATURE_HOLD, TSPI_lineHold),
    (LINECALLFEATURE_MONITORDIGITS, TSPI_lineMonitorDigits),
    (LINECALLFEATURE_MONITORMEDIA, TSPI_lineMonitorMedia),
    (LINECALLFEATURE_MONITORTONES, TSPI_lineMonitorTones),
    (LINECALLFEATURE_PARK, TSPI_linePark),
    (LINECALLFEATURE_PREPAREADDCONF, TSPI_linePrepareAddToConference),
    (LINECALLFEATURE_REDIRECT, TSPI_lineRedirect),
    (LINECALLFEATURE_REMOVEFROMCONF, TSPI_lineRemoveFromConference),
    (LINECALLFEATURE_SECURECALL, TSPI_lineSecureCall),
    (LINECALLFEATURE_SENDUSERUSER, TSPI_lineSendUserUserInfo),
    (LINECALLFEATURE_SETCALLPARAMS, TSPI_lineSetCallParams),
    (LINECALLFEATURE_SETMEDIACONTROL, TSPI_lineSetMediaControl),
    (LINECALLFEATURE_SETTERMINAL, TSPI_lineSetTerminal),
    (LINECALLFEATURE_SETUPCONF, TSPI_lineSetupConference),
    (LINECALLFEATURE_SETUPTRANSFER, TSPI_lineSetupTransfer),
    (LINECALLFEATURE_SWAPHOLD, TSPI_lineSwapHold),
    (LINECALLFEATURE_UNHOLD, TSPI_lineUnhold),
    (LINECALLFEATURE_RELEASEUSERUSERINFO, TSPI_lineReleaseUserUserInfo),
    (LINECALLFEATURE_SETTREATMENT, TSPI_lineSetCallTreatment),
    (LINECALLFEATURE_SETQOS, TSPI_lineSetCallQualityOfService),
    (LINECALLFEATURE_SETCALLDATA, TSPI_lineSetCallData),
];

/// The LINECALLFEATURE_ bits that may be offered in a state. Where a function takes several calls,
/// the call may be any of them. An idle call has no features, and a disconnected one can only be
/// dropped.
pub fn legal(state: CallState) -> u32 {
    match state {
        CallState::Idle => 0,
        CallState::Disconnected => LINECALLFEATURE_DROP,
        _ => FEATURES
            .iter()
            .filter(|(_, function)| match function.legal {
                Legal::In(calls) => calls.iter().any(|call| call.states.contains(state)),
                _ => true,
            })
            .fold(0, |bits, (bit, _)| bits | bit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_of_the_headers_has_its_function() {
        let bits: Vec<u32> = FEATURES.iter().map(|(bit, _)| *bit).collect();
        assert_eq!(bits, LINECALLFEATURE.members.iter().map(|m| m.1).collect::<Vec<_>>());
        let functions: std::collections::BTreeSet<&str> =
            FEATURES.iter().map(|(_, function)| function.name).collect();
        assert_eq!(functions.len(), FEATURES.len());
    }

    #[test]
    fn drop_is_offered_in_every_state_but_idle_d9() {
        for state in CallState::ALL {
            let offered = legal(state) & LINECALLFEATURE_DROP != 0;
            assert_eq!(offered, state != CallState::Idle, "{state}");
        }
        assert_eq!(legal(CallState::Idle), 0);
        assert_eq!(legal(CallState::Disconnected), LINECALLFEATURE_DROP);
    }

    #[test]
    fn nothing_is_offered_where_its_function_is_illegal() {
        for state in CallState::ALL {
            for (bit, function) in FEATURES {
                if let Legal::In([call]) = function.legal
                    && legal(state) & bit != 0
                {
                    assert!(call.states.contains(state), "{} in {state}", function.name);
                }
            }
        }
        let answer = LINECALLFEATURE_ANSWER | LINECALLFEATURE_ACCEPT;
        assert_eq!(legal(CallState::Offering) & answer, answer);
        assert_eq!(legal(CallState::Accepted) & answer, LINECALLFEATURE_ANSWER);
        assert_eq!(legal(CallState::Connected) & answer, 0);
        // Both calls of a transfer offer to complete it.
        for state in [CallState::OnHoldPendTransfer, CallState::Ringback] {
            assert_ne!(legal(state) & LINECALLFEATURE_COMPLETETRANSF, 0);
        }
    }
}

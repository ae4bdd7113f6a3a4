//! Whether messages wait, as a PBX tells it (RFC 3842): because a telephone has asked for it, or by
//! itself.

use rsipstack::sip::{Header, Request, StatusCode};

use crate::message_summary::MessageSummary;

/// The event, and the type of what tells it.
pub(crate) const MESSAGE_SUMMARY: &str = "message-summary";
pub(crate) const SUMMARY_TYPE: &str = "application/simple-message-summary";

/// What a NOTIFY says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessageNotice {
    /// What its text says; `None` if it has none.
    pub(crate) summary: Option<MessageSummary>,
    /// The PBX ends the subscription.
    pub(crate) is_last: bool,
}

impl MessageNotice {
    /// Reads a NOTIFY.
    ///
    /// # Errors
    /// The status and the headers with which it is refused.
    pub(crate) fn read(request: &Request) -> Result<MessageNotice, (StatusCode, Vec<Header>)> {
        let (mut event, mut kind, mut state) = ("", "", "");
        for header in request.headers.iter() {
            match header {
                Header::Event(own) => event = first(own.value()),
                Header::ContentType(own) => kind = first(own.value()),
                Header::SubscriptionState(own) => state = first(own.value()),
                _ => {}
            }
        }
        if !event.eq_ignore_ascii_case(MESSAGE_SUMMARY) {
            let known = Header::Other("Allow-Events".into(), MESSAGE_SUMMARY.into());
            return Err((StatusCode::BadEvent, vec![known]));
        }
        let is_last = state.eq_ignore_ascii_case("terminated");
        if request.body.is_empty() {
            return Ok(MessageNotice { summary: None, is_last });
        }
        if !kind.eq_ignore_ascii_case(SUMMARY_TYPE) {
            let known = vec![Header::Accept(SUMMARY_TYPE.into())];
            return Err((StatusCode::UnsupportedMediaType, known));
        }
        let summary = MessageSummary::read(&request.body);
        let summary = Some(summary.ok_or((StatusCode::BadRequest, Vec::new()))?);
        Ok(MessageNotice { summary, is_last })
    }
}

/// What of a header stands before its parameters.
fn first(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &str, body: &str) -> Result<MessageNotice, StatusCode> {
        let text = format!(
            "NOTIFY sip:100@ringback SIP/2.0\r\nVia: SIP/2.0/UDP pbx;branch=z9hG4bK1\r\n\
             {headers}\r\n"
        );
        let mut request = Request::try_from(text.as_bytes()).unwrap();
        request.body = body.as_bytes().to_vec();
        MessageNotice::read(&request).map_err(|(status, _)| status)
    }

    #[test]
    fn a_notice_has_a_summary_and_may_be_the_last_one() {
        let head = "Event: message-summary\r\nContent-Type: application/simple-message-summary\r\n";
        let body = "Messages-Waiting: yes\r\nMessage-Account: sip:100@pbx\r\n";
        let summary = MessageSummary::read(body.as_bytes());
        assert!(summary.as_ref().is_some_and(|summary| summary.waiting));
        assert_eq!(read(head, body), Ok(MessageNotice { summary, is_last: false }));
        let last = format!("{head}Subscription-State: terminated;reason=timeout\r\n");
        assert_eq!(read(&last, ""), Ok(MessageNotice { summary: None, is_last: true }));
    }

    #[test]
    fn what_is_no_notice_is_refused() {
        let yes = "Messages-Waiting: yes";
        assert_eq!(read("", yes), Err(StatusCode::BadEvent));
        assert_eq!(read("Event: dialog\r\n", yes), Err(StatusCode::BadEvent));
        let event = "Event: message-summary;id=1\r\n";
        assert_eq!(read(event, yes), Err(StatusCode::UnsupportedMediaType));
        let head = format!("{event}Content-Type: application/simple-message-summary\r\n");
        assert_eq!(read(&head, "something else"), Err(StatusCode::BadRequest));
    }
}

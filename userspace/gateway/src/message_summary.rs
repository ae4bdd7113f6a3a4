//! The text that says whether messages wait (RFC 3842, `application/simple-message-summary`).

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MessageSummary {
    /// Whether messages wait.
    pub(crate) waiting: bool,
    /// Whose they are: a user of the PBX.
    pub(crate) account: Option<String>,
}

impl MessageSummary {
    /// Reads a text; `None` if it does not say whether messages wait.
    pub(crate) fn read(body: &[u8]) -> Option<MessageSummary> {
        let text = str::from_utf8(body).ok()?;
        let value = |wanted: &str| {
            text.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
            })
        };
        let waiting = match value("Messages-Waiting")? {
            yes if yes.eq_ignore_ascii_case("yes") => true,
            no if no.eq_ignore_ascii_case("no") => false,
            _ => return None,
        };
        // The user of `sip:100@pbx`.
        let account = value("Message-Account").and_then(|account| {
            let (user, _) = account.split_once(':')?.1.split_once('@')?;
            (!user.is_empty()).then(|| user.to_owned())
        });
        Some(MessageSummary { waiting, account })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_whether_messages_wait_and_whose() {
        let summary = |waiting, account: Option<&str>| {
            Some(MessageSummary { waiting, account: account.map(str::to_owned) })
        };
        for (text, read) in [
            (
                "Messages-Waiting: yes\r\nMessage-Account: sip:100@pbx\r\n",
                summary(true, Some("100")),
            ),
            ("messages-waiting:NO\nVoice-Message: 2/8 (0/2)", summary(false, None)),
            ("Messages-Waiting: yes\r\nMessage-Account: sip:pbx\r\n", summary(true, None)),
            ("Messages-Waiting: yes\r\nMessage-Account: :@\r\n", summary(true, None)),
            ("Message-Account: sip:100@pbx\r\n", None),
            ("Messages-Waiting: perhaps", None),
            ("Messages-Waiting", None),
            ("", None),
        ] {
            assert_eq!(MessageSummary::read(text.as_bytes()), read, "{text:?}");
        }
        assert_eq!(MessageSummary::read(&[0xFF]), None);
    }
}

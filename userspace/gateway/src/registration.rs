//! Registers a line at its PBX, so that this knows where the line is (RFC 3261, 10).
//!
//! It is registered anew when three quarters of the time have passed that the PBX has granted. What
//! fails is tried again, and the log says once why. At its end the line is unregistered.

use std::time::Duration;

use rsipstack::sip::{Header, Headers, Method, Response, StatusCode, StatusCodeKind, Uri};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::query::{Query, QueryError};

/// How long a registration is asked to last, in seconds.
const ASKED: u32 = 3600;
/// The longest that a PBX may insist on.
const LONGEST: u32 = 24 * 3600;
/// How long it is waited after a failure: twice as long after each.
const FIRST_RETRY: Duration = Duration::from_secs(15);
const LAST_RETRY: Duration = Duration::from_secs(600);
/// How long unregistering may take.
const UNREGISTERED: Duration = Duration::from_secs(5);

/// A registration that is kept.
pub(crate) struct Registration {
    end: CancellationToken,
    task: JoinHandle<()>,
}

impl Registration {
    /// Registers a line from now on, or from the end of its registration before. `what` names it
    /// in the log.
    pub(crate) fn start(query: Query, what: String, before: Option<Registration>) -> Registration {
        let end = CancellationToken::new();
        let ended = end.clone();
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                before.stop().await;
            }
            keep(query, what, ended).await;
        });
        Registration { end, task }
    }

    /// Unregisters it.
    pub(crate) async fn stop(self) {
        self.end.cancel();
        // It ends within its own deadlines.
        let _ = self.task.await;
    }
}

async fn keep(mut query: Query, what: String, end: CancellationToken) {
    let mut asked = ASKED;
    // Whether the PBX may know the line, and what the log has said last.
    let (mut registered, mut told) = (false, None);
    let mut retry = FIRST_RETRY;
    loop {
        let answer = tokio::select! {
            answer = register(&mut query, asked) => answer,
            () = end.cancelled() => break,
        };
        let (granted, news) = match answer {
            Ok(response) if response.status_code.kind() == StatusCodeKind::Successful => {
                registered = true;
                (Some(granted(&response, query.contact(), asked)), format!("{what} is registered"))
            }
            Ok(Response { status_code: StatusCode::IntervalTooBrief, headers, .. })
                if least(&headers).is_some_and(|least| (asked + 1..=LONGEST).contains(&least)) =>
            {
                asked = least(&headers).unwrap_or(asked);
                continue;
            }
            Ok(Response { status_code, .. }) => {
                let cure = match status_code {
                    StatusCode::Unauthorized
                    | StatusCode::ProxyAuthenticationRequired
                    | StatusCode::Forbidden => ": check its number, user and secret",
                    StatusCode::NotFound => ": check its number",
                    _ => "",
                };
                (None, format!("the PBX refuses to register {what}: {status_code}{cure}"))
            }
            Err(error) => (None, format!("{what} can't be registered at its PBX: {error}")),
        };
        let wait = match granted {
            Some(granted) => {
                retry = FIRST_RETRY;
                refresh(granted)
            }
            None => {
                let wait = retry;
                retry = (retry * 2).min(LAST_RETRY);
                wait
            }
        };
        if told.as_ref() != Some(&news) {
            if granted.is_some() {
                info!("{news}")
            } else {
                warn!("{news}")
            }
            told = Some(news);
        }
        tokio::select! {
            () = sleep(wait) => {}
            () = end.cancelled() => break,
        }
    }
    if registered && !matches!(timeout(UNREGISTERED, register(&mut query, 0)).await, Ok(Ok(_))) {
        warn!("{what} could not be unregistered; its PBX forgets it by itself");
    }
}

async fn register(query: &mut Query, seconds: u32) -> Result<Response, QueryError> {
    query.ask(Method::Register, vec![Header::Expires(seconds.into())]).await
}

/// When it is registered again.
fn refresh(granted: u32) -> Duration {
    Duration::from_secs((u64::from(granted) * 3 / 4).max(1))
}

/// The seconds that the PBX has granted: those of our contact, or of the whole answer.
fn granted(response: &Response, contact: &Uri, asked: u32) -> u32 {
    let own = contact.to_string().to_ascii_lowercase();
    let of_contact = response.headers.iter().find_map(|header| {
        let Header::Contact(contacts) = header else { return None };
        let contacts = contacts.value().to_ascii_lowercase();
        let (_, rest) = contacts.split_once(&own)?;
        let mut parameters = rest.split(',').next()?.split(';');
        parameters.find_map(|parameter| parameter.trim().strip_prefix("expires=")?.parse().ok())
    });
    let of_answer = || {
        response.headers.iter().find_map(|header| match header {
            Header::Expires(expires) => expires.value().trim().parse().ok(),
            _ => None,
        })
    };
    of_contact.or_else(of_answer).unwrap_or(asked).min(LONGEST)
}

/// The least that a PBX registers for (423).
fn least(headers: &Headers) -> Option<u32> {
    headers.iter().find_map(|header| match header {
        Header::MinExpires(least) => least.value().trim().parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(headers: &str) -> Response {
        let text = format!("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP us\r\n{headers}\r\n");
        Response::try_from(text.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_granted_is_that_of_our_contact() {
        let own = Uri::try_from("sip:1@192.0.2.1:5060").unwrap();
        for (headers, seconds) in [
            ("Contact: <sip:1@192.0.2.1:5060>;expires=60\r\n", 60),
            ("Contact: <sip:1@192.0.2.9>;expires=7, <sip:1@192.0.2.1:5060>;q=1;expires=8\r\n", 8),
            ("Contact: <sip:1@192.0.2.1:5060>, <sip:1@192.0.2.9>;expires=7\r\nExpires: 90\r\n", 90),
            ("Contact: <sip:1@192.0.2.9>;expires=7\r\n", 3600),
            ("Contact: <sip:1@192.0.2.1:5060>;expires=x\r\n", 3600),
            ("Expires: 4000000000\r\n", LONGEST),
            ("", 3600),
        ] {
            assert_eq!(granted(&response(headers), &own, ASKED), seconds, "{headers}");
        }
        assert_eq!(least(&response("Min-Expires: 7200\r\n").headers), Some(7200));
        assert_eq!([0, 1, 2, 3600].map(refresh), [1, 1, 1, 2700].map(Duration::from_secs));
    }
}

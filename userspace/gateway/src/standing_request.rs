//! Requests that hold for a time: the registration of a line at its PBX, so that this knows where
//! the line is (RFC 3261, 10), and the subscription to what it tells of waiting messages (RFC
//! 3842).
//!
//! They are repeated when three quarters of the time have passed that the PBX has granted. What
//! fails is tried again, and the log says once why. At their end they are withdrawn.

use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{Header, Headers, Method, Response, StatusCode, StatusCodeKind, Uri};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use crate::messages::{MESSAGE_SUMMARY, SUMMARY_TYPE};
use crate::query::{Query, QueryError};

/// How long it is asked to hold, in seconds.
const ASKED: u32 = 3600;
/// The longest that a PBX may insist on.
const LONGEST: u32 = 24 * 3600;
/// How long it is waited after a failure: twice as long after each.
const FIRST_RETRY: Duration = Duration::from_secs(15);
const LAST_RETRY: Duration = Duration::from_secs(600);
/// How long it may take to withdraw one.
const WITHDRAWN: Duration = Duration::from_secs(5);
/// How long it is waited before a subscription is begun anew that the PBX has ended.
const AGAIN: Duration = Duration::from_secs(2);

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// That the PBX knows where the line is.
    Registration,
    /// That it tells whether messages wait.
    Messages,
}

impl Standing {
    fn method(self) -> Method {
        match self {
            Standing::Registration => Method::Register,
            Standing::Messages => Method::Subscribe,
        }
    }

    fn headers(self, seconds: u32) -> Vec<Header> {
        let mut headers = vec![Header::Expires(seconds.into())];
        if self == Standing::Messages {
            headers.push(Header::Event(MESSAGE_SUMMARY.into()));
            headers.push(Header::Accept(SUMMARY_TYPE.into()));
        }
        headers
    }

    /// What the PBX does for a line.
    fn name(self, line: &str) -> String {
        match self {
            Standing::Registration => format!("register {line}"),
            Standing::Messages => format!("tell {line} whether messages wait"),
        }
    }
}

/// A request that is kept standing. Dropping it withdraws it, too, but waits for nothing.
pub(crate) struct StandingRequest {
    end: DropGuard,
    task: JoinHandle<()>,
}

impl StandingRequest {
    /// Asks for it from now on, or from the end of the one before. `line` names the line in the
    /// log; `over` is told when the PBX ends it by itself.
    pub(crate) fn start(
        standing: Standing,
        query: Query,
        line: String,
        over: Arc<Notify>,
        before: Option<StandingRequest>,
    ) -> StandingRequest {
        let end = CancellationToken::new();
        let ended = end.clone();
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                before.stop().await;
            }
            keep(standing, query, &line, &over, ended).await;
        });
        StandingRequest { end: end.drop_guard(), task }
    }

    /// Withdraws it.
    pub(crate) async fn stop(self) {
        drop(self.end);
        // It ends within its own deadlines.
        let _ = self.task.await;
    }
}

async fn keep(
    standing: Standing,
    mut query: Query,
    line: &str,
    over: &Notify,
    end: CancellationToken,
) {
    let mut asked = ASKED;
    // Whether the PBX may have granted it, and what the log has said last.
    let (mut granted_before, mut told) = (false, None);
    let mut retry = FIRST_RETRY;
    let name = standing.name(line);
    loop {
        let answer = tokio::select! {
            answer = ask(&mut query, standing, asked) => answer,
            () = end.cancelled() => {
                // The PBX may have what it was asked.
                granted_before = true;
                break;
            }
        };
        let (granted, news) = match answer {
            Ok(response) if response.status_code.kind() == StatusCodeKind::Successful => {
                granted_before = true;
                let granted = granted(&response, query.contact(), asked);
                (Some(granted), format!("the PBX is willing to {name}"))
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
                (None, format!("the PBX refuses to {name}: {status_code}{cure}"))
            }
            Err(error) => (None, format!("the PBX can't be asked to {name}: {error}")),
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
            () = over.notified() => {
                query.forget_dialog();
                sleep(AGAIN).await;
            }
            () = end.cancelled() => break,
        }
    }
    if granted_before
        && !matches!(timeout(WITHDRAWN, ask(&mut query, standing, 0)).await, Ok(Ok(_)))
    {
        warn!("the PBX was not told to {name} no more; it ends that by itself");
    }
}

async fn ask(query: &mut Query, standing: Standing, seconds: u32) -> Result<Response, QueryError> {
    query.ask(standing.method(), standing.headers(seconds)).await
}

/// When it is asked for again.
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

/// The least that a PBX grants (423).
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

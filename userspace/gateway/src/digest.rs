//! The secrets of digest authentication (RFC 3261, 22; RFC 8760): what our lines show, and what
//! callers have to know.
//!
//! A nonce is good for one INVITE, of the address that it was given to, and for half a minute. The
//! digest itself is rsipstack's.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rsipstack::dialog::authenticate::{Credential, verify_digest};
use rsipstack::sip::prelude::HeadersExt;
use rsipstack::sip::typed::Authorization;
use rsipstack::sip::{Header, Request};
use rsipstack::transaction::random_text;

use crate::config::UserSecret;

/// How long a nonce is good, and how many are kept.
const GOOD: Duration = Duration::from_secs(30);
const MOST: usize = 1024;
/// The realm of all gateways.
const REALM: &str = "ringback";

impl UserSecret {
    /// As the SIP stack wants it.
    pub(crate) fn credential(&self) -> Credential {
        Credential {
            username: self.user.clone(),
            password: self.secret.reveal().to_owned(),
            realm: None,
            auth_username: None,
        }
    }
}

#[derive(Debug)]
struct Nonce {
    text: String,
    address: IpAddr,
    given: Instant,
}

/// Checks what callers know.
#[derive(Debug)]
pub(crate) struct Doorkeeper {
    who: UserSecret,
    nonces: Mutex<VecDeque<Nonce>>,
}

impl Doorkeeper {
    pub(crate) fn new(who: UserSecret) -> Doorkeeper {
        Doorkeeper { who, nonces: Mutex::default() }
    }

    /// Whether it asks for this one.
    pub(crate) fn asks_for(&self, who: &UserSecret) -> bool {
        self.who == *who
    }

    /// A challenge for this address.
    pub(crate) fn challenge(&self, address: IpAddr) -> Header {
        let text = random_text(32);
        let challenge =
            format!("Digest realm=\"{REALM}\", nonce=\"{text}\", algorithm=MD5, qop=\"auth\"");
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() >= MOST {
            nonces.pop_front();
        }
        nonces.push_back(Nonce { text, address, given: Instant::now() });
        Header::WwwAuthenticate(challenge.into())
    }

    /// Whether an INVITE of this address shows that the caller knows the secret.
    pub(crate) fn lets_in(&self, request: &Request, address: IpAddr) -> bool {
        let Some(header) = request.authorization_header() else { return false };
        let Ok(shown) = Authorization::parse(header.value()) else { return false };
        // What was asked for must be what was signed.
        let same_number = shown.uri.user() == request.uri.user();
        if shown.realm != REALM || shown.username != self.who.user || !same_number {
            return false;
        }
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.retain(|nonce| nonce.given.elapsed() < GOOD);
        let is_it = |nonce: &Nonce| nonce.text == shown.nonce && nonce.address == address;
        let Some(place) = nonces.iter().position(is_it) else { return false };
        nonces.remove(place);
        drop(nonces);
        verify_digest(&shown, self.who.secret.reveal(), &request.method, header.value())
    }
}

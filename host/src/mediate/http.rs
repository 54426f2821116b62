//! Web requests.
//!
//! Where a request goes to is held against the grant by its URL, and then by the addresses that its host
//! has: a name must not lead to the machine itself or into the network around it. The connection is made to
//! the addresses that were checked and the name is not looked up again, so that it cannot mean something
//! else by then. A redirect is a request of its own, with all the same checks. There are no proxies, no
//! cookies and no connections that are kept.

mod exchange;
mod redirect;
mod request;
mod resolve;
mod url;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keyway::Result;

pub use request::{HttpRequest, HttpResponse};

use super::audit::Action;
use super::cancel::Cancel;
use super::{Mediator, codes, refusal};
use exchange::{Answer, Hop};

/// From a name and a port to addresses.
pub(super) type Resolve =
    dyn Fn(&str, u16) -> std::io::Result<Vec<SocketAddr>> + Send + Sync + 'static;

/// For a limit that is none.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What an application may choose.
pub(super) struct Setup {
    pub(super) resolve: Arc<Resolve>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            resolve: Arc::new(resolve::by_system),
        }
    }
}

/// What all requests of a plugin share.
pub(super) struct Client {
    resolve: Arc<Resolve>,
}

impl Client {
    pub(super) fn new(setup: Setup) -> Self {
        Client {
            resolve: setup.resolve,
        }
    }
}

impl Mediator {
    /// Sends a web request and answers what came back, after all redirects. An answer with a status of
    /// 400 and above is no error.
    ///
    /// Where a redirect leads to another origin, only the headers go along that say nothing of who
    /// sends them.
    ///
    /// # Errors
    ///
    /// `network-not-granted`, `address-refused`, `too-many-redirects`, `too-many-at-once`,
    /// `size-limit`, `time-limit`, `bad-request`, `request-failed`.
    pub fn request(&self, request: HttpRequest) -> Result<HttpResponse> {
        self.request_unless(request, &Cancel::default())
    }

    /// Sends a web request and waits until it is answered or cancelled, which is `ask-cancelled`. One that
    /// is making its connection is waited for, until its time is up.
    pub(crate) fn request_unless(
        &self,
        request: HttpRequest,
        cancel: &Cancel,
    ) -> Result<HttpResponse> {
        let shared = &self.shared;
        let timeout = request.timeout_within(shared.limits().request_timeout);
        let now = Instant::now();
        let deadline = now.checked_add(timeout).unwrap_or(now + A_YEAR);
        let place = shared.quota.requests.take();
        let mut hop = Hop::first(request);
        let mut left = shared.limits().max_redirects;
        loop {
            let answer = shared.attempt(Action::Request, &hop.shown(), || {
                if place.is_none() {
                    let most = shared.limits().max_requests;
                    let message = format!("{most} requests of the plugin run already");
                    return Err(refusal::busy(&codes::TOO_MANY_AT_ONCE, message));
                }
                cancel.check()?;
                let answer = hop.exchange(shared, deadline, timeout, cancel);
                // Whatever came of a connection that was closed is not the answer.
                cancel.check()?;
                match answer? {
                    Answer::Redirect(_) if left == 0 => Err(refusal::denied(
                        &codes::TOO_MANY_REDIRECTS,
                        format!(
                            "the answer leads on after Limits::max_redirects, {} redirects",
                            shared.limits().max_redirects
                        ),
                    )),
                    answer => Ok(answer),
                }
            })?;
            match answer {
                Answer::Response(response) => return Ok(response),
                Answer::Redirect(next) => hop = next,
            }
            left -= 1;
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

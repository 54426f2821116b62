//! One request and its answer, without what it leads on to.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use keyway::{ErrorKind, PluginError, Result};
use ureq::http::{Request, Response, Uri};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body};

use super::super::cancel::Cancel;
use super::super::{Shared, codes, refusal};
use super::request::{HttpRequest, HttpResponse};
use super::resolve::{self, Checked};
use super::{redirect, url};
use crate::permission::{Ask, Destination, default_port};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const METHODS_WITH_BODY: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

/// What the connection is about, and not the request. The host says it.
const OF_CONNECTION: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const MOST_HEADERS: usize = 64;
const MOST_HEADER_BYTES: usize = 32 << 10;
const LONGEST_URL: usize = 16 << 10;

/// A request that is not yet answered, at the place where it is now.
#[derive(Debug)]
pub(super) struct Hop {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Answer {
    Response(HttpResponse),
    Redirect(Hop),
}

impl Hop {
    pub(super) fn first(request: HttpRequest) -> Self {
        Hop {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
        }
    }

    /// For the record.
    pub(super) fn shown(&self) -> String {
        let is_method = METHODS.contains(&self.method.as_str());
        let method = if is_method { &self.method } else { "…" };
        format!("{method} {}", url::shown(&self.url))
    }

    pub(super) fn exchange(
        &self,
        shared: &Shared,
        deadline: Instant,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<Answer> {
        self.check(shared.limits().max_request_bytes)?;
        let (uri, to) = self.destination()?;
        shared.require(Ask::Request(&to))?;
        let resolve = &shared.http.resolve;
        let addresses = resolve::addresses(&shared.grant, &to, resolve, deadline, timeout, cancel)?;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(resolve::too_long(&to, timeout));
        }
        let agent = agent(addresses, left);
        let stop = {
            let agent = agent.clone();
            move || agent.clone().shutdown()
        };
        cancel.during(stop, || self.converse(&agent, uri, &to, shared, timeout))
    }

    /// Sends it and reads what comes back.
    fn converse(
        &self,
        agent: &Agent,
        uri: Uri,
        to: &Destination,
        shared: &Shared,
        timeout: Duration,
    ) -> Result<Answer> {
        let failed = |error: ureq::Error| self.failed(error, to, timeout);
        let mut response = self.send(agent, uri).map_err(failed)?;
        let status = response.status().as_u16();
        if redirect::is_redirect(status)
            && let Some(location) = response.headers().get("location")
        {
            let location = location.to_str().map_err(|_| {
                let message = format!("{} leads on to what is no URL", to.pattern());
                refusal::error(ErrorKind::Failed, &codes::REQUEST_FAILED, message)
            })?;
            return Ok(Answer::Redirect(self.follow(status, location, to)));
        }
        let limit = shared.limits().max_response_bytes;
        let too_large = || {
            refusal::denied(
                &codes::SIZE_LIMIT,
                format!(
                    "the answer of {} is larger than Limits::max_response_bytes, {limit} bytes",
                    to.pattern()
                ),
            )
        };
        // The client refuses also what has just the size of its limit.
        let reader = response
            .body_mut()
            .with_config()
            .limit(limit.saturating_add(1));
        let body = match reader.read_to_vec() {
            Ok(body) if body.len() as u64 <= limit => body,
            Ok(_) | Err(ureq::Error::BodyExceedsLimit(_)) => return Err(too_large()),
            Err(error) => return Err(failed(error)),
        };
        let headers = response.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Ok(Answer::Response(HttpResponse {
            status,
            headers: headers.collect(),
            body,
            url: self.url.clone(),
        }))
    }

    /// Whether it is one that a plugin may send anywhere.
    fn check(&self, max_body: u64) -> Result<()> {
        let method = self.method.as_str();
        if !METHODS.contains(&method) {
            return Err(refusal::malformed(format!(
                "the method {method:?} is none of {}",
                METHODS.join(", ")
            )));
        }
        if self.body.is_some() && !METHODS_WITH_BODY.contains(&method) {
            return Err(refusal::malformed(format!(
                "a {method} request has no body"
            )));
        }
        let size = |(name, value): &(String, String)| name.len() + value.len();
        let all: usize = self.headers.iter().map(size).sum();
        if self.headers.len() > MOST_HEADERS || all > MOST_HEADER_BYTES {
            return Err(refusal::denied(
                &codes::SIZE_LIMIT,
                format!(
                    "there are more than {MOST_HEADERS} headers or {MOST_HEADER_BYTES} bytes of them"
                ),
            ));
        }
        for (name, _) in &self.headers {
            if OF_CONNECTION
                .iter()
                .any(|own| own.eq_ignore_ascii_case(name))
            {
                return Err(refusal::malformed(format!(
                    "the header {name:?} is not for plugins to set"
                )));
            }
        }
        if self
            .body
            .as_ref()
            .is_some_and(|body| body.len() as u64 > max_body)
        {
            return Err(refusal::denied(
                &codes::SIZE_LIMIT,
                format!("the body is larger than Limits::max_request_bytes, {max_body} bytes"),
            ));
        }
        Ok(())
    }

    /// Where it goes. What is sent is made from the very same parsed URL that is checked here.
    fn destination(&self) -> Result<(Uri, Destination)> {
        let bad =
            |what: &str| refusal::malformed(format!("the URL {} {what}", url::shown(&self.url)));
        if self.url.len() > LONGEST_URL {
            return Err(bad("is too long"));
        }
        let uri: Uri = self
            .url
            .parse()
            .map_err(|error| bad(&format!("is none: {error}")))?;
        let scheme = match uri.scheme_str() {
            Some(scheme @ ("http" | "https")) => scheme,
            _ => return Err(bad("is neither http nor https")),
        };
        let authority = uri.authority().ok_or_else(|| bad("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(bad("contains a user name"));
        }
        // A port that is there and cannot be read must not become the default one.
        let after_host = &authority.as_str()[authority.host().len()..];
        let port = match (after_host, authority.port_u16()) {
            ("", _) => default_port(scheme).ok_or_else(|| bad("has no port"))?,
            (_, Some(port)) => port,
            _ => return Err(bad("has a malformed port")),
        };
        let to = Destination::new(scheme, authority.host(), port, uri.path()).map_err(bad)?;
        Ok((uri, to))
    }

    fn send(&self, agent: &Agent, uri: Uri) -> std::result::Result<Response<Body>, ureq::Error> {
        let mut request = Request::builder().method(self.method.as_str()).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.body {
            Some(body) => agent.run(request.body(body.as_slice())?),
            None if METHODS_WITH_BODY[..3].contains(&self.method.as_str()) => {
                agent.run(request.body([].as_slice())?)
            }
            None => agent.run(request.body(())?),
        }
    }

    fn follow(&self, status: u16, location: &str, from: &Destination) -> Hop {
        let (method, with_body) = redirect::method(status, &self.method);
        let mut next = Hop {
            method: method.to_owned(),
            url: redirect::target(&self.url, location),
            headers: Vec::new(),
            body: self.body.clone().filter(|_| with_body),
        };
        let same_origin = next.destination().is_ok_and(|(_, to)| {
            (to.scheme(), to.host(), to.port()) == (from.scheme(), from.host(), from.port())
        });
        next.headers = redirect::headers(&self.headers, same_origin, with_body);
        next
    }

    fn failed(&self, error: ureq::Error, to: &Destination, timeout: Duration) -> PluginError {
        match error {
            ureq::Error::Timeout(_) => resolve::too_long(to, timeout),
            ureq::Error::Http(error) => refusal::malformed(format!("the request is none: {error}")),
            error => refusal::error(
                ErrorKind::Failed,
                &codes::REQUEST_FAILED,
                format!("the request to {} failed: {error}", to.pattern()),
            ),
        }
    }
}

/// An agent for one request alone: it knows no other addresses than those that were checked.
fn agent(addresses: Vec<SocketAddr>, left: Duration) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(left))
        .max_idle_connections(0)
        .max_response_header_size(MOST_HEADER_BYTES)
        .user_agent(concat!("keyway/", env!("CARGO_PKG_VERSION")))
        .build();
    Agent::with_parts(config, DefaultConnector::new(), Checked(addresses))
}

//! Web requests by way of the host.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Asked;
use super::files::as_text;
use crate::abi::pass::Json;
use crate::error::{ErrorKind, PluginError, Result};
use crate::host::wire::RequestHead;
use crate::host::{HostServices, HostServicesHandle};

/// Web requests to peers that the plugin may reach by `network` under `[plugin.permissions]`.
#[derive(Clone, Debug)]
pub struct Http {
    host: HostServicesHandle,
}

impl Http {
    pub(super) fn new(host: HostServicesHandle) -> Self {
        Http { host }
    }

    /// A `GET` request.
    pub fn get(&self, url: impl Into<String>) -> Request {
        self.request("GET", url)
    }

    /// A `POST` request.
    pub fn post(&self, url: impl Into<String>) -> Request {
        self.request("POST", url)
    }

    /// A request with any other method: `HEAD`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`.
    pub fn request(&self, method: impl Into<String>, url: impl Into<String>) -> Request {
        Request {
            host: self.host.clone(),
            head: RequestHead {
                method: method.into(),
                url: url.into(),
                ..RequestHead::default()
            },
            body: Ok(Bytes::new()),
        }
    }
}

/// A web request that was not sent yet.
#[derive(Clone, Debug)]
#[must_use = "it is not sent before `send`"]
pub struct Request {
    host: HostServicesHandle,
    head: RequestHead,
    /// Or why it cannot be written.
    body: Result<Bytes>,
}

impl Request {
    /// One more header. Those of the connection are the host's affair, and refused.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.head.headers.push((name.into(), value.into()));
        self
    }

    /// The body, for `POST`, `PUT`, `PATCH` and `DELETE`.
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.head.has_body = true;
        self.body = Ok(bytes.into());
        self
    }

    /// The body as JSON, with its `Content-Type`. What does not serialize is an error of
    /// [`send`](Self::send).
    pub fn json(mut self, value: &impl Serialize) -> Self {
        self.head.has_body = true;
        self.body = serde_json::to_vec(value)
            .map(Bytes::from)
            .map_err(|error| PluginError::from(error).context("the body does not serialize"));
        self.header("Content-Type", "application/json")
    }

    /// How long it may take with all redirects, where that is less than the host allows.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.head.timeout_ms = Some(whole_millis(timeout));
        self
    }

    /// Sends it, and follows redirects, each of which is checked like the request. An answer with a status
    /// of 400 and above is no error.
    ///
    /// # Errors
    ///
    /// `network-not-granted`, `address-refused`, `too-many-redirects`, `too-many-at-once`,
    /// `rate-limited`, `size-limit`, `time-limit`, `bad-request`, `request-failed`; `unsupported-here` from
    /// a host that was built without web requests.
    pub fn send(self) -> Asked<Response> {
        let Request { host, head, body } = self;
        Asked::cancellable(host, move |host, ticket| {
            let (head, body) = host.send_request(ticket, Json(head), &body?)?;
            let head = head.0;
            Ok(Response {
                status: head.status,
                headers: head.headers,
                body,
                url: head.url,
            })
        })
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The status, such as 200.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent: what is compressed stays so.
    pub body: Bytes,
    /// The URL that answered, which is another one after redirects.
    pub url: String,
}

impl Response {
    /// Whether the status is from 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, whatever the case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter();
        let found = found.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    ///
    /// # Errors
    ///
    /// Of the kind [`Malformed`](ErrorKind::Malformed) if it is not UTF-8.
    pub fn text(&self) -> Result<String> {
        as_text(&self.body).map_err(|error| error.context(format!("the answer of {}", self.url)))
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    ///
    /// Of the kind [`Malformed`](ErrorKind::Malformed) if it does not read.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the answer of {} does not read: {error}", self.url);
            PluginError::of(ErrorKind::Malformed, message)
        })
    }
}

/// A duration as it crosses; a part of a millisecond counts as a whole one, since zero is no time.
pub(super) fn whole_millis(duration: Duration) -> u64 {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    u64::try_from(millis).unwrap_or(u64::MAX)
}

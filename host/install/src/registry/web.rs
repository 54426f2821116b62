//! Asking a web server: small files whole, archives piece by piece.
//!
//! Everything is bounded: bytes, redirects, the time until something comes, and the time for all of it. A
//! download that is cut goes on where it was, if the server can do that, and else begins anew. What comes is not
//! believed here; whoever asked compares hashes.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{Request, Response, StatusCode, header};
use ureq::{Agent, Body};

use crate::error::{InstallError, InstallErrorKind, Result};
use crate::limits::MAX_INDEX_BYTES;

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// What is downloaded, such as `weather 1.2.0`.
    pub what: &'a str,
    /// How many bytes are there.
    pub done: u64,
    /// Of how many.
    pub total: u64,
}

/// Whom progress is told to; nobody by default.
#[derive(Clone, Default)]
pub(crate) struct Tell(Option<Arc<Told>>);

type Told = dyn Fn(Progress<'_>) + Send + Sync;

impl Tell {
    pub(crate) fn to(told: impl Fn(Progress<'_>) + Send + Sync + 'static) -> Self {
        Tell(Some(Arc::new(told)))
    }

    fn tell(&self, progress: Progress<'_>) {
        if let Some(told) = &self.0 {
            told(progress);
        }
    }
}

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tell").field(&self.0.is_some()).finish()
    }
}

/// How long a server may take, and how often a download goes on that was cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until there is a connection.
    pub(super) connect: Duration,
    /// Until the next piece comes.
    pub(super) piece: Duration,
    /// For an answer that is read whole, and what a download has besides the time for its bytes.
    pub(super) whole: Duration,
    /// What a download has for each MiB; 32 KiB in a second are a slow modem.
    pub(super) mebibyte: Duration,
    /// How often a download goes on.
    pub(super) retries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            connect: Duration::from_secs(15),
            piece: Duration::from_secs(30),
            whole: Duration::from_secs(60),
            mebibyte: Duration::from_secs(32),
            retries: 3,
        }
    }
}

/// As many redirects as archives of forges have, and some more.
const MAX_REDIRECTS: u32 = 5;

/// A client of web servers.
#[derive(Debug)]
pub(super) struct Web {
    agent: Agent,
    patience: Patience,
}

/// What a server has at a URL.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    New {
        text: String,
        etag: Option<String>,
    },
    /// What is known already.
    Same,
    Missing,
}

/// Why a download did not come to its end.
enum Fault {
    /// It can go on.
    Cut(InstallError),
    Fatal(InstallError),
}

impl Web {
    /// With `secure`, nothing is asked without TLS, wherever a redirect leads to.
    pub(super) fn new(secure: bool, patience: Patience) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(secure)
            .max_redirects(MAX_REDIRECTS)
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_send_request(Some(patience.piece))
            .timeout_recv_response(Some(patience.piece))
            .timeout_per_read(Some(patience.piece))
            .user_agent(concat!("keyway/", env!("CARGO_PKG_VERSION")))
            .build();
        Web {
            agent: config.into(),
            patience,
        }
    }

    /// A text, unless it is the one that has this tag.
    pub(super) fn text(&self, url: &str, known: Option<&str>) -> Result<Answer> {
        let mut request = Request::get(url);
        if let Some(etag) = known {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let mut response = self.send(url, request, self.patience.whole)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if known.is_some() => return Ok(Answer::Same),
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(Answer::Missing),
            status => return Err(status_error(url, status)),
        }
        let etag = response.headers().get(header::ETAG);
        let etag = etag.and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let mut bytes = Vec::new();
        let body = response.body_mut().with_config().limit(u64::MAX).reader();
        body.take(MAX_INDEX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| failed(url, error.into()))?;
        if bytes.len() as u64 > MAX_INDEX_BYTES {
            let message = format!("{url} is too large: expected at most {MAX_INDEX_BYTES} bytes");
            return Err(InstallError::unfit("index", message));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| InstallError::unfit("index", format!("{url} is not UTF-8")))?;
        Ok(Answer::New { text, etag })
    }

    /// Downloads into a file, of which the start may be there already. Answers whether it was, so that what has
    /// come can be of two different files.
    pub(super) fn download(
        &self,
        url: &str,
        file: &mut File,
        what: &str,
        size: u64,
        tell: &Tell,
    ) -> Result<bool> {
        let mut was_joined = false;
        let mut retries = 0;
        loop {
            match self.attempt(url, file, what, size, tell, &mut was_joined) {
                Ok(()) => return Ok(was_joined),
                Err(Fault::Cut(_)) if retries < self.patience.retries => retries += 1,
                Err(Fault::Cut(error) | Fault::Fatal(error)) => return Err(error),
            }
        }
    }

    fn attempt(
        &self,
        url: &str,
        file: &mut File,
        what: &str,
        size: u64,
        tell: &Tell,
        was_joined: &mut bool,
    ) -> Result<(), Fault> {
        let own = |error| {
            Fault::Fatal(InstallError::system(
                &format!("write what {url} sends"),
                error,
            ))
        };
        let mut done = file.seek(SeekFrom::End(0)).map_err(own)?;
        if done > size {
            done = 0;
            restart(file).map_err(own)?;
        }
        if done == size && size > 0 {
            // Complete, and never compared with its hash: the process died in between.
            *was_joined = true;
            return Ok(());
        }
        let mut request = Request::get(url);
        if done > 0 {
            request = request.header(header::RANGE, format!("bytes={done}-"));
        }
        let mebibytes = u32::try_from(size >> 20).unwrap_or(u32::MAX);
        let time = self.patience.whole + self.patience.mebibyte.saturating_mul(mebibytes);
        let mut response = self.send(url, request, time).map_err(Fault::Fatal)?;
        let expected = match response.status() {
            StatusCode::PARTIAL_CONTENT if done > 0 && goes_on(&response, done) => {
                *was_joined = true;
                size - done
            }
            StatusCode::OK => {
                (done, *was_joined) = (0, false);
                restart(file).map_err(own)?;
                size
            }
            // The server has another idea of what is there; the next attempt asks for all of it.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                restart(file).map_err(own)?;
                let message = format!("{url} does not go on where it was cut");
                return Err(Fault::Cut(InstallError::new(
                    InstallErrorKind::System,
                    "network",
                    message,
                )));
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                let message = format!("{url} is not there, although the index names it");
                return Err(Fault::Fatal(InstallError::not_found(
                    "archive-missing",
                    message,
                )));
            }
            status => return Err(Fault::Fatal(status_error(url, status))),
        };
        let wrong = |found: String| {
            let message = format!("{url} has the wrong size: expected {size} bytes, found {found}");
            Fault::Fatal(
                InstallError::unfit("size-mismatch", message)
                    .hint("tell whoever keeps the registry"),
            )
        };
        let length = response.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if let Some(found) = length.filter(|found| *found != expected) {
            return Err(wrong((done + found).to_string()));
        }
        let mut body = response.body_mut().with_config().limit(u64::MAX).reader();
        let mut piece = vec![0; 64 << 10];
        loop {
            tell.tell(Progress {
                what,
                done,
                total: size,
            });
            let len = match body.read(&mut piece) {
                Ok(0) if done == size => return Ok(()),
                Ok(0) => {
                    let message = format!("{url} was cut after {done} of {size} bytes");
                    return Err(Fault::Cut(network(message)));
                }
                Ok(len) => len,
                Err(error) => return Err(Fault::Cut(failed(url, error.into()).hint(AGAIN))),
            };
            if done + len as u64 > size {
                restart(file).map_err(own)?;
                return Err(wrong("more".to_owned()));
            }
            file.write_all(&piece[..len]).map_err(own)?;
            done += len as u64;
        }
    }

    fn send(
        &self,
        url: &str,
        request: ureq::http::request::Builder,
        body_time: Duration,
    ) -> Result<Response<Body>> {
        let request = request.body(()).map_err(|error| {
            InstallError::usage("registry", format!("{url} is no URL")).source(error)
        })?;
        let request = self
            .agent
            .configure_request(request)
            .timeout_recv_body(Some(body_time))
            .build();
        self.agent.run(request).map_err(|error| failed(url, error))
    }
}

fn restart(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()
}

/// Whether an answer to a request for a range begins where it has to.
fn goes_on(response: &Response<Body>, from: u64) -> bool {
    let range = response.headers().get(header::CONTENT_RANGE);
    let range = range.and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {from}-")))
}

const AGAIN: &str = "do the same again; what has come already is kept";

fn network(message: String) -> InstallError {
    InstallError::new(InstallErrorKind::System, "network", message).hint(AGAIN)
}

fn status_error(url: &str, status: StatusCode) -> InstallError {
    let message = format!("{url} answers {status}");
    InstallError::new(InstallErrorKind::System, "network", message)
}

fn failed(url: &str, error: ureq::Error) -> InstallError {
    let error = match error {
        // The errors of a body come wrapped.
        ureq::Error::Io(error) => match error.downcast::<ureq::Error>() {
            Ok(inner) => inner,
            Err(error) => ureq::Error::Io(error),
        },
        error => error,
    };
    let message = match &error {
        ureq::Error::RequireHttpsOnly(to) => format!(
            "{url} leads on to {to}: a registry that is asked with TLS is not asked without"
        ),
        ureq::Error::TooManyRedirects => format!("{url} leads on more than {MAX_REDIRECTS} times"),
        ureq::Error::Timeout(_) => format!("{url} takes too long"),
        ureq::Error::HostNotFound => format!("{url}: there is no such host"),
        error => format!("{url} cannot be got: {error}"),
    };
    let made = InstallError::new(InstallErrorKind::System, "network", message);
    made.source(error)
}

#[cfg(test)]
mod tests;

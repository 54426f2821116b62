//! From a destination to the addresses that a connection may be made to.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use keyway::{ErrorKind, Result};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::super::cancel::{Cancel, cancelled as cancelled_error};
use super::super::{codes, refusal};
use super::Resolve;
use crate::permission::{Destination, Grant};

/// As many addresses are tried as the client takes.
const MOST_ADDRESSES: usize = 16;

/// As the system resolves it.
pub(super) fn by_system(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

/// The addresses of a destination that the grant allows; at least one.
pub(super) fn addresses(
    grant: &Grant,
    to: &Destination,
    resolve: &Arc<Resolve>,
    deadline: Instant,
    timeout: Duration,
    cancel: &Cancel,
) -> Result<Vec<SocketAddr>> {
    let found = match literal(&to.host()) {
        Some(address) => vec![SocketAddr::new(address, to.port())],
        None => look_up(to, resolve, deadline, timeout, cancel)?,
    };
    let mut allowed = Vec::new();
    let mut refused = Ok(());
    for address in found {
        let decision = grant.decide_address(&to.host(), address.ip(), to.port());
        match refusal::require(decision) {
            // The port is the one that was checked, whatever a resolver makes of it.
            Ok(()) => allowed.push(SocketAddr::new(address.ip(), to.port())),
            Err(error) => refused = Err(error),
        }
    }
    allowed.truncate(MOST_ADDRESSES);
    if allowed.is_empty() {
        refused?;
        let message = format!("the host {} has no address", to.host());
        return Err(refusal::error(
            ErrorKind::Failed,
            &codes::REQUEST_FAILED,
            message,
        ));
    }
    Ok(allowed)
}

fn literal(host: &str) -> Option<IpAddr> {
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

/// On a thread of its own, since resolvers know no deadlines. One that never answers keeps that thread.
fn look_up(
    to: &Destination,
    resolve: &Arc<Resolve>,
    deadline: Instant,
    timeout: Duration,
    cancel: &Cancel,
) -> Result<Vec<SocketAddr>> {
    let (host, port) = (to.host(), to.port());
    let failed = |error: &io::Error| {
        let doing = format!("find the host {host}");
        refusal::io(&codes::REQUEST_FAILED, &doing, error)
    };
    // None, if it was cancelled. There is room for both.
    let (answer, answered) = mpsc::sync_channel(2);
    let cancelled = answer.clone();
    let job = {
        let (resolve, host) = (Arc::clone(resolve), host.clone());
        // Nobody waits any more, if this fails.
        move || drop(answer.send(Some(resolve(&host, port))))
    };
    let thread = std::thread::Builder::new().name("keyway-resolve".to_owned());
    thread.spawn(job).map_err(|error| failed(&error))?;
    let left = deadline.saturating_duration_since(Instant::now());
    let stop = move || drop(cancelled.try_send(None));
    match cancel.during(stop, || answered.recv_timeout(left)) {
        Ok(Some(found)) => found.map_err(|error| failed(&error)),
        Ok(None) => Err(cancelled_error()),
        Err(RecvTimeoutError::Timeout) => Err(too_long(to, timeout)),
        Err(RecvTimeoutError::Disconnected) => {
            Err(failed(&io::Error::other("the resolver panicked")))
        }
    }
}

pub(super) fn too_long(to: &Destination, timeout: Duration) -> keyway::PluginError {
    refusal::error(
        ErrorKind::DeadlineExceeded,
        &codes::TIME_LIMIT,
        format!(
            "the request to {} took longer than {timeout:?}",
            to.pattern()
        ),
    )
}

/// Answers what was resolved and checked before, whatever it is asked.
#[derive(Debug)]
pub(super) struct Checked(pub(super) Vec<SocketAddr>);

impl Resolver for Checked {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        for address in self.0.iter().take(MOST_ADDRESSES) {
            addresses.push(*address);
        }
        Ok(addresses)
    }
}

//! Patterns of network peers in normal form, and what they are compared with.

use std::fmt;
use std::net::IpAddr;

use keyway_manifest::document::Fault;
#[cfg(feature = "http")]
pub(crate) use keyway_manifest::document::peer::default_port;
use keyway_manifest::document::peer::{
    Host, HostPattern, PathPattern, PeerText, PortText, is_plain, parse_scheme,
};

use super::reach::Covers;

/// A pattern of network peers: perhaps a scheme, then a host, a port, and perhaps a path.
///
/// It prints as people write it, always with its port: `api.example.com:443`, `*.example.org:*`,
/// `https://api.example.com:443/v1/*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    host: HostPattern,
    port: Option<u16>,
    scheme: Option<String>,
    path: PathPattern,
}

/// Where a request goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    scheme: String,
    host: Host,
    port: u16,
    path: String,
}

/// What a bare host means: the ports of the web.
const WEB_PORTS: [u16; 2] = [80, 443];

impl Peer {
    /// The patterns that a text of the manifest stands for: two for a host without a port, else one.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, as the rest of a sentence that begins with it.
    pub(crate) fn parse(text: &str) -> Result<Vec<Self>, Fault> {
        let PeerText {
            scheme,
            host,
            port,
            path,
        } = PeerText::parse(text)?;
        let ports = match port {
            PortText::Web => WEB_PORTS.map(Some).to_vec(),
            PortText::Any => vec![None],
            PortText::Exactly(port) => vec![Some(port)],
        };
        let peer = |port| Peer {
            host: host.clone(),
            port,
            scheme: scheme.clone(),
            path: path.clone(),
        };
        Ok(ports.into_iter().map(peer).collect())
    }

    pub(crate) fn matches(&self, destination: &Destination) -> bool {
        let scheme = &self.scheme;
        scheme
            .as_ref()
            .is_none_or(|scheme| *scheme == destination.scheme)
            && is_host(&self.host, &destination.host)
            && self.has_port(destination.port)
            && is_path(&self.path, &destination.path)
    }

    /// Whether it names this very address, or by `localhost` one of the machine's own.
    pub(crate) fn names_address(&self, address: IpAddr, port: u16) -> bool {
        let named = match &self.host {
            HostPattern::Exactly(Host::Address(own)) => *own == address,
            HostPattern::Exactly(Host::Name(name)) => name == "localhost" && address.is_loopback(),
            HostPattern::Under(_) => false,
        };
        named && self.has_port(port)
    }

    fn has_port(&self, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
    }
}

impl Covers for Peer {
    fn covers(&self, other: &Self) -> bool {
        let scheme = self.scheme.is_none() || self.scheme == other.scheme;
        let port = self.port.is_none() || self.port == other.port;
        scheme && port && self.host.covers(&other.host) && self.path.covers(&other.path)
    }
}

fn is_host(pattern: &HostPattern, host: &Host) -> bool {
    match (pattern, host) {
        (HostPattern::Exactly(own), _) => own == host,
        (HostPattern::Under(own), Host::Name(name)) => is_under(name, own),
        (HostPattern::Under(_), Host::Address(_)) => false,
    }
}

impl Covers for HostPattern {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, HostPattern::Exactly(host)) => is_host(self, host),
            (HostPattern::Under(own), HostPattern::Under(name)) => {
                own == name || is_under(name, own)
            }
            (HostPattern::Exactly(_), HostPattern::Under(_)) => false,
        }
    }
}

fn is_under(name: &str, parent: &str) -> bool {
    let labels = name.strip_suffix(parent);
    labels.is_some_and(|labels| labels.ends_with('.') && labels.len() > 1)
}

fn is_path(pattern: &PathPattern, path: &str) -> bool {
    match pattern {
        PathPattern::Any => true,
        PathPattern::Exactly(own) => own == path,
        // A server may take an odd spelling for another path than the one that was compared.
        PathPattern::Below(own) => path.starts_with(own) && is_plain(path),
    }
}

impl Covers for PathPattern {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (PathPattern::Any, _) => true,
            (PathPattern::Below(own), PathPattern::Below(path) | PathPattern::Exactly(path)) => {
                path.starts_with(own)
            }
            _ => self == other,
        }
    }
}

impl Destination {
    /// Where a request with these parts of a URL goes to: `host` is a name or an address, an IPv6
    /// address in brackets; `path` begins with `/` and has no query.
    ///
    /// # Errors
    ///
    /// What is wrong with a part, as the rest of a sentence that begins with it.
    pub fn new(scheme: &str, host: &str, port: u16, path: &str) -> Result<Self, &'static str> {
        if port == 0 {
            return Err("has port 0");
        }
        Ok(Destination {
            scheme: parse_scheme(scheme).map_err(|fault| fault.what)?,
            host: Host::parse(host).map_err(|fault| fault.what)?,
            port,
            path: if path.is_empty() { "/" } else { path }.to_owned(),
        })
    }

    /// The scheme, in lower case.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host as it prints: in lower case, an IPv6 address in brackets.
    pub fn host(&self) -> String {
        self.host.to_string()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The pattern of this host and port, as one would write it into a manifest.
    pub fn pattern(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = &self.scheme {
            write!(f, "{scheme}://")?;
        }
        match &self.host {
            HostPattern::Exactly(host) => host.fmt(f)?,
            HostPattern::Under(name) => write!(f, "*.{name}")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}")?,
            None => f.write_str(":*")?,
        }
        match &self.path {
            PathPattern::Any => Ok(()),
            PathPattern::Exactly(path) => f.write_str(path),
            PathPattern::Below(path) => write!(f, "{path}*"),
        }
    }
}

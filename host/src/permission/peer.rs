//! Patterns of network peers in normal form, and what they are compared with.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum HostPattern {
    Exactly(Host),
    /// One or more labels in front of this name, which itself is not meant.
    Under(String),
}

/// A host as it is asked for: a name in lower case, or an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum PathPattern {
    Any,
    Exactly(String),
    Below(String),
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

/// By the registries of the IANA.
const DEFAULT_PORTS: [(&str, u16); 6] = [
    ("ftp", 21),
    ("http", 80),
    ("https", 443),
    ("ssh", 22),
    ("ws", 80),
    ("wss", 443),
];

/// The port of a scheme, where it has one.
pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    let found = DEFAULT_PORTS.iter().find(|(name, _)| *name == scheme);
    found.map(|(_, port)| *port)
}

impl Peer {
    /// The patterns that a text of the manifest stands for: two for a host without a port, else one.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, as the rest of a sentence that begins with it.
    pub(crate) fn parse(text: &str) -> Result<Vec<Self>, &'static str> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(parse_scheme(scheme)?), rest),
            None => (None, text),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if scheme.is_none() && !path.is_empty() {
            return Err("has a path and no scheme");
        }
        let path = PathPattern::parse(path)?;
        if authority.contains('@') {
            return Err("contains a user name");
        }
        let (host, port) = split_port(authority)?;
        let host = HostPattern::parse(host)?;
        let ports = match (port, &scheme) {
            (Some("*"), _) => vec![None],
            (Some(port), _) => vec![Some(parse_port(port)?)],
            (None, None) => WEB_PORTS.map(Some).to_vec(),
            (None, Some(scheme)) => {
                let port = default_port(scheme);
                vec![Some(
                    port.ok_or("has no port, and its scheme has no default one")?,
                )]
            }
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
            && self.host.matches(&destination.host)
            && self.has_port(destination.port)
            && self.path.matches(&destination.path)
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

impl HostPattern {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Err("allows every host; that is written `network = true`");
        }
        match text.strip_prefix("*.") {
            None => Host::parse(text).map(HostPattern::Exactly),
            Some(rest) => match Host::parse(rest)? {
                Host::Name(name) => Ok(HostPattern::Under(name)),
                Host::Address(_) => Err("has a `*` before an address"),
            },
        }
    }

    fn matches(&self, host: &Host) -> bool {
        match (self, host) {
            (HostPattern::Exactly(own), _) => own == host,
            (HostPattern::Under(own), Host::Name(name)) => is_under(name, own),
            (HostPattern::Under(_), Host::Address(_)) => false,
        }
    }
}

impl Covers for HostPattern {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, HostPattern::Exactly(host)) => self.matches(host),
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

impl Host {
    /// A name or an address; an IPv6 address in brackets.
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("has no host");
        }
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']').unwrap_or_default();
            let address: Ipv6Addr = address
                .parse()
                .map_err(|_| "has a malformed IPv6 address")?;
            // An IPv4 address has one form, whichever way it is written.
            return Ok(Host::Address(match address.to_ipv4_mapped() {
                Some(address) => IpAddr::V4(address),
                None => IpAddr::V6(address),
            }));
        }
        // The dot at the end of an absolute name says nothing that a pattern needs.
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let labels = || name.split('.');
        if name.len() > 253 || !labels().all(is_label) {
            return Err("has a malformed host");
        }
        // What ends in a number is an address to a resolver: 127.1 and 0x7f.1 too, in forms that
        // nobody compares by eye.
        if labels().next_back().is_some_and(is_number) {
            let address = name.parse::<Ipv4Addr>();
            return address
                .map(|address| Host::Address(address.into()))
                .map_err(|_| "has an IPv4 address that is not four decimal numbers");
        }
        Ok(Host::Name(name))
    }
}

fn is_label(label: &str) -> bool {
    let of_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=63).contains(&label.len())
        && label.bytes().all(of_label)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x");
    label.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl PathPattern {
    /// The empty path and `/` are the same place, and a grant for it is one for the whole host.
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains(['?', '#']) {
            return Err("has a query or a fragment; a pattern ends with the path");
        }
        let (path, open) = match text.strip_suffix('*') {
            Some(path) => (path, true),
            None => (text, false),
        };
        if path.contains('*') {
            return Err("has a `*` that is not at the end of its path");
        }
        if path.is_empty() || path == "/" {
            return Ok(PathPattern::Any);
        }
        if !is_plain(path) {
            return Err("has a path with dot segments, spaces, or encoded dots or slashes");
        }
        Ok(if open {
            PathPattern::Below(path.to_owned())
        } else {
            PathPattern::Exactly(path.to_owned())
        })
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            PathPattern::Any => true,
            PathPattern::Exactly(own) => own == path,
            // A server may take an odd spelling for another path than the one that was compared.
            PathPattern::Below(own) => path.starts_with(own) && is_plain(path),
        }
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

/// Whether every server understands the path as it is spelled: no dot segments, also none with
/// parameters, nothing encoded that could become a dot segment, and nothing that ends the path.
fn is_plain(path: &str) -> bool {
    let mut decoded = path.to_ascii_lowercase();
    while decoded.contains("%25") {
        decoded = decoded.replace("%25", "%");
    }
    let is_dots = |segment: &str| {
        let name = segment.split(';').next().unwrap_or_default();
        name == "." || name == ".."
    };
    let odd = |c: char| !c.is_ascii_graphic() || matches!(c, '\\' | '?' | '#');
    !path.contains(odd)
        && !["%2e", "%2f", "%5c", "%00"]
            .iter()
            .any(|code| decoded.contains(code))
        && !path.split('/').any(is_dots)
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
            scheme: parse_scheme(scheme)?,
            host: Host::parse(host)?,
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

fn parse_scheme(text: &str) -> Result<String, &'static str> {
    let of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(of_scheme) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("has a malformed URL scheme")
    }
}

/// Splits `host:port`, where an IPv6 host is in brackets.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), &'static str> {
    // A colon inside of the brackets is the address's own.
    let after_host = authority.find(']').map_or(0, |end| end + 1);
    match authority[after_host..].split_once(':') {
        None => Ok((authority, None)),
        Some((_, port)) if port.contains(':') => Err("has an IPv6 address without brackets"),
        Some((rest, port)) => Ok((&authority[..after_host + rest.len()], Some(port))),
    }
}

fn parse_port(text: &str) -> Result<u16, &'static str> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port > 0);
    port.ok_or("has a malformed port")
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(address)) => address.fmt(f),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
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

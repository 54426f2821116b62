//! How network peers are written: `host`, `host:port`, or a URL.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Fault;

/// A pattern of network peers, taken apart and in normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerText {
    /// The scheme in lower case, where there is one.
    pub scheme: Option<String>,
    /// The host.
    pub host: HostPattern,
    /// The port as it is written, or that of the scheme.
    pub port: PortText,
    /// The path.
    pub path: PathPattern,
}

/// Which hosts a pattern means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// This one.
    Exactly(Host),
    /// One or more labels in front of this name, which itself is not meant.
    Under(String),
}

/// A host: a name in lower case, or an address. An IPv6 address prints in brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Which ports a pattern means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortText {
    /// Those of the web: there is neither a port nor a scheme.
    Web,
    /// All.
    Any,
    /// This one.
    Exactly(u16),
}

/// Which paths of a host a pattern means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathPattern {
    /// All.
    Any,
    /// This one.
    Exactly(String),
    /// All that begin with this text.
    Below(String),
}

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
#[must_use]
pub fn default_port(scheme: &str) -> Option<u16> {
    let found = DEFAULT_PORTS.iter().find(|(name, _)| *name == scheme);
    found.map(|(_, port)| *port)
}

impl PeerText {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(parse_scheme(scheme)?), rest),
            None => (None, text),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if scheme.is_none() && !path.is_empty() {
            return Err(Fault::with(
                "has a path and no scheme",
                "write it as a URL, such as \"https://api.example.com/v1/*\"",
            ));
        }
        let path = PathPattern::parse(path)?;
        if authority.contains('@') {
            return Err(Fault::new("contains a user name"));
        }
        let (host, port) = split_port(authority)?;
        let host = HostPattern::parse(host)?;
        let port = match (port, &scheme) {
            (Some("*"), _) => PortText::Any,
            (Some(port), _) => PortText::Exactly(parse_port(port)?),
            (None, None) => PortText::Web,
            (None, Some(scheme)) => {
                let port = default_port(scheme);
                PortText::Exactly(port.ok_or(Fault::with(
                    "has no port, and its scheme has no default one",
                    "write the port after the host",
                ))?)
            }
        };
        Ok(PeerText {
            scheme,
            host,
            port,
            path,
        })
    }
}

impl HostPattern {
    fn parse(text: &str) -> Result<Self, Fault> {
        if text == "*" {
            return Err(Fault::with(
                "allows every host",
                "write `network = true`, so that it is plain to see",
            ));
        }
        match text.strip_prefix("*.") {
            None => Host::parse(text).map(HostPattern::Exactly),
            Some(rest) => match Host::parse(rest)? {
                Host::Name(name) => Ok(HostPattern::Under(name)),
                Host::Address(_) => Err(Fault::new("has a `*` before an address")),
            },
        }
    }
}

impl Host {
    /// Reads a name or an address; an IPv6 address in brackets.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Err(Fault::new("has no host"));
        }
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']').unwrap_or_default();
            let address: Ipv6Addr = address
                .parse()
                .map_err(|_| Fault::new("has a malformed IPv6 address"))?;
            // An IPv4 address has one form, whichever way it is written.
            return Ok(Host::Address(match address.to_ipv4_mapped() {
                Some(address) => IpAddr::V4(address),
                None => IpAddr::V6(address),
            }));
        }
        if !text.is_ascii() {
            return Err(Fault::with(
                "has a host that is not ASCII",
                "write the host in its xn-- form",
            ));
        }
        if text.contains('*') {
            return Err(Fault::new(
                "has a `*` that is not the first part of the host",
            ));
        }
        // The dot at the end of an absolute name says nothing that a pattern needs.
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let labels = || name.split('.');
        if name.len() > 253 || !labels().all(is_label) {
            return Err(Fault::new("has a malformed host"));
        }
        // What ends in a number is an address to a resolver: 127.1 and 0x7f.1 too, in forms that
        // nobody compares by eye.
        if labels().next_back().is_some_and(is_number) {
            let address = name.parse::<Ipv4Addr>();
            return address
                .map(|address| Host::Address(address.into()))
                .map_err(|_| Fault::new("has an IPv4 address that is not four decimal numbers"));
        }
        Ok(Host::Name(name))
    }
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
    fn parse(text: &str) -> Result<Self, Fault> {
        if text.contains(['?', '#']) {
            return Err(Fault::with(
                "has a query or a fragment",
                "a pattern ends with the path",
            ));
        }
        let (path, open) = match text.strip_suffix('*') {
            Some(path) => (path, true),
            None => (text, false),
        };
        if path.contains('*') {
            return Err(Fault::new("has a `*` that is not at the end of its path"));
        }
        if path.is_empty() || path == "/" {
            return Ok(PathPattern::Any);
        }
        if !is_plain(path) {
            return Err(Fault::new(
                "has a path with dot segments, spaces, or encoded dots or slashes",
            ));
        }
        Ok(if open {
            PathPattern::Below(path.to_owned())
        } else {
            PathPattern::Exactly(path.to_owned())
        })
    }
}

/// Whether every server understands a path of a URL as it is spelled: no dot segments, also none with
/// parameters, nothing encoded that could become a dot segment, and nothing that ends the path.
#[must_use]
pub fn is_plain(path: &str) -> bool {
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

/// Reads the scheme of a URL; answers it in lower case.
///
/// # Errors
///
/// What is wrong with the text.
pub fn parse_scheme(text: &str) -> Result<String, Fault> {
    let of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(of_scheme) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Fault::new("has a malformed URL scheme"))
    }
}

/// Splits `host:port`, where an IPv6 host is in brackets.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), Fault> {
    if authority.starts_with('[') {
        let end = authority
            .find(']')
            .ok_or(Fault::new("has no `]` after its IPv6 address"))?;
        let (host, rest) = authority.split_at(end + 1);
        return match rest.strip_prefix(':') {
            None if rest.is_empty() => Ok((host, None)),
            None => Err(Fault::new("has text after its IPv6 address")),
            port => Ok((host, port)),
        };
    }
    match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            Err(Fault::new("has an IPv6 address without brackets"))
        }
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

fn parse_port(text: &str) -> Result<u16, Fault> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port > 0);
    port.ok_or(Fault::new("has a malformed port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_ports_and_urls_are_patterns() {
        for pattern in [
            "localhost",
            "api.example.com",
            "api.example.com:443",
            "*.example.com:*",
            "127.0.0.1:8080",
            "[::1]",
            "[2001:db8::1]:53",
            "https://api.example.com",
            "https://api.example.com:8443/v1/*",
            "redis://cache.example.com:6379",
            "wss://*.example.com/socket",
            "my_container:80",
        ] {
            assert!(PeerText::parse(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for (pattern, fault) in [
            ("*", "allows every host"),
            ("*:443", "allows every host"),
            ("https://*", "allows every host"),
            (":443", "has no host"),
            ("https://", "has no host"),
            ("example.com:", "has a malformed port"),
            ("example.com:0", "has a malformed port"),
            ("example.com:65536", "has a malformed port"),
            ("example.com:+80", "has a malformed port"),
            ("a..b", "has a malformed host"),
            ("-a.com", "has a malformed host"),
            ("exa mple.com", "has a malformed host"),
            (
                "127.1",
                "has an IPv4 address that is not four decimal numbers",
            ),
            ("*.10.0.0.1", "has a `*` before an address"),
            ("example.com/path", "has a path and no scheme"),
            (
                "api.*.com",
                "has a `*` that is not the first part of the host",
            ),
            (
                "*.*.com",
                "has a `*` that is not the first part of the host",
            ),
            ("bücher.example", "has a host that is not ASCII"),
            ("::1", "has an IPv6 address without brackets"),
            ("[::1", "has no `]` after its IPv6 address"),
            ("[::1]443", "has text after its IPv6 address"),
            ("[::g]", "has a malformed IPv6 address"),
            ("1http://a", "has a malformed URL scheme"),
            ("://a", "has a malformed URL scheme"),
            (
                "redis://a",
                "has no port, and its scheme has no default one",
            ),
            ("https://user:secret@a", "contains a user name"),
            (
                "https://a/b c",
                "has a path with dot segments, spaces, or encoded dots or slashes",
            ),
            ("https://a/v1?q=a", "has a query or a fragment"),
            (
                "https://a/*/b",
                "has a `*` that is not at the end of its path",
            ),
        ] {
            let found = PeerText::parse(pattern).expect_err(pattern);
            assert_eq!(found.what, fault, "{pattern}");
        }
    }
}

//! Patterns of network peers: `host`, `host:port`, or a URL.

use super::field::Field;
use super::text;
use crate::diagnostic::report::Report;

/// Checks one pattern.
pub(super) fn pattern(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let pattern = text::line(field, report)?;
    let Err(fault) = parse(&pattern) else {
        return Some(pattern);
    };
    let hint = match fault {
        "allows every host" => Some("write `network = true`, so that it is plain to see"),
        "has a host that is not ASCII" => Some("write the host in its xn-- form"),
        _ => None,
    };
    report.push(
        field
            .problem(fault)
            .expected("a host, host:port or URL, such as \"api.example.com:443\"")
            .found(field.found(report))
            .maybe_hint(hint.map(str::to_owned)),
    );
    None
}

/// Says what is wrong with a pattern, if anything is.
fn parse(pattern: &str) -> Result<(), &'static str> {
    let authority = match pattern.split_once("://") {
        Some((scheme, rest)) => {
            let is_scheme = text::is_identifier(scheme, b"+-.") && !scheme.starts_with('_');
            if !is_scheme {
                return Err("has a malformed URL scheme");
            }
            if rest.contains(char::is_whitespace) {
                return Err("contains a space");
            }
            rest.find(['/', '?', '#']).map_or(rest, |end| &rest[..end])
        }
        None => pattern,
    };
    if authority.contains('@') {
        return Err("contains a user name");
    }
    let (host, port) = split_port(authority)?;
    check_host(host)?;
    match port {
        Some(port) => check_port(port),
        None => Ok(()),
    }
}

/// Splits `host:port`, where an IPv6 host is in brackets.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), &'static str> {
    if authority.starts_with('[') {
        let end = authority
            .find(']')
            .ok_or("has no `]` after its IPv6 address")?;
        let (host, rest) = authority.split_at(end + 1);
        return match rest.strip_prefix(':') {
            None if rest.is_empty() => Ok((host, None)),
            None => Err("has text after its IPv6 address"),
            port => Ok((host, port)),
        };
    }
    match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => Err("has an IPv6 address without brackets"),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

fn check_host(host: &str) -> Result<(), &'static str> {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let is_address = address.parse::<std::net::Ipv6Addr>().is_ok();
        return if is_address {
            Ok(())
        } else {
            Err("has a malformed IPv6 address")
        };
    }
    if host.is_empty() {
        return Err("has no host");
    }
    if host == "*" {
        return Err("allows every host");
    }
    if !host.is_ascii() {
        return Err("has a host that is not ASCII");
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels = host.strip_prefix("*.").unwrap_or(host);
    if labels.contains('*') {
        return Err("has a `*` that is not the first part of the host");
    }
    if labels.len() <= 253 && labels.split('.').all(is_label) {
        Ok(())
    } else {
        Err("has a malformed host")
    }
}

fn check_port(port: &str) -> Result<(), &'static str> {
    let is_port = port == "*"
        || port.bytes().all(|b| b.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|number| number > 0);
    if is_port {
        Ok(())
    } else {
        Err("has a malformed port")
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

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
            "https://api.example.com:8443/v1/*?q=a",
            "wss://*.example.com/socket",
            "my_container:80",
        ] {
            assert_eq!(parse(pattern), Ok(()), "{pattern}");
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
            ("example.com/path", "has a malformed host"),
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
            ("https://user:secret@a", "contains a user name"),
            ("https://a/b c", "contains a space"),
        ] {
            assert_eq!(parse(pattern), Err(fault), "{pattern}");
        }
    }
}

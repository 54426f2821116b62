//! What a redirect makes of a request.

use super::url;

/// The headers that go along to another origin: they say what is wanted, and not who wants it.
const HARMLESS: [&str; 5] = [
    "accept",
    "accept-language",
    "content-type",
    "range",
    "user-agent",
];

/// The headers that are about a body.
const OF_BODY: [&str; 4] = [
    "content-encoding",
    "content-language",
    "content-location",
    "content-type",
];

/// Whether a status leads on, if the answer says where.
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// The method after a redirect, and whether the body goes along. As browsers do it: 303 asks for another
/// page, and so do 301 and 302 after a `POST`.
pub(super) fn method(status: u16, method: &str) -> (&str, bool) {
    match (status, method) {
        (303, "HEAD") => ("HEAD", false),
        (303, _) | (301 | 302, "POST") => ("GET", false),
        _ => (method, true),
    }
}

/// The headers that go along.
pub(super) fn headers(
    headers: &[(String, String)],
    same_origin: bool,
    with_body: bool,
) -> Vec<(String, String)> {
    let among = |name: &str, list: &[&str]| list.iter().any(|own| own.eq_ignore_ascii_case(name));
    let kept = headers.iter().filter(|(name, _)| {
        (same_origin || among(name, &HARMLESS)) && (with_body || !among(name, &OF_BODY))
    });
    kept.cloned().collect()
}

/// Where it leads.
pub(super) fn target(from: &str, location: &str) -> String {
    url::join(url_without_fragment(from), location)
}

fn url_without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or_default()
}

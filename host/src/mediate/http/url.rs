//! What has to be known of URLs: what a relative one means, and what of one may be shown.

/// What a reference stands for that is found at a URL, without its fragment (RFC 3986, section 5.2).
/// `base` is an absolute URL of a scheme with hosts, without a fragment.
pub(super) fn join(base: &str, reference: &str) -> String {
    let reference = before(reference, '#');
    let (scheme, rest) = base.split_once("://").unwrap_or(("", base));
    if has_scheme(reference) {
        return reference.to_owned();
    }
    if reference.starts_with("//") {
        return format!("{scheme}:{reference}");
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path_and_query) = rest.split_at(end);
    let path = before(path_and_query, '?');
    let (path, query) = match reference.split_at(before(reference, '?').len()) {
        ("", "") => (path.to_owned(), &path_and_query[path.len()..]),
        ("", query) => (path.to_owned(), query),
        (own, query) if own.starts_with('/') => (own.to_owned(), query),
        (own, query) => {
            let dir = path.rfind('/').map_or("/", |slash| &path[..=slash]);
            (format!("{dir}{own}"), query)
        }
    };
    format!("{scheme}://{authority}{}{query}", without_dots(&path))
}

fn before(text: &str, end: char) -> &str {
    text.split(end).next().unwrap_or_default()
}

fn has_scheme(reference: &str) -> bool {
    let of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(of_scheme)
    })
}

/// RFC 3986, section 5.2.4, for a path that is empty or begins with a slash.
fn without_dots(path: &str) -> String {
    let Some(path) = path.strip_prefix('/') else {
        return String::new();
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            other => {
                kept.push(other);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// A URL for logs: without what is between the scheme and an `@`, without the values of its query, and
/// without its fragment.
pub(super) fn shown(url: &str) -> String {
    let url = before(url, '#');
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (url, None),
    };
    let mut shown = match address.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            // The host comes after the last one.
            match rest[..end].rfind('@') {
                Some(at) => format!("{scheme}://…{}", &rest[at..]),
                None => address.to_owned(),
            }
        }
        // It is none, and may be anything.
        None => "…".to_owned(),
    };
    if let Some(query) = query {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some((name, _)) => format!("{name}=…"),
            None => "…".to_owned(),
        });
        shown.push('?');
        shown.push_str(&parts.collect::<Vec<_>>().join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_mean_what_the_rfc_says() {
        // RFC 3986, sections 5.4.1 and 5.4.2, without fragments.
        for (reference, url) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("g;x", "http://a/b/c/g;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            (".g", "http://a/b/c/.g"),
            ("g..", "http://a/b/c/g.."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"),
        ] {
            assert_eq!(join("http://a/b/c/d;p?q", reference), url, "{reference}");
        }
        assert_eq!(join("http://a", "g"), "http://a/g");
        assert_eq!(join("http://a?q", "g"), "http://a/g");
        assert_eq!(join("http://a", "?y"), "http://a?y");
    }

    #[test]
    fn secrets_of_urls_are_not_shown() {
        for (url, expected) in [
            ("https://a.com/x", "https://a.com/x"),
            (
                "https://a.com/x?key=secret&q=1",
                "https://a.com/x?key=…&q=…",
            ),
            ("https://a.com/x?secret", "https://a.com/x?…"),
            ("https://a.com/x#secret", "https://a.com/x"),
            ("https://user:secret@a.com/x@y", "https://…@a.com/x@y"),
            ("https://user:se@cret@a.com", "https://…@a.com"),
            ("secret", "…"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}

//! Names of plugins: ids of manifests, and crates that a test can name.

use keyway_host::manifest::PluginId;

use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;

/// Words that no path in Rust starts with.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Crates that are there already, for every crate or for those of the template.
const CRATES: [&str; 9] = [
    "alloc",
    "core",
    "keyway",
    "proc-macro",
    "serde-json",
    "std",
    "test",
    "tokio",
    "tracing",
];

/// Whether a plugin can have this name.
pub(super) fn check(name: &str) -> Outcome {
    let refused = |message: String| Failure::new(exit::USAGE, "name", message);
    if let Err(invalid) = PluginId::new(name) {
        let failure = refused(format!(
            "`{name}` cannot be the name of a plugin: it {invalid}; expected 1 to 64 of a-z, 0-9 and `-`, starting \
             with a letter"
        ));
        return Err(match likely(name) {
            Some(likely) => failure.hint(format!("did you mean `{likely}`?")),
            None => failure,
        }
        .into());
    }
    if KEYWORDS.contains(&name) {
        let message = format!("`{name}` cannot be the name of a crate: it is a keyword of Rust");
        return Err(refused(message)
            .hint(format!("such as `{name}-plugin`"))
            .into());
    }
    if CRATES.contains(&name) {
        let message = format!(
            "`{name}` cannot be the name of a plugin: a crate of this name is there already"
        );
        return Err(refused(message)
            .hint(format!("such as `{name}-plugin`"))
            .into());
    }
    Ok(())
}

/// The name that somebody means who writes as in Rust.
fn likely(name: &str) -> Option<String> {
    let mut likely = String::new();
    let mut before = '-';
    for c in name.chars() {
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            likely.push('-');
        }
        match c {
            '_' | ' ' | '.' => likely.push('-'),
            c => likely.push(c.to_ascii_lowercase()),
        }
        before = c;
    }
    PluginId::new(&likely).is_ok().then_some(likely)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_another_style_is_a_hint() {
        assert_eq!(likely("AcmeGreeter").as_deref(), Some("acme-greeter"));
        assert_eq!(likely("acme_greeter").as_deref(), Some("acme-greeter"));
        assert_eq!(likely("Acme Greeter").as_deref(), Some("acme-greeter"));
        assert_eq!(likely("größe"), None);
        assert_eq!(likely("7zip"), None);
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        assert!(check("acme-greeter").is_ok());
        assert!(check("matches").is_ok());
        for name in ["match", "test", "serde-json", "keyway"] {
            assert!(check(name).is_err(), "{name}");
        }
    }
}

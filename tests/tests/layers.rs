//! The layers of the host, and what the crates that everybody depends on may depend on themselves.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keyway_tests::workspace;

/// Everything below the registry and the facade: from bytes to what owns a plugin's objects. None of it
/// knows what is above.
const LOWER: [&str; 29] = [
    "adapt",
    "boundary",
    "clock",
    "compat",
    "config",
    "deprecation",
    "discovery",
    "error",
    "finding",
    "generation",
    "inspect",
    "journal",
    "lane",
    "library",
    "log",
    "mediate",
    "permission",
    "plan",
    "policy",
    "private",
    "regular",
    "resolve",
    "settings",
    "stage",
    "statistics",
    "suggest",
    "supervise",
    "thread_name",
    "watch",
];

/// What decides from plain values, by directory or file, and what makes a decision impure.
const PURE: [&str; 10] = [
    "resolve",
    "plan",
    "config",
    "compat.rs",
    "deprecation.rs",
    "suggest.rs",
    "platform/decide.rs",
    "platform/health.rs",
    "watch/change.rs",
    "watch/set.rs",
];
const IMPURE: [&str; 9] = [
    "std::fs",
    "fs_err",
    "std::net",
    "std::process",
    "std::thread",
    "std::env::",
    "Instant::now",
    "libloading",
    "tokio",
];

/// The sources below a directory, without tests.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().and_then(|name| name.to_str());
        match name.expect("UTF-8") {
            "tests" | "tests.rs" => {}
            _ if path.is_dir() => found.extend(sources(&path)),
            name if name.ends_with(".rs") => found.push(path),
            _ => {}
        }
    }
    found
}

/// The code of a file without its tests and its comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("it can be read");
    let text = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules of the host that a file imports.
fn imports(code: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        let of_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        text.chars().take_while(of_name).collect()
    };
    let mut found = BTreeSet::new();
    for import in code.split("use crate::").skip(1) {
        let import = import.split(';').next().unwrap_or_default();
        match import.strip_prefix('{') {
            Some(list) => found.extend(list.split(',').map(|one| name(one.trim()))),
            None => drop(found.insert(name(import))),
        }
    }
    found.remove("");
    found
}

#[test]
fn the_lower_layers_know_nothing_of_those_above() {
    let root = workspace().join("host/src");
    let mut files = 0;
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).expect("below it");
        let module = inside.components().next().expect("a name").as_os_str();
        let module = module.to_str().expect("UTF-8").trim_end_matches(".rs");
        if !LOWER.contains(&module) {
            continue;
        }
        files += 1;
        for import in imports(&code(&path)) {
            // The tables of codes are listed in one place; what is written in capitals is a macro or a
            // constant of the crate.
            let is_own = import == module || LOWER.contains(&import.as_str());
            assert!(is_own, "{} uses crate::{import}", inside.display());
        }
    }
    assert!(files > 100, "only {files} files were looked at");
}

#[test]
fn what_decides_reads_no_files_and_no_clocks_and_starts_nothing() {
    let root = workspace().join("host/src");
    for pure in PURE {
        let path = root.join(pure);
        let files = match path.is_dir() {
            true => [sources(&path), vec![path.with_extension("rs")]].concat(),
            false => vec![path],
        };
        for file in files {
            let code = code(&file);
            for word in IMPURE {
                assert!(!code.contains(word), "{} has {word}", file.display());
            }
        }
    }
}

#[test]
fn what_plugins_depend_on_is_small_and_names_no_product() {
    let dependencies = |manifest: &str| -> Vec<String> {
        let path = workspace().join(manifest).join("Cargo.toml");
        let text = std::fs::read_to_string(path).expect("it can be read");
        let table = text
            .split("\n[dependencies]\n")
            .nth(1)
            .expect("it has some");
        let table = table.split("\n[").next().unwrap_or_default();
        let lines = table.lines().filter(|line| !line.starts_with('#'));
        let names = lines.filter_map(|line| line.split(['.', ' ']).next());
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        dependencies("interface"),
        [
            "abi_stable",
            "async-ffi",
            "bytes",
            "futures-core",
            "keyway-macros",
            "keyway-manifest",
            "schemars",
            "serde",
            "serde_json",
            "tokio",
            "tracing-core",
        ]
    );
    assert_eq!(
        dependencies("interface/manifest"),
        ["semver", "toml", "toml_parser"]
    );
}

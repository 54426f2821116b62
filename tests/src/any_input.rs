//! What holds for any input of the parts that read what others wrote: they answer or refuse, and never
//! panic. Each function takes bytes, as a fuzzer makes them, panics where something does not hold, and answers
//! whether the input was taken for valid.
//!
//! The fuzz targets in `tests/fuzz` include this file by path, and the test `any_input` runs it over a
//! bounded number of inputs.

use std::ffi::OsString;
use std::path::Path;

use keyway::abi::note::{self, Endian};
use keyway::event::topic_matches;
use keyway_host::config::{self, Sources, config_schema};
use keyway_host::inspect::inspect_bytes;
use keyway_host::manifest::{Manifest, ManifestError, Permissions, Trigger};
use keyway_host::permission::Reach;
use keyway_host::{Grant, HostErrorKind, PermissionDiff, Settings};

/// A function of this module, under its own name.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// All of them.
pub const TARGETS: [Target; 7] = [
    ("manifest_toml", manifest_toml),
    ("manifest_json", manifest_json),
    ("note", note),
    ("config", config),
    ("settings", settings),
    ("permission", permission),
    ("trigger", trigger),
];

/// Where relative paths begin; there is nothing.
const NOWHERE: &str = "/nowhere/at/all";

/// A `plugin.toml`.
pub fn manifest_toml(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let read = Manifest::from_toml(text, "plugin.toml");
    match &read {
        Ok(manifest) => is_its_own_canonical_form(manifest),
        Err(error) => is_told(error, text),
    }
    read.is_ok()
}

/// A `plugin.json`, and the same text as the manifest inside of a library.
pub fn manifest_json(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let embedded = Manifest::from_embedded(text);
    if let Err(error) = &embedded {
        is_told(error, text);
    }
    let read = Manifest::from_json(text, "plugin.json");
    match &read {
        Ok(manifest) => {
            let embedded = embedded.map(|(manifest, _)| manifest);
            assert_eq!(embedded.as_ref(), Ok(manifest), "it is read less strictly");
            is_its_own_canonical_form(manifest);
        }
        Err(error) => is_told(error, text),
    }
    read.is_ok()
}

fn is_its_own_canonical_form(manifest: &Manifest) {
    let json = manifest.to_json();
    let (again, unknown) = Manifest::from_embedded(&json).expect("its own JSON reads");
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(again, *manifest);
    assert_eq!(again.to_json(), json);
    let schema = config_schema(manifest);
    assert!(schema.is_object());
}

fn is_told(error: &ManifestError, text: &str) {
    assert!(!error.diagnostics().is_empty());
    assert!(!error.rendered().to_string().is_empty());
    for problem in error.diagnostics() {
        assert!(text.get(problem.span.clone()).is_some(), "{problem}");
    }
}

/// A library, and the content of its section for the note.
pub fn note(data: &[u8]) -> bool {
    let mut taken = false;
    match inspect_bytes(data) {
        Ok(facts) => {
            assert!(!format!("{facts:?}").is_empty());
            match facts.require_note() {
                Ok(note) => {
                    manifest_json(note.manifest.as_bytes());
                    taken = true;
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    for endian in [Endian::Little, Endian::Big] {
        // Every item is a note or the end, so there are not more of them than bytes.
        for raw in note::split(data, endian).take(data.len() + 1) {
            let decoded = raw.and_then(|raw| raw.decode().map(|note| note.manifest.len()));
            match decoded {
                Ok(len) => {
                    assert!(len <= data.len());
                    taken = true;
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
    taken || note::decode_desc(data).is_ok()
}

/// A value that no message may have in it.
const SECRET: &str = "a-very-secret-value-of-the-environment";

/// The tables `[plugin.config.NAME]` of a manifest; after a line of dashes, values as the host's file has
/// them; and after another one, values as an application gives them in JSON. Every variable is set,
/// and its value is a secret.
pub fn config(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let mut parts = text.split("\n---\n");
    let (schema, written) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let given = serde_json::from_str(parts.next().unwrap_or_default()).unwrap_or_default();
    let manifest = format!(
        "[plugin]\nid = \"a\"\nversion = \"1.0.0\"\nmin_host_version = \"1.0.0\"\n\
         [plugin.capabilities]\ntools = [\"a\"]\n{schema}\n"
    );
    let manifest = match Manifest::from_toml(&manifest, "plugin.toml") {
        Ok(manifest) => manifest,
        Err(error) => {
            is_told(&error, &manifest);
            return false;
        }
    };
    let env = |_: &str| Some(OsString::from(SECRET));
    let settings = format!("[plugin.a.config]\n{written}\n");
    let settings = Settings::from_toml(&settings, &file(), &env);
    let mut taken = settings.is_ok();
    let settings = settings.unwrap_or_default();
    let is_named = manifest.config.values().any(|field| field.env.is_some());
    let mut sources = Sources::new(&env).given(&given);
    if let Some(own) = settings.plugin("a") {
        sources = sources.host(own);
    }
    let said = match config::resolve(&manifest.config, &sources) {
        Ok(resolved) => {
            let shown = resolved.shown();
            assert!(shown.is_sorted_by(|one, next| one.name < next.name));
            let shown: Vec<String> = shown.iter().map(ToString::to_string).collect();
            let warnings = resolved.warnings().join("\n");
            let json = resolved.to_json_redacted();
            format!("{resolved:?}\n{}\n{warnings}\n{json}", shown.join("\n"))
        }
        Err(error) => {
            assert_eq!(error.kind(), HostErrorKind::Config);
            taken = false;
            error.to_string()
        }
    };
    // Somebody may name a variable for a setting that is no secret, or write the value down.
    if !is_named && !text.contains(SECRET) {
        assert!(!said.contains(SECRET), "{said}");
    }
    assert!(config_schema(&manifest).is_object());
    taken
}

fn file() -> std::path::PathBuf {
    Path::new(NOWHERE).join("keyway.toml")
}

/// A `keyway.toml`, in which every variable is set to a secret.
pub fn settings(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let env = |_: &str| Some(OsString::from(SECRET));
    let read = Settings::from_toml(text, &file(), &env);
    let said = match &read {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => {
            assert!(!error.findings().is_empty());
            format!("{error}\n{error:?}")
        }
    };
    if !text.contains(SECRET) {
        assert!(!said.contains(SECRET), "{said}");
    }
    read.is_ok()
}

/// Permissions, one on each line after the key that it stands under, such as `network a.com:443`. A line of
/// dashes begins those of another plugin.
pub fn permission(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let mut parts = text.splitn(2, "\n---\n");
    let grants = [parts.next(), parts.next()].map(|text| grant(text.unwrap_or_default()));
    let [Some(one), Some(other)] = grants else {
        return false;
    };
    for grant in [&one, &other] {
        let again = Grant::normalise(&as_asked(grant), Path::new("/elsewhere"));
        assert_eq!(
            again.as_ref(),
            Ok(grant),
            "normalising twice changes nothing"
        );
        assert!(grant.covers(grant) && grant.covers(&Grant::default()));
        assert!(!grant.to_string().is_empty());
    }
    let both = one.union(&other);
    assert!(both.covers(&one) && both.covers(&other));
    assert_eq!(both, other.union(&one));
    let common = one.common(&other);
    assert!(one.covers(&common) && other.covers(&common));
    assert_eq!(one.covers(&other) && other.covers(&one), one == other);
    for (old, new) in [(&one, &other), (&other, &one), (&one, &both)] {
        let diff = PermissionDiff::between(old, new);
        assert_eq!(diff.needs_approval(), !old.covers(new), "{diff}");
        assert_eq!(diff.is_empty(), old == new, "{diff}");
        assert!(
            new.covers(&diff.added) && old.covers(&diff.removed),
            "{diff}"
        );
        assert!(old.union(&diff.added).covers(new), "{diff}");
    }
    true
}

fn grant(text: &str) -> Option<Grant> {
    let mut lists: [Vec<String>; 5] = Default::default();
    for (key, entry) in text.lines().filter_map(|line| line.split_once(' ')) {
        let place = ["network", "read", "write", "env", "subprocess"];
        let place = place.iter().position(|one| *one == key)?;
        lists[place].push(entry.to_owned());
    }
    let [network, read, write, env, subprocess] = lists;
    let mut asked = Permissions::default();
    asked.network = network.into();
    asked.filesystem.read = read.into();
    asked.filesystem.write = write.into();
    asked.env = env;
    asked.subprocess = subprocess.into();
    match Grant::normalise(&asked, Path::new(NOWHERE)) {
        Ok(grant) => Some(grant),
        Err(finding) => {
            assert!(!finding.to_string().is_empty());
            None
        }
    }
}

/// A grant as a manifest would have it.
fn as_asked(grant: &Grant) -> Permissions {
    fn texts<T: ToString>(reach: &Reach<T>) -> Vec<String> {
        reach.entries().iter().map(T::to_string).collect()
    }
    let mut asked = Permissions::default();
    asked.network = texts(&grant.network).into();
    asked.filesystem.read = texts(&grant.read).into();
    asked.filesystem.write = texts(&grant.write).into();
    asked.env = texts(&grant.env);
    asked.subprocess = texts(&grant.subprocess).into();
    asked
}

/// On each line a trigger of `[plugin.activation]`, which is also taken for a topic and for a pattern of
/// topics.
pub fn trigger(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let mut taken = true;
    for line in text.lines() {
        match line.parse::<Trigger>() {
            Ok(trigger) => {
                assert_eq!(trigger.to_string().parse(), Ok(trigger));
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                taken = false;
            }
        }
        assert!(topic_matches("*", line));
        assert!(topic_matches(line, line), "{line:?} stands for itself");
        for other in text.lines() {
            let _ = topic_matches(line, other);
        }
    }
    taken
}

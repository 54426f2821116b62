//! Discovery of real plugins: what is found is what loads, and nothing of any plugin runs for it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use keyway_host::discovery::{Candidate, Verdict};
use keyway_host::{Discoverer, Gates, Origin, Root, RootWatch, discover};
use keyway_tests::{child, host, plugin, workspace};
use tempfile::TempDir;

/// The variable by which the fixture is told where to leave its mark.
const MARK: &str = "KEYWAY_TESTS_MARK";

/// A directory that the gates let pass, with copies of plugins in it.
struct Installed {
    home: TempDir,
}

impl Installed {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        Installed { home }
    }

    fn path(&self, name: &str) -> PathBuf {
        // Without links on the way, as they are reported.
        self.home
            .path()
            .canonicalize()
            .expect("its path")
            .join(name)
    }

    fn root(&self, origin: Origin, name: &str) -> Root {
        Root::new(origin, self.path(name))
    }

    /// Copies a library under its own name; answers where it is.
    fn library(&self, package: &str, directory: &str) -> PathBuf {
        let built = plugin(package);
        let name = built.file_name().expect("a name").to_str().expect("UTF-8");
        self.copy(&built, &format!("{directory}/{name}"))
    }

    /// Copies the manifest of a fixture.
    fn manifest(&self, package: &str, directory: &str) -> PathBuf {
        let manifest = workspace().join("tests/fixtures").join(package);
        let name = format!("{directory}/plugin.toml");
        self.copy(&manifest.join("plugin.toml"), &name)
    }

    fn copy(&self, from: &Path, to: &str) -> PathBuf {
        let to = self.path(to);
        std::fs::create_dir_all(to.parent().expect("a directory")).expect("a directory");
        std::fs::copy(from, &to).expect("it can be copied");
        to
    }
}

fn one(candidates: &[Candidate]) -> &Candidate {
    match candidates {
        [one] => one,
        other => panic!("one candidate, found {other:?}"),
    }
}

fn codes(candidate: &Candidate) -> Vec<&'static str> {
    candidate.findings.iter().map(|one| one.code.id).collect()
}

#[test]
fn what_is_found_loads() {
    let installed = Installed::new();
    installed.library("misbehaves", "ws/misbehaves");
    installed.manifest("misbehaves", "ws/misbehaves");
    installed.library("image-filter", "ws");
    let discovery = discover(&[installed.root(Origin::Workspace, "ws")], &Gates::new());
    assert!(discovery.findings.is_empty(), "{:?}", discovery.findings);
    let host = host();
    let mut names = Vec::new();
    for candidate in &discovery.candidates {
        assert_eq!(
            candidate.verdict,
            Verdict::Found,
            "{:?}",
            candidate.findings
        );
        let library = candidate.library.as_ref().expect("it has code");
        let status = host.block_on(host.load(library)).expect("it loads");
        assert_eq!(Some(&status.version), candidate.version.as_ref());
        names.push(status.name);
    }
    assert_eq!(names, ["image-filter", "misbehaves"]);
}

#[test]
fn what_is_no_plugin_and_what_is_two_is_told() {
    let installed = Installed::new();
    let ordinary = installed.library("not-a-plugin", "ws");
    let two = installed.library("two-plugins", "ws");
    let discovery = discover(&[installed.root(Origin::Workspace, "ws")], &Gates::new());
    let refused = one(&discovery.candidates);
    assert_eq!(refused.path, two);
    assert_eq!(refused.verdict, Verdict::Refused);
    assert_eq!(codes(refused), ["library-damaged"]);
    let message = &refused.findings[0].message;
    assert!(
        message.starts_with("several plugins in one file"),
        "{message}"
    );
    let [finding] = &discovery.findings[..] else {
        panic!("one finding, found {:?}", discovery.findings);
    };
    assert_eq!(finding.code.id, "not-a-plugin");
    assert_eq!(finding.path.as_ref(), Some(&ordinary));
}

#[test]
fn a_manifest_of_another_version_beside_a_real_library_is_a_mismatch() {
    let installed = Installed::new();
    installed.library("misbehaves", "ws/misbehaves");
    let manifest = installed.manifest("misbehaves", "ws/misbehaves");
    let text = std::fs::read_to_string(&manifest).expect("the manifest");
    let newer = text.replace("version = \"0.1.0\"", "version = \"0.2.0\"");
    assert_ne!(newer, text);
    std::fs::write(&manifest, newer).expect("it can be written");
    let discovery = discover(&[installed.root(Origin::Workspace, "ws")], &Gates::new());
    let refused = one(&discovery.candidates);
    assert_eq!(codes(refused), ["manifest-mismatch"]);
    let message = &refused.findings[0].message;
    assert!(
        message.starts_with("plugin.version differs: \"0.2.0\" in plugin.toml, \"0.1.0\" in "),
        "{message}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_of_a_plugin_runs() {
    let home = tempfile::tempdir().expect("a directory");
    let mark = home.path().join("mark");
    child::passes("discoveries_and_then_a_load", &[(MARK, mark.as_os_str())]);
}

/// On every way that there is: by its manifest and bare, used, shadowed and refused, looked at again
/// and watched.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "runs as the child of nothing_of_a_plugin_runs, which sets its environment"]
fn discoveries_and_then_a_load() {
    let mark = PathBuf::from(child::variable(MARK));
    let installed = Installed::new();
    let library = installed.library("runs-at-load", "ws/beside");
    installed.manifest("runs-at-load", "ws/beside");
    installed.library("runs-at-load", "user");
    let refused = installed.manifest("runs-at-load", "opt/refused");
    std::fs::write(refused, "no manifest").expect("it can be written");
    installed.library("runs-at-load", "opt/refused");
    let roots = [
        installed.root(Origin::Workspace, "ws"),
        installed.root(Origin::User, "user"),
        installed.root(Origin::Builtin, "opt"),
        Root::new(Origin::Explicit, installed.path("later.so")),
    ];
    let (sender, reports) = channel();
    let watch = RootWatch::start(&roots, None, move |report| {
        // The test may be over.
        let _ = sender.send(report);
    });
    let mut discoverer = Discoverer::new(&roots, Gates::new());
    discoverer.rescan();
    let verdicts = |discoverer: &Discoverer| -> Vec<String> {
        let candidates = discoverer.last().candidates.iter();
        candidates
            .map(|one| match one.verdict {
                Verdict::Found => "found".to_owned(),
                Verdict::Shadowed { origin, .. } => format!("shadowed by {origin}"),
                _ => "refused".to_owned(),
            })
            .collect()
    };
    assert_eq!(
        verdicts(&discoverer),
        ["found", "shadowed by workspace", "refused"]
    );

    installed.copy(&library, "new.so");
    std::fs::rename(installed.path("new.so"), installed.path("later.so")).expect("it is there");
    let patience = Duration::from_secs(30);
    while verdicts(&discoverer).len() < 4 {
        reports
            .recv_timeout(patience)
            .expect("the new file is reported");
        discoverer.rescan();
    }
    assert_eq!(
        verdicts(&discoverer),
        [
            "found",
            "shadowed by explicit",
            "shadowed by explicit",
            "refused"
        ]
    );
    drop(watch);
    assert!(!mark.exists(), "the discovery opened a library");

    let host = host();
    host.block_on(host.load(&library)).expect("it loads");
    assert!(mark.exists(), "or nothing of the above is proven");
}

#[test]
#[cfg(target_os = "linux")]
fn an_id_that_is_not_that_of_its_package_is_found_with_a_warning() {
    let installed = Installed::new();
    installed.library("misbehaves", "ws/misbehaves");
    let library = std::fs::read(plugin("text-filter")).expect("the plugin");
    let library = keyway_tests::binary::with_note(&library, |note| {
        let changed = note
            .manifest
            .replace(r#""package":"text-filter""#, r#""package":"sms-filter""#);
        assert_ne!(changed, note.manifest, "the package is in the note");
        note.manifest = changed;
    });
    let path = installed.path("ws/libtext_filter.so");
    std::fs::write(&path, library).expect("a file");
    let discovery = discover(&[installed.root(Origin::Workspace, "ws")], &Gates::new());
    let [filter, own] = &discovery.candidates[..] else {
        panic!("two candidates, found {:?}", discovery.candidates);
    };
    assert_eq!(own.findings, [], "a package of this very name");
    assert_eq!(filter.verdict, Verdict::Found);
    assert_eq!(codes(filter), ["id-not-package"]);
    assert_eq!(
        filter.findings[0].message,
        "the id `text-filter` is not that of its package: expected a package `text-filter` or one that \
         ends in `-text-filter`, found `sms-filter`"
    );
}

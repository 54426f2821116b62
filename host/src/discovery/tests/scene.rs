//! A directory with roots in it.

use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use keyway_manifest::Manifest;
use tempfile::TempDir;

use crate::discovery::names::library_of;
use crate::discovery::{Discovery, Gates, Origin, Root, discover};
use crate::inspect::tests::craft::elf_with_manifest;

pub(super) struct Scene {
    home: TempDir,
    real: PathBuf,
}

/// A manifest without anything but what it must have.
pub(super) fn manifest(id: &str, version: &str) -> String {
    format!("[plugin]\nid = \"{id}\"\nversion = \"{version}\"\nmin_host_version = \"1.0.0\"\n")
}

/// A library with this manifest in it.
pub(super) fn library(manifest: &str) -> Vec<u8> {
    let manifest = Manifest::from_toml(manifest, "plugin.toml").expect("a manifest");
    elf_with_manifest(Some(&manifest.to_json()))
}

impl Scene {
    pub(super) fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let real = home.path().canonicalize().expect("its path");
        Scene { home, real }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.real.join(name)
    }

    pub(super) fn root(&self, origin: Origin, name: &str) -> Root {
        Root::new(origin, self.path(name))
    }

    pub(super) fn directory(&self, name: &str) -> &Self {
        fs::create_dir_all(self.path(name)).expect("a directory");
        self
    }

    /// Writes a file that is an hour old, and the directories above it.
    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
        fs::write(&path, content).expect("a file");
        age(&path);
        self
    }

    /// A plugin in a directory of its own: a manifest and a library.
    pub(super) fn plugin(&self, directory: &str, id: &str, version: &str) -> &Self {
        let manifest = manifest(id, version);
        let name = format!("{directory}/{}", library_of(id));
        self.file(&name, library(&manifest));
        self.file(&format!("{directory}/plugin.toml"), manifest)
    }

    pub(super) fn link(&self, name: &str, target: impl AsRef<Path>) -> &Self {
        std::os::unix::fs::symlink(target, self.path(name)).expect("a link");
        self
    }

    pub(super) fn mode(&self, name: &str, mode: u32) -> &Self {
        use std::os::unix::fs::PermissionsExt;
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.path(name), permissions).expect("it is ours");
        self
    }

    /// What is found in one workspace root.
    pub(super) fn of_workspace(&self, name: &str) -> String {
        self.found(&[self.root(Origin::Workspace, name)])
    }

    pub(super) fn found(&self, roots: &[Root]) -> String {
        self.text(&discover(roots, &Gates::new()))
    }

    /// One line per candidate, and one below it for each of its findings; those of roots at the end.
    pub(super) fn text(&self, discovery: &Discovery) -> String {
        let mut text = String::new();
        for candidate in &discovery.candidates {
            let id = candidate.id.as_ref().map_or("-", |id| id.as_str());
            let version = candidate.version.as_ref().map(ToString::to_string);
            let _ = writeln!(
                text,
                "{} {id} {}: {}",
                candidate.path.display(),
                version.as_deref().unwrap_or("-"),
                candidate.verdict
            );
            for finding in &candidate.findings {
                let _ = writeln!(text, "  {}: {finding}", finding.code);
            }
        }
        for finding in &discovery.findings {
            let _ = writeln!(text, "{}: {finding}", finding.code);
        }
        text.replace(&format!("{}/", self.real.display()), "~/")
            .replace(&self.real.display().to_string(), "~")
    }

    /// Ends the scene where its directory would go before what is in it is done with.
    pub(super) fn end(self) {
        self.home.close().expect("it can be removed");
    }
}

/// Makes a file an hour old: what is fresh is never kept.
pub(super) fn age(path: &Path) {
    let file = File::options().write(true).open(path).expect("the file");
    file.set_modified(SystemTime::now() - Duration::from_secs(3600))
        .expect("it is ours");
}

//! Which files the build of a plugin reads, so that a change in one of them calls for another.

use std::path::{Path, PathBuf};

/// The sources of a plugin: its own crate, and those that it depends on by their paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sources {
    crates: Vec<SourceCrate>,
    /// The root of the workspace, whose manifest has versions and profiles.
    workspace: PathBuf,
}

/// The sources of one crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SourceCrate {
    dir: PathBuf,
    /// Directories whose whole content counts.
    trees: Vec<PathBuf>,
    /// Single files: a build script.
    files: Vec<PathBuf>,
}

/// What lies beside a crate's `src` and is read by its build; the last two by `export_plugin!`.
const MANIFESTS: [&str; 3] = ["Cargo.toml", "plugin.toml", "plugin.json"];

/// How many levels of a directory are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What lies in it.
    Flat,
    /// All that is below.
    Whole,
}

impl Sources {
    pub(super) fn new(crates: Vec<SourceCrate>, workspace: &Path) -> Self {
        Sources {
            crates,
            workspace: real(workspace),
        }
    }

    /// The sources of one crate with the usual layout, for tests.
    #[cfg(test)]
    pub(crate) fn usual(dir: &Path) -> Self {
        Sources::new(vec![SourceCrate::usual(dir)], dir)
    }

    /// How many crates there are, with the plugin's own.
    pub(crate) fn crates(&self) -> usize {
        self.crates.len()
    }

    /// The directories in which to look for changes.
    pub(crate) fn directories(&self) -> Vec<(&Path, Depth)> {
        let mut directories = Vec::new();
        for SourceCrate { dir, trees, .. } in &self.crates {
            // Else it would be asked for twice, and the target directory may be in there.
            if !trees.contains(dir) {
                directories.push((&**dir, Depth::Flat));
            }
            directories.extend(trees.iter().map(|tree| (&**tree, Depth::Whole)));
        }
        if !directories.iter().any(|(dir, _)| *dir == self.workspace) {
            directories.push((&self.workspace, Depth::Flat));
        }
        directories
    }

    /// Whether a build reads this file or directory.
    pub(crate) fn contain(&self, path: &Path) -> bool {
        path == self.workspace.join("Cargo.toml")
            || self.crates.iter().any(|krate| krate.contains(path))
    }
}

impl SourceCrate {
    /// A crate with the files in which its library and its build script begin.
    pub(super) fn new<'p>(dir: &Path, begin: impl Iterator<Item = &'p Path>) -> Self {
        let mut krate = SourceCrate {
            dir: real(dir),
            trees: Vec::new(),
            files: Vec::new(),
        };
        for file in begin.map(real) {
            let is_script = file.file_name().is_some_and(|name| name == "build.rs");
            match file.parent() {
                Some(parent) if !(is_script && parent == krate.dir) => {
                    krate.trees.push(parent.to_owned());
                }
                _ => krate.files.push(file),
            }
        }
        krate.trees.sort();
        krate.trees.dedup();
        krate
    }

    /// A crate with the usual layout.
    pub(super) fn usual(dir: &Path) -> Self {
        let begin = ["src/lib.rs", "build.rs"].map(|file| dir.join(file));
        SourceCrate::new(dir, begin.iter().map(|file| &**file))
    }

    fn contains(&self, path: &Path) -> bool {
        let is_manifest = || {
            path.parent() == Some(&self.dir) && MANIFESTS.iter().any(|name| path.ends_with(name))
        };
        let in_tree = |tree: &PathBuf| {
            let Ok(below) = path.strip_prefix(tree) else {
                return false;
            };
            let mut names = below.iter().map(|name| name.to_string_lossy());
            let is_output = *tree == self.dir && below.starts_with("target");
            !is_output && !names.any(|name| is_noise(&name))
        };
        is_manifest()
            || self.files.iter().any(|file| file == path)
            || self.trees.iter().any(in_tree)
    }
}

/// Whether a name is that of a hidden file, or of a backup or a swap file that editors leave.
fn is_noise(name: &str) -> bool {
    const BACKUPS: [&str; 8] = ["~", ".swp", ".swx", ".swo", ".tmp", ".bak", ".orig", ".rej"];
    name.starts_with(['.', '#'])
        || BACKUPS.iter().any(|end| name.ends_with(end))
        || name.contains("___jb_")
        // By this file vim finds out whether it may write.
        || name == "4913"
}

/// The path that the system uses when it tells of changes; for what is not there, as it is.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let dir = Path::new("/nowhere/plugin");
        let begin = [dir.join("src/lib.rs"), dir.join("build.rs")];
        let own = SourceCrate::new(dir, begin.iter().map(|file| &**file));
        let flat = Path::new("/nowhere/flat");
        let flat = SourceCrate::new(flat, std::iter::once(&*flat.join("lib.rs")));
        Sources::new(vec![own, flat], Path::new("/nowhere"))
    }

    #[test]
    fn what_a_build_reads_counts_and_what_lies_beside_it_does_not() {
        let cases = [
            ("Cargo.toml", true),
            ("Cargo.lock", false),
            ("README.md", false),
            ("plugin/Cargo.toml", true),
            ("plugin/plugin.toml", true),
            ("plugin/build.rs", true),
            ("plugin/src", true),
            ("plugin/src/lib.rs", true),
            ("plugin/src/engine/words.txt", true),
            ("plugin/src/.lib.rs.swp", false),
            ("plugin/src/.git/index", false),
            ("plugin/src/lib.rs~", false),
            ("plugin/src/#lib.rs#", false),
            ("plugin/src/lib.rs.tmp", false),
            ("plugin/src/lib.rs___jb_tmp___", false),
            ("plugin/src/4913", false),
            ("plugin/tests/it.rs", false),
            ("plugin/src/Cargo.toml", true),
            ("plugin/tests/Cargo.toml", false),
            ("plugin/target/debug/libplugin.so", false),
            ("flat/lib.rs", true),
            ("flat/words/list.txt", true),
            ("flat/target/debug/build.rs", false),
            ("elsewhere/src/lib.rs", false),
        ];
        let sources = sources();
        for (path, expected) in cases {
            let path = Path::new("/nowhere").join(path);
            assert_eq!(sources.contain(&path), expected, "{}", path.display());
        }
    }

    #[test]
    fn no_target_directory_is_watched_where_it_can_be_avoided() {
        let sources = sources();
        let directories = sources.directories();
        let expected = [
            ("/nowhere/plugin", Depth::Flat),
            ("/nowhere/plugin/src", Depth::Whole),
            ("/nowhere/flat", Depth::Whole),
            ("/nowhere", Depth::Flat),
        ];
        assert_eq!(
            directories,
            expected.map(|(dir, depth)| (Path::new(dir), depth))
        );
    }
}

//! The store: a directory with a directory for each package, called by the package's digest.
//!
//! What is in it never changes: a package comes in whole by one rename, and goes whole. It may have more than
//! any lockfile says, and never less. Whoever stages or inserts holds a shared lock; who removes what nobody
//! needs any more holds it alone.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use std::fs;

use crate::digest::Digest;
use crate::disk;
use crate::error::{InstallError, Result};
use crate::guard::Guard;
use crate::home::Home;
use crate::staged::Staged;

/// The packages that are installed, for all lockfiles of a user.
#[derive(Debug)]
pub struct Store {
    packages: PathBuf,
    /// Beside the packages, so that a rename puts one in its place.
    staging: PathBuf,
    guard: Guard,
}

impl Store {
    /// Opens the store, and makes it if it is not there. Until this is dropped nobody collects garbage.
    ///
    /// # Errors
    ///
    /// When its directories cannot be made or locked.
    pub fn open(home: &Home) -> Result<Self> {
        let packages = home.store().to_owned();
        let staging = packages.with_file_name("staging");
        disk::create_dir(&packages)?;
        disk::create_dir(&staging)?;
        let guard = Guard::shared(&packages.with_file_name("store.guard"))?;
        Ok(Store {
            packages,
            staging,
            guard,
        })
    }

    /// Where packages are put together.
    pub(crate) fn staging(&self) -> &Path {
        &self.staging
    }

    /// Where the package with this digest is, or would be.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.packages.join(digest.hex())
    }

    /// Whether a package with this digest is there. Its files are not looked at; see [`Store::verify`].
    pub fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).is_dir()
    }

    /// Reads a package, and compares it with its digest.
    ///
    /// # Errors
    ///
    /// `package-missing`, or `package-changed` if it is not what it was.
    pub fn verify(&self, digest: &Digest) -> Result<()> {
        let path = self.path(digest);
        if !path.is_dir() {
            return Err(InstallError::damaged(
                "package-missing",
                format!("the package {digest} is not in the store"),
            )
            .at(&path)
            .hint("get what the lockfile says again: keyway install"));
        }
        let found = Digest::of_package(&path)?;
        if found != *digest {
            return Err(InstallError::damaged(
                "package-changed",
                format!("the package is not what was installed: expected {digest}, found {found}"),
            )
            .at(&path)
            .hint("get what the lockfile says again: keyway install"));
        }
        Ok(())
    }

    /// Takes a package in. One that is there already stays; one that is there and damaged is replaced.
    ///
    /// # Errors
    ///
    /// Those of the system. The store is then what it was.
    pub fn insert(&self, staged: Staged) -> Result<Digest> {
        let digest = staged.digest();
        let target = self.path(&digest);
        let failed = |error| InstallError::io("take the package into the store", &target, error);
        if self.contains(&digest) && self.verify(&digest).is_err() {
            // Aside by a rename, so that there is no moment with half of it.
            let aside = tempfile::Builder::new()
                .prefix("damaged-")
                .tempdir_in(&self.staging)
                .map_err(failed)?;
            fs::rename(&target, aside.path().join("package")).map_err(failed)?;
        }
        match fs::rename(staged.path(), &target) {
            Ok(()) => disk::sync_dir(&self.packages).map_err(failed)?,
            // Somebody else was faster with the same.
            Err(error) if is_taken(&error) && self.contains(&digest) => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(digest)
    }

    /// The packages that are there.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn packages(&self) -> Result<BTreeSet<Digest>> {
        let unreadable = |error| InstallError::io("read the store", &self.packages, error);
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(&self.packages).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let digest: Option<Digest> = name
                .to_str()
                .and_then(|hex| format!("blake3:{hex}").parse().ok());
            found.extend(digest);
        }
        Ok(found)
    }

    /// Removes the packages that are not live, and what processes that died have left half done. While somebody
    /// else is at work in the store nothing is removed. Answers how many packages went.
    ///
    /// # Errors
    ///
    /// When something cannot be removed; a later collection comes to it again.
    pub fn collect(&self, live: &BTreeSet<Digest>) -> Result<usize> {
        self.collect_with(|| Ok(live.clone()))
    }

    /// The same; what is live is asked for once nobody else can add to it.
    pub(crate) fn collect_with(
        &self,
        live: impl FnOnce() -> Result<BTreeSet<Digest>>,
    ) -> Result<usize> {
        let removed = self.guard.alone(|| -> Result<usize> {
            let live = live()?;
            let unreadable = |error| InstallError::io("read the directory", &self.staging, error);
            for entry in fs::read_dir(&self.staging).map_err(unreadable)? {
                remove(&entry.map_err(unreadable)?.path())?;
            }
            let mut removed = 0;
            for digest in self.packages()?.difference(&live) {
                // Out of the store at once, then bit by bit.
                let aside = self.staging.join(digest.hex());
                fs::rename(self.path(digest), &aside)
                    .map_err(|error| InstallError::io("remove the package", &aside, error))?;
                remove(&aside)?;
                removed += 1;
            }
            Ok(removed)
        })?;
        removed.unwrap_or(Ok(0))
    }
}

fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty
    )
}

fn remove(path: &Path) -> Result<()> {
    let removed = match path.is_dir() && !path.is_symlink() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    removed.map_err(|error| InstallError::io("remove what is not needed", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Contents;

    const MANIFEST: &str = "[plugin]\nid = \"notes\"\nversion = \"1.0.0\"\nmin_host_version = \"0.1.0\"\n\n\
                            [plugin.content]\nskills = [\"a.md\"]\n";

    struct Scene {
        dir: tempfile::TempDir,
        home: Home,
        store: Store,
    }

    impl Scene {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("a directory");
            let plugin = dir.path().join("notes");
            fs::create_dir(&plugin).expect("a directory");
            fs::write(plugin.join("plugin.toml"), MANIFEST).expect("a file");
            fs::write(
                plugin.join("a.md"),
                "---\nname: a\ndescription: A\n---\nDo it.\n",
            )
            .expect("a file");
            let home = Home::under(dir.path().join("home"));
            let store = Store::open(&home).expect("a store");
            Scene { dir, home, store }
        }

        fn staged(&self) -> Staged {
            let plugin = self.dir.path().join("notes");
            let contents = Contents::of(&plugin).expect("its files");
            Staged::copy(&contents, &plugin, &self.store, None).expect("it is good")
        }
    }

    #[test]
    fn the_same_package_twice_is_there_once() {
        let scene = Scene::new();
        let one = scene.store.insert(scene.staged()).expect("it goes in");
        let other = scene.store.insert(scene.staged()).expect("it goes in");
        assert_eq!(one, other);
        assert_eq!(
            scene.store.packages().expect("it reads"),
            BTreeSet::from([one])
        );
        let staging = fs::read_dir(scene.store.staging()).expect("a directory");
        assert_eq!(staging.count(), 0);
    }

    #[test]
    fn a_package_that_was_changed_is_noticed_and_replaced() {
        let scene = Scene::new();
        let digest = scene.store.insert(scene.staged()).expect("it goes in");
        let file = scene.store.path(&digest).join("a.md");
        fs::remove_file(&file).expect("it is there");
        fs::write(&file, "Do something else.").expect("a file");
        let error = scene.store.verify(&digest).expect_err("it was changed");
        assert_eq!(error.code(), "package-changed");
        scene.store.insert(scene.staged()).expect("it goes in");
        scene.store.verify(&digest).expect("it is as it was");
        fs::remove_dir_all(scene.store.path(&digest)).expect("it is there");
        let error = scene.store.verify(&digest).expect_err("it is gone");
        assert_eq!(error.code(), "package-missing");
    }

    #[test]
    fn what_is_not_live_goes_and_so_does_what_dead_processes_left() {
        let scene = Scene::new();
        let digest = scene.store.insert(scene.staged()).expect("it goes in");
        fs::create_dir(scene.store.staging().join("package-of-the-dead")).expect("a directory");
        let live = BTreeSet::from([digest]);
        assert_eq!(scene.store.collect(&live).expect("it collects"), 0);
        assert!(scene.store.contains(&digest));
        assert_eq!(
            fs::read_dir(scene.store.staging())
                .expect("it is there")
                .count(),
            0
        );

        // Somebody else who is at work may have staged something.
        let other = Store::open(&scene.home).expect("a store");
        let staged = scene.staged();
        assert_eq!(
            scene
                .store
                .collect(&BTreeSet::new())
                .expect("it waits for nobody"),
            0
        );
        assert!(staged.path().is_dir());
        drop((other, staged));
        assert_eq!(
            scene.store.collect(&BTreeSet::new()).expect("it collects"),
            1
        );
        assert!(!scene.store.contains(&digest));
    }
}

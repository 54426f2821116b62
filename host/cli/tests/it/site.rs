//! A directory in which a test installs: with places of its own for everything, and plugins to install.

use std::path::{Path, PathBuf};

use keyway_install::{Home, Installer, Lock};
use keyway_tests::many::Part;
use tempfile::TempDir;

use crate::run::{Run, keyway};

/// A new user, as far as `keyway` can tell.
#[derive(Debug)]
pub(crate) struct Site {
    dir: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        Site {
            dir: tempfile::tempdir().expect("a directory"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `keyway` in this directory.
    pub(crate) fn keyway(&self, arguments: &str) -> Run {
        let places = [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_STATE_HOME", "state"),
        ];
        let run = keyway(arguments).dir(self.dir.path());
        places
            .into_iter()
            .fold(run, |run, (name, place)| run.env(name, self.path(place)))
    }

    /// Writes a plugin into the directory `name`, in the place of what is there.
    pub(crate) fn plugin(&self, name: &str, part: &Part) -> PathBuf {
        let dir = self.path(name);
        std::fs::create_dir_all(&dir).expect("a directory");
        part.write(&dir);
        dir
    }

    /// Installs such a plugin.
    pub(crate) fn install(&self, name: &str, part: &Part) {
        self.plugin(name, part);
        self.succeed(&format!("install --yes ./{name}"));
    }

    /// Writes the user's settings; `[DIR]` in them is this directory.
    pub(crate) fn settings(&self, text: &str) {
        let file = self.home().settings_file();
        std::fs::create_dir_all(file.parent().expect("it has one")).expect("a directory");
        let dir = self.dir.path().to_string_lossy().into_owned();
        std::fs::write(file, text.replace("[DIR]", &dir)).expect("a file");
    }

    /// The user's settings as they are.
    pub(crate) fn written(&self) -> String {
        std::fs::read_to_string(self.home().settings_file()).expect("it is there")
    }

    /// Runs `keyway`, which has to succeed.
    #[track_caller]
    pub(crate) fn succeed(&self, arguments: &str) {
        let output = self.keyway(arguments).output();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "keyway {arguments}\n{errors}");
    }

    pub(crate) fn home(&self) -> Home {
        let place = |name: &str| self.path(name).join("keyway");
        Home::new(
            place("config"),
            place("data"),
            place("cache"),
            place("state"),
        )
    }

    pub(crate) fn installer(&self) -> Installer {
        let home = self.home();
        let lock = home.lock_file();
        Installer::new(home, lock).expect("an installer")
    }

    pub(crate) fn lock(&self) -> Lock {
        Lock::read(&self.home().lock_file()).expect("a lockfile that reads")
    }

    /// The plugins of the lockfile, such as `one 1.0.0`.
    pub(crate) fn installed(&self) -> Vec<String> {
        let lock = self.lock();
        let plugins = lock.plugins();
        plugins
            .map(|locked| format!("{} {}", locked.id, locked.version))
            .collect()
    }

    /// Where the package of a plugin is.
    pub(crate) fn package(&self, id: &str) -> PathBuf {
        let lock = self.lock();
        let digest = lock.get(id).and_then(|locked| locked.digest);
        let digest = digest.expect("it is installed, and no link");
        self.installer().store().path(&digest)
    }

    /// That the lockfile reads, and that each package that it names is in the store as it was.
    #[track_caller]
    pub(crate) fn check_consistency(&self) {
        let installer = self.installer();
        for locked in self.lock().plugins() {
            if let Some(digest) = locked.digest {
                installer.store().verify(&digest).expect("it is as it was");
            }
        }
    }

    /// That nothing half done is left.
    #[track_caller]
    pub(crate) fn check_tidiness(&self) {
        let staging = self.path("data/keyway/staging");
        let left: Vec<_> = entries(&staging);
        assert!(left.is_empty(), "left behind: {left:?}");
        let beside = entries(&self.path("config/keyway"));
        assert!(
            beside.iter().all(|name| !name.ends_with(".new")),
            "left behind: {beside:?}"
        );
    }
}

fn entries(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a directory");
    entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

//! A plugin's crate that a test edits and builds while the plugin runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{cargo, cargo_libraries, workspace};

/// A crate of its own workspace with one tool, `greet`, whose body the test writes.
///
/// It is built with the versions, the profile and into the target directory of the tests, so that
/// only the crate itself is compiled.
#[derive(Debug)]
pub struct EditedPlugin {
    name: String,
    dir: PathBuf,
    target: PathBuf,
}

impl EditedPlugin {
    /// A crate of this name in the directory that cargo gives to integration tests,
    /// `env!("CARGO_TARGET_TMPDIR")`. The name is that of no other test's.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn new(temporary: &str, name: &str) -> Self {
        let temporary = Path::new(temporary);
        let target = temporary.parent().expect("it is in the target directory");
        let plugin = EditedPlugin {
            name: name.to_owned(),
            dir: temporary.join("edited").join(name),
            target: target.to_owned(),
        };
        let lock = workspace().join("Cargo.lock");
        let lock = std::fs::read_to_string(lock).expect("the workspace has one");
        plugin.write("Cargo.lock", &lock);
        plugin.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                 [lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
                 [dependencies]\nkeyway = {{ path = {:?} }}\n\n[workspace]\n\n\
                 [profile.dev]\ndebug = \"line-tables-only\"\n",
                workspace().join("interface")
            ),
        );
        plugin
    }

    /// Writes a version of the plugin; `body` is that of the tool, which has the `name` of somebody
    /// and answers a text.
    ///
    /// The file with the code is replaced at once, and names the manifest: whoever builds at any
    /// moment builds one version or the other.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn edit(&self, version: &str, body: &str) {
        let manifest = format!(
            "[plugin]\nid = \"{}\"\nversion = \"{version}\"\nmin_host_version = \"0.1.0\"\n\n\
             [plugin.capabilities]\ntools = [\"greet\"]\n",
            self.name
        );
        let file = format!("src/v{version}.toml");
        self.write(&file, &manifest);
        self.write(
            "src/lib.rs",
            &format!(
                "use keyway::{{Activation, Context, Plugin, Result}};\n\n\
                 #[keyway::data]\nstruct Greeting {{\n    name: String,\n}}\n\n\
                 /// Greets somebody by name.\n#[keyway::tool]\n\
                 async fn greet(greeting: Greeting) -> Result<String> {{\n    \
                 let name = greeting.name;\n    {body}\n}}\n\n\
                 struct Greeter;\n\nkeyway::export_plugin!(Greeter, manifest = {file:?});\n\n\
                 impl Plugin for Greeter {{\n    \
                 async fn prepare(_: Context) -> Result<Self> {{\n        Ok(Greeter)\n    }}\n\n    \
                 async fn activate(&self, activation: &mut Activation) -> Result<()> {{\n        \
                 activation.tool::<greet>()?;\n        Ok(())\n    }}\n}}\n"
            ),
        );
    }

    /// Runs `cargo build`; answers the library.
    ///
    /// # Panics
    ///
    /// With what cargo says when it fails.
    pub fn build(&self) -> PathBuf {
        let mut libraries = cargo_libraries(&mut self.cargo_build());
        libraries.remove(&self.name).expect("it makes a library")
    }

    fn cargo_build(&self) -> Command {
        let mut build = cargo(&["build", "--lib", "--offline"]);
        build
            .current_dir(&self.dir)
            .env("CARGO_TARGET_DIR", &self.target);
        build
    }

    /// The directory of the crate.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The target directory that it is built into.
    pub fn target(&self) -> &Path {
        &self.target
    }

    fn write(&self, file: &str, text: &str) {
        replace(&self.dir.join(file), text);
    }
}

/// Writes a file at once, as editors do, and the directories above it.
///
/// # Panics
///
/// When it cannot be written.
pub fn replace(path: &Path, text: &str) {
    let above = path.parent().expect("a directory above");
    std::fs::create_dir_all(above).expect("a directory");
    let mut new = path.as_os_str().to_owned();
    new.push(".tmp");
    std::fs::write(&new, text).expect("a file");
    std::fs::rename(new, path).expect("it takes its place");
}

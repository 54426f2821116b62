//! What an operator does by hand: builds the plugins and puts each into a directory of its own.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

/// Puts a library into the plugin's directory, with the files that belong to it. A version that is there
/// already is replaced in one step, so that nobody ever finds half a library.
pub(crate) fn install(root: &Path, plugin: &str, library: &Path) -> io::Result<()> {
    let dir = root.join(plugin);
    fs::create_dir_all(&dir)?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("plugins")
        .join(plugin);
    for entry in fs::read_dir(source)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            fs::copy(&path, dir.join(path.file_name().unwrap_or_default()))?;
        }
    }
    let new = dir.join("new");
    fs::copy(library, &new)?;
    fs::rename(new, dir.join(library.file_name().unwrap_or_default()))
}

/// Builds a plugin of this example with cargo, which says where its library is.
pub(crate) fn build(plugin: &str, features: &str) -> Result<PathBuf, Box<dyn Error>> {
    let package = format!("gateway-{plugin}");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--message-format=json-render-diagnostics",
        ])
        .args(["--package", &package, "--features", features])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()?;
    let messages = String::from_utf8(output.stdout)?;
    let mut libraries = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let files = message["filenames"].as_array()?.iter();
        let mut files = files.filter_map(|file| file.as_str().map(PathBuf::from));
        let is_own = message["target"]["name"] == package.replace('-', "_");
        files.find(|file| {
            let extension = file.extension().and_then(|extension| extension.to_str());
            is_own && extension == Some(env::consts::DLL_EXTENSION)
        })
    });
    let library = libraries.next_back();
    library.ok_or_else(|| format!("cargo did not build {package}").into())
}

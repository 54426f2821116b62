//! What the README shows, done as the README says.

use std::path::{Path, PathBuf};
use std::process::Command;

use keyway_tests::workspace;

use crate::crates::write;
use crate::run::keyway;

/// The code blocks of the README in a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(workspace().join("README.md")).expect("it is there");
    let fence = format!("```{language}\n");
    let parts = readme.split(&fence).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// A directory for crates that are built with the versions, and into the target directory, of the
/// workspace: what is built there already is not built again.
fn home(name: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("readme")
        .join(name);
    let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).expect("it is there");
    write(&home, "Cargo.lock", &lock);
    home
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("it lies in the target directory")
}

/// With the profile of the workspace, for the same reason.
fn manifest(name: &str, rest: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n{rest}\n[workspace]\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n"
    )
}

#[test]
fn the_plugin_and_the_host_of_the_readme_work() {
    let [cargo_toml, plugin_toml]: [String; 2] = blocks("toml")
        .try_into()
        .expect("Cargo.toml and plugin.toml");
    let [plugin, host, capability, call]: [String; 4] = blocks("rust")
        .try_into()
        .expect("plugin, host, capability and call");
    let path = |of: &str| workspace().join(of).display().to_string();

    let greeter = home("greeter");
    let cargo_toml = cargo_toml.replace("../keyway/interface", &path("interface"));
    write(&greeter, "Cargo.toml", &manifest("greeter", &cargo_toml));
    write(&greeter, "plugin.toml", &plugin_toml);
    write(&greeter, "src/lib.rs", &plugin);
    let output = keyway("dev")
        .arg(&greeter)
        .env("CARGO_TARGET_DIR", target())
        .args("--once --call greet")
        .arg(r#"{"name":"Ada"}"#)
        .output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "\"Hello, Ada!\"\n",
        "{stderr}"
    );

    let app = home("app");
    let dependencies = format!(
        "[dependencies]\nkeyway = {{ path = {:?} }}\nkeyway-host = {{ path = {:?} }}\nsemver = \"1\"\n\
         serde_json = \"1\"\n",
        path("interface"),
        path("host")
    );
    write(&app, "Cargo.toml", &manifest("readme-app", &dependencies));
    let library = target().join("debug").join(format!(
        "{}greeter{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ));
    let host = host.replace("plugins/libgreeter.so", &library.display().to_string());
    let main = format!(
        "use keyway_host::Host;\nuse semver::Version;\nuse serde_json::json;\n\n{capability}\n\
         pub fn filter(host: &Host, mut pixels: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {{\n\
         {call}\nOk(())\n}}\n\n\
         async fn run() -> Result<(), Box<dyn std::error::Error>> {{\n{host}\n\
         println!(\"{{answer}}\");\nOk(())\n}}\n\n\
         fn main() {{\n\
         let waiter = Host::builder(\"waiter\", Version::new(1, 0, 0)).build().unwrap();\n\
         waiter.block_on(run()).unwrap();\n}}\n"
    );
    write(&app, "src/main.rs", &main);
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet"])
        .current_dir(&app)
        .env("CARGO_TARGET_DIR", target())
        .output()
        .expect("cargo can be started");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "\"Hello, Ada!\"\n",
        "{stderr}"
    );
}

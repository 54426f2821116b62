//! What the README and MANIFEST.md show, done as they say.

use std::path::{Path, PathBuf};
use std::process::Command;

use keyway_host::manifest::Manifest;
use keyway_tests::workspace;

use crate::crates::write;
use crate::run::keyway;

/// The code blocks of a document in a language, in order.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let text = std::fs::read_to_string(workspace().join(document)).expect("it is there");
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// The TOML blocks of the README.
struct Toml {
    plugin_crate: String,
    plugin: String,
    settings: String,
    tests: String,
    host_crate: String,
    filters: String,
}

fn toml() -> Toml {
    let [plugin_crate, plugin, settings, tests, host_crate, filters]: [String; 6] =
        blocks("README.md", "toml")
            .try_into()
            .expect("one block for each field");
    let at = |crates: String| {
        let path = |of: &str| workspace().join(of).display().to_string();
        crates
            .replace("../keyway/interface", &path("interface"))
            .replace("../keyway/host", &path("host"))
    };
    Toml {
        plugin_crate: at(plugin_crate),
        plugin,
        settings,
        tests: at(tests),
        host_crate: at(host_crate),
        filters,
    }
}

/// The Rust blocks of the README.
struct Rust {
    plugin: String,
    settings: String,
    test: String,
    host: String,
    capability: String,
    filters: String,
    call: String,
}

fn rust() -> Rust {
    let [plugin, settings, test, host, capability, filters, call]: [String; 7] =
        blocks("README.md", "rust")
            .try_into()
            .expect("one block for each field");
    Rust {
        plugin,
        settings,
        test,
        host,
        capability,
        filters,
        call,
    }
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

/// What `keyway dev` prints, or the error in its place.
fn dev(plugin: &Path, options: &[&str]) -> Result<String, String> {
    let mut run = keyway("dev")
        .arg(plugin)
        .arg("--once")
        .env("CARGO_TARGET_DIR", target());
    for option in options {
        run = run.arg(option);
    }
    let output = run.output();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(stderr);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What cargo's run of a crate prints.
fn cargo(command: &str, dir: &Path) -> String {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([command, "--quiet"])
        .current_dir(dir)
        .env("CARGO_TARGET_DIR", target())
        .output()
        .expect("cargo can be started");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{stderr}");
    stdout.into_owned()
}

#[test]
fn the_plugin_and_the_host_of_the_readme_work() {
    let (toml, rust) = (toml(), rust());
    let greeter = home("greeter");
    write(
        &greeter,
        "Cargo.toml",
        &manifest("greeter", &toml.plugin_crate),
    );
    write(&greeter, "plugin.toml", &toml.plugin);
    write(&greeter, "src/lib.rs", &rust.plugin);
    let answer = dev(&greeter, &["--call", "greet", r#"{"name":"Ada"}"#]);
    assert_eq!(answer.as_deref(), Ok("\"Hello, Ada!\"\n"));

    let keyway = format!(
        "keyway = {{ path = {:?} }}\n",
        workspace().join("interface")
    );
    let acme = home("acme");
    let dependencies = format!("[dependencies]\n{keyway}");
    write(&acme, "Cargo.toml", &manifest("acme", &dependencies));
    write(&acme, "src/lib.rs", &rust.capability);

    // The filters are a plugin that is linked into the application, which saves building a library.
    let app = home("app");
    let dependencies = format!("{}acme = {{ path = {acme:?} }}\n{keyway}", toml.host_crate);
    write(&app, "Cargo.toml", &manifest("readme-app", &dependencies));
    let head = toml.plugin.replace("greeter", "filters");
    let (head, _) = head
        .split_once("[plugin.capabilities]")
        .expect("it offers something");
    let filters = head.to_owned() + &toml.filters;
    write(&app, "plugin.toml", &filters);
    write(&app, "src/filters.rs", &rust.filters);
    let library = target().join("debug").join(format!(
        "{}greeter{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ));
    let host = rust
        .host
        .replace("plugins/libgreeter.so", &library.display().to_string());
    // The functions around the block need its imports too.
    let (uses, host) = host.split_once("\n\n").expect("imports, then the rest");
    let call = &rust.call;
    let main = format!(
        "mod filters;\n\n{uses}\nuse keyway_host::LoadOptions;\n\n\
         async fn filter(host: &Host, mut pixels: Vec<u8>) -> Result<Vec<u8>, Box<dyn std::error::Error>> {{\n\
         {call}\nOk(pixels)\n}}\n\n\
         async fn run() -> Result<(), Box<dyn std::error::Error>> {{\n{host}\n\
         println!(\"{{answer}}\");\n\
         host.register_static::<filters::Filters>(LoadOptions::new()).await?;\n\
         println!(\"{{:?}}\", filter(&host, vec![0, 100, 50]).await?);\n\
         Ok(())\n}}\n\n\
         fn main() {{\n\
         let waiter = Host::builder(\"waiter\", Version::new(1, 0, 0)).build().unwrap();\n\
         waiter.block_on(run()).unwrap();\n}}\n"
    );
    write(&app, "src/main.rs", &main);
    assert_eq!(cargo("run", &app), "\"Hello, Ada!\"\n[0, 50, 50]\n");
}

#[test]
fn the_settings_and_the_unit_test_of_the_readme_work() {
    let (toml, rust) = (toml(), rust());
    let greeter = home("polite-greeter");
    let crates = format!("{}\n{}", toml.plugin_crate, toml.tests);
    write(&greeter, "Cargo.toml", &manifest("polite-greeter", &crates));
    let plugin = format!("{}\n{}", toml.plugin, toml.settings);
    write(&greeter, "plugin.toml", &plugin);
    let (head, _) = rust
        .plugin
        .split_once("/// Greets")
        .expect("the tool is in it");
    let lib = format!(
        "{head}{}\nkeyway::export_plugin!(Greeter);\n\n{}",
        rust.settings, rust.test
    );
    write(&greeter, "src/lib.rs", &lib);
    let eve = ["--call", "greet", r#"{"name":"Eve"}"#];
    assert_eq!(
        dev(&greeter, &eve).as_deref(),
        Ok("\"Hello, Eve!\"\n"),
        "the default shuns nobody"
    );
    let shunned = ["--config", r#"shunned=["Eve"]"#];
    let refused = dev(&greeter, &[&shunned[..], &eve].concat()).expect_err("she is shunned");
    assert!(refused.contains("this name is not greeted"), "{refused}");

    let report = cargo("test", &greeter);
    assert!(report.contains("2 passed"), "{report}");
}

#[test]
fn the_manifests_of_the_reference_are_accepted() {
    let blocks = blocks("MANIFEST.md", "toml");
    let (first, others) = blocks.split_first().expect("there are some");
    let whole = Manifest::from_toml(first, "MANIFEST.md").expect("the first one is whole");
    let head = first.split("[plugin.capabilities]").next();
    let head = head.expect("it has more than capabilities");
    for other in others {
        // Some are whole, and the others are a part of the first.
        let text = match other.starts_with("[plugin]\n") {
            true => other.clone(),
            false => format!("{head}{other}"),
        };
        if let Err(error) = Manifest::from_toml(&text, "MANIFEST.md") {
            panic!("{}", error.rendered());
        }
    }
    let [json] = <[String; 1]>::try_from(self::blocks("MANIFEST.md", "json")).expect("one");
    assert_eq!(whole.to_json(), json.trim_end());
}

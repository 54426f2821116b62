//! The template for new plugins, filled in as `cargo generate` does it.

use std::path::Path;
use std::process::Command;

use keyway_tests::workspace;

use crate::crates::write;
use crate::run::keyway;

/// What `cargo generate` asks for.
const ANSWERS: [(&str, &str); 2] = [
    ("{{project-name}}", "acme-greeter"),
    ("{{description}}", "Greets the guests of the acme hotel"),
];

/// The files of the template.
const FILES: [&str; 5] = [
    "Cargo.toml",
    "plugin.toml",
    "src/lib.rs",
    "README.md",
    ".gitignore",
];

#[test]
fn a_generated_plugin_is_tested_loaded_and_called() {
    let template = workspace().join("template");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let home = target.join("template");
    let keyway_dir = workspace();
    let keyway_dir = keyway_dir.to_str().expect("UTF-8");
    let target = target.parent().expect("it lies in the target directory");
    for file in FILES {
        let text = std::fs::read_to_string(template.join(file)).expect("it is there");
        let answers = ANSWERS.into_iter().chain([("{{keyway}}", keyway_dir)]);
        let filled = answers.fold(text, |text, (name, answer)| text.replace(name, answer));
        assert!(!filled.contains("{{"), "{file} asks for more: {filled}");
        // With the profile of the workspace, so that what is built there already is not built again.
        let filled = filled.replace(
            "[profile.dev.package.\"*\"]\ndebug = false\nopt-level = 1\n",
            "",
        );
        write(&home, file, &filled);
    }
    let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).expect("it is there");
    write(&home, "Cargo.lock", &lock);

    let tests = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["test", "--quiet"])
        .current_dir(&home)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo can be started");
    let told = String::from_utf8_lossy(&tests.stdout);
    let errors = String::from_utf8_lossy(&tests.stderr);
    assert!(tests.status.success(), "{told}{errors}");
    assert!(told.contains("1 passed"), "{told}");
    assert!(!errors.contains("warning"), "{errors}");

    let run = keyway("dev")
        .arg(&home)
        .args("--once --config greeting=\"Welcome\" --call greet")
        .arg(r#"{"name":"Ada"}"#)
        .env("CARGO_TARGET_DIR", target)
        .output();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{errors}");
    assert_eq!(String::from_utf8_lossy(&run.stdout), "\"Welcome, Ada!\"\n");
    assert!(!errors.contains("warning"), "{errors}");
}

//! The template for new plugins: what `cargo generate` and `keyway new` make of it is the same, and works.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use keyway_host::Host;
use keyway_host::keyway::channel::{Channel, ChannelHandle, Message};
use keyway_host::keyway::command::{Command as _, CommandHandle, Invocation};
use keyway_host::keyway::event::MESSAGE_RECEIVED;
use keyway_host::keyway::memory::{MemoryBackend, MemoryBackendHandle, MemoryEntry, MemoryQuery};
use keyway_host::keyway::pipeline::{PipelineStage, PipelineStageHandle};
use keyway_host::keyway::provider::{Provider, ProviderHandle};
use keyway_host::keyway::service::{Service, ServiceHandle};
use keyway_host::keyway::{Json, Result};
use keyway_host::testing::{TestHost, export_state};
use keyway_tests::edited::replace;
use keyway_tests::{cargo, cargo_libraries, workspace};
use serde_json::{Value, json};

use crate::run::keyway;

const KINDS: [&str; 8] = [
    "tool",
    "command",
    "pipeline-stage",
    "provider",
    "memory-backend",
    "event-hook",
    "service",
    "channel",
];
const RUNTIMES: [&str; 2] = ["none", "tokio"];
const STATES: [&str; 3] = ["none", "snapshot", "exclusive"];

/// A repository that there is not: what is built has the checkout in its place.
const REPOSITORY: &str = "https://git.example/keyway";

/// What a plugin is generated for: kind, runtime, state, and where the crate `keyway` comes from.
#[derive(Clone, Copy, Debug)]
struct Choices([&'static str; 4]);

impl Choices {
    fn kind(self) -> &'static str {
        self.0[0]
    }

    fn keeps_state(self) -> bool {
        self.0[2] != "none"
    }

    fn name(self) -> String {
        self.0.join("-")
    }

    /// As `cargo generate` takes them. What is the default of the template is left to it.
    fn placeholders(self) -> Vec<String> {
        let [kind, runtime, state, source] = self.0;
        let mut placeholders = vec![
            format!("kind={kind}"),
            format!("runtime={runtime}"),
            format!("state={state}"),
            format!("source={source}"),
        ];
        match source {
            "git" => placeholders.push(format!("keyway_git={REPOSITORY}")),
            "path" => placeholders.push(format!("keyway_path={}", workspace().display())),
            _ => {}
        }
        placeholders
    }

    /// As `keyway new` takes them.
    fn options(self) -> Vec<String> {
        let [kind, runtime, state, source] = self.0;
        let mut options = vec![format!("--kind={kind}"), format!("--state={state}")];
        if runtime == "tokio" {
            options.push("--tokio".to_owned());
        }
        options.push(match source {
            "git" => format!("--keyway-git={REPOSITORY}"),
            "path" => format!("--keyway-path={}", workspace().display()),
            _ => "--keyway-version=1.0".to_owned(),
        });
        options
    }
}

/// All combinations, with the sources in turns.
fn all_choices() -> Vec<Choices> {
    let mut all = Vec::new();
    for kind in KINDS {
        for runtime in RUNTIMES {
            for state in STATES {
                let source = ["registry", "git", "path"][all.len() % 3];
                all.push(Choices([kind, runtime, state, source]));
            }
        }
    }
    all
}

/// Those that are built: every value of every choice, each kind of code with and without a runtime, and each
/// kind with a state that it hands over.
const BUILT: [Choices; 10] = [
    Choices(["tool", "none", "none", "registry"]),
    Choices(["tool", "tokio", "exclusive", "git"]),
    Choices(["command", "none", "snapshot", "path"]),
    Choices(["pipeline-stage", "tokio", "snapshot", "registry"]),
    Choices(["provider", "none", "exclusive", "path"]),
    Choices(["memory-backend", "none", "none", "path"]),
    Choices(["memory-backend", "tokio", "exclusive", "path"]),
    Choices(["event-hook", "tokio", "snapshot", "path"]),
    Choices(["service", "tokio", "none", "path"]),
    Choices(["channel", "none", "snapshot", "path"]),
];

/// The program that is `cargo generate` without questions.
fn generator() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let manifest = workspace().join("tests/generate/Cargo.toml");
        let build = cargo(&["build", "--locked", "--message-format=json"])
            .arg("--manifest-path")
            .arg(manifest)
            .env("CARGO_TARGET_DIR", target())
            .output()
            .expect("cargo can be started");
        let errors = String::from_utf8_lossy(&build.stderr);
        assert!(build.status.success(), "{errors}");
        let messages = String::from_utf8_lossy(&build.stdout);
        let mut messages = messages.lines().filter_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            Some(PathBuf::from(message["executable"].as_str()?))
        });
        messages.next().expect("cargo says where it is")
    })
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("it lies in the target directory")
}

/// `cargo generate` of a plugin into a directory above it.
fn generate(parent: &Path, name: &str, placeholders: &[String]) -> Output {
    Command::new(generator())
        .arg(workspace().join("template"))
        .args([parent.as_os_str(), name.as_ref()])
        .args(placeholders)
        // Who is the author is asked for in any case.
        .env("USER", "tests")
        .output()
        .expect("it starts")
}

/// What was printed, of what has succeeded without a warning.
#[track_caller]
fn succeeded(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{stderr}");
    assert!(!stderr.contains("warning"), "{stderr}");
    stdout.into_owned()
}

/// All files below a directory, by their paths from there.
fn files(dir: &Path) -> BTreeMap<PathBuf, String> {
    fn collect(root: &Path, dir: &Path, files: &mut BTreeMap<PathBuf, String>) {
        for entry in std::fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let name = path.strip_prefix(root).expect("it is below").to_owned();
                files.insert(name, std::fs::read_to_string(&path).expect("a text"));
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(dir, dir, &mut found);
    found
}

#[test]
fn cargo_generate_and_keyway_new_make_the_same_files_and_rustfmt_has_nothing_to_add() {
    // Outside of any workspace, where both make a crate of its own.
    let home = tempfile::tempdir().expect("a directory");
    let mut sources = Vec::new();
    for choices in all_choices() {
        let name = choices.name();
        let generated = generate(home.path(), &name, &choices.placeholders());
        succeeded(&generated);
        let new = home.path().join("new").join(&name);
        let mut run = keyway("new").arg(&name).arg("--path").arg(&new);
        for option in choices.options() {
            run = run.arg(option);
        }
        succeeded(&run.output());
        let generated = home.path().join(&name);
        assert_eq!(files(&new), files(&generated), "{choices:?}");
        sources.extend(["src/lib.rs", "tests/integration.rs"].map(|file| new.join(file)));
    }
    let formatted = Command::new("rustfmt")
        .args(["--check", "--edition", "2024"])
        .args(sources)
        .output()
        .expect("rustfmt is there");
    succeeded(&formatted);
}

#[test]
fn a_choice_that_there_is_not_is_refused_and_so_is_a_text_that_would_break_the_files() {
    let home = tempfile::tempdir().expect("a directory");
    let wrong = [
        ("kind", "skill"),
        ("runtime", "smol"),
        ("state", "all"),
        ("source", "elsewhere"),
        ("description", "Says \"hi\""),
        ("description", ""),
        ("keyway_version", "\""),
        // A URL that nobody has given is asked for, and is no empty text.
        ("source", "git"),
    ];
    for (number, (key, value)) in wrong.into_iter().enumerate() {
        let name = format!("refused-{number}");
        let output = generate(home.path(), &name, &[format!("{key}={value}")]);
        assert!(!output.status.success(), "{key}={value}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let placeholder = match value {
            "git" => "keyway_git",
            _ => key,
        };
        assert!(told.contains(placeholder), "{told}");
    }
}

/// A workspace of generated plugins, which are built together.
struct Plugins {
    home: PathBuf,
}

impl Plugins {
    fn generate() -> Self {
        // It is the nearest workspace above the plugins, so they become its members.
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated");
        let interface = workspace().join("interface");
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [\"*-*\"]\n\n\
             [profile.dev]\ndebug = \"line-tables-only\"\n\n\
             [patch.crates-io]\nkeyway = {{ path = {interface:?} }}\n"
        );
        let _ = std::fs::remove_dir_all(&home);
        replace(&home.join("Cargo.toml"), &manifest);
        let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).expect("it is there");
        replace(&home.join("Cargo.lock"), &lock);
        for choices in BUILT {
            let generated = generate(&home, &choices.name(), &choices.placeholders());
            succeeded(&generated);
            // Cargo would ask the repository even where it is patched.
            let manifest = home.join(choices.name()).join("Cargo.toml");
            let text = std::fs::read_to_string(&manifest).expect("it is there");
            let there = format!("path = {interface:?}");
            replace(
                &manifest,
                &text.replace(&format!("git = {REPOSITORY:?}"), &there),
            );
        }
        let kept = std::fs::read_to_string(home.join("Cargo.toml")).expect("it is there");
        assert_eq!(kept, manifest, "its members were there already");
        Plugins { home }
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = cargo(arguments);
        cargo
            .arg("--offline")
            .current_dir(&self.home)
            .env("CARGO_TARGET_DIR", target());
        cargo
    }

    fn build(&self) -> BTreeMap<String, PathBuf> {
        cargo_libraries(&mut self.cargo(&["build", "--workspace"]))
    }

    /// Changes what a plugin answers.
    fn edit(&self, choices: Choices) {
        let (file, from, to) = match choices.kind() {
            "memory-backend" => ("src/memory.rs", "(entry, 1.0)", "(entry, 0.5)"),
            "event-hook" => ("src/greeter.rs", "greeted += 1;", "greeted += 10;"),
            _ => ("src/greeter.rs", "\"{greeting}, ", "\"{greeting} again, "),
        };
        let path = self.home.join(choices.name()).join(file);
        let source = std::fs::read_to_string(&path).expect("it is there");
        let edited = source.replacen(from, to, 1);
        assert_ne!(source, edited, "{choices:?}");
        replace(&path, &edited);
    }
}

/// What a plugin answers, in a word or a sentence.
fn answer(host: &TestHost, choices: Choices) -> String {
    if choices.kind() == "event-hook" {
        // A hook answers nothing; what it did is in its state.
        let message = json!({ "sender": "Ada" });
        let report = host.block_on(host.host().dispatch(MESSAGE_RECEIVED, message));
        assert!(report.is_ok(), "{report:?}");
        let state = export_state(host.host(), &choices.name()).expect("it is loaded");
        return String::from_utf8_lossy(state.expect("it has one").bytes()).into_owned();
    }
    let answer = host.block_on(call(host.host(), choices.kind()));
    answer.unwrap_or_else(|error| panic!("{choices:?}: {error}"))
}

async fn call(host: &Host, kind: &str) -> Result<String> {
    const OFFERED: &str = "it is offered";
    Ok(match kind {
        "tool" => {
            let tool = host.tool("greet").expect(OFFERED);
            text(&tool.call(json!({ "name": "Ada" })).await?)
        }
        "command" => {
            let command: CommandHandle = host.capability("greet").expect(OFFERED);
            let output = command.run(Json(Invocation::new("Ada"))).await?;
            output.0.text.unwrap_or_default()
        }
        "pipeline-stage" => {
            let stage: PipelineStageHandle = host.capability("greet").expect(OFFERED);
            let message = stage.process(Json(json!({ "sender": "Ada" }))).await?;
            text(&message["greeting"])
        }
        "provider" => {
            let provider: ProviderHandle = host.capability("greet").expect(OFFERED);
            let answer = provider.request(Json(json!({ "name": "Ada" }))).await?;
            text(&answer["greeting"])
        }
        "memory-backend" => {
            let notes: MemoryBackendHandle = host.capability("notes").expect(OFFERED);
            let entry = MemoryEntry::new("ada", json!("Ada"));
            notes.store(Json(entry)).await?;
            let hits = notes.search(Json(MemoryQuery::new("Ada", 10))).await?;
            let scores = hits.0.iter().map(|hit| hit.score);
            format!("{:?}", scores.collect::<Vec<_>>())
        }
        "service" => {
            let service: ServiceHandle = host.capability("greet").expect(OFFERED);
            let report = service.run()?.next().await;
            report.expect("it reports")?.0.message
        }
        "channel" => {
            let channel: ChannelHandle = host.capability("greet").expect(OFFERED);
            let mut incoming = channel.start().await?;
            channel.send(Message::text("Hi").with_sender("Ada")).await?;
            let answer = incoming.next().await.expect("it answers")?;
            answer.payload.as_text().unwrap_or_default().to_owned()
        }
        other => panic!("no kind `{other}`"),
    })
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What it answers before the edit, and what after it.
fn expected(choices: Choices) -> [String; 2] {
    match choices.kind() {
        "memory-backend" => ["[1.0]", "[0.5]"].map(str::to_owned),
        "event-hook" => [r#"{"greeted":1}"#, r#"{"greeted":11}"#].map(str::to_owned),
        kind => {
            let name = if kind == "service" {
                "everybody"
            } else {
                "Ada"
            };
            let number = |number| match choices.keeps_state() {
                true => format!(" You are guest {number}."),
                false => String::new(),
            };
            [
                format!("Hello, {name}!{}", number(1)),
                format!("Hello again, {name}!{}", number(2)),
            ]
        }
    }
}

#[test]
fn plugins_of_all_choices_are_tested_loaded_called_changed_and_reloaded() {
    let plugins = Plugins::generate();
    let tests = plugins.cargo(&["test", "--workspace", "--quiet"]).output();
    let told = succeeded(&tests.expect("cargo can be started"));
    // Unit tests, integration tests and, empty, those of documentation.
    let ran = told.matches("test result: ok. 0 passed").count();
    assert_eq!(ran, BUILT.len(), "{told}");
    assert_eq!(told.matches("test result: ok").count(), 3 * ran, "{told}");

    let lints = plugins
        .cargo(&["clippy", "--workspace", "--all-targets", "--quiet"])
        .args(["--", "-D", "warnings"])
        .output();
    succeeded(&lints.expect("cargo can be started"));

    let libraries = plugins.build();
    let hosts = BUILT.map(|choices| {
        let id = choices.name();
        let host = TestHost::new();
        host.load(&libraries[&id], json!({})).expect("it loads");
        host.contract(&id).assert_kept();
        assert_eq!(answer(&host, choices), expected(choices)[0], "{choices:?}");
        host
    });
    for choices in BUILT {
        plugins.edit(choices);
    }
    assert_eq!(plugins.build(), libraries, "they lie where they lay");
    for (choices, host) in BUILT.into_iter().zip(&hosts) {
        let id = choices.name();
        let report = host.block_on(host.host().reload(&id)).expect("it is there");
        assert!(report.outcome.is_committed(), "{choices:?}: {report:?}");
        assert_eq!(answer(host, choices), expected(choices)[1], "{choices:?}");
        let state = export_state(host.host(), &id).expect("it is there");
        assert_eq!(state.is_some(), choices.keeps_state(), "{choices:?}");
    }
}

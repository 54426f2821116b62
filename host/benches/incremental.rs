//! What an author waits for: `cargo build` after an edit, of a plugin from the template, and beside it of a
//! cdylib that does the same by hand, with serde, schemars and tracing and without keyway, and of an empty one.
//! `cargo bench -p keyway-host --bench incremental`.
//!
//! All are built once before, from the versions of this workspace's lock file; then one character of each
//! is changed and built, in turns. The budget is held against the one that does the same: what the empty
//! one saves, serde and its relatives cost whoever uses them.

use std::error::Error;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How often each is edited.
const EDITS: usize = 21;

/// Where the plugin says what it is called for.
const PLUGIN: &str = "src/greeter.rs";

/// The budget of the project's design.
const BUDGET: f64 = 1.5;

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        // `cargo test --benches` starts it too.
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("incremental");
    let empty = empty(&home.join("empty"))?;
    let by_hand = by_hand(&home.join("by-hand"))?;
    let plugin = plugin(&home.join("plugin"))?;
    let mut times = [const { Vec::new() }; 3];
    for edit in 0..=EDITS {
        for (place, times) in [&empty, &by_hand, &plugin].into_iter().zip(&mut times) {
            place.edit(edit)?;
            let clock = Instant::now();
            place.build()?;
            // The first is the one that builds everything.
            if edit > 0 {
                times.push(clock.elapsed());
            }
        }
    }
    let [empty, by_hand, plugin] = times.map(median);
    let ratio = plugin.as_secs_f64() / by_hand.as_secs_f64();
    let verdict = match ratio <= BUDGET {
        true => "ok",
        false => "OVER",
    };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "a build after an edit, debug, median of {EDITS}")?;
    writeln!(
        stdout,
        "  a cdylib that does the same by hand (baseline)  {by_hand:.1?}"
    )?;
    writeln!(
        stdout,
        "  a plugin from the template                      {plugin:.1?}  {ratio:.2}x  budget <= {BUDGET}x  {verdict}"
    )?;
    writeln!(
        stdout,
        "  an empty cdylib                                 {empty:.1?}  the plugin takes {:.2}x of it",
        plugin.as_secs_f64() / empty.as_secs_f64()
    )?;
    Ok(())
}

/// A crate with one function that is edited.
struct Crate {
    dir: PathBuf,
    /// The file that is edited.
    file: &'static str,
    /// The source, in which `EDIT` stands for what changes.
    source: String,
}

impl Crate {
    fn edit(&self, edit: usize) -> std::io::Result<()> {
        let source = self.source.replace("EDIT", &edit.to_string());
        std::fs::write(self.dir.join(self.file), source)
    }

    fn build(&self) -> Result<(), Box<dyn Error>> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--quiet"])
            .current_dir(&self.dir)
            .env("CARGO_TARGET_DIR", self.dir.with_extension("target"))
            .stderr(Stdio::inherit())
            .status()?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("cargo could not build {}", self.dir.display()).into()),
        }
    }
}

const PROFILES: &str = "[profile.dev]\ndebug = \"line-tables-only\"\n\n\
                        [profile.dev.package.\"*\"]\ndebug = false\nopt-level = 1\n\n[workspace]\n";

/// A crate beside the template's, with the same profiles.
fn crate_of(dir: &Path, dependencies: &str, source: &str) -> std::io::Result<Crate> {
    std::fs::create_dir_all(dir.join("src"))?;
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
         [dependencies]\n{dependencies}\n{PROFILES}"
    );
    std::fs::write(dir.join("Cargo.toml"), manifest)?;
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    std::fs::copy(lock, dir.join("Cargo.lock"))?;
    Ok(Crate {
        dir: dir.to_owned(),
        file: "src/lib.rs",
        source: source.to_owned(),
    })
}

fn empty(dir: &Path) -> std::io::Result<Crate> {
    crate_of(dir, "", include_str!("incremental/empty.rs"))
}

fn by_hand(dir: &Path) -> std::io::Result<Crate> {
    let dependencies = "serde = { version = \"1\", features = [\"derive\"] }\n\
                        serde_json = \"1\"\nschemars = \"1\"\ntracing = \"0.1\"\n";
    crate_of(dir, dependencies, include_str!("incremental/by_hand.rs"))
}

/// What `keyway new` writes when nothing else is said.
fn plugin(dir: &Path) -> Result<Crate, Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = workspace.parent().unwrap_or(workspace);
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "-p", "keyway-cli", "--", "--quiet"])
        .args(["new", "greeter", "--keyway-path"])
        .arg(workspace)
        .arg("--path")
        .arg(dir)
        .current_dir(workspace)
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("`keyway new` did not write {}", dir.display()).into());
    }
    std::fs::copy(workspace.join("Cargo.lock"), dir.join("Cargo.lock"))?;
    let source = std::fs::read_to_string(dir.join(PLUGIN))?;
    let edited = source.replace("\"{greeting}, {name}!\"", "\"{greeting} EDIT, {name}!\"");
    if edited == source {
        return Err(format!("nothing to edit in {PLUGIN}").into());
    }
    Ok(Crate {
        dir: dir.to_owned(),
        file: PLUGIN,
        source: edited,
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

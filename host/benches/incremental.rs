//! What an author waits for: `cargo build` after an edit, of a plugin from the template and of a bare cdylib
//! beside it. `cargo bench -p keyway-host --bench incremental`.
//!
//! Both are built once before, from the versions of this workspace's lock file; then one character of each
//! is changed and built, in turns.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// How often each is edited.
const EDITS: usize = 21;

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
    let bare = bare(&home.join("bare"))?;
    let plugin = plugin(&home.join("plugin"))?;
    let mut times = [Vec::new(), Vec::new()];
    for edit in 0..=EDITS {
        for (place, times) in [&bare, &plugin].into_iter().zip(&mut times) {
            place.edit(edit)?;
            let clock = Instant::now();
            place.build()?;
            // The first is the one that builds everything.
            if edit > 0 {
                times.push(clock.elapsed());
            }
        }
    }
    let [bare, plugin] = times.map(median);
    let ratio = plugin.as_secs_f64() / bare.as_secs_f64();
    let verdict = match ratio <= BUDGET {
        true => "ok",
        false => "OVER",
    };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "a build after an edit, debug, median of {EDITS}")?;
    writeln!(stdout, "  a bare cdylib (baseline)    {bare:.1?}")?;
    writeln!(
        stdout,
        "  a plugin from the template  {plugin:.1?}  {ratio:.2}x  budget <= {BUDGET}x  {verdict}"
    )?;
    Ok(())
}

/// A crate with one function that is edited.
struct Crate {
    dir: PathBuf,
    /// The source, in which `EDIT` stands for what changes.
    source: String,
}

impl Crate {
    fn edit(&self, edit: usize) -> std::io::Result<()> {
        let source = self.source.replace("EDIT", &edit.to_string());
        std::fs::write(self.dir.join("src/lib.rs"), source)
    }

    fn build(&self) -> Result<(), Box<dyn Error>> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--quiet"])
            .current_dir(&self.dir)
            .env("CARGO_TARGET_DIR", self.dir.join("target"))
            .stderr(Stdio::inherit())
            .status()?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("cargo could not build {}", self.dir.display()).into()),
        }
    }
}

fn bare(dir: &Path) -> std::io::Result<Crate> {
    std::fs::create_dir_all(dir.join("src"))?;
    let manifest = "[package]\nname = \"bare\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                    [lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
                    [profile.dev]\ndebug = \"line-tables-only\"\n\n[workspace]\n";
    std::fs::write(dir.join("Cargo.toml"), manifest)?;
    let source = "#[unsafe(no_mangle)]\npub extern \"C\" fn greet(name: *const u8, length: usize) -> usize {\n    \
                  // SAFETY: the caller's text.\n    \
                  let name = unsafe { std::slice::from_raw_parts(name, length) };\n    \
                  format!(\"Hello EDIT, {}!\", String::from_utf8_lossy(name)).len()\n}\n";
    Ok(Crate {
        dir: dir.to_owned(),
        source: source.to_owned(),
    })
}

fn plugin(dir: &Path) -> std::io::Result<Crate> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = workspace.parent().unwrap_or(workspace);
    let filled = |file: &str| -> std::io::Result<String> {
        let text = std::fs::read_to_string(workspace.join("template").join(file))?;
        Ok(text
            .replace("{{project-name}}", "greeter")
            .replace("{{description}}", "Greets somebody by name")
            .replace("{{keyway}}", &workspace.display().to_string()))
    };
    std::fs::create_dir_all(dir.join("src"))?;
    for file in ["Cargo.toml", "plugin.toml"] {
        std::fs::write(dir.join(file), filled(file)?)?;
    }
    std::fs::copy(workspace.join("Cargo.lock"), dir.join("Cargo.lock"))?;
    let source = filled("src/lib.rs")?;
    Ok(Crate {
        dir: dir.to_owned(),
        source: source.replace("\"{}, {}!\"", "\"{} EDIT, {}!\""),
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

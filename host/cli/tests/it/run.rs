//! Runs `keyway` and puts all that can be seen of it into one text, without what differs from run
//! to run or from machine to machine.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use expect_test::Expect;
use keyway_host::keyway::version::{RUSTC, TARGET};
use regex_lite::Regex;
use tempfile::TempDir;

/// One run to be made.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    stdin: String,
    names: Vec<(PathBuf, &'static str)>,
}

/// `keyway` with the arguments in a line; those with spaces are added with [`Run::arg`].
pub(crate) fn keyway(arguments: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyway"));
    command.args(arguments.split_whitespace());
    Run::of(command)
}

/// What a person types into a shell that finds `keyway`, line by line; the first that fails is the last.
#[cfg(unix)]
pub(crate) fn shell(lines: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_keyway"));
    let own = program.parent().expect("it is in a directory");
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(own.to_owned()).chain(std::env::split_paths(&others));
    let mut command = Command::new("sh");
    command
        .args(["-e", "-c", lines])
        .env("PATH", std::env::join_paths(path).expect("no colon in it"));
    // The cargo that a person starts is not inside of another one.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    Run::of(command)
}

/// The state directory of all runs that have none of their own: new for each run of the tests, so
/// that one which is cut short leaves nothing to the next, and never that of the user.
fn state() -> &'static Path {
    static STATE: OnceLock<TempDir> = OnceLock::new();
    STATE
        .get_or_init(|| tempfile::tempdir().expect("a directory"))
        .path()
}

impl Run {
    fn of(mut command: Command) -> Self {
        command
            .env("RUST_LOG", "off")
            .env("XDG_CONFIG_HOME", state().join("config"))
            .env("XDG_DATA_HOME", state().join("data"))
            .env("XDG_CACHE_HOME", state().join("cache"))
            .env("XDG_STATE_HOME", state());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(name);
        }
        Run {
            command,
            stdin: String::new(),
            names: Vec::new(),
        }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// More arguments in a line.
    pub(crate) fn args(mut self, arguments: &str) -> Self {
        self.command.args(arguments.split_whitespace());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self.name(dir, "[DIR]")
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        text.clone_into(&mut self.stdin);
        self
    }

    /// Shows a path under a name.
    pub(crate) fn name(mut self, path: &Path, name: &'static str) -> Self {
        self.names.push((path.to_owned(), name));
        self
    }

    /// The bare command, for tests that talk to it while it runs.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    pub(crate) fn output(&mut self) -> Output {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("keyway starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A run that never reads its stdin has closed it by now, and that is fine.
        let _ = stdin.write_all(self.stdin.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("keyway ends")
    }

    /// Compares exit code, stdout and stderr with what is expected.
    pub(crate) fn check(mut self, expected: &Expect) {
        let output = self.output();
        let text = |bytes: &[u8]| self.redact(&String::from_utf8_lossy(bytes));
        let mut seen = match output.status.code() {
            Some(code) => format!("exit {code}\n"),
            None => format!("{}\n", output.status),
        };
        for (name, text) in [
            ("stdout", text(&output.stdout)),
            ("stderr", text(&output.stderr)),
        ] {
            if !text.is_empty() {
                seen.push_str(&format!("--- {name}\n{text}"));
            }
        }
        expected.assert_eq(&seen);
    }

    fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, name) in &self.names {
            text = text.replace(&*path.to_string_lossy(), name);
        }
        text = text.replace(RUSTC, "[RUSTC]").replace(TARGET, "[TRIPLE]");
        let patterns = [
            (r"blake3:[0-9a-f]{12,64}…?", "[HASH]"),
            (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
            (r"\b[0-9.]+ (KiB|MiB) \([0-9]+ bytes\)", "[SIZE]"),
            (r#""size":[0-9]+"#, r#""size":[SIZE]"#),
            (r"\b[0-9a-f]{40}\b", "[COMMIT]"),
            (r" at [0-9a-f]{12}\b", " at [COMMIT]"),
            (r"process [0-9]+", "process [PID]"),
            (r"\b[0-9.]+ (µs|ms|s)\b", "[TIME]"),
            (r"\.rs:[0-9]+:[0-9]+", ".rs:[LINE]"),
            (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC\b", "[WHEN]"),
            // What a library is linked with is the platform's.
            (r"(?m)^(format|needs) .*", "$1 [PLATFORM]"),
            // What cargo says of its progress.
            (
                r"(?m)^ +(Compiling|Finished|Locking|Blocking|Adding|Updating) .*\n",
                "",
            ),
        ];
        for (pattern, with) in patterns {
            let pattern = Regex::new(pattern).expect("a pattern");
            text = pattern.replace_all(&text, with).into_owned();
        }
        text
    }
}

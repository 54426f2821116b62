//! `keyway new`: from a name to a plugin's crate that builds, and to the commands that show it.

mod name;
mod source;
mod template;

use std::io;
use std::path::{Path, PathBuf};

use keyway_host::manifest::Manifest;
use serde::Serialize;

use crate::args::{Kind, New, word};
use crate::ending::Outcome;
use crate::exit;
use crate::failure::{Failure, SCHEMA_VERSION};
use crate::terminal::{Form, Terminal};
use source::Source;
use template::{Choices, Rendered};

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema_version: u32,
    name: &'a str,
    dir: &'a Path,
    kind: String,
    runtime: &'static str,
    state: String,
    keyway: &'a Source,
    files: Vec<&'a str>,
    /// Whether the files were written.
    written: bool,
    /// What to run next, in this order, in the shell that `keyway new` was run in.
    next: &'a [String],
}

pub(crate) fn run(command: &New, terminal: &Terminal) -> Outcome {
    let choices = choices(command)?;
    let files = template::render(&choices)?;
    check_manifest(&files)?;
    let dir = command.path.clone();
    let dir = dir.unwrap_or_else(|| PathBuf::from(&choices.name));
    check_free(&dir)?;

    let (kind, state) = (word(command.kind), word(command.state));
    let runtime = choices.runtime();
    terminal.status(
        "Creating",
        format_args!(
            "{}: kind {kind}, runtime {runtime}, state {state}",
            choices.name
        ),
    );
    terminal.status("Using", &choices.source);
    for file in &files {
        terminal.status("Writing", dir.join(file.path).display());
    }
    if command.dry_run {
        terminal.note("nothing was written, because of --dry-run");
    } else {
        write(&dir, &files)?;
    }
    if let Some(workspace) = workspace_around(&dir) {
        terminal.note(&format!(
            "it is a workspace of its own inside of {}; to make it a member there, remove its tables \
             [workspace] and [profile.*]",
            workspace.display()
        ));
    }

    let next = next(&dir, command.kind);
    if command.json {
        let answer = Answer {
            schema_version: SCHEMA_VERSION,
            name: &choices.name,
            dir: &dir,
            kind,
            runtime,
            state,
            keyway: &choices.source,
            files: files.iter().map(|file| file.path).collect(),
            written: !command.dry_run,
            next: &next,
        };
        return terminal.json(&answer, Form::ForReader);
    }
    terminal.status("Next", "run these, and edit src while the last one runs:");
    terminal.text(&(next.join("\n") + "\n"))
}

fn choices(command: &New) -> Outcome<Choices> {
    name::check(&command.name)?;
    Ok(Choices {
        name: command.name.clone(),
        description: description(command)?,
        kind: command.kind,
        tokio: command.tokio,
        state: command.state,
        source: Source::of(&command.keyway)?,
    })
}

fn description(command: &New) -> Outcome<String> {
    let Some(text) = &command.description else {
        let default = match command.kind {
            Kind::MemoryBackend => "Keeps documents in memory",
            _ => "Greets guests",
        };
        return Ok(default.to_owned());
    };
    // The template ends the sentence where it is one.
    let text = text.trim().trim_end_matches('.').trim_end();
    if text.is_empty() || text.contains(['"', '\\']) || text.contains(char::is_control) {
        return Err(Failure::new(
            exit::USAGE,
            "description",
            "the description cannot be used: expected one line with some text, and without `\"` and `\\`",
        )
        .hint("it goes into texts of TOML and into comments; edit Cargo.toml and plugin.toml afterwards")
        .into());
    }
    Ok(text.to_owned())
}

/// What only the manifest knows, such as marks that no text in it may have, is told before anything is written.
fn check_manifest(files: &[Rendered]) -> Outcome {
    let manifest = files.iter().find(|file| file.path == "plugin.toml");
    let read = manifest.map(|file| Manifest::from_toml(&file.text, file.path));
    match read {
        Some(Err(error)) => Err(Failure::new(exit::USAGE, "manifest", error.to_string()).into()),
        _ => Ok(()),
    }
}

/// Refuses a place where something is.
fn check_free(dir: &Path) -> Outcome {
    let found = match std::fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => return Ok(()),
            Some(_) => "one with files in it".to_owned(),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => "a file".to_owned(),
        Err(error) => format!("one that cannot be read: {error}"),
    };
    Err(Failure::new(
        exit::USAGE,
        "not-empty",
        format!("expected a new or an empty directory, found {found}"),
    )
    .at(dir)
    .hint("choose another name, or another directory with --path")
    .into())
}

fn write(dir: &Path, files: &[Rendered]) -> Outcome {
    for file in files {
        let path = dir.join(file.path);
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            // Never over what somebody else has put there meanwhile.
            .and_then(|()| std::fs::File::create_new(&path))
            .and_then(|mut new| io::Write::write_all(&mut new, file.text.as_bytes()));
        written.map_err(|error| {
            Failure::new(exit::HOST, "write", format!("cannot write it: {error}")).at(&path)
        })?;
    }
    Ok(())
}

/// The nearest manifest above a new crate that is one of a workspace.
fn workspace_around(dir: &Path) -> Option<PathBuf> {
    let dir = std::path::absolute(dir).ok()?;
    let manifests = dir.ancestors().skip(1).map(|dir| dir.join("Cargo.toml"));
    let is_workspace = |manifest: &PathBuf| {
        let text = std::fs::read_to_string(manifest).unwrap_or_default();
        text.lines().any(|line| line.trim() == "[workspace]")
    };
    manifests.into_iter().find(is_workspace)
}

/// What to run next: each line works as it is, one after the other.
fn next(dir: &Path, kind: Kind) -> Vec<String> {
    let keyway = quoted(&this_command());
    let dev = match kind {
        Kind::Tool => format!(r#"{keyway} dev . --call greet '{{"name":"Ada"}}'"#),
        _ => format!("{keyway} dev ."),
    };
    let cd = format!("cd {}", quoted(&dir.display().to_string()));
    vec![cd, "cargo test".to_owned(), dev]
}

/// How a shell finds the program that runs: `keyway` where that is it, else its path.
fn this_command() -> String {
    let name = env!("CARGO_BIN_NAME");
    let Ok(own) = std::env::current_exe() else {
        return name.to_owned();
    };
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(&file));
    let found = found.into_iter().find(|file| file.is_file());
    let same = found.is_some_and(|found| found.canonicalize().ok() == own.canonicalize().ok());
    if same {
        name.to_owned()
    } else {
        own.display().to_string()
    }
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+@:".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted("plugins/acme-greeter"), "plugins/acme-greeter");
        assert_eq!(quoted("my plugins/greeter"), "'my plugins/greeter'");
        assert_eq!(quoted("Ada's"), r"'Ada'\''s'");
        assert_eq!(quoted(""), "''");
    }
}

//! `keyway man`: the manual pages, from what clap knows of the command line.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man as Page;

use crate::args::{Args, Man};
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

pub(crate) fn run(command: &Man, terminal: &Terminal) -> Outcome {
    let mut all = Args::command();
    all.build();
    let Some(dir) = &command.dir else {
        return terminal.text(&page(all)?);
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let mut pages = Vec::new();
    collect(&all, &mut pages);
    let count = pages.len();
    for (name, command) in pages {
        let file = dir.join(format!("{name}.1"));
        std::fs::write(&file, page(command)?).map_err(|error| failed(&file, &error))?;
    }
    terminal.status(
        "Wrote",
        format_args!("{count} pages into {}", dir.display()),
    );
    Ok(())
}

/// The command and all below it, each with the name of its page.
fn collect(command: &Command, pages: &mut Vec<(String, Command)>) {
    let name = command
        .get_display_name()
        .unwrap_or(command.get_name())
        .to_owned();
    pages.push((name, command.clone()));
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        collect(below, pages);
    }
}

fn page(command: Command) -> Outcome<String> {
    let mut page = Vec::new();
    Page::new(command)
        .render(&mut page)
        .map_err(|error| Ending::output(&error))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot write a manual page: {error}");
    Failure::new(exit::HOST, "man", message).at(path)
}

//! `keyway test`: from a crate's directory to a plugin that keeps the rules, stage by stage.

use keyway_validate::Report;
use serde::Serialize;

use crate::args::TestCrate;
use crate::cargo;
use crate::ending::{Ending, Outcome};
use crate::exit;
use crate::failure::SCHEMA_VERSION;
use crate::interrupt::Interrupt;
use crate::subject::{plugin_crate, shorten};
use crate::terminal::{Form, Terminal};
use crate::validate::{exit_code, table_of, validate, validator};

/// What `--json` prints once the crate is built and its tests have passed; before that there is an error.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    schema_version: u32,
    package: &'a str,
    library: &'a Report,
}

pub(crate) fn run(command: &TestCrate, terminal: &Terminal) -> Outcome {
    let plugin = plugin_crate(&command.dir)?;
    let validator = validator(&command.checks)?;
    let interrupt = Interrupt::listen();
    let library = cargo::build(&plugin, command.release, &interrupt, terminal)?;
    cargo::test(&plugin, command.release, &interrupt, terminal)?;
    let report = validate(&validator, &shorten(&library), &interrupt, terminal)?;
    if command.json {
        let answer = Answer {
            schema_version: SCHEMA_VERSION,
            package: &plugin.package,
            library: &report,
        };
        terminal.json(&answer, Form::ForReader)?;
    } else {
        terminal.text(&table_of(&report, &command.checks, terminal))?;
    }
    match exit_code(&[report]) {
        exit::SUCCESS => Ok(()),
        code => Err(Ending::Told(code)),
    }
}

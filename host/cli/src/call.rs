//! `keyway call`: one tool, once.

use crate::args::Call;
use crate::ending::Outcome;
use crate::interrupt::Interrupt;
use crate::session::{Session, host_builder, read_arguments};
use crate::subject;
use crate::terminal::{Form, Terminal};

pub(crate) fn run(command: &Call, terminal: &Terminal) -> Outcome {
    let Call {
        subject,
        tool: name,
        arguments,
        json,
        deadline,
        settings,
        application,
    } = command;
    let library = subject::library(subject)?;
    let arguments = read_arguments(name, arguments)?;
    // Only from here on is there something to end in order.
    let interrupt = Interrupt::listen();
    let answer = Session::run(host_builder(application), &interrupt, terminal, |session| {
        let plugin = session.load(&library, settings.to_map())?;
        for warning in &plugin.warnings {
            terminal.warning(&warning.to_string());
        }
        let tool = session.tool(name, &plugin)?;
        session.call(&tool, name, arguments, *deadline)
    })?;
    let form = if *json {
        Form::Compact
    } else {
        Form::ForReader
    };
    terminal.json(&answer, form)
}

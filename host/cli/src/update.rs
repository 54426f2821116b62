//! `keyway update`: what is new where plugins came from.

use crate::args::Update;
use crate::ending::Outcome;
use crate::terminal::Terminal;
use crate::transaction::{self, Terms};

pub(crate) fn run(command: &Update, terminal: &Terminal) -> Outcome {
    transaction::run(
        "keyway update",
        &command.change.place,
        Terms::of(&command.change),
        terminal,
        Some(&command.fetching),
        |installer| installer.plan_update(command.plugin.as_ref()),
    )
}

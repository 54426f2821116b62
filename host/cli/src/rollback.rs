//! `keyway rollback`: what was installed before.

use crate::args::Rollback;
use crate::ending::Outcome;
use crate::terminal::Terminal;
use crate::transaction::{self, Terms};

pub(crate) fn run(command: &Rollback, terminal: &Terminal) -> Outcome {
    transaction::run(
        "keyway rollback",
        &command.change.place,
        Terms::of(&command.change),
        terminal,
        None,
        |installer| installer.plan_rollback(command.plugin.as_ref()),
    )
}

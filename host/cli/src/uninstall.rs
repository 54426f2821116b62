//! `keyway uninstall`: plugins go, unless others need them.

use crate::args::Uninstall;
use crate::ending::Outcome;
use crate::terminal::Terminal;
use crate::transaction::{self, Terms};

pub(crate) fn run(command: &Uninstall, terminal: &Terminal) -> Outcome {
    transaction::run(
        "keyway uninstall",
        &command.change.place,
        Terms::of(&command.change),
        terminal,
        None,
        |installer| installer.plan_uninstall(&command.plugins),
    )
}

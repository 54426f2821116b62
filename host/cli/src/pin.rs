//! `keyway pin` and `keyway unpin`: whether updates leave plugins alone.

use keyway_host::manifest::PluginId;

use crate::args::Place;
use crate::ending::Outcome;
use crate::terminal::Terminal;
use crate::transaction::{self, Terms};

pub(crate) fn run(
    plugins: &[PluginId],
    pinned: bool,
    place: &Place,
    terminal: &Terminal,
) -> Outcome {
    let doing = match pinned {
        true => "keyway pin",
        false => "keyway unpin",
    };
    transaction::run(
        doing,
        place,
        Terms::harmless(),
        terminal,
        None,
        |installer| installer.plan_pin(plugins, pinned),
    )
}

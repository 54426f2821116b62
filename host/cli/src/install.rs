//! `keyway install`: a plugin from wherever it is, or everything that the lockfile says.

use keyway_install::{InstallError, Reference, Source};

use crate::args::{Fetching, Install};
use crate::ending::Outcome;
use crate::terminal::Terminal;
use crate::transaction::{self, Terms};

pub(crate) fn run(command: &Install, terminal: &Terminal) -> Outcome {
    let source = source(command)?;
    let locked = command.locked || command.frozen;
    let fetching = Fetching {
        offline: command.fetching.offline || command.frozen,
        host_version: command.fetching.host_version.clone(),
        registry: command.fetching.registry.clone(),
    };
    transaction::run(
        "keyway install",
        &command.change.place,
        Terms::of(&command.change).locked(locked),
        terminal,
        Some(&fetching),
        |installer| match &source {
            Some(source) => installer.plan_install(source),
            None => installer.plan_restore(),
        },
    )
}

fn source(command: &Install) -> Result<Option<Source>, InstallError> {
    let Some(text) = &command.source else {
        return Ok(None);
    };
    let registry = transaction::registry(&command.change.place, &command.fetching)?;
    let source = Source::written(text, registry.as_ref())?;
    let branch = command.branch.clone().map(Reference::Branch);
    let tag = command.tag.clone().map(Reference::Tag);
    let rev = command.rev.clone().map(Reference::Rev);
    let source = match branch.or(tag).or(rev) {
        Some(reference) => source.with_reference(reference)?,
        None if command.link => source.linked()?,
        None => source,
    };
    Ok(Some(source))
}

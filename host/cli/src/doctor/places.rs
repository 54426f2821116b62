//! Whose the places are that plugins are decided by, and who else can write there.

use std::path::Path;

use keyway_install::codes;

use super::{Diagnosis, Fix};
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;
use crate::installation::Installation;

/// The places that others can write.
pub(super) fn exposed(installation: &Installation) -> Vec<Diagnosis> {
    let home = &installation.home;
    let file = &installation.settings_file;
    let directories = [
        file.parent(),
        home.store().parent(),
        Some(home.store()),
        Some(home.state()),
    ];
    let directories = directories.into_iter().flatten();
    let mut found: Vec<Diagnosis> = directories
        .filter_map(|dir| exposure(dir, &codes::DIRECTORY_EXPOSED))
        .collect();
    found.extend(exposure(file, &codes::SETTINGS_EXPOSED));
    found
}

#[cfg(unix)]
fn exposure(path: &Path, code: &'static keyway_host::Code) -> Option<Diagnosis> {
    use std::os::unix::fs::MetadataExt;

    // What is not there yet is made with the right rights.
    let metadata = path.metadata().ok()?;
    let (own, owner) = (nix::unistd::geteuid().as_raw(), metadata.uid());
    if owner != own && owner != 0 {
        let message =
            format!("it belongs to user {owner}; expected user {own}, who runs this, or 0");
        return Some(code.finding(message).at(path).into());
    }
    let writable = metadata.mode() & OTHERS_WRITE;
    (writable != 0).then(|| {
        let message = format!(
            "others can write it: its mode is {:03o}",
            metadata.mode() & 0o777
        );
        let finding = code.finding(message).at(path);
        let finding = finding.hint(format!("chmod go-w {}", path.display()));
        match owner == own {
            true => Diagnosis::with(finding, Fix::Close(path.to_owned())),
            false => finding.into(),
        }
    })
}

/// Rights are of another kind here.
#[cfg(not(unix))]
fn exposure(_: &Path, _: &'static keyway_host::Code) -> Option<Diagnosis> {
    None
}

/// The right to write of the group and of everybody.
#[cfg(unix)]
const OTHERS_WRITE: u32 = 0o022;

/// Takes the right to write from others.
#[cfg(unix)]
pub(super) fn close(path: &Path) -> Outcome {
    use std::os::unix::fs::PermissionsExt;

    let failed = |error| {
        let message = format!("cannot change its rights: {error}");
        Failure::new(exit::HOST, "rights", message).at(path)
    };
    let mut rights = path.metadata().map_err(failed)?.permissions();
    rights.set_mode(rights.mode() & !OTHERS_WRITE);
    Ok(std::fs::set_permissions(path, rights).map_err(failed)?)
}

#[cfg(not(unix))]
pub(super) fn close(_: &Path) -> Outcome {
    Ok(())
}

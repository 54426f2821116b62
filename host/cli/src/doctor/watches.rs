//! Whether the system can watch all directories that a host with hot reload watches.

use keyway_host::Finding;

use crate::installation::{Installation, Survey};

#[cfg(target_os = "linux")]
pub(super) fn limits(installation: &Installation, survey: &Survey) -> Option<Finding> {
    let limit = |name: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
        text.trim().parse().ok()
    };
    let limits = Limits {
        watches: limit("max_user_watches")?,
        instances: limit("max_user_instances")?,
    };
    judge(limits, watched(installation, survey))
}

/// The limits are those of inotify.
#[cfg(not(target_os = "linux"))]
pub(super) fn limits(_: &Installation, _: &Survey) -> Option<Finding> {
    None
}

/// Of one user, over all processes.
#[cfg(any(target_os = "linux", test))]
#[derive(Clone, Copy, Debug)]
struct Limits {
    watches: usize,
    instances: usize,
}

/// The directories that a host watches: each root, what is in it, and where each file is that it found.
#[cfg(target_os = "linux")]
fn watched(installation: &Installation, survey: &Survey) -> usize {
    let mut directories = std::collections::BTreeSet::new();
    for root in &installation.settings.host.roots {
        directories.insert(root.path.clone());
        let entries = std::fs::read_dir(&root.path)
            .into_iter()
            .flatten()
            .flatten();
        directories.extend(
            entries
                .map(|entry| entry.path())
                .filter(|path| path.is_dir()),
        );
    }
    for record in &survey.records {
        directories.extend(record.path.parent().map(std::path::Path::to_owned));
    }
    directories.len()
}

/// A host has one instance for its roots and one for the files of plugins.
#[cfg(any(target_os = "linux", test))]
const INSTANCES: usize = 2;

#[cfg(any(target_os = "linux", test))]
fn judge(limits: Limits, watched: usize) -> Option<Finding> {
    let Limits { watches, instances } = limits;
    let too_low = if watches < watched {
        format!(
            "fs.inotify.max_user_watches is {watches}, and {watched} directories are to be watched"
        )
    } else if instances < INSTANCES {
        format!("fs.inotify.max_user_instances is {instances}, and a host takes {INSTANCES}")
    } else {
        return None;
    };
    Some(keyway_install::codes::WATCH_LIMIT.finding(too_low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_when_they_are_lower_than_what_is_needed() {
        let message = |watches, instances| {
            judge(Limits { watches, instances }, 10).map(|finding| finding.message)
        };
        assert_eq!(message(10, 2), None);
        assert_eq!(
            message(9, 128).as_deref(),
            Some("fs.inotify.max_user_watches is 9, and 10 directories are to be watched")
        );
        assert_eq!(
            message(8192, 1).as_deref(),
            Some("fs.inotify.max_user_instances is 1, and a host takes 2")
        );
    }
}

//! Events from the kernel: which directories are watched, and what the events mean.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Instant;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{ErrorKind, RecursiveMode};

use super::mounts::remote_type;
use super::shell::Message;
use super::state::{Identity, Sign};

/// The directories that events come from.
pub(super) struct Kernel {
    backend: Box<dyn notify::Watcher + Send>,
    directories: HashMap<PathBuf, Directory>,
}

struct Directory {
    /// What the path stood for when it was asked for events.
    identity: Identity,
    /// Err: why events from here are not enough.
    events: Result<(), String>,
}

/// What came of asking for a directory's events.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// It was watched before.
    Kept(Result<(), String>),
    /// It is from now on: what is in it must be looked at again.
    New(Result<(), String>),
    /// There is no such directory any more.
    Vanished,
}

impl Kernel {
    /// Asks the system for events; the error says why there are none.
    pub(super) fn connect(messages: Sender<Message>) -> Result<Kernel, String> {
        let handler = move |event| translate(event, &messages);
        let backend = notify::recommended_watcher(handler)
            .map_err(|error| format!("the system gives no file events: {error}"))?;
        Ok(Kernel::with(Box::new(backend)))
    }

    pub(super) fn with(backend: Box<dyn notify::Watcher + Send>) -> Kernel {
        Kernel {
            backend,
            directories: HashMap::new(),
        }
    }

    /// Sees to it that events of this directory come, and of none that had this path before.
    pub(super) fn watch(&mut self, path: &Path) -> Watch {
        let Ok(metadata) = std::fs::metadata(path) else {
            return Watch::Vanished;
        };
        let identity = Identity::of(&metadata);
        if let Some(directory) = self.directories.get(path) {
            if directory.identity == identity {
                return Watch::Kept(directory.events.clone());
            }
            self.unwatch(path);
        }
        let events = match self.backend.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => remote_type(path).map_or(Ok(()), |kind| {
                Err(format!(
                    "it is on a file system of type {kind}, where changes made elsewhere give no \
                     events"
                ))
            }),
            Err(error) => match error.kind {
                ErrorKind::PathNotFound => return Watch::Vanished,
                ErrorKind::MaxFilesWatch => Err(
                    "this user's inotify watches are used up (see fs.inotify.max_user_watches)"
                        .to_owned(),
                ),
                _ => Err(format!("the system gives no events of it: {error}")),
            },
        };
        let directory = Directory {
            identity,
            events: events.clone(),
        };
        self.directories.insert(path.to_owned(), directory);
        Watch::New(events)
    }

    /// Whether events of this directory were asked for.
    pub(super) fn watches(&self, path: &Path) -> bool {
        self.directories.contains_key(path)
    }

    /// The directory was deleted, renamed or replaced, and with it what is below: the backend may
    /// have dropped the watches, or keep them on what is elsewhere now.
    pub(super) fn forget(&mut self, path: &Path) {
        self.retain(|directory| !directory.starts_with(path));
    }

    pub(super) fn retain(&mut self, wanted: impl Fn(&Path) -> bool) {
        let unwanted = self.directories.keys().filter(|path| !wanted(path));
        for path in unwanted.cloned().collect::<Vec<_>>() {
            self.unwatch(&path);
        }
    }

    fn unwatch(&mut self, path: &Path) {
        self.directories.remove(path);
        // It fails where the kernel or the backend was first, for a directory that was deleted.
        let _ = self.backend.unwatch(path);
    }
}

/// Runs on the backend's thread.
fn translate(event: notify::Result<notify::Event>, messages: &Sender<Message>) {
    let at = Instant::now();
    // The watcher may have ended meanwhile; then nobody wants to know.
    let event = match event {
        Ok(event) if !event.need_rescan() => event,
        // The queue has overflowed, or could not be read: anything may have happened.
        Ok(_) | Err(_) => return drop(messages.send(Message::Rescan(at))),
    };
    if let Some(sign) = sign(event.kind) {
        for path in event.paths {
            let _ = messages.send(Message::Event { at, path, sign });
        }
    }
}

/// None for what has no meaning for a file's content, such as the host's own reading of it.
fn sign(kind: EventKind) -> Option<Sign> {
    match kind {
        EventKind::Create(_) => Some(Sign::Created),
        EventKind::Remove(_) => Some(Sign::Left),
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Some(Sign::Closed),
        EventKind::Access(_) | EventKind::Other => None,
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Some(Sign::Left),
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Some(Sign::Arrived),
        // It repeats what the two have said.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => None,
        // Which side of a rename this is, is not known: a look at the name will tell.
        EventKind::Modify(ModifyKind::Name(_)) => Some(Sign::Moved),
        // inotify tells writing from touching. Elsewhere events are repeated and summed up, so
        // that only the file's state counts.
        EventKind::Modify(ModifyKind::Data(_))
            if cfg!(any(target_os = "linux", target_os = "android")) =>
        {
            Some(Sign::Written)
        }
        EventKind::Modify(_) | EventKind::Any => Some(Sign::Touched),
    }
}

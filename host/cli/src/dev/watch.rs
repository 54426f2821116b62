//! Watches the sources of a plugin, and reports when some of them have changed.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{EventKind, MetadataKind, ModifyKind};
use notify::{ErrorKind, PollWatcher, RecursiveMode, Watcher};

use super::no_thread;
use crate::cargo::{Depth, Sources};
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;

/// From the last change to the report: an editor that saves several files, or a file in several
/// steps, is done within this.
const QUIET: Duration = Duration::from_millis(50);

/// From the first change to the report, when changes do not end.
const LONGEST: Duration = Duration::from_secs(1);

/// How often the files are looked at where the system does not tell of changes; a look reads
/// each source file.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is watched at the moment, which the backend's thread looks at.
type Shared = Arc<Mutex<Sources>>;
/// Where changed files go; none: it is not known which.
type Changes = Sender<BTreeSet<PathBuf>>;
type Backend = Box<dyn Watcher + Send>;

/// Watches until it is dropped.
pub(super) struct SourceWatch {
    backend: Backend,
    changes: Changes,
    sources: Shared,
    watched: Vec<(PathBuf, Depth)>,
    /// Why the files are looked at now and then.
    polling: Option<String>,
}

impl SourceWatch {
    /// Starts to watch; `report` is called on a thread of its own, with the files that have
    /// changed: none where that could not be found out.
    pub(super) fn start(
        sources: &Sources,
        report: impl Fn(Vec<PathBuf>) + Send + 'static,
    ) -> Outcome<Self> {
        SourceWatch::start_with(sources, report, ask_the_kernel)
    }

    fn start_with(
        sources: &Sources,
        report: impl Fn(Vec<PathBuf>) + Send + 'static,
        connect: impl FnOnce(&Shared, &Changes) -> notify::Result<Backend>,
    ) -> Outcome<Self> {
        let (changes, inbox) = channel();
        let shared = Arc::new(Mutex::new(sources.clone()));
        std::thread::Builder::new()
            .name("keyway-sources".to_owned())
            .spawn(move || gather(&inbox, report))
            .map_err(|error| no_thread(&error))?;
        let (backend, polling) = match connect(&shared, &changes) {
            Ok(backend) => (backend, None),
            Err(error) => (polling(&shared, &changes)?, Some(why(&error))),
        };
        let mut watch = SourceWatch {
            backend,
            changes,
            sources: shared,
            watched: Vec::new(),
            polling,
        };
        watch.ask()?;
        Ok(watch)
    }

    /// Why the files are looked at now and then, if the system does not tell of changes. Answers
    /// once.
    pub(super) fn take_polling(&mut self) -> Option<String> {
        self.polling.take()
    }

    /// Watches these sources from now on, where they are other ones; and directories anew that are
    /// among `changed`, since they may have been replaced.
    pub(super) fn follow(&mut self, sources: &Sources, changed: &[PathBuf]) -> Outcome {
        let wanted = directories(sources);
        let is_new = |dir: &Path| changed.is_empty() || changed.iter().any(|path| path == dir);
        let watched = std::mem::take(&mut self.watched);
        for (dir, depth) in watched {
            if wanted.contains(&(dir.clone(), depth)) && !is_new(&dir) {
                self.watched.push((dir, depth));
            } else {
                // It fails for a directory that is gone.
                let _ = self.backend.unwatch(&dir);
            }
        }
        *self.sources.lock().unwrap_or_else(PoisonError::into_inner) = sources.clone();
        self.ask()
    }

    /// Asks for the changes of all directories that are not watched yet.
    fn ask(&mut self) -> Outcome {
        let sources = self.sources.lock();
        let wanted = directories(&sources.unwrap_or_else(PoisonError::into_inner));
        let Err(error) = self.ask_for(&wanted) else {
            return Ok(());
        };
        self.polling = Some(why(&error));
        self.backend = polling(&self.sources, &self.changes)?;
        self.watched.clear();
        let asked = self.ask_for(&wanted);
        Ok(asked.map_err(|error| failure(&why(&error)))?)
    }

    fn ask_for(&mut self, wanted: &[(PathBuf, Depth)]) -> notify::Result<()> {
        for each in wanted {
            if self.watched.contains(each) {
                continue;
            }
            let (dir, depth) = each;
            let mode = match depth {
                Depth::Flat => RecursiveMode::NonRecursive,
                Depth::Whole => RecursiveMode::Recursive,
            };
            match self.backend.watch(dir, mode) {
                Ok(()) => self.watched.push(each.clone()),
                // The directory above tells when it comes.
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SourceWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceWatch")
            .field("watched", &self.watched)
            .field("polling", &self.polling)
            .finish_non_exhaustive()
    }
}

fn directories(sources: &Sources) -> Vec<(PathBuf, Depth)> {
    let directories = sources.directories().into_iter();
    directories
        .map(|(dir, depth)| (dir.to_owned(), depth))
        .collect()
}

fn is_missing(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

fn why(error: &notify::Error) -> String {
    match error.kind {
        ErrorKind::MaxFilesWatch => {
            "this user's inotify watches are used up (see fs.inotify.max_user_watches)".to_owned()
        }
        _ => format!("the system does not tell of changes in source files: {error}"),
    }
}

fn failure(why: &str) -> Failure {
    Failure::new(
        exit::HOST,
        "watch",
        format!("cannot watch the sources: {why}"),
    )
    .hint("use --no-build, and run cargo yourself")
}

fn ask_the_kernel(sources: &Shared, changes: &Changes) -> notify::Result<Backend> {
    let watcher = notify::recommended_watcher(handler(sources, changes))?;
    Ok(Box::new(watcher))
}

fn polling(sources: &Shared, changes: &Changes) -> Outcome<Backend> {
    let config = notify::Config::default()
        .with_poll_interval(INTERVAL)
        // It compares times by the second, and somebody may edit twice in one.
        .with_compare_contents(true);
    let watcher = PollWatcher::new(handler(sources, changes), config);
    Ok(Box::new(watcher.map_err(|error| failure(&why(&error)))?))
}

/// Passes on which sources have changed. Runs on the backend's thread.
fn handler(
    sources: &Shared,
    changes: &Changes,
) -> impl FnMut(notify::Result<notify::Event>) + Send + 'static {
    let (sources, changes) = (Arc::clone(sources), changes.clone());
    move |event| {
        let changed = match event {
            Ok(event) if !event.need_rescan() => {
                if !is_change(event.kind) {
                    return;
                }
                let sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
                let of_sources = |path: &PathBuf| sources.contain(path);
                let changed: BTreeSet<_> = event.paths.into_iter().filter(of_sources).collect();
                if changed.is_empty() {
                    return;
                }
                changed
            }
            // The queue has overflowed, or could not be read: anything may have happened.
            Ok(_) | Err(_) => BTreeSet::new(),
        };
        // The watch may have ended meanwhile.
        let _ = changes.send(changed);
    }
}

/// Whether a build can tell the difference.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(_) | EventKind::Other => false,
        // All that polling sees of writing.
        EventKind::Modify(ModifyKind::Metadata(MetadataKind::WriteTime)) => true,
        EventKind::Modify(ModifyKind::Metadata(_)) => false,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) => true,
    }
}

/// Reports changes that come close together as one.
fn gather(inbox: &Receiver<BTreeSet<PathBuf>>, report: impl Fn(Vec<PathBuf>)) {
    while let Ok(mut changed) = inbox.recv() {
        let mut is_all = !changed.is_empty();
        let latest = Instant::now() + LONGEST;
        loop {
            let left = latest.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match inbox.recv_timeout(QUIET.min(left)) {
                Ok(more) => {
                    is_all &= !more.is_empty();
                    changed.extend(more);
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        if !is_all {
            changed.clear();
        }
        report(changed.into_iter().collect());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use notify::event::{AccessKind, DataChange};
    use tempfile::tempdir;

    use super::*;

    /// Longer than any of it takes, on any machine.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn where_the_kernel_cannot_watch_files_are_looked_at() {
        let dir = tempdir().expect("a directory");
        let source = dir.path().join("src/lib.rs");
        std::fs::create_dir_all(dir.path().join("src")).expect("a directory");
        std::fs::write(&source, "").expect("a file");
        let (sender, reports) = channel();
        let watch = SourceWatch::start_with(
            &Sources::usual(dir.path()),
            move |changed| drop(sender.send(changed)),
            |_, _| Err(notify::Error::new(ErrorKind::MaxFilesWatch)),
        );
        let mut watch = watch.expect("it looks instead");
        let why = watch.take_polling().expect("it is told");
        assert!(why.contains("fs.inotify.max_user_watches"), "{why}");
        assert_eq!(watch.take_polling(), None, "once");

        std::fs::write(&source, "pub fn edited() {}").expect("it is there");
        let changed = reports.recv_timeout(PATIENCE).expect("it is seen");
        assert_eq!(changed, [source.canonicalize().expect("it is there")]);
    }

    #[test]
    fn what_changes_nothing_calls_for_no_build() {
        let cases = [
            (EventKind::Access(AccessKind::Any), false),
            (
                EventKind::Modify(ModifyKind::Metadata(MetadataKind::Permissions)),
                false,
            ),
            (
                EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)),
                false,
            ),
            (
                EventKind::Modify(ModifyKind::Metadata(MetadataKind::WriteTime)),
                true,
            ),
            (EventKind::Modify(ModifyKind::Data(DataChange::Any)), true),
            (EventKind::Create(notify::event::CreateKind::File), true),
            (EventKind::Remove(notify::event::RemoveKind::File), true),
        ];
        for (kind, expected) in cases {
            assert_eq!(is_change(kind), expected, "{kind:?}");
        }
    }
}

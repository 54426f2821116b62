//! The thread that watches roots: takes events, surveys roots and looks at files, and reports.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::super::change::Observation;
use super::super::kernel::{Kernel, Watch};
use super::super::set::Files;
use super::super::shell::Message;
use super::super::state::{FileState, Sign};
use super::super::{FALLBACK_INTERVAL, Report, SHORTEST_INTERVAL, Settle, WatchOptions};
use super::RootReport;
use super::survey::Survey;
use crate::discovery::Root;

/// So many messages are taken before files are looked at.
const BATCH: usize = 1024;

/// How often a root is surveyed again because it changed meanwhile. Whoever changes it so fast gives
/// further events.
const SURVEYS: usize = 8;

/// Everything that the thread owns.
pub(super) struct Shell {
    inbox: Receiver<Message>,
    stopped: Arc<AtomicBool>,
    report: Box<dyn FnMut(RootReport) + Send>,
    settle: Settle,
    files: Files,
    roots: Vec<Watched>,
    /// None: polling was asked for. Err: why there are no events at all.
    kernel: Option<Result<Kernel, String>>,
    interval: Duration,
    next_poll: Option<Instant>,
    /// What is to be told when the thread runs.
    waiting: Vec<RootReport>,
}

/// A root that is watched.
struct Watched {
    given: PathBuf,
    absolute: PathBuf,
    survey: Survey,
    /// Something other than a file's content is different, since these times: the first and the last
    /// such change.
    dirty: Option<(Instant, Instant)>,
    /// Why its events are not enough.
    polled: Option<String>,
    surveyed: bool,
}

impl Watched {
    /// Something is different.
    fn dirt(&mut self, now: Instant) {
        let first = self.dirty.map_or(now, |(first, _)| first);
        self.dirty = Some((first, now));
    }
}

/// Something that happened at a path.
struct Event {
    at: Instant,
    path: PathBuf,
    sign: Sign,
}

impl Shell {
    /// The first survey is made at once.
    pub(super) fn new(
        roots: &[Root],
        options: WatchOptions,
        kernel: Option<Result<Kernel, String>>,
        inbox: Receiver<Message>,
        stopped: Arc<AtomicBool>,
        report: Box<dyn FnMut(RootReport) + Send>,
    ) -> Self {
        let watched = |root: &Root| Watched {
            given: root.path.clone(),
            absolute: root.absolute(),
            survey: Survey::default(),
            dirty: None,
            polled: None,
            surveyed: false,
        };
        let mut shell = Shell {
            inbox,
            stopped,
            report,
            files: Files::new(options.settle.clone()),
            settle: options.settle,
            roots: roots.iter().map(watched).collect(),
            kernel,
            interval: options
                .interval
                .unwrap_or(FALLBACK_INTERVAL)
                .max(SHORTEST_INTERVAL),
            next_poll: None,
            waiting: Vec::new(),
        };
        shell.survey(&(0..shell.roots.len()).collect(), &[]);
        shell
    }

    /// Returns when it is told to stop, or when nobody is left who could tell it anything.
    pub(super) fn run(mut self) {
        loop {
            for report in std::mem::take(&mut self.waiting) {
                self.deliver(report);
            }
            let Some(messages) = self.receive() else {
                return;
            };
            let mut events = Vec::new();
            let mut surveyed = BTreeSet::new();
            let mut all = self.is_time_to_poll();
            for message in messages {
                match message {
                    Message::Event { at, path, sign } => {
                        all |= self.forgets(&path, sign);
                        self.concerned(&path, sign, &mut surveyed);
                        events.push(Event { at, path, sign });
                    }
                    Message::Rescan(_) => all = true,
                    Message::Stop => return,
                    // These are for the watcher of single files.
                    Message::Add { .. } | Message::Remove(_) => {}
                }
            }
            if all {
                surveyed.extend(0..self.roots.len());
            }
            self.survey(&surveyed, &events);
            self.observe(&events);
            if all {
                self.look_at(self.members());
            }
            self.conclude();
        }
    }

    /// The messages of now, none if it is time for a look. None if there will be no more.
    fn receive(&mut self) -> Option<Vec<Message>> {
        let dirty = self.roots.iter().filter_map(|root| self.due(root));
        let next = self.files.next().into_iter().chain(self.next_poll);
        let first = match next.chain(dirty).min() {
            None => Some(self.inbox.recv().ok()?),
            Some(next) => {
                let wait = next.saturating_duration_since(Instant::now());
                match self.inbox.recv_timeout(wait) {
                    Ok(message) => Some(message),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return None,
                }
            }
        };
        let messages = first.into_iter().chain(self.inbox.try_iter());
        Some(messages.take(BATCH).collect())
    }

    fn is_time_to_poll(&mut self) -> bool {
        let now = Instant::now();
        let is_time = self.next_poll.is_some_and(|next| next <= now);
        if is_time {
            self.next_poll = Some(now + self.interval);
        }
        is_time
    }

    fn plan_poll(&mut self) {
        let is_polled =
            self.kernel.is_none() || self.roots.iter().any(|root| root.polled.is_some());
        self.next_poll = match self.next_poll {
            Some(next) if is_polled => Some(next),
            _ => is_polled.then(|| Instant::now() + self.interval),
        };
    }

    /// Whether a watched directory is another one now, so that what is below it is watched no more.
    fn forgets(&mut self, path: &Path, sign: Sign) -> bool {
        match &mut self.kernel {
            Some(Ok(kernel)) if sign.is_of_the_name() && kernel.watches(path) => {
                kernel.forget(path);
                true
            }
            _ => false,
        }
    }

    /// The roots that must be surveyed for this.
    fn concerned(&self, path: &Path, sign: Sign, roots: &mut BTreeSet<usize>) {
        if sign.is_of_the_name() || sign == Sign::Touched {
            let is_concerned = |(_, root): &(usize, &Watched)| root.survey.has(path);
            let concerned = self.roots.iter().enumerate().filter(is_concerned);
            roots.extend(concerned.map(|(number, _)| number));
        }
    }

    /// Finds out what there is in some roots, and asks for the events of it.
    fn survey(&mut self, roots: &BTreeSet<usize>, events: &[Event]) {
        for &number in roots {
            let Some(root) = self.roots.get_mut(number) else {
                continue;
            };
            let mut new = Survey::of(&root.absolute);
            let mut refused = None;
            for _ in 0..SURVEYS {
                // What appears after the survey and before the watch gives no event, so it is made
                // again until all that it finds was watched before.
                let (settled, reason) = watch(&mut self.kernel, &new);
                refused = reason;
                if settled {
                    break;
                }
                new = Survey::of(&root.absolute);
            }
            if let Some(reason) = &refused
                && root.polled.is_none()
            {
                self.waiting.push(RootReport::Polling {
                    root: root.given.clone(),
                    reason: reason.clone(),
                });
            }
            root.polled = refused;
            let old = std::mem::replace(&mut root.survey, new);
            let is_first = !std::mem::replace(&mut root.surveyed, true);
            let now = Instant::now();
            if !is_first && old.differs_in_shape(&root.survey) {
                root.dirt(now);
            }
            let came: Vec<_> = root
                .survey
                .members
                .difference(&old.members)
                .cloned()
                .collect();
            let went: Vec<_> = old
                .members
                .difference(&root.survey.members)
                .cloned()
                .collect();
            for file in came {
                if is_first {
                    self.files.add(&file, FileState::of(&file));
                } else {
                    // One that was there before is known still, until it is missing.
                    self.files.add(&file, None);
                    self.look(&file, now, sign_of_new(&file, events));
                }
            }
            self.look_at(went);
        }
        if let Some(Ok(kernel)) = &mut self.kernel {
            let used: HashSet<&Path> = self
                .roots
                .iter()
                .flat_map(|root| root.survey.directories())
                .map(|(directory, _)| directory)
                .collect();
            kernel.retain(|directory| used.contains(directory));
        }
        self.plan_poll();
    }

    fn observe(&mut self, events: &[Event]) {
        for event in events {
            let files: BTreeSet<PathBuf> = self
                .roots
                .iter()
                .flat_map(|root| root.survey.files_at(&event.path))
                .cloned()
                .collect();
            for file in files {
                self.look(&file, event.at, event.sign);
            }
        }
    }

    fn look_at(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        for file in files {
            self.look(&file, Instant::now(), Sign::Look);
        }
    }

    fn look(&mut self, file: &Path, at: Instant, sign: Sign) {
        let state = FileState::of(file);
        let seen = Observation {
            at,
            now: Instant::now(),
            sign,
            state,
        };
        if let Some(Report::Missing { path }) = self.files.observe(file, seen) {
            let now = Instant::now();
            for number in self.roots_of(&path) {
                self.roots[number].dirt(now);
            }
            let is_member = |root: &Watched| root.survey.members.contains(&path);
            if !self.roots.iter().any(is_member) {
                self.files.remove(&path);
            }
        }
    }

    fn members(&self) -> BTreeSet<PathBuf> {
        let members = self.roots.iter().flat_map(|root| &root.survey.members);
        members.cloned().collect()
    }

    /// The roots that a file is, or was, in.
    fn roots_of(&self, file: &Path) -> Vec<usize> {
        let is_in = |(_, root): &(usize, &Watched)| file.starts_with(&root.absolute);
        let roots = self.roots.iter().enumerate().filter(is_in);
        roots.map(|(number, _)| number).collect()
    }

    /// Tells what is complete.
    fn conclude(&mut self) {
        self.look_at(self.files.due(Instant::now()));
        let now = Instant::now();
        self.look_at(self.files.settling(now));
        let mut changed = BTreeSet::new();
        if let Some(Report::Settled { set }) = self.files.settle(now) {
            changed.extend(set.iter().flat_map(|file| self.roots_of(&file.path)));
        }
        for (number, root) in self.roots.iter().enumerate() {
            if self.due(root).is_some_and(|due| due <= now) {
                changed.insert(number);
            }
        }
        if changed.is_empty() {
            return;
        }
        for &number in &changed {
            self.roots[number].dirty = None;
        }
        let roots = changed
            .iter()
            .map(|&number| self.roots[number].given.clone());
        let roots = roots.collect();
        self.deliver(RootReport::Changed { roots });
    }

    /// When a root is to be reported for something else than a complete file: soon after the last
    /// such change, but not in the middle of a file's, unless that takes too long.
    fn due(&self, root: &Watched) -> Option<Instant> {
        let (first, last) = root.dirty?;
        let is_busy = root
            .survey
            .members
            .iter()
            .any(|file| self.files.is_busy(file));
        let longest = first + self.settle.set;
        Some(match is_busy {
            true => longest,
            false => longest.min(last + self.settle.quiet),
        })
    }

    fn deliver(&mut self, report: RootReport) {
        // The watch may be dropped by what an earlier report led to.
        if !self.stopped.load(Ordering::Acquire) {
            (self.report)(report);
        }
    }
}

/// What was put into a directory before that got its name is complete, like the directory.
fn sign_of_new(file: &Path, events: &[Event]) -> Sign {
    let mut arrived = events
        .iter()
        .filter(|event| event.sign == Sign::Arrived)
        .peekable();
    if arrived.peek().is_some()
        && let Ok(real) = std::fs::canonicalize(file)
        && arrived.any(|event| real.starts_with(&event.path))
    {
        return Sign::Arrived;
    }
    Sign::Look
}

/// Asks for the events of all directories of a survey. Answers whether all were watched already, and
/// why there are no events, or not enough.
fn watch(kernel: &mut Option<Result<Kernel, String>>, survey: &Survey) -> (bool, Option<String>) {
    let kernel = match kernel {
        None => return (true, None),
        Some(Err(error)) => return (true, Some(error.clone())),
        Some(Ok(kernel)) => kernel,
    };
    let mut settled = true;
    let mut reason = None;
    for (directory, is_vital) in survey.directories() {
        let events = match kernel.watch(directory) {
            Watch::Kept(events) => events,
            Watch::New(events) => {
                settled = false;
                events
            }
            Watch::Vanished => {
                settled = false;
                continue;
            }
        };
        if is_vital {
            reason = reason.or(events.err());
        }
    }
    (settled, reason)
}

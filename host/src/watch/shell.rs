//! The watcher's thread: takes events and commands, looks at files, and reports.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::change::Observation;
use super::kernel::{Kernel, Watch};
use super::set::Files;
use super::state::{FileState, Sign};
use super::trail::{Role, Step, walk};
use super::ways::Ways;
use super::{FALLBACK_INTERVAL, Report, SHORTEST_INTERVAL, WatchOptions};

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Message {
    Add {
        /// As it was given, and as it is reported.
        path: PathBuf,
        absolute: PathBuf,
        baseline: Option<FileState>,
    },
    Remove(PathBuf),
    /// Something happened at this path, in a directory that is watched or to the directory itself.
    Event {
        at: Instant,
        path: PathBuf,
        sign: Sign,
    },
    /// Events were lost.
    Rescan(Instant),
    Stop,
}

/// So many messages are taken before files are looked at: a flood of events must not keep the
/// thread from it.
const BATCH: usize = 1024;

/// How often the way to a file is walked again because it changed while it was walked. Whoever
/// changes it so fast gives further events.
const WALKS: usize = 8;

/// Everything that the thread owns.
pub(super) struct Shell {
    inbox: Receiver<Message>,
    stopped: Arc<AtomicBool>,
    report: Box<dyn FnMut(Report) + Send>,
    files: Files,
    places: BTreeMap<PathBuf, Place>,
    ways: Ways,
    /// The files whose directories give no events, or not all of them.
    polled: BTreeSet<PathBuf>,
    /// None: polling was asked for. Err: why there are no events at all.
    kernel: Option<Result<Kernel, String>>,
    interval: Duration,
    /// When the polled files are looked at next.
    next_poll: Option<Instant>,
    /// The directories that `Polling` was reported of.
    told: HashSet<PathBuf>,
}

/// Where a watched file is.
struct Place {
    absolute: PathBuf,
    steps: Vec<Step>,
}

/// What a batch of messages asks for.
#[derive(Default)]
struct Work {
    /// Per file, in the order in which they were given.
    signs: BTreeMap<PathBuf, Vec<(Instant, Sign)>>,
    /// Files whose way must be walked again.
    walks: BTreeSet<PathBuf>,
    /// Files are not watched any more.
    removed: bool,
    stop: bool,
}

impl Shell {
    pub(super) fn new(
        options: WatchOptions,
        kernel: Option<Result<Kernel, String>>,
        inbox: Receiver<Message>,
        stopped: Arc<AtomicBool>,
        report: Box<dyn FnMut(Report) + Send>,
    ) -> Self {
        let interval = options.interval.unwrap_or(FALLBACK_INTERVAL);
        Shell {
            inbox,
            stopped,
            report,
            files: Files::new(options.settle),
            places: BTreeMap::new(),
            ways: Ways::default(),
            polled: BTreeSet::new(),
            kernel,
            interval: interval.max(SHORTEST_INTERVAL),
            next_poll: None,
            told: HashSet::new(),
        }
    }

    /// Returns when it is told to stop, or when nobody is left who could tell it anything.
    pub(super) fn run(mut self) {
        while let Some(messages) = self.receive() {
            let mut work = Work::default();
            for message in messages {
                self.take(message, &mut work);
            }
            if work.stop {
                break;
            }
            self.poll(&mut work);
            self.look(work);
            self.plan_poll();
            self.look_at(self.files.due(Instant::now()));
            let now = Instant::now();
            self.look_at(self.files.settling(now));
            if let Some(report) = self.files.settle(now) {
                self.deliver(report);
            }
        }
    }

    /// The messages of now, none if it is time for a look. None if there will be no more.
    fn receive(&mut self) -> Option<Vec<Message>> {
        let next = self.files.next().into_iter().chain(self.next_poll).min();
        let first = match next {
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
        Some(
            first
                .into_iter()
                .chain(self.inbox.try_iter())
                .take(BATCH)
                .collect(),
        )
    }

    fn take(&mut self, message: Message, work: &mut Work) {
        match message {
            Message::Add {
                path,
                absolute,
                baseline,
            } => {
                if self.files.add(&path, baseline) {
                    let place = Place {
                        absolute,
                        steps: Vec::new(),
                    };
                    self.places.insert(path.clone(), place);
                    self.walk(&path);
                    // It may have changed since the baseline was taken, before events came.
                    work.sign(&path, Instant::now(), Sign::Look);
                }
            }
            Message::Remove(path) => {
                self.files.remove(&path);
                if let Some(place) = self.places.remove(&path) {
                    self.ways.change(&path, &place.steps, &[]);
                }
                self.polled.remove(&path);
                work.signs.remove(&path);
                work.walks.remove(&path);
                work.removed = true;
            }
            Message::Event { at, path, sign } => self.take_event(at, &path, sign, work),
            Message::Rescan(at) => {
                for path in self.places.keys() {
                    work.sign(path, at, Sign::Look);
                    work.walks.insert(path.clone());
                }
            }
            Message::Stop => work.stop = true,
        }
    }

    fn take_event(&mut self, at: Instant, path: &Path, sign: Sign, work: &mut Work) {
        let of_the_name = sign.is_of_the_name();
        let of_a_directory = of_the_name
            && match &mut self.kernel {
                Some(Ok(kernel)) if kernel.watches(path) => {
                    kernel.forget(path);
                    true
                }
                _ => false,
            };
        // What moved away or came may have been on many ways; anything else is a step of some.
        let concerned = match of_a_directory {
            true => self.places.keys().cloned().collect(),
            false => self.ways.through(path),
        };
        for file in &concerned {
            let Some(place) = self.places.get(file) else {
                continue;
            };
            let sign = match place.steps.iter().find(|step| step.path == path) {
                Some(step) if step.role == Role::File => sign,
                // What it now leads to was there before: like a file that is renamed into place.
                Some(step)
                    if step.role == Role::Link && matches!(sign, Sign::Created | Sign::Arrived) =>
                {
                    Sign::Arrived
                }
                Some(_) if of_the_name => Sign::Look,
                _ if of_a_directory && place.leads_through(path) => Sign::Look,
                _ => continue,
            };
            work.sign(file, at, sign);
            if of_the_name {
                work.walks.insert(file.clone());
            }
        }
    }

    /// Adds the files that are to be looked at because nobody tells of them.
    fn poll(&mut self, work: &mut Work) {
        let now = Instant::now();
        if self.next_poll.is_none_or(|next| now < next) {
            return;
        }
        for path in &self.polled {
            work.sign(path, now, Sign::Look);
            work.walks.insert(path.clone());
        }
        self.next_poll = Some(now + self.interval);
    }

    fn plan_poll(&mut self) {
        let polled = !self.polled.is_empty();
        self.next_poll = match self.next_poll {
            Some(next) if polled => Some(next),
            _ => polled.then(|| Instant::now() + self.interval),
        };
    }

    fn look(&mut self, work: Work) {
        for path in &work.walks {
            self.walk(path);
        }
        if work.removed || !work.walks.is_empty() {
            self.drop_unused_watches();
        }
        for (path, signs) in work.signs {
            // One look is enough for all: it is later than any of them, and what happens after it
            // gives another event.
            let Some(place) = self.places.get(&path) else {
                continue;
            };
            let state = FileState::of(&place.absolute);
            let now = Instant::now();
            for (at, sign) in signs {
                let seen = Observation {
                    at,
                    now,
                    sign,
                    state,
                };
                self.observe(&path, seen);
            }
        }
    }

    fn look_at(&mut self, paths: Vec<PathBuf>) {
        for path in paths {
            let Some(place) = self.places.get(&path) else {
                continue;
            };
            let state = FileState::of(&place.absolute);
            let now = Instant::now();
            let seen = Observation {
                at: now,
                now,
                sign: Sign::Look,
                state,
            };
            self.observe(&path, seen);
        }
    }

    fn observe(&mut self, path: &Path, seen: Observation) {
        if let Some(report) = self.files.observe(path, seen) {
            self.deliver(report);
        }
    }

    /// Finds the way to a file, and asks for the events of the directories on it.
    fn walk(&mut self, path: &Path) {
        let Some(place) = self.places.get_mut(path) else {
            return;
        };
        let mut reason = None;
        let before = place.steps.clone();
        let polled = match &mut self.kernel {
            None => true,
            Some(Err(error)) => {
                reason = Some(error.clone());
                true
            }
            Some(Ok(kernel)) => {
                for _ in 0..WALKS {
                    // What appears after the walk and before the watch gives no event, so it is
                    // walked until all that it meets was watched before.
                    let (settled, refused) = place.walk(kernel);
                    reason = refused;
                    if settled {
                        break;
                    }
                }
                reason.is_some()
            }
        };
        self.ways.change(path, &before, &place.steps);
        match polled {
            true => self.polled.insert(path.to_owned()),
            false => self.polled.remove(path),
        };
        let directory = place
            .absolute
            .parent()
            .unwrap_or(&place.absolute)
            .to_owned();
        if let Some(reason) = reason
            && self.told.insert(directory.clone())
        {
            self.deliver(Report::Polling {
                path: directory,
                reason,
            });
        }
    }

    fn drop_unused_watches(&mut self) {
        if let Some(Ok(kernel)) = &mut self.kernel {
            let steps = self.places.values().flat_map(|place| &place.steps);
            let used: HashSet<&Path> = steps.map(Step::directory).collect();
            kernel.retain(|directory| used.contains(directory));
        }
    }

    fn deliver(&mut self, report: Report) {
        // The watcher may be dropped by what an earlier report led to.
        if !self.stopped.load(Ordering::Acquire) {
            (self.report)(report);
        }
    }
}

impl Work {
    fn sign(&mut self, path: &Path, at: Instant, sign: Sign) {
        self.signs
            .entry(path.to_owned())
            .or_default()
            .push((at, sign));
    }
}

impl Place {
    /// Whether a directory, or what is below it, is on the way.
    fn leads_through(&self, directory: &Path) -> bool {
        self.steps
            .iter()
            .any(|step| step.path.starts_with(directory))
    }

    /// Whether all directories on the way were watched already, and why those that matter give no
    /// events.
    fn walk(&mut self, kernel: &mut Kernel) -> (bool, Option<String>) {
        self.steps = walk(&self.absolute);
        let mut settled = true;
        let mut reason = None;
        for step in &self.steps {
            let events = match kernel.watch(step.directory()) {
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
            if step.vital {
                reason = reason.or(events.err());
            }
        }
        (settled, reason)
    }
}

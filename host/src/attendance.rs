//! What a host does all the time with a version of a plugin that serves: it runs its services, and reads
//! its channels. Each of these is a session, on a thread of its own, since what it polls is the plugin's
//! code and may block.
//!
//! Sessions belong to one version, call its own objects and not whatever is in their slots, and end
//! before that version does.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use keyway::abi::pass::Pass;
use keyway::service::ServiceReport;
use keyway::{ErrorKind, PluginError, Result, Stream};
use tokio::sync::{oneshot, watch};

use crate::clock::Clock;
use crate::library::host_thread;
use crate::registry::Key;

/// How long past its patience a session gets to be dropped.
const GRACE: Duration = Duration::from_millis(500);

/// One side of a session: what it opens, and what it does with what comes.
pub(crate) trait Attended: Send + 'static {
    type Item: Pass + 'static;

    async fn open(&self) -> Result<Stream<Self::Item>>;

    /// May wait, which slows the plugin down. Answers what the plugin says of the session with it, if it
    /// is that.
    async fn take(&self, item: Self::Item) -> Option<ServiceReport>;

    /// Asks the plugin to end the stream in order.
    async fn stop(&self) -> Result<()>;

    fn without_secrets(&self, error: PluginError) -> PluginError;

    /// The session is over.
    fn ended(&self, how: &Ending);
}

/// How a session has ended.
pub(crate) enum Ending {
    /// It was asked to.
    Asked,
    ByItself,
    Failed(Arc<PluginError>),
}

/// How a service or an open channel is doing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum SessionState {
    /// The plugin was asked to start it, and has not answered yet.
    #[default]
    Starting,
    /// It runs.
    Running,
    /// It has ended by itself.
    Ended,
    /// It could not be started, or ended with an error.
    Failed {
        /// The error.
        reason: Arc<PluginError>,
    },
}

impl SessionState {
    /// `starting`, `running`, `ended` or `failed`.
    pub fn name(&self) -> &'static str {
        match self {
            SessionState::Starting => "starting",
            SessionState::Running => "running",
            SessionState::Ended => "ended",
            SessionState::Failed { .. } => "failed",
        }
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        matches!(self, SessionState::Running)
    }
}

/// With the error, if there is one.
impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            SessionState::Failed { reason } => write!(f, ": {reason:#}"),
            _ => Ok(()),
        }
    }
}

/// How a session is doing, by what the host sees and by what the plugin says.
#[derive(Clone, Default)]
pub(crate) struct Progress {
    pub(crate) state: SessionState,
    pub(crate) said: Option<ServiceReport>,
}

/// The sessions of one version.
#[derive(Default)]
pub(crate) struct Attendance {
    sessions: Mutex<Vec<Session>>,
}

/// One thing that is attended.
struct Session {
    key: Key,
    progress: Arc<Mutex<Progress>>,
    /// Dropping it ends the session at once, setting it in order.
    end: watch::Sender<Option<Duration>>,
    done: watch::Receiver<()>,
}

impl Attendance {
    /// Starts a session, unless there was one of the same since the last [`end`](Self::end). What it
    /// answers says when the plugin has opened it, or why not.
    pub(crate) fn begin<A: Attended>(
        &self,
        clock: &Arc<Clock>,
        deadline: Duration,
        key: &Key,
        attended: A,
    ) -> Option<oneshot::Receiver<Result<(), Arc<PluginError>>>> {
        let mut sessions = self.lock();
        if sessions.iter().any(|session| session.key == *key) {
            return None;
        }
        let (opened, opening) = oneshot::channel();
        let (end, ending) = watch::channel(None);
        let (working, done) = watch::channel(());
        let progress = Arc::new(Mutex::new(Progress::default()));
        let thread = Thread {
            attended,
            clock: Arc::clone(clock),
            deadline,
            progress: Arc::clone(&progress),
            ending,
        };
        let run = move || {
            host_thread();
            thread.run(opened);
            drop(working);
        };
        let started = std::thread::Builder::new()
            .name("keyway-session".to_owned())
            .spawn(run);
        if let Err(error) = started {
            let message = format!("cannot start a thread: {error}");
            let reason = Arc::new(PluginError::new(message));
            lock(&progress).state = SessionState::Failed { reason };
        }
        sessions.push(Session {
            key: key.clone(),
            progress,
            end,
            done,
        });
        Some(opening)
    }

    /// How each session is doing.
    pub(crate) fn progress(&self) -> Vec<(Key, Progress)> {
        let sessions = self.lock();
        let sessions = sessions.iter();
        sessions
            .map(|session| (session.key.clone(), lock(&session.progress).clone()))
            .collect()
    }

    /// Ends the sessions of these keys, or of all: asks each to end, reads on until it has or patience is
    /// over, and joins its thread. One that blocks its thread for longer is left to itself.
    pub(crate) async fn end(&self, clock: &Clock, patience: Duration, only: Option<&Key>) {
        let ending: Vec<Session> = {
            let mut sessions = self.lock();
            let is_meant = |session: &mut Session| only.is_none_or(|key| session.key == *key);
            sessions.extract_if(.., is_meant).collect()
        };
        for session in &ending {
            session.end.send_replace(Some(patience));
        }
        let mut late = pin!(clock.sleep(patience + GRACE));
        for Session { key, mut done, .. } in ending {
            // An error is how it says that it is done.
            let is_done = pin!(done.changed());
            if let First::Other(()) = first(is_done, late.as_mut()).await {
                let Key { id, name, .. } = key;
                tracing::warn!(
                    "{id} `{name}` did not end within {patience:?} and blocks its thread, which is lost \
                     until it returns"
                );
            }
        }
    }

    /// Whether a session of this key is over, and may be started anew.
    pub(crate) fn forget_if_over(&self, key: &Key) {
        let is_over = |session: &Session| {
            let progress = lock(&session.progress);
            matches!(
                progress.state,
                SessionState::Ended | SessionState::Failed { .. }
            )
        };
        self.lock()
            .retain(|session| session.key != *key || !is_over(session));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Session>> {
        lock(&self.sessions)
    }
}

/// What the thread of a session works with.
struct Thread<A> {
    attended: A,
    /// Keeps the runtime, whose timers are used here.
    clock: Arc<Clock>,
    deadline: Duration,
    progress: Arc<Mutex<Progress>>,
    ending: watch::Receiver<Option<Duration>>,
}

impl<A: Attended> Thread<A> {
    fn run(self, opened: oneshot::Sender<Result<(), Arc<PluginError>>>) {
        let runtime = self.clock.handle().clone();
        let ending = runtime.block_on(self.attend(opened));
        let ending = ending.unwrap_or_else(Ending::Failed);
        lock(&self.progress).state = match &ending {
            Ending::Asked | Ending::ByItself => SessionState::Ended,
            Ending::Failed(reason) => SessionState::Failed {
                reason: Arc::clone(reason),
            },
        };
        self.attended.ended(&ending);
    }

    async fn attend(
        &self,
        opened: oneshot::Sender<Result<(), Arc<PluginError>>>,
    ) -> Result<Ending, Arc<PluginError>> {
        let failed = |error| Arc::new(self.attended.without_secrets(error));
        let mut ending = self.ending.clone();
        let mut asked = pin!(async move {
            let asked = ending.wait_for(Option::is_some).await;
            // Without a host, what is left in the stream is for nobody.
            asked.map_or(Duration::ZERO, |patience| patience.unwrap_or_default())
        });
        let open = pin!(tokio::time::timeout(self.deadline, self.attended.open()));
        let stream = match first(open, asked.as_mut()).await {
            First::One(Ok(stream)) => stream,
            First::One(Err(_elapsed)) => {
                let message = format!("it did not start within {:?}", self.deadline);
                Err(PluginError::of(ErrorKind::DeadlineExceeded, message))
            }
            First::Other(_) => return Ok(Ending::Asked),
        };
        // Nobody may be interested in what comes of it.
        let mut stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                let error = failed(error);
                let _ = opened.send(Err(Arc::clone(&error)));
                return Err(error);
            }
        };
        lock(&self.progress).state = SessionState::Running;
        let _ = opened.send(Ok(()));
        let mut read = pin!(async {
            while let Some(item) = stream.next().await {
                if let Some(said) = self.attended.take(item?).await {
                    lock(&self.progress).said = Some(said);
                }
            }
            Ok(())
        });
        let patience = match first(read.as_mut(), asked).await {
            First::One(ended) => return ended.map(|()| Ending::ByItself).map_err(failed),
            First::Other(patience) => patience,
        };
        let in_order = async {
            if let Err(error) = self.attended.stop().await {
                tracing::debug!("a session was asked to end, and did not like that: {error:#}");
            }
            read.await
        };
        match tokio::time::timeout(patience, in_order).await {
            Ok(ended) => ended.map(|()| Ending::Asked).map_err(failed),
            // Dropping the stream is what cancels it.
            Err(_elapsed) => Ok(Ending::Asked),
        }
    }
}

enum First<A, B> {
    One(A),
    Other(B),
}

/// Whichever is ready first.
async fn first<A: Future, B: Future>(
    mut one: Pin<&mut A>,
    mut other: Pin<&mut B>,
) -> First<A::Output, B::Output> {
    poll_fn(|cx| {
        if let Poll::Ready(one) = one.as_mut().poll(cx) {
            return Poll::Ready(First::One(one));
        }
        other.as_mut().poll(cx).map(First::Other)
    })
    .await
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of others runs under the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
